// An object file in memory that tells a debugger of generated code: ELF with symbols and DWARF 4 (line tables, inlined
// calls, call frame information), all addresses absolute. Our own writer, since what exists costs more than it saves:
// elfutils writes ELF but no DWARF; libdwarf's producer writes DWARF but no ELF, is split off in its newer versions,
// and would be loaded at every start; LLVM's is not there for the baseline.
//
// https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html, https://dwarfstd.org/doc/DWARF4.pdf
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "abi/artifact.h"

namespace heddle::observe {

/// From code_offset on (until the next row) code belongs to this line.
struct DebugLine {
  std::uint32_t code_offset = 0;
  std::uint32_t file = 0;     ///< in DebugFunction::files
  std::uint32_t line = 0;     ///< 0: unknown
  bool is_statement = false;  ///< an instruction begins here: breakpoints of the line go there
};

struct DebugInlinedCall {
  std::string name;        ///< who is called
  std::uint32_t file = 0;  ///< of the call, as is `line`
  std::uint32_t line = 0;
  std::uint32_t around = 0;                                     ///< as abi::InlinedCall's
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges;  ///< [begin, end) of code_offset, with what is in it
};

/// A piece of code. Strings hold no NUL.
struct DebugFunction {
  std::string name;
  std::uint64_t begin = 0;  ///< address
  std::uint32_t size_bytes = 0;
  std::vector<std::string> files;
  std::vector<DebugLine> lines;                                  ///< ascending, the first at 0
  std::vector<DebugInlinedCall> inlined;                         ///< callers first
  std::vector<abi::FrameRow> frame_rows;                         ///< ascending
  std::array<std::int32_t, 6> saved = {-1, -1, -1, -1, -1, -1};  ///< as FrameInfo's
  std::uint32_t frame_bytes = 0;                                 ///< what `saved` counts from: the full frame's size
};

/// The bytes of the object file. Each function is a compilation unit of its own, so that a debugger reads what it
/// needs. At most 60,000 functions; by ascending addresses it is smallest. No other code begins between multiples of
/// `alignment`.
std::vector<std::uint8_t> make_debug_object(std::span<const DebugFunction> functions, std::size_t alignment);

}  // namespace heddle::observe
