#include "base/cpu_features.h"

namespace heddle::base {

std::uint64_t CpuFeatures::bits() const {
  const bool all[] = {sse41, sse42, popcnt, lzcnt, bmi1, bmi2, avx, avx2, fma, avx512};
  std::uint64_t result = 0;
  for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); ++i) result |= std::uint64_t{all[i]} << i;
  return result;
}

const CpuFeatures& host_cpu_features() {
  static const CpuFeatures features = [] {
    CpuFeatures f;
#if defined(__x86_64__)
    __builtin_cpu_init();
    f.sse41 = __builtin_cpu_supports("sse4.1") != 0;
    f.sse42 = __builtin_cpu_supports("sse4.2") != 0;
    f.popcnt = __builtin_cpu_supports("popcnt") != 0;
    f.bmi1 = __builtin_cpu_supports("bmi") != 0;
    f.bmi2 = __builtin_cpu_supports("bmi2") != 0;
    f.avx = __builtin_cpu_supports("avx") != 0;
    f.avx2 = __builtin_cpu_supports("avx2") != 0;
    f.fma = __builtin_cpu_supports("fma") != 0;
    f.avx512 = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
               __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    // LZCNT has no portable name in g++ 12's list: CPUID 0x80000001, ECX bit 5.
    unsigned eax = 0x80000001u, ebx = 0, ecx = 0, edx = 0;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    f.lzcnt = (ecx >> 5) & 1;
#endif
    return f;
  }();
  return features;
}

}  // namespace heddle::base
