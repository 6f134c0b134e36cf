// What each vector operation does, lane by lane, in plain C++.
// https://webassembly.github.io/spec/core/exec/numerics.html; relaxed operations: the choice that this engine makes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace heddle::baseline::test {

using Vector = std::array<std::uint8_t, 16>;

struct VectorOperands {
  Vector a{}, b{}, c{};
  std::uint32_t count = 0;  ///< of a shift
  bool fused = false;       ///< multiply-add rounds once
};

enum class NanRule : std::uint8_t {
  none,  ///< every bit counts
  f32,   ///< where the model has a NaN, any quiet one will do
  f64,
};

struct VectorModel {
  std::string_view name;
  Vector (*run)(const VectorOperands&);
  NanRule nans = NanRule::none;
};

/// All operations of the families SimdUnary, SimdBinary, SimdTernary, SimdShift and SimdTest; nullptr if unknown. An
/// i32 result is in the first four bytes.
const VectorModel* find_vector_model(std::string_view name);

/// True if `got` is what the model allows.
bool matches(const VectorModel& model, const Vector& got, const Vector& want);

}  // namespace heddle::baseline::test
