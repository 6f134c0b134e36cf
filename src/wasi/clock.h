// WASI clocks as the host's.
#pragma once

#include <cstdint>
#include <ctime>
#include <limits>

namespace heddle::wasi {

inline constexpr std::uint64_t kNanosecondsPerSecond = 1'000'000'000;

/// False if `id` is no clock of preview1.
inline bool host_clock(std::uint32_t id, clockid_t& clock) {
  static constexpr clockid_t kClocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                          CLOCK_THREAD_CPUTIME_ID};
  if (id >= 4) return false;
  clock = kClocks[id];
  return true;
}

inline std::uint64_t nanoseconds(const timespec& t) {
  return static_cast<std::uint64_t>(t.tv_sec) * kNanosecondsPerSecond + static_cast<std::uint64_t>(t.tv_nsec);
}

inline timespec to_timespec(std::uint64_t ns) {
  timespec t;
  t.tv_sec = static_cast<time_t>(ns / kNanosecondsPerSecond);
  t.tv_nsec = static_cast<long>(ns % kNanosecondsPerSecond);
  return t;
}

inline std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return b > std::numeric_limits<std::uint64_t>::max() - a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

}  // namespace heddle::wasi
