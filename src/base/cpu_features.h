// What this processor can do, as far as code generation cares. Read once, then const.
#pragma once

#include <cstdint>
#include <string>

namespace heddle::base {

/// Bits are stable: they are part of the code cache's key.
struct CpuFeatures {
  bool sse41 = false;
  bool sse42 = false;
  bool popcnt = false;
  bool lzcnt = false;
  bool bmi1 = false;
  bool bmi2 = false;
  bool avx = false;
  bool avx2 = false;
  bool fma = false;
  bool avx512 = false;  ///< F, BW, DQ and VL together

  std::uint64_t bits() const;
};

/// The host's features. Any thread. The baseline tier requires SSE4.1; `engine` refuses to start without it.
const CpuFeatures& host_cpu_features();

/// Bytes that differ wherever the processor's model or any feature of it does, or what the system lets programs use of
/// it. For comparing.
std::string host_cpu_identity();

}  // namespace heddle::base
