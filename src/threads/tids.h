// Tids: thread ids of one group. wasi-threads: 1 .. 2^29-1; zero is never given out, the top three bits are the
// guest's. A live id is never given out twice; a dead one as late as possible: only after all others have had their
// turn.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "base/mutex.h"

namespace heddle::threads {

inline constexpr std::uint32_t kMaxTid = (1u << 29) - 1;

class Tids {
 public:
  /// `max` is for tests.
  explicit Tids(std::uint32_t max = kMaxTid) : max_(max) {}

  /// A free id, or 0 if all are alive. Any thread.
  std::uint32_t take() HEDDLE_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    if (live_.size() >= max_) return 0;
    do {
      last_ = last_ == max_ ? 1 : last_ + 1;
    } while (!live_.insert(last_).second);
    return last_;
  }

  void give_back(std::uint32_t tid) HEDDLE_EXCLUDES(mutex_) {
    base::MutexLock lock(mutex_);
    live_.erase(tid);
  }

 private:
  const std::uint32_t max_;
  base::Mutex mutex_;
  std::uint32_t last_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::unordered_set<std::uint32_t> live_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace heddle::threads
