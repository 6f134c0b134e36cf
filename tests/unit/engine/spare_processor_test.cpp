#include "engine/spare_processor.h"

#include <gtest/gtest.h>

namespace heddle::engine {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

TEST(SpareProcessor, is_expected_where_there_is_more_than_one) {
  EXPECT_FALSE(SpareProcessor(1).is_there());
  EXPECT_TRUE(SpareProcessor(2).is_there());
}

TEST(SpareProcessor, is_there_if_work_takes_no_longer_than_its_cpu_time) {
  SpareProcessor spare(4);
  spare.worked({100 * kMs, 60 * kMs});
  EXPECT_FALSE(spare.is_there());
  spare.worked({100 * kMs, 95 * kMs});
  EXPECT_TRUE(spare.is_there());
}

TEST(SpareProcessor, is_there_if_the_process_leaves_half_of_one_idle) {
  SpareProcessor spare(4);
  EXPECT_TRUE(spare.slept({100 * kMs, 360 * kMs}));
  EXPECT_FALSE(spare.is_there());
  EXPECT_TRUE(spare.slept({100 * kMs, 340 * kMs}));
  EXPECT_TRUE(spare.is_there());
}

TEST(SpareProcessor, one_processor_is_spare_only_while_the_program_sleeps) {
  SpareProcessor spare(1);
  EXPECT_TRUE(spare.slept({100 * kMs, 20 * kMs}));
  EXPECT_TRUE(spare.is_there());
  spare.worked({100 * kMs, 50 * kMs});
  EXPECT_FALSE(spare.is_there());
}

TEST(SpareProcessor, short_spans_say_nothing) {
  SpareProcessor spare(2);
  spare.worked({19 * kMs, 0});
  EXPECT_FALSE(spare.slept({19 * kMs, 38 * kMs}));
  EXPECT_TRUE(spare.is_there());
}

}  // namespace
}  // namespace heddle::engine
