// See numbers.h.
#include "text/numbers.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <string>

#include "base/check.h"

namespace heddle::text {
namespace {

unsigned digit_value(char c) {
  if (c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}

bool take_sign(std::string_view& text) {
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  return negative;
}

/// Facts of an IEEE 754 format.
struct FloatFormat {
  int fraction_bits;  ///< without the implicit one
  int max_exponent;   ///< of the largest finite number
  int total_bits;
  std::uint64_t exponent_mask() const {
    return ((std::uint64_t{1} << (total_bits - 1 - fraction_bits)) - 1) << fraction_bits;
  }
  std::uint64_t fraction_mask() const { return (std::uint64_t{1} << fraction_bits) - 1; }
};
constexpr FloatFormat kSingle{23, 127, 32};
constexpr FloatFormat kDouble{52, 1023, 64};

/// mantissa * 2^exponent (plus a little more if `sticky`), rounded to nearest, ties to even.
std::optional<std::uint64_t> round_binary(std::uint64_t mantissa, std::int64_t exponent, bool sticky,
                                          const FloatFormat& format) {
  if (mantissa == 0) return 0;
  const int shift_up = std::countl_zero(mantissa);
  mantissa <<= shift_up;
  exponent += 63 - shift_up;  // now the value is 1.xxx * 2^exponent
  const std::int64_t min_exponent = 1 - format.max_exponent;
  if (exponent > format.max_exponent) return std::nullopt;
  // Below the normal range the fraction loses a bit for each step.
  const std::int64_t lost = exponent < min_exponent ? min_exponent - exponent : 0;
  const std::int64_t drop = 63 - format.fraction_bits + lost;
  if (drop > 64) return 0;
  const std::uint64_t kept = drop == 64 ? 0 : mantissa >> drop;
  const std::uint64_t half = std::uint64_t{1} << (drop - 1);
  const std::uint64_t rest = drop == 64 ? mantissa : mantissa & ((half << 1) - 1);
  const bool up = rest > half || (rest == half && (sticky || (kept & 1) != 0));
  // The implicit one, where there is one, carries into the exponent field; so does rounding up.
  const std::uint64_t biased = lost != 0 ? 0 : static_cast<std::uint64_t>(exponent - min_exponent);
  const std::uint64_t bits = (biased << format.fraction_bits) + kept + (up ? 1 : 0);
  if (bits >= format.exponent_mask()) return std::nullopt;
  return bits;
}

/// Digits of a decimal exponent, cut off far beyond any that matters.
std::int64_t read_exponent(std::string_view text) {
  if (text.empty()) return 0;
  const bool negative = take_sign(text);
  std::int64_t value = 0;
  for (char c : text)
    if (c != '_' && value < (std::int64_t{1} << 40)) value = value * 10 + (c - '0');
  return negative ? -value : value;
}

std::optional<std::uint64_t> parse_hex_float(std::string_view text, const FloatFormat& format) {
  const std::size_t p = text.find_first_of("pP");
  std::int64_t exponent = p == std::string_view::npos ? 0 : read_exponent(text.substr(p + 1));
  std::uint64_t mantissa = 0;
  bool sticky = false;
  bool fraction = false;
  for (char c : text.substr(0, p)) {
    if (c == '_') continue;
    if (c == '.') {
      fraction = true;
      continue;
    }
    const unsigned digit = digit_value(c);
    if (mantissa >> 60 == 0) {
      mantissa = mantissa * 16 + digit;
      if (fraction) exponent -= 4;
    } else {
      sticky = sticky || digit != 0;
      if (!fraction) exponent += 4;
    }
  }
  return round_binary(mantissa, exponent, sticky, format);
}

/// Whether a decimal number that from_chars could not represent is too small (else it is too large).
bool is_tiny(std::string_view digits) {
  const std::size_t e = digits.find_first_of("eE");
  const std::int64_t exponent = e == std::string_view::npos ? 0 : read_exponent(digits.substr(e + 1));
  const std::string_view mantissa = digits.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_not_of("0.");
  if (first == std::string_view::npos) return true;
  return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + exponent < 0;
}

template <class Float, class Bits>
std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::string digits;
  digits.reserve(text.size());
  for (char c : text)
    if (c != '_') digits += c;
  Float value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure == std::errc::result_out_of_range) {
    if (is_tiny(digits)) return 0;
    return std::nullopt;
  }
  HEDDLE_CHECK(failure == std::errc() && end == digits.data() + digits.size(), "the lexer lets only numbers pass");
  if (std::isinf(value)) return std::nullopt;
  return std::bit_cast<Bits>(value);
}

template <class Float, class Bits>
std::optional<Bits> parse_float(std::string_view text, const FloatFormat& format) {
  const bool negative = take_sign(text);
  std::optional<std::uint64_t> bits;
  if (text == "inf") {
    bits = format.exponent_mask();
  } else if (text == "nan") {
    bits = format.exponent_mask() | (std::uint64_t{1} << (format.fraction_bits - 1));
  } else if (text.starts_with("nan:0x")) {
    bits = parse_natural(text.substr(4), static_cast<unsigned>(format.fraction_bits));
    if (bits == 0u) return std::nullopt;
    if (bits) *bits |= format.exponent_mask();
  } else if (text.starts_with("0x")) {
    bits = parse_hex_float(text.substr(2), format);
  } else {
    bits = parse_decimal<Float, Bits>(text);
  }
  if (!bits) return std::nullopt;
  return static_cast<Bits>(*bits | (negative ? std::uint64_t{1} << (format.total_bits - 1) : 0));
}

std::string_view format_float(std::uint64_t bits, const FloatFormat& format, char (&buffer)[40]) {
  const char* sign = (bits >> (format.total_bits - 1)) != 0 ? "-" : "";
  const std::uint64_t fraction = bits & format.fraction_mask();
  const std::uint64_t exponent_field = (bits & format.exponent_mask()) >> format.fraction_bits;
  auto done = [&](auto result) { return std::string_view(buffer, result.size); };
  if ((bits & format.exponent_mask()) == format.exponent_mask()) {
    if (fraction == 0) return done(fmt::format_to_n(buffer, sizeof buffer, "{}inf", sign));
    if (fraction == std::uint64_t{1} << (format.fraction_bits - 1))
      return done(fmt::format_to_n(buffer, sizeof buffer, "{}nan", sign));
    return done(fmt::format_to_n(buffer, sizeof buffer, "{}nan:0x{:x}", sign, fraction));
  }
  if (exponent_field == 0 && fraction == 0) return done(fmt::format_to_n(buffer, sizeof buffer, "{}0x0p+0", sign));
  // Left-aligned to whole hex digits, without trailing zeros.
  std::uint64_t digits = fraction << (64 - format.fraction_bits);
  const int exponent = static_cast<int>(exponent_field == 0 ? 1 : exponent_field) - format.max_exponent;
  const int leading = exponent_field == 0 ? 0 : 1;
  if (digits == 0) return done(fmt::format_to_n(buffer, sizeof buffer, "{}0x{}p{:+}", sign, leading, exponent));
  int width = 16;
  for (; (digits & 0xf) == 0; digits >>= 4) --width;
  return done(fmt::format_to_n(buffer, sizeof buffer, "{}0x{}.{:0{}x}p{:+}", sign, leading, digits, width, exponent));
}

}  // namespace

