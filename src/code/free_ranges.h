// FreeRanges: which parts of a fixed range of numbers are free. First fit, neighbours join again. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <optional>

namespace heddle::code {

class FreeRanges {
 public:
  void add(std::size_t begin, std::size_t size) {
    auto next = ranges_.lower_bound(begin);
    if (next != ranges_.end() && begin + size == next->first) {
      size += next->second;
      next = ranges_.erase(next);
    }
    if (next != ranges_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == begin) {
        before->second += size;
        return;
      }
    }
    ranges_.emplace_hint(next, begin, size);
  }

  /// The begin of a range of `size` that is free no longer.
  std::optional<std::size_t> take(std::size_t size) {
    for (auto it = ranges_.begin(); it != ranges_.end(); ++it) {
      if (it->second < size) continue;
      const std::size_t begin = it->first;
      const std::size_t rest = it->second - size;
      ranges_.erase(it);
      if (rest != 0) ranges_.emplace(begin + size, rest);
      return begin;
    }
    return std::nullopt;
  }

 private:
  std::map<std::size_t, std::size_t> ranges_;  // begin -> size
};

}  // namespace heddle::code
