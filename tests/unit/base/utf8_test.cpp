#include "base/utf8.h"

#include <gtest/gtest.h>
#include <string>

namespace heddle::base {
namespace {

std::string encode(std::uint32_t c) {
  const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), tail(c)};
  if (c < 0x10000) return {static_cast<char>(0xe0 | c >> 12), tail(c >> 6), tail(c)};
  return {static_cast<char>(0xf0 | c >> 18), tail(c >> 12), tail(c >> 6), tail(c)};
}

TEST(Utf8, every_scalar_value_is_accepted_and_no_surrogate) {
  for (std::uint32_t c = 0; c <= 0x10ffff; ++c)
    ASSERT_EQ(is_utf8(encode(c)), c < 0xd800 || c > 0xdfff) << std::hex << c;
}

TEST(Utf8, beyond_the_last_code_point_is_refused) {
  EXPECT_FALSE(is_utf8(encode(0x110000)));
  EXPECT_FALSE(is_utf8("\xf5\x80\x80\x80"));
  EXPECT_FALSE(is_utf8("\xff"));
}

TEST(Utf8, overlong_forms_are_refused) {
  EXPECT_FALSE(is_utf8("\xc0\x80"));
  EXPECT_FALSE(is_utf8("\xc1\xbf"));
  EXPECT_FALSE(is_utf8("\xe0\x9f\xbf"));
  EXPECT_FALSE(is_utf8("\xf0\x8f\xbf\xbf"));
}

TEST(Utf8, continuation_bytes_stand_only_behind_their_lead) {
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_FALSE(is_utf8("a\xbf"));
  EXPECT_FALSE(is_utf8("\xc2"));
  EXPECT_FALSE(is_utf8("\xc2z"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
  EXPECT_FALSE(is_utf8("\xf0\x9f\x98"));
  EXPECT_FALSE(is_utf8("\xe2\x82\xac\xac"));
}

TEST(Utf8, empty_and_zero_bytes_are_text) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace heddle::base
