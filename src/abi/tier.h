// What a compiler looks like from outside. Tiers know validate and abi only; code and runtime know only this interface.
#pragma once

#include <string_view>
#include <variant>

#include "abi/artifact.h"
#include "abi/vmctx.h"
#include "base/result.h"
#include "module/validated.h"

namespace heddle::abi {

struct CompileRequest {
  const module::CheckedModule& module;
  const VmLayout& layout;
  spec::FuncIndex func;       ///< a defined function
  bool want_listing = false;  ///< fill CodeArtifact::listing
};

/// The code, or why the body is invalid, or what the tier cannot do.
using CompileResult = std::variant<CodeArtifact, base::Error, Unsupported>;

class Tier {
 public:
  virtual ~Tier() = default;
  virtual std::string_view name() const = 0;
  /// Validates the body and compiles it in one pass. Any thread, many at once; keeps no state between calls that
  /// changes the result (the same request gives the same artifact).
  virtual CompileResult compile(const CompileRequest& request) const = 0;
};

}  // namespace heddle::abi
