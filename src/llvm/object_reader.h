// An ELF relocatable object with one wasm function -> the parts of a CodeArtifact. Knows exactly what our pipeline
// emits (x86-64, PC-relative relocations to own read-only data and to jump-table slots, .debug_line, .eh_frame), and
// says so if it meets anything else. https://refspecs.linuxfoundation.org/elf/x86_64-abi-0.99.pdf section 4.4
#pragma once

#include <span>
#include <string>
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

/// `lines` (ascending, the first from line 1) says what the object's line numbers mean. The string says what is not
/// understood.
std::variant<ObjectParts, std::string> read_object(std::span<const char> object, std::span<const LineRange> lines);

}  // namespace heddle::llvm_tier
