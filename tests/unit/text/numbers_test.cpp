// Number literals: exact values, exact borders. Expected float bits come from the definition of the formats, worked out
// by hand, or from the compiler's own hexadecimal literals.
#include "text/numbers.h"

#include <bit>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace heddle::text {
namespace {

std::uint32_t f32(std::string_view text) {
  return parse_f32(text).value_or(0xdead'beef);
}
std::uint64_t f64(std::string_view text) {
  return parse_f64(text).value_or(0xdead'beef'dead'beef);
}

TEST(Numbers, naturals_up_to_their_width) {
  EXPECT_EQ(parse_natural("4294967295", 32), 0xffff'ffffu);
  EXPECT_EQ(parse_natural("4294967296", 32), std::nullopt);
  EXPECT_EQ(parse_natural("0xffff_ffff_ffff_ffff", 64), ~std::uint64_t{0});
  EXPECT_EQ(parse_natural("18446744073709551615", 64), ~std::uint64_t{0});
  EXPECT_EQ(parse_natural("18446744073709551616", 64), std::nullopt);
  EXPECT_EQ(parse_natural("255", 8), 255u);
  EXPECT_EQ(parse_natural("256", 8), std::nullopt);
  EXPECT_EQ(parse_natural("0x000000000000000000000001", 8), 1u);
}

TEST(Numbers, integers_may_be_signed_or_unsigned) {
  EXPECT_EQ(parse_integer("-1", 32), 0xffff'ffffu);
  EXPECT_EQ(parse_integer("-2147483648", 32), 0x8000'0000u);
  EXPECT_EQ(parse_integer("-2147483649", 32), std::nullopt);
  EXPECT_EQ(parse_integer("+0x7fff_ffff", 32), 0x7fff'ffffu);
  EXPECT_EQ(parse_integer("-0x8000000000000000", 64), std::uint64_t{1} << 63);
  EXPECT_EQ(parse_integer("-0x8000000000000001", 64), std::nullopt);
  EXPECT_EQ(parse_integer("-128", 8), 0x80u);
  EXPECT_EQ(parse_integer("-129", 8), std::nullopt);
}

TEST(Numbers, decimal_floats_are_rounded_once) {
  EXPECT_EQ(f32("0.1"), std::bit_cast<std::uint32_t>(0x1.99999ap-4f));
  EXPECT_EQ(f64("0.1"), std::bit_cast<std::uint64_t>(0x1.999999999999ap-4));
  EXPECT_EQ(f32("16777217"), std::bit_cast<std::uint32_t>(16777216.0f));  // a tie goes to even
  EXPECT_EQ(f32("16777217.0000000000000000000000001"), std::bit_cast<std::uint32_t>(16777218.0f));
  // Through double this one would be rounded twice, to 0x1.000002p+0.
  EXPECT_EQ(f32("1.00000017881393432617187499"), std::bit_cast<std::uint32_t>(0x1.000002p+0f));
  EXPECT_EQ(f32("1.00000017881393432617187501"), std::bit_cast<std::uint32_t>(0x1.000004p+0f));
  EXPECT_EQ(f64("1_0.2_5e0_1"), std::bit_cast<std::uint64_t>(102.5));
  EXPECT_EQ(f64("-0"), std::uint64_t{1} << 63);
}

TEST(Numbers, hexadecimal_floats_round_half_to_even) {
  EXPECT_EQ(f32("0x1.000001p0"), std::bit_cast<std::uint32_t>(0x1.0p0f));       // exactly half: down to even
  EXPECT_EQ(f32("0x1.000003p0"), std::bit_cast<std::uint32_t>(0x1.000004p0f));  // half: up to even
  EXPECT_EQ(f32("0x1.00000100000000000000000001p0"), std::bit_cast<std::uint32_t>(0x1.000002p0f));
  EXPECT_EQ(f32("0x1ffffff"), std::bit_cast<std::uint32_t>(0x1p25f));
  EXPECT_EQ(f64("0x1.00000000000008p0"), std::bit_cast<std::uint64_t>(1.0));
  EXPECT_EQ(f64("0x1.000000000000081p0"), std::bit_cast<std::uint64_t>(0x1.0000000000001p0));
  EXPECT_EQ(f64("0x123456789abcdef0123456789"), std::bit_cast<std::uint64_t>(0x1.23456789abcdfp96));
}

TEST(Numbers, smallest_numbers_lose_bits_and_then_vanish) {
  EXPECT_EQ(f32("0x1p-149"), 1u);
  EXPECT_EQ(f32("0x1p-150"), 0u);  // a tie with zero
  EXPECT_EQ(f32("0x1.000002p-150"), 1u);
  EXPECT_EQ(f32("0x1.fffffep-127"), 0x0080'0000u);  // rounds up into the normal range
  EXPECT_EQ(f32("-0x1p-1000000"), 0x8000'0000u);
  EXPECT_EQ(f64("0x1p-1074"), 1u);
  EXPECT_EQ(f64("0x1p-1075"), 0u);
  EXPECT_EQ(f64("4.9e-324"), 1u);
  EXPECT_EQ(f64("1e-400"), 0u);
  EXPECT_EQ(f64("0.0000000000000000000000000000000001e-1000"), 0u);
  EXPECT_EQ(f64("1e-99999999999999999999"), 0u);
}

TEST(Numbers, what_rounds_to_infinity_is_out_of_range) {
  EXPECT_EQ(f32("0x1.fffffep127"), 0x7f7f'ffffu);
  EXPECT_EQ(f32("0x1.fffffefffffffp127"), 0x7f7f'ffffu);
  EXPECT_EQ(parse_f32("0x1.ffffffp127"), std::nullopt);
  EXPECT_EQ(parse_f32("0x1p128"), std::nullopt);
  EXPECT_EQ(f32("340282356779733623858607532500980858880"), 0x7f7f'ffffu);
  EXPECT_EQ(parse_f32("340282356779733661637539395458142568448"), std::nullopt);
  EXPECT_EQ(parse_f64("1e309"), std::nullopt);
  EXPECT_EQ(parse_f64("10000000000000e9999999999999999999"), std::nullopt);
  EXPECT_EQ(parse_f64("0x1p1024"), std::nullopt);
  EXPECT_EQ(parse_f64("0x1p99999999999999999999"), std::nullopt);
}

TEST(Numbers, infinities_and_nans_keep_sign_and_payload) {
  EXPECT_EQ(f32("-inf"), 0xff80'0000u);
  EXPECT_EQ(f32("nan"), 0x7fc0'0000u);
  EXPECT_EQ(f32("-nan:0x1"), 0xff80'0001u);
  EXPECT_EQ(f32("nan:0x7f_ffff"), 0x7fff'ffffu);
  EXPECT_EQ(parse_f32("nan:0x80_0000"), std::nullopt);
  EXPECT_EQ(parse_f32("nan:0x0"), std::nullopt);
  EXPECT_EQ(f64("nan:0xf_ffff_ffff_ffff"), 0x7fff'ffff'ffff'ffffu);
  EXPECT_EQ(parse_f64("nan:0x10_0000_0000_0000"), std::nullopt);
}

TEST(Numbers, every_float_reads_back_from_its_text) {
  std::mt19937_64 random(7);
  char buffer[40];
  for (int i = 0; i < 20'000; ++i) {
    // All classes: exponents are drawn evenly, so zeros, subnormals, infinities and NaNs occur too.
    const std::uint64_t wide = random() & (random() | random() << 52 | std::uint64_t{0xfff} << 52);
    const std::uint32_t narrow = static_cast<std::uint32_t>(random());
    EXPECT_EQ(parse_f64(format_f64(wide, buffer)), wide) << buffer;
    EXPECT_EQ(parse_f32(format_f32(narrow, buffer)), narrow) << buffer;
  }
  EXPECT_EQ(format_f32(0x3fc0'0000, buffer), "0x1.8p+0");
  EXPECT_EQ(format_f32(0x8000'0000, buffer), "-0x0p+0");
  EXPECT_EQ(format_f32(1, buffer), "0x0.000002p-126");
  EXPECT_EQ(format_f64(0x7ff0'0000'0000'0001, buffer), "nan:0x1");
}

}  // namespace
}  // namespace heddle::text
