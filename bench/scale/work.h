// The work whose growth is looked at: decoding, checking, and compiling every function with the baseline tier, on the
// calling thread, without publishing code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "module/validated.h"

namespace heddle::bench {

base::Result<module::CheckedModule> decode_and_validate(std::vector<std::uint8_t> wire);

struct Compiled {
  std::uint64_t code_bytes = 0;
  std::uint32_t unsupported = 0;  ///< functions that the tier left out
  std::string first_reason;
};
base::Result<Compiled> compile_all(const module::CheckedModule& m);

/// CPU time of the calling thread in seconds.
double cpu_seconds();

}  // namespace heddle::bench
