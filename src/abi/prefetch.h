// How a program asks for a prefetch. Wasm has no instruction for it, and clang drops __builtin_prefetch; so the wish is
// written with instructions that do nothing (examples/prefetch.h writes them):
//
//     ...                                     an address in memory 0
//     i32.const kPrefetchHint + 4 * write + locality
//     i32.xor
//     drop
//
// Both tiers make the machine's prefetch of it, which never faults, whatever the address. Other engines drop it with
// the rest of what does nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "abi/guard.h"
#include "module/module.h"

namespace heddle::abi {

inline constexpr std::uint32_t kPrefetchHint = 0x7072'6560;

struct Prefetch {
  bool write = false;
  unsigned locality = 0;  ///< as __builtin_prefetch has it: 0 (used once) to 3 (keep in all caches)
};

/// What an i32 that is xor-ed to an address and then dropped asks for.
inline std::optional<Prefetch> prefetch_hint(std::uint32_t constant) {
  const std::uint32_t wish = constant - kPrefetchHint;
  if (wish > 7) return std::nullopt;
  return Prefetch{(wish & 4) != 0, wish & 3};
}

/// Only where every address lies in the memory's reservation: a prefetch of others could tell what the host has cached.
inline bool can_prefetch(const module::Module& module) {
  return !module.memories.empty() && is_guarded(module.memories[0].type);
}

}  // namespace heddle::abi
