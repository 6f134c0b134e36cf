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
  std::vector<abi::SlotRelocation> relocations;
  std::vector<abi::CallSite> offset_rows;
  std::vector<abi::ExceptionHandler> handlers;
  abi::FrameInfo frame;
};

/// `body_begin` is the body offset that line 1 stands for. The string says what is not understood.
std::variant<ObjectParts, std::string> read_object(std::span<const char> object, std::uint64_t body_begin);

}  // namespace heddle::llvm_tier
