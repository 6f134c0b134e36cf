#include "base/mutex.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace heddle::base {
namespace {

TEST(Guarded, increments_of_many_threads_are_all_kept) {
  Guarded<int> counter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&counter] {
      for (int i = 0; i < 10'000; ++i) counter.with([](int& value) { ++value; });
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.with([](int& value) { return value; }), 40'000);
}

struct Turn {
  Mutex mutex;
  CondVar changed;
  int whose HEDDLE_GUARDED_BY(mutex) = 0;
};

TEST(CondVar, waiters_see_what_was_written_before_the_notify) {
  Turn turn;
  const auto play = [&turn](int me) {
    for (int round = 0; round < 1'000; ++round) {
      const MutexLock lock(turn.mutex);
      while (turn.whose != me) turn.changed.wait(turn.mutex);
      turn.whose = 1 - me;
      turn.changed.notify_all();
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  const MutexLock lock(turn.mutex);
  EXPECT_EQ(turn.whose, 0);
}

}  // namespace
}  // namespace heddle::base
