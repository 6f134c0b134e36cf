// The little of DWARF that our own objects contain: the line program (code offset -> line) and call frame information
// of one function. https://dwarfstd.org/doc/DWARF4.pdf sections 6.2 and 6.4.
#pragma once

#include <cstdint>
#include <vector>

#include "abi/artifact.h"
#include "base/span.h"

namespace heddle::llvm_tier {

struct LineRow {
  std::uint32_t code_offset = 0;
  std::uint32_t line = 0;
};

/// Rows in ascending order of code offset. Stops at what it does not know.
std::vector<LineRow> read_line_table(base::Bytes debug_line);

/// Fills `rows`, `saved` and `size_bytes` from the first FDE; false if something else than rsp-based frames comes up.
bool read_frame_info(base::Bytes eh_frame, abi::FrameInfo& frame);

}  // namespace heddle::llvm_tier
