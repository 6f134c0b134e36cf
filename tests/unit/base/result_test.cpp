#include "base/result.h"

#include <gtest/gtest.h>
#include <memory>

namespace heddle::base {
namespace {

Error some_error(std::uint64_t offset) {
  return {ErrorKind::invalid, offset, "type mismatch"};
}

Result<int> half(int value) {
  if (value % 2 != 0) return some_error(static_cast<std::uint64_t>(value));
  return value / 2;
}

Status both_even(int a, int b, int& sum) {
  HEDDLE_TRY_ASSIGN(const int x, half(a));
  HEDDLE_TRY_ASSIGN(const int y, half(b));
  sum = x + y;
  return {};
}

Status twice(int a, int& sum) {
  HEDDLE_TRY(both_even(a, a, sum));
  ++sum;
  return {};
}

TEST(Result, try_assign_goes_on_with_the_value) {
  int sum = 0;
  EXPECT_TRUE(both_even(4, 6, sum).ok());
  EXPECT_EQ(sum, 5);
}

TEST(Result, try_hands_the_first_error_out_unchanged) {
  int sum = 0;
  const Status status = both_even(4, 7, sum);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().offset, 7u);
  EXPECT_EQ(status.error().message, "type mismatch");
  EXPECT_EQ(sum, 0);
  EXPECT_EQ(twice(3, sum).error().offset, 3u);
  EXPECT_TRUE(twice(2, sum).ok());
  EXPECT_EQ(sum, 3);
}

TEST(Result, holds_values_that_only_move) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  ASSERT_TRUE(result.ok());
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, earlier_prefers_the_lower_offset_and_then_the_first) {
  const Error a = some_error(3), b = some_error(5), c = some_error(3);
  EXPECT_EQ(&earlier(a, b), &a);
  EXPECT_EQ(&earlier(b, a), &a);
  EXPECT_EQ(&earlier(a, c), &a);
}

TEST(ResultDeath, value_of_an_error_is_our_own_mistake) {
  const Result<int> failed = some_error(0);
  EXPECT_DEATH((void)failed.value(), "holds an error");
}

}  // namespace
}  // namespace heddle::base
