// Reader: a cursor over the module's bytes that knows its offset and turns every failure into an Error with the words
// of the test suite. Knows numbers, names and vectors; nothing of sections or instructions.
#pragma once

#include <string_view>

#include "base/leb128.h"
#include "base/result.h"
#include "base/span.h"

namespace heddle::binary {

class Reader {
 public:
  /// Reads `range` of `bytes`; offsets in errors count from the start of `bytes`.
  Reader(base::Bytes bytes, base::ByteRange range)
      : start_(bytes.data()), cursor_(bytes.data() + range.begin), end_(bytes.data() + range.end) {}

  std::uint64_t offset() const { return static_cast<std::uint64_t>(cursor_ - start_); }
  std::uint64_t remaining_bytes() const { return static_cast<std::uint64_t>(end_ - cursor_); }
  bool at_end() const { return cursor_ == end_; }
  /// Goes back to an offset that was read before.
  void rewind(std::uint64_t offset) { cursor_ = start_ + offset; }

  base::Result<std::uint8_t> byte();
  base::Result<std::uint8_t> peek() const;
  base::Result<std::uint32_t> u32();
  base::Result<std::uint64_t> u64();
  base::Result<std::int32_t> s32();
  base::Result<std::int64_t> s33();
  base::Result<std::int64_t> s64();
  /// Little-endian, fixed width.
  base::Result<std::uint32_t> fixed_u32();
  base::Result<std::uint64_t> fixed_u64();
  base::Result<base::Bytes> take(std::uint64_t size_bytes);
  /// A length in front of as many bytes or elements (of a byte at least): an error if they cannot all be there.
  base::Result<std::uint32_t> length();
  /// Length-prefixed UTF-8.
  base::Result<std::string_view> name();
  /// length() of a vector that has no more than `limit` elements; `what` begins the message: "too many types".
  base::Result<std::uint32_t> vector_length(std::uint32_t limit, const char* what);

  // The hot path of function bodies: no Result on success.
  /// False and `error` set on failure.
  template <class T, unsigned Bits = sizeof(T) * 8>
  bool leb(T& out, base::Error& error) {
    if (__builtin_expect(cursor_ == end_ || *cursor_ >= 0x80, 0)) return long_leb<T, Bits>(out, error);
    const std::uint8_t byte = *cursor_++;  // most numbers are one byte long
    if constexpr (std::is_signed_v<T>)
      out = (byte & 0x40) != 0 ? static_cast<T>(byte) - 0x80 : static_cast<T>(byte);
    else
      out = byte;
    return true;
  }
  const std::uint8_t* cursor() const { return cursor_; }
  void advance(std::uint64_t n) { cursor_ += n; }

  base::Error error(base::ErrorKind kind, const char* message) const { return {kind, offset(), message}; }

 private:
  template <class T, unsigned Bits>
  [[gnu::noinline]] bool long_leb(T& out, base::Error& error) {
    if (end_ - cursor_ >= 2 && cursor_[1] < 0x80) {  // most of the others are two
      const std::uint32_t bits = (cursor_[0] & 0x7fu) | std::uint32_t{cursor_[1]} << 7;
      cursor_ += 2;
      if constexpr (std::is_signed_v<T>)
        out = static_cast<T>(bits) - ((bits & 0x2000) != 0 ? T{0x4000} : T{0});
      else
        out = static_cast<T>(bits);
      return true;
    }
    const auto failure = base::read_leb128<T, Bits>(cursor_, end_, out);
    if (__builtin_expect(failure == base::LebError::none, 1)) return true;
    error = leb_error(failure);
    return false;
  }
  base::Error leb_error(base::LebError failure) const;
  const std::uint8_t* start_;
  const std::uint8_t* cursor_;
  const std::uint8_t* end_;
};

}  // namespace heddle::binary
