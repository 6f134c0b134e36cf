// The time by which whatever happens is noted and measured.
#pragma once

#include <cstdint>
#include <time.h>

namespace heddle::base {

/// 0 if the machine has no such clock. Async-signal-safe, as the next.
inline std::uint64_t clock_ns(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

/// CLOCK_MONOTONIC.
inline std::uint64_t monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}

struct Span {
  std::uint64_t wall_ns;
  std::uint64_t cpu_ns;
};

/// Measures a span of time from when it is made, and the CPU time in it: the calling thread's, or that of all threads
/// of the process, of which what others run at the moment may be a tick (1 to 10 ms) old.
class Stopwatch {
 public:
  enum class Of : clockid_t { thread = CLOCK_THREAD_CPUTIME_ID, process = CLOCK_PROCESS_CPUTIME_ID };

  explicit Stopwatch(Of of) : of_(of), begin_(now()) {}
  Span elapsed() const {
    const Span end = now();
    return {end.wall_ns - begin_.wall_ns, end.cpu_ns - begin_.cpu_ns};
  }
  void restart() { begin_ = now(); }

 private:
  Span now() const { return {monotonic_ns(), clock_ns(static_cast<clockid_t>(of_))}; }
  Of of_;
  Span begin_;
};

}  // namespace heddle::base
