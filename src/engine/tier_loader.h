// Finds and loads the LLVM tier, a library of its own, when it is first needed; and Fallback, which gives each function
// to the LLVM tier first and what that cannot compile to the baseline.
#pragma once

#include <string>

#include "abi/tier.h"
#include "base/result.h"

namespace heddle::engine {

/// The tier, loaded once a process and kept. Looked for beside the executable (lib/, ../lib/heddle/), in folders and
/// files that nobody but root and the user can write. Errors: unsupported, with the reason. Any thread.
base::Result<const abi::Tier*> llvm_tier();

/// Which files the tiers are in, as the file system tells versions apart: code that other files made is not reused.
std::string tier_identity();

class Fallback final : public abi::Tier {
 public:
  Fallback(const abi::Tier& first, const abi::Tier& second) : first_(first), second_(second) {}
  std::string_view name() const override { return first_.name(); }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    abi::CompileResult result = first_.compile(request);
    return std::holds_alternative<abi::Unsupported>(result) ? second_.compile(request) : std::move(result);
  }

 private:
  const abi::Tier& first_;
  const abi::Tier& second_;
};

}  // namespace heddle::engine
