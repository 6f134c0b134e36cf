// Instance: a module instantiated in a store (core spec, Instances and Instantiation), and the runtime objects it
// links.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "abi/vmctx.h"
#include "base/result.h"
#include "code/module_code.h"
#include "runtime/host_function.h"
#include "runtime/memory.h"
#include "runtime/store.h"

namespace heddle::runtime {

/// A table instance. Own thread only.
struct TableInstance {
  spec::TableType type;                      ///< as declared
  const module::Module* types_of = nullptr;  ///< module whose indices `type` uses; nullptr for abstract types
  abi::VmTable* vm = nullptr;
  std::vector<void*> storage;
  /// Old size, or ~0.
  std::uint64_t grow(std::uint64_t delta, void* init, ResourceLimits* limits);
};

struct GlobalInstance {
  spec::GlobalType type;
  const module::Module* types_of = nullptr;
  abi::VmValue* value = nullptr;
};

/// Identity is its address.
struct TagInstance {
  const module::CanonicalType* type = nullptr;
  std::shared_ptr<const module::RecGroup> keep_alive;
};

/// What can be imported and exported. Pointers are borrowed from the store's instances (or from their definer); a
/// memory is shared.
struct Extern {
  std::variant<const abi::VmFuncRef*, TableInstance*, std::shared_ptr<Memory>, GlobalInstance*, TagInstance*> item;
  spec::ExternKind kind() const { return static_cast<spec::ExternKind>(item.index()); }
};

class Instance {
 public:
  /// Instantiates: checks imports (unlinkable "incompatible import type ..."), allocates, runs active segments and the
  /// start function. `imports` in the module's import order. A trap on the way is EntryStatus in `status` (an instance
  /// that trapped stays in its store, because its functions may have been stored elsewhere: core spec, Instantiation).
  struct Started {
    Instance* instance = nullptr;
    EntryStatus status = EntryStatus::returned;
  };
  static base::Result<Started> instantiate(Store& store, std::shared_ptr<code::ModuleCode> code,
                                           std::span<const Extern> imports);
  ~Instance();

  const module::Module& module() const { return code_->module(); }
  code::ModuleCode& code() const { return *code_; }
  Store& store() const { return store_; }
  abi::VmCtx* vmctx() const { return vmctx_; }

  std::optional<Extern> find_export(std::string_view name);
  Extern export_of(const module::Export& e);
  /// The exported function if it is one and of this type (no concrete references), else nullptr.
  const abi::VmFuncRef* find_function(std::string_view name, const spec::FuncType& type);
  /// The memory exported as "memory", else memory 0, else nullptr.
  abi::VmMemory* default_memory() const { return default_memory_; }

  abi::VmFuncRef* func_ref(spec::FuncIndex f);
  abi::VmTable* table(spec::TableIndex t);
  Memory& memory(spec::MemIndex m) { return *memories_[m.value]; }

  /// Used by builtins.
  base::Bytes data_segment(spec::DataIndex d) const { return data_dropped_[d.value] ? base::Bytes{} : datas_[d.value]; }
  void drop_data(spec::DataIndex d) { data_dropped_[d.value] = true; }

 private:
  friend class Instantiation;
  Instance(Store& store, std::shared_ptr<code::ModuleCode> code);

  Store& store_;
  std::shared_ptr<code::ModuleCode> code_;
  abi::VmCtx* vmctx_ = nullptr;  // owned, with its variable part
  std::vector<std::shared_ptr<Memory>> memories_;
  std::vector<std::unique_ptr<TableInstance>> tables_;    // defined
  std::vector<std::unique_ptr<GlobalInstance>> globals_;  // defined
  std::vector<std::unique_ptr<TagInstance>> tags_;        // defined
  abi::VmMemory* default_memory_ = nullptr;
  std::vector<base::Bytes> datas_;
  std::vector<bool> data_dropped_;
};

}  // namespace heddle::runtime
