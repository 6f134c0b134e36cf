// Reads the numbers that DWARF and exception tables consist of. https://dwarfstd.org/doc/DWARF4.pdf section 7.6
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/span.h"

namespace heddle::llvm_tier {

/// Reads past the end give zeros and set `failed`.
class Cursor {
 public:
  explicit Cursor(base::Bytes bytes) : bytes_(bytes) {}
  bool at_end() const { return position_ >= bytes_.size(); }
  bool failed() const { return failed_; }
  std::size_t position() const { return position_; }
  void seek(std::size_t position) { position_ = position; }

  template <class T>
  T fixed() {
    T value{};
    if (bytes_.size() - std::min(position_, bytes_.size()) < sizeof(T)) {
      failed_ = true;
      position_ = bytes_.size();
      return value;
    }
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }
  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::uint64_t uleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = u8();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) break;
    }
    return value;
  }
  std::int64_t sleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64;) {
      const std::uint8_t byte = u8();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      shift += 7;
      if (byte & 0x80) continue;
      if (shift < 64 && (byte & 0x40)) value |= ~std::uint64_t{0} << shift;
      break;
    }
    return static_cast<std::int64_t>(value);
  }

 private:
  base::Bytes bytes_;
  std::size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace heddle::llvm_tier
