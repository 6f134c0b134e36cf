// Number literals -> values, exactly (core spec, Text Format, Values). Input is a token's text, whose shape the lexer
// has checked; what is left is the range. No locale, no double rounding: hexadecimal floats are rounded here, decimal
// ones by std::from_chars.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace heddle::text {

/// A natural number of at most `bits` bits (8 or more, as below).
std::optional<std::uint64_t> parse_natural(std::string_view text, unsigned bits);

/// An integer literal of `bits` bits, signed or unsigned: -2^(bits-1) .. 2^bits-1, as two's complement in the low bits.
std::optional<std::uint64_t> parse_integer(std::string_view text, unsigned bits);

/// Bits of a float literal; nothing if it is out of range (rounds to infinity, or a NaN payload that does not fit).
std::optional<std::uint32_t> parse_f32(std::string_view text);
std::optional<std::uint64_t> parse_f64(std::string_view text);

/// Shortest text that reads back as the same bits ("0x1.8p+1", "-inf", "nan:0x400001").
/// Hexadecimal, as exact and short as the value is.
std::string_view format_f32(std::uint32_t bits, char (&buffer)[40]);
std::string_view format_f64(std::uint64_t bits, char (&buffer)[40]);

}  // namespace heddle::text
