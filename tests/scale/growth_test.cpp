// Every shape of bench/scale at its largest size is decoded, validated and compiled, and what that allocates grows no
// faster than the input. No clock is read: work that grows with the square of 100,000 runs into the test's time limit,
// and `bench_scale` measures the growth of time.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <new>

#include "scale/shapes.h"
#include "scale/work.h"

namespace {

std::atomic<std::uint64_t> allocated_bytes{0};  // counter

void* counted(std::size_t size_bytes) {
  allocated_bytes.fetch_add(size_bytes, std::memory_order_relaxed);
  void* memory = std::malloc(size_bytes != 0 ? size_bytes : 1);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(std::size_t size_bytes) {
  return counted(size_bytes);
}
void* operator new[](std::size_t size_bytes) {
  return counted(size_bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace heddle::bench {
namespace {

struct Cost {
  std::uint64_t allocated = 0;
  std::uint64_t code = 0;
};

Cost cost_of(const Shape& shape, std::uint32_t n) {
  std::vector<std::uint8_t> wire = shape.make(n);
  const std::uint64_t before = allocated_bytes.load(std::memory_order_relaxed);
  const auto checked = decode_and_validate(std::move(wire));
  EXPECT_TRUE(checked.ok()) << shape.name << ": " << (checked.ok() ? "" : checked.error().message);
  if (!checked.ok()) return {};
  const auto compiled = compile_all(*checked);
  EXPECT_TRUE(compiled.ok() && compiled->unsupported == 0) << shape.name;
  return {allocated_bytes.load(std::memory_order_relaxed) - before, compiled.ok() ? compiled->code_bytes : 0};
}

class Growth : public testing::TestWithParam<Shape> {};

TEST_P(Growth, memory_and_code_are_in_proportion_to_the_input) {
  const Shape& shape = GetParam();
  constexpr std::uint32_t kFactor = 8;
  const Cost small = cost_of(shape, shape.largest_n / kFactor);
  const Cost large = cost_of(shape, shape.largest_n);
  // Vectors that double may stand at twice what they need on one side and not on the other; LEB128 numbers and short
  // jumps grow from one byte to three or four.
  constexpr std::uint64_t kSlack = std::uint64_t{1} << 20;
  EXPECT_LE(large.allocated, 2 * kFactor * small.allocated + kSlack) << "n = " << shape.largest_n;
  EXPECT_LE(large.code, 3 * kFactor * small.code + 4096) << "n = " << shape.largest_n;
  // And it is in proportion to the input, not only of the same degree: 4 KiB for each of n are a lot.
  EXPECT_LE(large.allocated, std::uint64_t{4096} * shape.largest_n);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Growth, testing::ValuesIn(shapes().begin(), shapes().end()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace heddle::bench
