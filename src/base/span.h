// Bytes: a borrowed, read-only run of bytes; ByteRange: the same as offsets, for what must not hold pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <type_traits>

namespace heddle::base {

using Bytes = std::span<const std::uint8_t>;

/// [begin, end) in bytes from the start of the module.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size_bytes() const { return end - begin; }
  bool operator==(const ByteRange&) const = default;
};

/// A value as it lies in memory; of a list, its elements. Borrowed.
template <class T>
Bytes raw_bytes(const T& value) {
  if constexpr (requires { std::data(value); }) {
    using Element = std::remove_cvref_t<decltype(*std::data(value))>;
    static_assert(std::is_trivially_copyable_v<Element>);
    return {reinterpret_cast<const std::uint8_t*>(std::data(value)), std::size(value) * sizeof(Element)};
  } else {
    static_assert(std::is_trivially_copyable_v<T>);
    return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
  }
}

inline Bytes slice(Bytes bytes, ByteRange range) {
  return bytes.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size_bytes()));
}

}  // namespace heddle::base
