#include "base/leb128.h"

#include <gtest/gtest.h>
#include <limits>

namespace heddle::base {
namespace {

using Data = std::vector<std::uint8_t>;

template <class T, unsigned Bits = sizeof(T) * 8>
LebError read(const Data& data, T& out, std::size_t* used = nullptr) {
  const std::uint8_t* cursor = data.data();
  const LebError error = read_leb128<T, Bits>(cursor, data.data() + data.size(), out);
  if (used != nullptr) *used = static_cast<std::size_t>(cursor - data.data());
  return error;
}

template <class T>
void expect_round_trip(T value) {
  Data data;
  write_leb128(data, value);
  T back{};
  std::size_t used = 0;
  ASSERT_EQ(read(data, back, &used), LebError::none) << value;
  EXPECT_EQ(back, value);
  EXPECT_EQ(used, data.size());
}

TEST(Leb128, unsigned_values_at_byte_borders_round_trip) {
  for (unsigned bits = 0; bits < 64; ++bits)
    for (std::uint64_t near : {0u, 1u, 2u}) {
      const std::uint64_t value = (std::uint64_t{1} << bits) - 1 + near;
      expect_round_trip(value);
      expect_round_trip(static_cast<std::uint32_t>(value));
    }
  expect_round_trip(std::numeric_limits<std::uint64_t>::max());
}

TEST(Leb128, signed_values_at_byte_borders_round_trip) {
  for (unsigned bits = 0; bits < 63; ++bits)
    for (std::int64_t near : {-2, -1, 0, 1, 2}) {
      const std::int64_t value = (std::int64_t{1} << bits) + near;
      expect_round_trip(value);
      expect_round_trip(-value);
      expect_round_trip(static_cast<std::int32_t>(value));
      expect_round_trip(static_cast<std::int32_t>(-value));
    }
  expect_round_trip(std::numeric_limits<std::int64_t>::min());
  expect_round_trip(std::numeric_limits<std::int64_t>::max());
  expect_round_trip(std::numeric_limits<std::int32_t>::min());
}

TEST(Leb128, writer_takes_the_shortest_form) {
  Data data;
  write_leb128(data, std::uint32_t{624485});
  EXPECT_EQ(data, (Data{0xe5, 0x8e, 0x26}));
  data.clear();
  write_leb128(data, std::int32_t{-123456});
  EXPECT_EQ(data, (Data{0xc0, 0xbb, 0x78}));
  data.clear();
  write_leb128(data, std::int32_t{64});
  EXPECT_EQ(data, (Data{0xc0, 0x00}));
  data.clear();
  write_leb128(data, std::int32_t{-64});
  EXPECT_EQ(data, (Data{0x40}));
}

TEST(Leb128, padded_forms_within_the_byte_limit_are_read) {
  std::uint32_t u = 0;
  EXPECT_EQ(read(Data{0x82, 0x80, 0x80, 0x80, 0x00}, u), LebError::none);
  EXPECT_EQ(u, 2u);
  std::int32_t s = 0;
  EXPECT_EQ(read(Data{0xff, 0xff, 0xff, 0xff, 0x7f}, s), LebError::none);
  EXPECT_EQ(s, -1);
  std::int64_t l = 0;
  EXPECT_EQ(read(Data{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, l), LebError::none);
  EXPECT_EQ(l, -1);
}

TEST(Leb128, one_byte_more_than_the_type_needs_is_too_long) {
  std::uint32_t u = 0;
  EXPECT_EQ(read(Data{0x82, 0x80, 0x80, 0x80, 0x80, 0x00}, u), LebError::too_long);
  std::int32_t s = 0;
  EXPECT_EQ(read(Data{0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, s), LebError::too_long);
  std::uint64_t l = 0;
  EXPECT_EQ(read(Data{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, l), LebError::too_long);
}

TEST(Leb128, unused_bits_of_the_last_byte_must_extend_the_value) {
  std::uint32_t u = 0;
  EXPECT_EQ(read(Data{0xff, 0xff, 0xff, 0xff, 0x0f}, u), LebError::none);
  EXPECT_EQ(u, 0xffffffffu);
  EXPECT_EQ(read(Data{0x80, 0x80, 0x80, 0x80, 0x10}, u), LebError::too_large);
  EXPECT_EQ(read(Data{0x80, 0x80, 0x80, 0x80, 0x40}, u), LebError::too_large);
  std::int32_t s = 0;
  EXPECT_EQ(read(Data{0x80, 0x80, 0x80, 0x80, 0x78}, s), LebError::none);
  EXPECT_EQ(s, std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(read(Data{0x80, 0x80, 0x80, 0x80, 0x70}, s), LebError::too_large);
  EXPECT_EQ(read(Data{0xff, 0xff, 0xff, 0xff, 0x0f}, s), LebError::too_large);
  EXPECT_EQ(read(Data{0xff, 0xff, 0xff, 0xff, 0x4f}, s), LebError::too_large);
  std::int64_t l = 0;
  EXPECT_EQ(read(Data{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e}, l), LebError::too_large);
  EXPECT_EQ(read(Data{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, l), LebError::too_large);
}

TEST(Leb128, s33_reaches_from_minus_2_to_the_32_up_to_2_to_the_32_less_one) {
  std::int64_t value = 0;
  EXPECT_EQ((read<std::int64_t, 33>(Data{0xff, 0xff, 0xff, 0xff, 0x0f}, value)), LebError::none);
  EXPECT_EQ(value, 0xffffffffll);
  EXPECT_EQ((read<std::int64_t, 33>(Data{0x80, 0x80, 0x80, 0x80, 0x70}, value)), LebError::none);
  EXPECT_EQ(value, -0x100000000ll);
  EXPECT_EQ((read<std::int64_t, 33>(Data{0x40}, value)), LebError::none);
  EXPECT_EQ(value, -64);
  EXPECT_EQ((read<std::int64_t, 33>(Data{0x80, 0x80, 0x80, 0x80, 0x10}, value)), LebError::too_large);
  EXPECT_EQ((read<std::int64_t, 33>(Data{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, value)), LebError::too_long);
}

TEST(Leb128, cut_number_is_unexpected_end_and_leaves_the_cursor) {
  std::uint32_t u = 77;
  std::size_t used = 1;
  EXPECT_EQ(read(Data{}, u, &used), LebError::unexpected_end);
  EXPECT_EQ(read(Data{0x80, 0x80}, u, &used), LebError::unexpected_end);
  EXPECT_EQ(used, 0u);
  EXPECT_EQ(u, 77u);
}

}  // namespace
}  // namespace heddle::base
