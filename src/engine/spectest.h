// The host module "spectest" that the specification's scripts import from, as a module of its own in the binary format.
// https://github.com/WebAssembly/spec/tree/main/interpreter#spectest-host-module
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace heddle::engine {

base::Result<std::vector<std::uint8_t>> spectest_module();

}  // namespace heddle::engine
