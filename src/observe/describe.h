// What to call a piece of code, and which wasm instruction its bytes belong to: as all observers tell it.
#pragma once

#include <string>
#include <vector>

#include "code/listener.h"
#include "code/module_code.h"

namespace heddle::observe {

/// "$name [llvm]", "$name [llvm, loop at 0x1a2b]": the function as in stacks, its tier, and if it is only a part. One
/// line of printable characters, whatever the guest's name section says.
std::string describe(const code::NewCode& code);

/// From code_offset on (until the next row) code belongs to the wasm instruction at body_offset.
struct PlaceRow {
  std::uint32_t code_offset = 0;
  std::uint32_t body_offset = 0;
};
/// Ascending, the first at 0. Between the sites of baseline code the nearest before counts.
std::vector<PlaceRow> place_rows(const code::FunctionCode& code);

}  // namespace heddle::observe
