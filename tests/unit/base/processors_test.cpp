#include "base/processors.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <thread>

namespace heddle::base {
namespace {

TEST(ProcessorsTest, only_those_count_that_the_thread_may_run_on) {
  EXPECT_GE(usable_processors(), 1u);
  // On a thread of its own, whose affinity ends with it.
  std::thread([] {
    cpu_set_t all, one;
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    EXPECT_EQ(usable_processors(), static_cast<unsigned>(CPU_COUNT(&all)));
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu)
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(usable_processors(), 1u);
  }).join();
}

}  // namespace
}  // namespace heddle::base
