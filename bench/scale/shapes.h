// Modules of size n, each large in one way that has made some compiler's time or memory grow with the square of its
// input: locals, labels, operands kept across blocks or calls, types ... For bench/scale and tests/scale.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace heddle::bench {

struct Shape {
  const char* name;
  const char* what;         ///< what there are n of
  std::uint32_t largest_n;  ///< 100,000, or the limit of this implementation
  std::vector<std::uint8_t> (*make)(std::uint32_t n);
};

/// All shapes; every module is valid.
std::span<const Shape> shapes();

}  // namespace heddle::bench
