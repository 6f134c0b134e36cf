// What the numeric instructions shall compute, in plain C++ after
// https://webassembly.github.io/spec/core/exec/numerics.html
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

#include "spec/trap_codes.h"

namespace heddle::baseline::test {

struct Answer {
  spec::TrapCode trap = spec::TrapCode::none;
  std::uint64_t bits = 0;
  bool any_nan = false;  ///< any arithmetic NaN of the result's type will do
};

/// Operands as bits; the second is ignored by unary instructions.
using Model = std::function<Answer(std::uint64_t, std::uint64_t)>;

/// By the instruction's text.
const std::map<std::string_view, Model>& numeric_models();

}  // namespace heddle::baseline::test
