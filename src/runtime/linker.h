// Linker: names that modules may import, as store-independent definitions (host functions, shared memories); and
// InstancePlan: a module with all its imports resolved to such definitions, so that any thread can make an instance of
// it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "runtime/instance.h"

namespace heddle::runtime {

/// A definition that every store can bind.
using Definition = std::variant<std::shared_ptr<const HostFunction>, std::shared_ptr<Memory>>;

/// Immutable; any thread may instantiate from it, many at once.
class InstancePlan : public std::enable_shared_from_this<InstancePlan> {
 public:
  const std::shared_ptr<code::ModuleCode>& code() const { return code_; }
  base::Result<Instance::Started> instantiate(Store& store) const;

 private:
  friend class Linker;
  explicit InstancePlan(std::shared_ptr<code::ModuleCode> code);
  base::Status make_shared_memories(ResourceLimits* limits);

  std::shared_ptr<code::ModuleCode> code_;
  Blueprint blueprint_;
  std::vector<Definition> imports_;                       // in the module's import order
  std::vector<std::shared_ptr<Memory>> shared_memories_;  // defined by the module; others nullptr
  std::vector<std::unique_ptr<std::string>> names_;       // of unknown functions, for their traps
};

class Linker {
 public:
  /// Later definitions of the same name replace earlier ones.
  void define(std::string module, std::string name, Definition definition);
  /// All of its functions, each made with `user` when it is imported; what define() says of a name goes before.
  void define_host_module(const HostModule& module, void* user);

  struct PlanOptions {
    ResourceLimits* limits = nullptr;  ///< for shared memories; borrowed, must outlive them
    /// Replace unknown functions by ones that trap with the import's name.
    bool allow_unknown_imports = false;
  };
  /// Resolves every import. A shared memory that the module imports and nobody defined is created here from the
  /// declared type (wasi-threads: the host provides it); a shared memory that the module defines itself is created once
  /// for all threads. Errors: unlinkable, all unknown imports listed with their types in one message.
  base::Result<std::shared_ptr<const InstancePlan>> plan(std::shared_ptr<code::ModuleCode> code,
                                                         const PlanOptions& options) const;

  /// True if some module of that name is defined ("wasi_snapshot_preview1").
  bool knows_module(std::string_view module) const;

 private:
  /// nullopt: there is none.
  std::optional<Definition> find(const module::Import& import) const;

  std::map<std::pair<std::string, std::string>, Definition> definitions_;
  std::vector<std::pair<HostModule, void*>> host_modules_;  // and what their functions are made with
};

}  // namespace heddle::runtime