std::optional<std::uint64_t> parse_natural(std::string_view text, unsigned bits) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  const std::uint64_t base = hex ? 16 : 10;
  const std::uint64_t max = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  std::uint64_t value = 0;
  for (char c : text) {
    if (c == '_') continue;
    const std::uint64_t digit = digit_value(c);
    if (value > (max - digit) / base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

std::optional<std::uint64_t> parse_integer(std::string_view text, unsigned bits) {
  const bool negative = take_sign(text);
  const std::optional<std::uint64_t> magnitude = parse_natural(text, bits);
  if (!magnitude || !negative) return magnitude;
  if (*magnitude > std::uint64_t{1} << (bits - 1)) return std::nullopt;
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  return (~*magnitude + 1) & mask;
}

std::optional<std::uint32_t> parse_f32(std::string_view text) {
  return parse_float<float, std::uint32_t>(text, kSingle);
}
std::optional<std::uint64_t> parse_f64(std::string_view text) {
  return parse_float<double, std::uint64_t>(text, kDouble);
}

std::string_view format_f32(std::uint32_t bits, char (&buffer)[40]) {
  return format_float(bits, kSingle, buffer);
}
std::string_view format_f64(std::uint64_t bits, char (&buffer)[40]) {
  return format_float(bits, kDouble, buffer);
}

}  // namespace heddle::text
