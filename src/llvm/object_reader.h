// An ELF relocatable object with wasm functions, each in a section of its own -> the parts of their CodeArtifacts.
// Knows exactly what our pipeline emits (x86-64, PC-relative relocations to read-only data and to jump-table slots,
// .debug_line, .eh_frame), and says so if it meets anything else.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "abi/artifact.h"

namespace heddle::llvm_tier {

/// What the object says; `body` and `listing` are the caller's.
struct ObjectParts {
  std::vector<std::uint8_t> code;
  std::uint32_t instruction_bytes = 0;  ///< of `code`; read-only data stands behind
  std::vector<abi::SlotRelocation> relocations;
  std::vector<abi::OffsetRow> offset_rows;
  std::vector<abi::ExceptionHandler> handlers;
  abi::FrameInfo frame;
};

/// Lines from first_line on, up to the next range: places in one body, inlined or not. A line for each byte.
struct LineRange {
  std::uint32_t first_line = 0;
  std::uint32_t body_begin = 0;
  std::uint32_t inlined = 0;  ///< as abi::OffsetRow::inlined
};

/// A function of the object.
struct ObjectFunction {
  std::string_view symbol;
  /// What line numbers in its code mean: ascending, the first from line 1.
  std::span<const LineRange> lines;
};

/// In the order of `functions`. The string says what is not understood of one; the others are complete. What a function
/// gives does not depend on the others in the object.
std::vector<std::variant<ObjectParts, std::string>> read_object(std::span<const char> object,
                                                                std::span<const ObjectFunction> functions);

}  // namespace heddle::llvm_tier
