// Looking up places inside one piece of code. Async-signal-safe: reads immutable tables only.
#include <algorithm>

#include "code/module_code.h"
#include "code/space.h"

namespace heddle::code {

const abi::TrapSite* FunctionCode::trap_site(const void* pc) const {
  const std::uint32_t offset = offset_of(pc);
  const auto at = std::lower_bound(trap_sites.begin(), trap_sites.end(), offset,
                                   [](const abi::TrapSite& s, std::uint32_t o) { return s.code_offset < o; });
  return at != trap_sites.end() && at->code_offset == offset ? &*at : nullptr;
}

std::uint32_t FunctionCode::body_offset(const void* pc) const {
  const std::uint32_t offset = offset_of(pc);
  const auto trap = std::upper_bound(trap_sites.begin(), trap_sites.end(), offset,
                                     [](std::uint32_t o, const abi::TrapSite& s) { return o < s.code_offset; });
  const auto call = std::upper_bound(call_sites.begin(), call_sites.end(), offset,
                                     [](std::uint32_t o, const abi::CallSite& s) { return o < s.return_offset; });
  const abi::TrapSite* last_trap = trap == trap_sites.begin() ? nullptr : &*(trap - 1);
  const abi::CallSite* last_call = call == call_sites.begin() ? nullptr : &*(call - 1);
  // At the same offset the call is meant: its return address is the first byte of whatever follows.
  if (last_call != nullptr && (last_trap == nullptr || last_call->return_offset >= last_trap->code_offset))
    return last_call->body_offset;
  if (last_trap != nullptr) return last_trap->body_offset;
  return owner == nullptr ? 0 : static_cast<std::uint32_t>(owner->module().body(func).range.begin);
}

}  // namespace heddle::code
