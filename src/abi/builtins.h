// builtins.def as an enum and function types.
#pragma once

#include <cstdint>

#include "abi/vmctx.h"

namespace heddle::abi {

enum class Builtin : std::uint32_t {
#define BUILTIN(name, result, parameters) name,
#include "abi/builtins.def"
  kCount,
};

#define BUILTIN(name, result, parameters) using name##_fn = result parameters;
#include "abi/builtins.def"

inline constexpr std::int32_t offset_of(Builtin b) {
  return static_cast<std::int32_t>(b) * 8;
}

}  // namespace heddle::abi
