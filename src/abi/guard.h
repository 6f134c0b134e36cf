// Which memories need no check of the bounds: the reservation of a 32-bit one covers every address with an offset below
// kGuardedOffsets, and beyond its end nothing is accessible (runtime/memory.h), so the access itself faults.
#pragma once

#include <cstdint>

#include "spec/types.h"

namespace heddle::abi {

/// Larger offsets may lead out of the reservation.
inline constexpr std::uint64_t kGuardedOffsets = std::uint64_t{1} << 31;

/// Pages smaller than the machine's end where no guard can stand.
inline bool is_guarded(const spec::MemType& type) {
  return type.address == spec::AddressType::i32 && type.page_log2 == 16;
}

}  // namespace heddle::abi
