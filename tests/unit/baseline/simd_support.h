// What the vector tests share: the processors for which code is made, and vectors as arguments, results and text.
#pragma once

#include <cstring>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "unit/baseline/machine.h"
#include "unit/baseline/simd_model.h"

namespace heddle::baseline::test {

struct Processor {
  std::string_view name;
  base::CpuFeatures features;
};

/// Older ones first, the host last; those that the host cannot stand in for are left out.
inline std::vector<Processor> processors() {
  const base::CpuFeatures host = base::host_cpu_features();
  std::vector<Processor> all;
  base::CpuFeatures f;
  const auto add = [&](std::string_view name) {
    if ((f.bits() & ~host.bits()) == 0) all.push_back({name, f});
  };
  f.sse41 = true;
  add("SSE4.1");
  f.sse42 = true;
  add("SSE4.2");
  f.avx = true;
  add("AVX");
  f.avx2 = f.fma = true;
  add("AVX2");
  all.push_back({"host", host});
  return all;
}

inline VmValue value(const Vector& v) {
  VmValue r{};
  std::memcpy(r.v128, v.data(), 16);
  return r;
}
inline Vector vector_of(const VmValue& v) {
  Vector r;
  std::memcpy(r.data(), v.v128, 16);
  return r;
}
/// "(v128.const i8x16 ...)".
inline std::string constant(const Vector& v) {
  return fmt::format("(v128.const i8x16 {})", fmt::join(v, " "));
}
inline std::string show(const Vector& v) {
  return fmt::format("{:02x}", fmt::join(v, ""));
}

/// A small generator with a fixed seed: the same vectors in every run.
class RandomVectors {
 public:
  std::uint64_t word() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ ^ (state_ >> 29);
  }
  Vector next() {
    const std::uint64_t words[] = {word() * 0x9e3779b97f4a7c15u, word() * 0x9e3779b97f4a7c15u};
    Vector v;
    std::memcpy(v.data(), words, 16);
    return v;
  }

 private:
  std::uint64_t state_ = 1;
};

}  // namespace heddle::baseline::test
