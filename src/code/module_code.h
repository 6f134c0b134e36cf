// ModuleCode: the code of one module, shared by all threads and instances: jump-table slots, lazy compilation,
// publication.
//
// A function's states (per function, one atomic word):
//   lazy       slot -> lazy stub. Nobody has called it.
//   compiling  one thread won lazy -> compiling (compare-exchange) and compiles; others that arrive wait on the word
//   (futex). ready      code published: FunctionCode in the space's lookup, then slot stored with release, then the
//   word with release and waiters woken. failed     the body is invalid: the error is kept, every call traps
//   (invalid_function_body).
// Exactly one thread compiles a function; nobody compiles twice. A caller that loads the old slot value goes through
// the stub again and finds `ready`.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "abi/tier.h"
#include "abi/vmctx.h"
#include "base/mutex.h"
#include "base/result.h"
#include "binary/names.h"
#include "code/space.h"
#include "module/validated.h"

namespace heddle::code {

class ModuleCode {
 public:
  /// `tier` is borrowed and outlives all code. Errors: limit (no executable memory left).
  static base::Result<std::shared_ptr<ModuleCode>> create(module::CheckedModule m, const abi::Tier& tier);
  ~ModuleCode();

  const module::Module& module() const { return checked_.module(); }
  const module::CheckedModule& checked() const { return checked_; }
  const abi::VmLayout& layout() const { return layout_; }
  const binary::Names& names() const;

  /// Jump-table slot of a defined function.
  const abi::Slot* slot(spec::FuncIndex func) const;
  /// Compiles the function if nobody has; waits if somebody is at it. Code address, or nullptr if the body is invalid.
  const void* ensure_compiled(spec::FuncIndex func);
  /// Compiles every function now. The lowest-offset error.
  base::Status compile_all(unsigned threads);
  /// First validation error that lazy compilation met.
  std::optional<base::Error> error() const;
  /// Publishes better code for a function that may be running (tier-up). Any thread.
  base::Status publish(abi::CodeArtifact artifact, const char* tier_name);

 private:
  ModuleCode(module::CheckedModule m, const abi::Tier& tier);
  module::CheckedModule checked_;
  const abi::Tier& tier_;
  abi::VmLayout layout_;
};

}  // namespace heddle::code
