// The one symbol of libheddle-llvm.so.
#include <cstring>

#include "llvm/interface.h"
#include "llvm/tier.h"

extern "C" __attribute__((visibility("default"))) const heddle::abi::Tier* heddle_llvm_tier(unsigned version,
                                                                                            const char* build_id) {
  if (version != heddle::llvm_tier::kInterfaceVersion || std::strcmp(build_id, HEDDLE_BUILD_ID) != 0) return nullptr;
  static const heddle::llvm_tier::LlvmTier tier;
  return &tier;
}
