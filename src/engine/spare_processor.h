// Is there a processor that the program's threads leave to a thread that works beside them? Judged by what was seen
// last: that thread's own work, which takes longer than its CPU time if it shares a processor, or how many processors
// the whole process kept busy while that thread slept. Not for two threads.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace heddle::engine {

class SpareProcessor {
 public:
  /// `processors`: that the process may use.
  explicit SpareProcessor(unsigned processors) : processors_(processors), is_there_(processors > 1) {}

  bool is_there() const { return is_there_; }

  /// The thread worked: with its own CPU time.
  void worked(const base::Span& span) {
    if (is_long_enough(span)) is_there_ = used(span) > 0.8;
  }
  /// The thread slept: with the CPU time of the process. False: too short to say anything.
  bool slept(const base::Span& span) {
    if (!is_long_enough(span)) return false;
    is_there_ = used(span) < processors_ - 0.5;
    return true;
  }

 private:
  /// Chosen: CPU times of other threads are up to a tick old.
  static bool is_long_enough(const base::Span& span) { return span.wall_ns >= 20'000'000; }
  static double used(const base::Span& span) {
    return static_cast<double>(span.cpu_ns) / static_cast<double>(span.wall_ns);
  }
  double processors_;
  bool is_there_;
};

}  // namespace heddle::engine
