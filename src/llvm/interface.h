// How engine finds the tier: dlsym of "heddle_llvm_tier" with this type. Includes nothing of LLVM.
#pragma once

#include "abi/tier.h"

namespace heddle::llvm_tier {

inline constexpr unsigned kInterfaceVersion = 1;

/// nullptr unless both sides are of one build. The tier lives as long as the library is loaded.
using TierEntry = const abi::Tier* (*)(unsigned version, const char* build_id);

}  // namespace heddle::llvm_tier
