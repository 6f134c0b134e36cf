// Bytes of a file that is made in memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/leb128.h"
#include "base/span.h"

namespace heddle::observe {

/// A growing section.
class Output {
 public:
  /// In the machine's byte order, which is the readers', too.
  template <class T>
  void put(T value) {
    raw(base::raw_bytes(value));
  }
  void u8(unsigned value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }
  void bytes(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) u8(value);
  }
  void uleb(std::uint64_t value) { base::write_leb128(bytes_, value); }
  void sleb(std::int64_t value) { base::write_leb128(bytes_, value); }
  void text(std::string_view s) {
    bytes_.insert(bytes_.end(), s.begin(), s.end());
    u8(0);
  }
  void raw(base::Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void append(const Output& other) { raw(other.bytes_); }
  void align(std::size_t to) { bytes_.resize((bytes_.size() + to - 1) / to * to); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  const std::vector<std::uint8_t>& all() const { return bytes_; }
  std::string_view as_text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }

  /// A 32-bit length that is filled in by end(): the bytes behind it.
  std::uint32_t begin() {
    put(std::uint32_t{0});
    return size();
  }
  void end(std::uint32_t begun) {
    const std::uint32_t length = size() - begun;
    std::memcpy(&bytes_[begun - sizeof length], &length, sizeof length);
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace heddle::observe
