// LEB128 as the binary format restricts it (core spec, Binary Format, Values, Integers): at most ceil(N/7) bytes, and
// the unused bits of the last byte are zero (unsigned) or a sign extension (signed). Plain functions over a cursor;
// binary::Reader adds offsets and messages.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

namespace heddle::base {

enum class LebError : std::uint8_t {
  none,
  unexpected_end,  ///< the input ends inside the number
  too_long,        ///< "integer representation too long": more bytes than the type allows
  too_large,       ///< "integer too large": unused bits of the last byte are wrong
};

/// Reads one unsigned or signed number of `Bits` bits at `cursor`; moves the cursor behind it on success only.
template <class T, unsigned Bits = sizeof(T) * 8>
LebError read_leb128(const std::uint8_t*& cursor, const std::uint8_t* end, T& out) {
  using U = std::make_unsigned_t<T>;
  constexpr unsigned kMaxBytes = (Bits + 6) / 7;
  constexpr unsigned kLastBits = Bits - (kMaxBytes - 1) * 7;  // payload bits of the last allowed byte
  const std::uint8_t* p = cursor;
  U value = 0;
  for (unsigned i = 0; i < kMaxBytes; ++i) {
    if (p == end) return LebError::unexpected_end;
    const std::uint8_t byte = *p++;
    value |= static_cast<U>(static_cast<U>(byte & 0x7f) << (7 * i));
    if (i + 1 == kMaxBytes) {
      if (byte & 0x80) return LebError::too_long;
      const std::uint8_t unused = static_cast<std::uint8_t>((byte & 0x7f) >> kLastBits);
      if constexpr (std::is_signed_v<T>) {
        const bool negative = (byte >> (kLastBits - 1)) & 1;
        const std::uint8_t expected = negative ? static_cast<std::uint8_t>(0x7f >> kLastBits) : 0;
        if (unused != expected) return LebError::too_large;
      } else if (unused != 0) {
        return LebError::too_large;
      }
    }
    if (!(byte & 0x80)) {
      if constexpr (std::is_signed_v<T>) {
        const unsigned shift = 7 * (i + 1);
        if (shift < sizeof(T) * 8 && (byte & 0x40)) value |= static_cast<U>(~U{0} << shift);
      }
      out = static_cast<T>(value);
      cursor = p;
      return LebError::none;
    }
  }
  return LebError::too_long;
}

template <class T>
void write_leb128(std::vector<std::uint8_t>& out, T value) {
  // Most numbers are one byte long: 7 bits, of signed ones with the sign.
  using U = std::make_unsigned_t<T>;
  if (static_cast<U>(static_cast<U>(value) + (std::is_signed_v<T> ? 0x40 : 0)) < 0x80) {
    out.push_back(static_cast<std::uint8_t>(value & 0x7f));
    return;
  }
  for (;;) {
    const std::uint8_t byte = static_cast<std::uint8_t>(value & 0x7f);
    value = static_cast<T>(value >> 7);  // arithmetic for signed types
    bool done;
    if constexpr (std::is_signed_v<T>)
      done = (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40));
    else
      done = value == 0;
    out.push_back(done ? byte : static_cast<std::uint8_t>(byte | 0x80));
    if (done) return;
  }
}

}  // namespace heddle::base
