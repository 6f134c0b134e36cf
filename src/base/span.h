// Bytes: a borrowed, read-only run of bytes; ByteRange: the same as offsets, for what must not hold pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace heddle::base {

using Bytes = std::span<const std::uint8_t>;

/// [begin, end) in bytes from the start of the module.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t size_bytes() const { return end - begin; }
  bool operator==(const ByteRange&) const = default;
};

inline Bytes slice(Bytes bytes, ByteRange range) {
  return bytes.subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.size_bytes()));
}

}  // namespace heddle::base
