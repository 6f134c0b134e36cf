// Tokens that say how far a module has come. Only validate/ issues them (friend ValidationAuthority, defined there; and
// cache/, see ValidatedBody), so a function that takes a token cannot be called with unchecked data.
#pragma once

#include <memory>

#include "module/module.h"

namespace heddle::validate {
class ValidationAuthority;
}
namespace heddle::cache {
class Provenance;
}

namespace heddle::module {

/// All rules of the Validation chapter hold that concern the module outside its function bodies.
class CheckedModule {
 public:
  const Module& module() const { return *module_; }
  const std::shared_ptr<const Module>& share() const { return module_; }

 private:
  friend class heddle::validate::ValidationAuthority;
  explicit CheckedModule(std::shared_ptr<const Module> module) : module_(std::move(module)) {}
  std::shared_ptr<const Module> module_;
};

/// The body of one function of a CheckedModule is valid. Issued at the end of the pass that checked (and compiled) it;
/// by cache/ for code that came out of such a pass of an earlier run over the same bytes.
class ValidatedBody {
 public:
  spec::FuncIndex func() const { return func_; }
  const Module* of() const { return module_; }

 private:
  friend class heddle::validate::ValidationAuthority;
  friend class heddle::cache::Provenance;
  ValidatedBody(const Module* module, spec::FuncIndex func) : module_(module), func_(func) {}
  const Module* module_;  // borrowed; identity only
  spec::FuncIndex func_;
};

}  // namespace heddle::module
