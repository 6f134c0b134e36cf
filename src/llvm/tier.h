// The LLVM tier as abi::Tier: validates bodies, builds LLVM IR for them in the same pass, optimises, emits an object to
// memory and turns that into CodeArtifacts. Stateless between calls; any thread, many at once (each call has an
// LLVMContext of its own). Functions it cannot compile come back as Unsupported and stay in the baseline tier.
#pragma once

#include "abi/tier.h"

namespace heddle::llvm_tier {

class LlvmTier final : public abi::Tier {
 public:
  std::string_view name() const override { return "llvm"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override;
  /// In one llvm::Module, which costs about 1.6 ms however little is in it.
  std::vector<abi::CompileResult> compile_batch(std::span<const abi::CompileRequest> requests) const override;
};

}  // namespace heddle::llvm_tier
