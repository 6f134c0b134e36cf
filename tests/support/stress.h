// What concurrency tests share: a seed that a failure prints, a budget of rounds, and a watchdog that turns a hang into
// a message. HEDDLE_STRESS=<factor> multiplies the rounds, HEDDLE_SEED=<n> repeats a run.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>

namespace heddle::test {

inline std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("HEDDLE_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 0) : 0x5eed'2026u;
  }();
  return value;
}

inline int rounds(int usual) {
  const char* factor = std::getenv("HEDDLE_STRESS");
  return factor != nullptr ? usual * std::atoi(factor) : usual;
}

/// splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t stream) : state_(seed() + stream * 0x9e3779b97f4a7c15u) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(next() % n); }
  /// Busy for a random number of turns up to n.
  void spin(std::uint32_t n) {
    for (std::uint32_t i = below(n); i != 0; --i) asm volatile("pause");
  }

 private:
  std::uint64_t state_;
};

/// Ends the process with a sentence if the scope lasts longer than its limit: a hang is a failure, not a wait for
/// ctest. With `progress` (borrowed) the limit is for the time without a change of it, whatever the load.
class Watchdog {
 public:
  explicit Watchdog(int seconds, const char* what, const std::atomic<int>* progress = nullptr) {
    thread_ = std::thread([this, seconds, what, progress] {
      std::unique_lock<std::mutex> lock(mutex_);
      int seen = -1, now = -1;
      do {
        seen = now;
        if (changed_.wait_for(lock, std::chrono::seconds(seconds), [this] { return done_; })) return;
        now = progress == nullptr ? seen : progress->load();
      } while (now != seen);
      std::fprintf(stderr, "hang: %s (seed %#llx)\n", what, static_cast<unsigned long long>(seed()));
      std::abort();
    });
  }
  ~Watchdog() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace heddle::test
