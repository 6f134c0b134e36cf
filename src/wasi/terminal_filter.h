// TerminalFilter: what a guest writes to a terminal, with everything in it that could command the terminal made
// visible. Control characters other than line feed, carriage return and tab become the picture of themselves (U+2400
// + code, DEL U+2421), C1 controls (U+0080..9F) and bytes that are not UTF-8 become U+FFFD; all other text passes.
// A character that is split between two writes is put together. A sequence such as ESC [ 2 J loses its ESC and is
// thereby plain text, so no state beyond the bytes of one character is needed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/mutex.h"

namespace heddle::wasi {

class TerminalFilter {
 public:
  /// Room that `out` of convert needs for `n` bytes of input.
  static constexpr std::size_t out_bytes(std::size_t n) { return 3 * (n + 4); }

  /// Writes the harmless form of `in` to `out`; returns its size. Any thread.
  std::size_t convert(const std::uint8_t* in, std::size_t size_bytes, char* out) HEDDLE_EXCLUDES(mutex_);

 private:
  char* put(std::uint8_t byte, char* out) HEDDLE_REQUIRES(mutex_);
  char* start(std::uint8_t byte, char* out) HEDDLE_REQUIRES(mutex_);

  base::Mutex mutex_;
  std::uint8_t held_[4] HEDDLE_GUARDED_BY(mutex_) = {};  ///< first bytes of an unfinished character
  std::uint8_t held_count_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint8_t length_ HEDDLE_GUARDED_BY(mutex_) = 0;  ///< of that character when complete
};

}  // namespace heddle::wasi
