// The baseline tier as the engine sees it: one pass over the body, validation included, no state between calls.
#pragma once

#include "abi/tier.h"

namespace heddle::baseline {

class BaselineTier final : public abi::Tier {
 public:
  std::string_view name() const override { return "baseline"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override;
};

}  // namespace heddle::baseline
