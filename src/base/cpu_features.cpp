// From what the C library found out when it was loaded: each CPUID instruction leaves a virtual machine, some tens of
// microseconds, and the compiler's __builtin_cpu_supports brings a dozen of them into every start.
#include "base/cpu_features.h"

#if defined(__x86_64__)
#define _Bool bool  // glibc 2.36's header says it in C++ too, where clang has no such name
#include <sys/platform/x86.h>
#undef _Bool
#endif

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
    f.sse41 = CPU_FEATURE_ACTIVE(SSE4_1);
    f.sse42 = CPU_FEATURE_ACTIVE(SSE4_2);
    f.popcnt = CPU_FEATURE_ACTIVE(POPCNT);
    f.lzcnt = CPU_FEATURE_PRESENT(LZCNT);
    f.bmi1 = CPU_FEATURE_PRESENT(BMI1);
    f.bmi2 = CPU_FEATURE_PRESENT(BMI2);
    f.avx = CPU_FEATURE_ACTIVE(AVX);
    f.avx2 = CPU_FEATURE_ACTIVE(AVX2);
    f.fma = CPU_FEATURE_ACTIVE(FMA);
    f.avx512 = CPU_FEATURE_ACTIVE(AVX512F) && CPU_FEATURE_ACTIVE(AVX512BW) && CPU_FEATURE_ACTIVE(AVX512DQ) &&
               CPU_FEATURE_ACTIVE(AVX512VL);
#endif
    return f;
  }();
  return features;
}

// The vendor is not among it; where all features are the same, so is what code may use.
std::string host_cpu_identity() {
  std::string identity;
#if defined(__x86_64__)
  for (const unsigned leaf : {CPUID_INDEX_1, CPUID_INDEX_7, CPUID_INDEX_7_ECX_1, CPUID_INDEX_80000001}) {
    cpuid_feature known = *__x86_get_cpuid_feature_leaf(leaf);
    if (leaf == CPUID_INDEX_1) known.cpuid_array[1] = known.active_array[1] = 0;  // EBX: the core we happen to be on
    identity.append(reinterpret_cast<const char*>(&known), sizeof known);
  }
#endif
  return identity;
}

}  // namespace heddle::base
