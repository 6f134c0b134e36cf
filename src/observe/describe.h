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

/// One line of printable characters, whatever the guest's name section says: "$name" as in stacks.
std::string printable_name(const code::ModuleCode& owner, spec::FuncIndex func);

/// From code_offset on (until the next row) code belongs to the wasm instruction at body_offset.
struct PlaceRow {
  std::uint32_t code_offset = 0;
  std::uint32_t body_offset = 0;
  bool is_inside = false;  ///< of an instruction: none begins at code_offset
};
/// Ascending, the first at 0. Between the sites of baseline code the nearest before counts; a call's row begins with
/// the last byte of the call, because that is where debuggers look for the line of a return address.
std::vector<PlaceRow> place_rows(const code::FunctionCode& code);

}  // namespace heddle::observe
