#include "binary/reader.h"

#include <cstring>

#include "base/utf8.h"
#include "binary/errors.h"

namespace heddle::binary {

using base::Error;

Error Reader::leb_error(base::LebError failure) const {
  switch (failure) {
    case base::LebError::unexpected_end: return errors::unexpected_end(offset());
    case base::LebError::too_long: return errors::malformed(offset(), "integer representation too long");
    case base::LebError::too_large: return errors::malformed(offset(), "integer too large");
    case base::LebError::none: break;
  }
  HEDDLE_UNREACHABLE("only failures become errors");
}

base::Result<std::uint8_t> Reader::byte() {
  if (at_end()) return errors::unexpected_end(offset());
  return *cursor_++;
}

base::Result<std::uint8_t> Reader::peek() const {
  if (at_end()) return errors::unexpected_end(offset());
  return *cursor_;
}

namespace {

template <class T, unsigned Bits>
base::Result<T> number(Reader& reader) {
  T value{};
  Error error;
  if (!reader.leb<T, Bits>(value, error)) return error;
  return value;
}

}  // namespace

base::Result<std::uint32_t> Reader::u32() {
  return number<std::uint32_t, 32>(*this);
}
base::Result<std::uint64_t> Reader::u64() {
  return number<std::uint64_t, 64>(*this);
}
base::Result<std::int32_t> Reader::s32() {
  return number<std::int32_t, 32>(*this);
}
base::Result<std::int64_t> Reader::s33() {
  return number<std::int64_t, 33>(*this);
}
base::Result<std::int64_t> Reader::s64() {
  return number<std::int64_t, 64>(*this);
}

base::Result<std::uint32_t> Reader::fixed_u32() {
  HEDDLE_TRY_ASSIGN(const base::Bytes data, take(4));
  std::uint32_t value = 0;
  std::memcpy(&value, data.data(), sizeof value);  // hosts are little-endian
  return value;
}

base::Result<std::uint64_t> Reader::fixed_u64() {
  HEDDLE_TRY_ASSIGN(const base::Bytes data, take(8));
  std::uint64_t value = 0;
  std::memcpy(&value, data.data(), sizeof value);
  return value;
}

base::Result<base::Bytes> Reader::take(std::uint64_t size_bytes) {
  if (size_bytes > remaining_bytes()) return errors::unexpected_end(offset());
  const base::Bytes data(cursor_, static_cast<std::size_t>(size_bytes));
  cursor_ += size_bytes;
  return data;
}

base::Result<std::uint32_t> Reader::length() {
  const std::uint64_t at = offset();
  const std::uint64_t before = remaining_bytes();
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, u32());
  // The suite calls a length out of bounds if it exceeds what was left before the number itself was read, and expects
  // an unexpected end for the few values in between.
  if (count > before) return errors::length_out_of_bounds(at, count, remaining_bytes());
  if (count > remaining_bytes()) return errors::unexpected_end(offset() + remaining_bytes());
  return count;
}

base::Result<std::string_view> Reader::name() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t size, length());
  const std::string_view text(reinterpret_cast<const char*>(cursor_), size);
  if (!base::is_utf8(text)) return errors::malformed_utf8(offset());
  cursor_ += size;
  return text;
}

base::Result<std::uint32_t> Reader::vector_length(std::uint32_t limit, const char* what) {
  const std::uint64_t at = offset();
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, length());
  if (count > limit) return errors::limit(at, what, count, limit);
  return count;
}

}  // namespace heddle::binary
