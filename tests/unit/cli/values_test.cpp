#include "cli/values.h"

#include <gtest/gtest.h>

namespace heddle::cli {
namespace {

TEST(Values, sizes_have_units_of_1024) {
  EXPECT_EQ(*parse_bytes("1048576"), 1048576u);
  EXPECT_EQ(*parse_bytes("64K"), 65536u);
  EXPECT_EQ(*parse_bytes("3MiB"), 3u << 20);
  EXPECT_EQ(*parse_bytes("2g"), std::uint64_t{2} << 30);
  EXPECT_EQ(*parse_bytes("0"), 0u);
  EXPECT_EQ(*parse_bytes("7b"), 7u);
}

TEST(Values, what_is_no_size_is_quoted) {
  for (const char* text : {"", "M", "-1", "1X", "1MM", "1.5G", "99999999999999999999", "18014398509481984K"}) {
    const auto refused = parse_bytes(text);
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_NE(refused.error().message.find(std::string("'") + text + "'"), std::string::npos);
  }
}

TEST(Values, counts_begin_with_one) {
  EXPECT_EQ(*parse_count("4294967295"), 4294967295u);
  for (const char* text : {"", "0", "-1", "4294967296", "1k", " 1"}) EXPECT_FALSE(parse_count(text).ok()) << text;
}

TEST(Values, durations_are_seconds_unless_they_say_otherwise) {
  EXPECT_EQ(*parse_duration("10"), 10'000'000'000u);
  EXPECT_EQ(*parse_duration("1.5s"), 1'500'000'000u);
  EXPECT_EQ(*parse_duration("200ms"), 200'000'000u);
  EXPECT_EQ(*parse_duration("2m"), 120'000'000'000u);
  for (const char* text : {"", "s", "-1s", "0", "1 s", "1d", "nan", "inf", "1e30"})
    EXPECT_FALSE(parse_duration(text).ok()) << text;
}

TEST(Values, features_are_switched_in_order) {
  const auto standard = spec::Features::standard();
  EXPECT_FALSE(parse_features("-threads", standard)->has(spec::Feature::threads));
  EXPECT_TRUE(parse_features("-threads,shared-memory", standard)->has(spec::Feature::threads));
  EXPECT_TRUE(parse_features("all", standard)->has(spec::Feature::custom_page_sizes));
  EXPECT_FALSE(parse_features("-all,simd", standard)->has(spec::Feature::threads));
  EXPECT_TRUE(parse_features("-all,simd", standard)->has(spec::Feature::simd));
  EXPECT_FALSE(parse_features("threads,flying", standard).ok());
  EXPECT_EQ(*parse_features("", standard), standard);
}

}  // namespace
}  // namespace heddle::cli
