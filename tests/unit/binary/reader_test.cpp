#include "binary/reader.h"

#include <gtest/gtest.h>
#include <vector>

namespace heddle::binary {
namespace {

using Data = std::vector<std::uint8_t>;

Reader over(const Data& data) {
  return Reader(data, {0, data.size()});
}

TEST(Reader, offsets_count_from_the_start_of_the_module) {
  const Data data = {9, 9, 9, 0x81, 0x01, 0x80};
  Reader reader(data, {3, 6});
  EXPECT_EQ(*reader.u32(), 129u);
  EXPECT_EQ(reader.offset(), 5u);
  const auto cut = reader.u32();
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().offset, 5u);
  EXPECT_EQ(cut.error().message, "unexpected end of section or function");
}

TEST(Reader, numbers_fail_in_the_words_of_the_suite) {
  EXPECT_EQ(over({0x80, 0x80, 0x80, 0x80, 0x80, 0}).u32().error().message, "integer representation too long");
  EXPECT_EQ(over({0x80, 0x80, 0x80, 0x80, 0x10}).u32().error().message, "integer too large");
  EXPECT_EQ(over({0x80, 0x80, 0x80, 0x80, 0x70}).s32().error().message, "integer too large");
  EXPECT_EQ(*over({0x80, 0x80, 0x80, 0x80, 0x70}).s33(), -0x100000000ll);
  EXPECT_EQ(*over({0x7f}).s64(), -1);
  EXPECT_EQ(*over({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}).u64(), UINT64_MAX);
}

TEST(Reader, fixed_width_numbers_are_little_endian) {
  const Data data = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(*over(data).fixed_u32(), 0x04030201u);
  EXPECT_EQ(*over(data).fixed_u64(), 0x0807060504030201u);
  EXPECT_FALSE(over({1, 2, 3}).fixed_u32().ok());
}

TEST(Reader, name_is_checked_for_length_first_and_then_for_utf8) {
  EXPECT_EQ(*over({2, 'h', 'i', 'x'}).name(), "hi");
  EXPECT_EQ(over({2, 0xc0, 0x80}).name().error().message, "malformed UTF-8 encoding");
  EXPECT_EQ(over({9, 0xc0, 0x80}).name().error().message.substr(0, 20), "length out of bounds");
}

// The suite's borderline: a length that fits only if its own byte counted is an unexpected end.
TEST(Reader, length_beyond_the_end_is_out_of_bounds_and_one_byte_short_an_unexpected_end) {
  EXPECT_EQ(*over({2, 0, 0}).length(), 2u);
  EXPECT_EQ(over({3, 0, 0}).length().error().message, "unexpected end of section or function");
  EXPECT_EQ(over({4, 0, 0}).length().error().message.substr(0, 20), "length out of bounds");
  EXPECT_EQ(over({0xff, 0xff, 0xff, 0xff, 0x0f, 0}).length().error().message.substr(0, 20), "length out of bounds");
}

TEST(Reader, vector_longer_than_its_limit_is_a_limit_of_ours) {
  const auto result = over({3, 0, 0, 0}).vector_length(2, "too many things");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, base::ErrorKind::limit);
  EXPECT_EQ(result.error().message, "too many things: 3, this implementation allows 2");
  EXPECT_EQ(result.error().offset, 0u);
}

TEST(Reader, take_gives_exactly_the_bytes_that_are_there) {
  const Data data = {1, 2, 3};
  Reader reader = over(data);
  EXPECT_FALSE(reader.take(4).ok());
  const auto all = reader.take(3);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->data(), data.data());
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.byte().ok());
  EXPECT_FALSE(reader.peek().ok());
}

}  // namespace
}  // namespace heddle::binary
