// The time by which whatever happens is noted and measured.
#pragma once

#include <cstdint>
#include <time.h>

namespace heddle::base {

/// CLOCK_MONOTONIC. Async-signal-safe.
inline std::uint64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

}  // namespace heddle::base
