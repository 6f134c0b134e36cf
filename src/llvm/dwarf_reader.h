// The little of DWARF that our own objects contain: the line program (code offset -> line) and call frame information,
// each function's by itself. https://dwarfstd.org/doc/DWARF4.pdf sections 6.2 and 6.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "abi/artifact.h"
#include "base/span.h"

namespace heddle::llvm_tier {

struct LineRow {
  std::uint32_t code_offset = 0;
  std::uint32_t line = 0;
};

/// The rows of one function.
struct LineSequence {
  std::size_t address_at = 0;  ///< where in the section its address stands; a relocation says whose it is
  std::vector<LineRow> rows;   ///< in ascending order of code offset
};

/// Stops at what it does not know.
std::vector<LineSequence> read_line_table(base::Bytes debug_line);

/// The frame of one function.
struct FrameEntry {
  std::size_t address_at = 0;  ///< as LineSequence::address_at
  /// `rows`, `saved` and `size_bytes` are filled; nothing if something else than rsp-based frames comes up.
  std::optional<abi::FrameInfo> frame;
};

std::vector<FrameEntry> read_frames(base::Bytes eh_frame);

}  // namespace heddle::llvm_tier
