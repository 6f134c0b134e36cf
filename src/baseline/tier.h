// The baseline tier as the engine sees it: one pass over the body, validation included, no state between calls.
#pragma once

#include "abi/tier.h"
#include "base/cpu_features.h"

namespace heddle::baseline {

class BaselineTier final : public abi::Tier {
 public:
  BaselineTier() : BaselineTier(base::host_cpu_features()) {}
  /// Code that uses no more than these features, which the processor must have (SSE4.1 among them).
  explicit BaselineTier(const base::CpuFeatures& cpu) : cpu_(cpu) {}

  std::string_view name() const override { return "baseline"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override;

 private:
  base::CpuFeatures cpu_;
};

}  // namespace heddle::baseline
