// Instance: a module instantiated in a store (core spec, Instances and Instantiation), and the runtime objects it
// links.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "abi/vmctx.h"
#include "base/result.h"
#include "code/module_code.h"
#include "runtime/host_function.h"
#include "runtime/memory.h"
#include "runtime/resource_limits.h"
#include "runtime/store.h"

namespace heddle::runtime {

/// A table instance. Own thread only.
struct TableInstance {
  spec::TableType type;                      ///< as declared
  const module::Module* types_of = nullptr;  ///< module whose indices `type` uses; nullptr for abstract types
  abi::VmTable* vm = nullptr;                ///< in its instance's VmCtx; `elements` belongs to this object (malloc)
  ResourceLimits* limits = nullptr;          ///< borrowed; counts the entries

  TableInstance() = default;
  TableInstance(const TableInstance&) = delete;
  TableInstance& operator=(const TableInstance&) = delete;
  ~TableInstance();
  /// Makes the entries, all null. Errors: limit.
  base::Status allocate(abi::VmTable* at, ResourceLimits* counted_by);
  static constexpr std::uint64_t kRefused = ~std::uint64_t{0};
  /// Old size, or kRefused.
  std::uint64_t grow(std::uint64_t delta, void* init);
};

struct GlobalInstance {
  spec::GlobalType type;
  const module::Module* types_of = nullptr;  ///< as in TableInstance
  abi::VmValue* value = nullptr;
};

/// Identity is its address.
struct TagInstance {
  const module::CanonicalType* type = nullptr;
  std::shared_ptr<const module::RecGroup> keep_alive;  ///< of `type`, where no module does it
};

/// What can be imported and exported. Pointers are borrowed from the store's instances (or from their definer); a
/// memory is shared.
struct Extern {
  std::variant<const abi::VmFuncRef*, TableInstance*, std::shared_ptr<Memory>, GlobalInstance*, TagInstance*> item;
  spec::ExternKind kind() const { return static_cast<spec::ExternKind>(item.index()); }
};

/// What the module alone decides about its instances, computed once and shared by all of them.
struct Blueprint {
  explicit Blueprint(const module::Module& m);
  std::vector<spec::FuncIndex> declared;         ///< which code may refer to; no imports
  std::optional<spec::MemIndex> default_memory;  ///< exported as "memory", else memory 0
  base::Status status;                           ///< unsupported: a constant expression that we cannot evaluate
};

class Instance {
 public:
  /// Instantiates: checks imports (unlinkable "incompatible import type ..."), allocates, runs active segments and the
  /// start function. `imports` in the module's import order. A trap on the way is EntryStatus in `status` and the code
  /// in VmStore::trap_code (an instance that trapped stays in its store, because its functions may have been stored
  /// elsewhere: core spec, Instantiation).
  struct Started {
    Instance* instance = nullptr;
    EntryStatus status = EntryStatus::returned;
  };
  static base::Result<Started> instantiate(Store& store, std::shared_ptr<code::ModuleCode> code,
                                           std::span<const Extern> imports);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

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
  TableInstance& table_instance(spec::TableIndex t);
  abi::VmTable* table(spec::TableIndex t) { return table_instance(t).vm; }
  abi::VmValue* global(spec::GlobalIndex g);
  Memory& memory(spec::MemIndex m) { return *memories_[m.value]; }
  TagInstance* tag(spec::TagIndex t);

  /// Core spec, table.init: all or nothing. TrapCode::none if done.
  spec::TrapCode init_table(spec::TableIndex table, spec::ElemIndex elem, std::uint64_t dst, std::uint64_t src,
                            std::uint64_t count);
  /// Empty once dropped.
  base::Bytes data_segment(spec::DataIndex d) const;
  void drop_data(spec::DataIndex d) { data_dropped_[d.value] = true; }
  void drop_elem(spec::ElemIndex e) { elem_dropped_[e.value] = true; }

 private:
  friend class Instantiation;
  Instance(Store& store, std::shared_ptr<code::ModuleCode> code);
  /// One zeroed block: VmCtx with its variable part | VmHostFunc for each bound host function | VmFuncRefs. Untouched
  /// pages of a large one cost nothing.
  bool allocate_block(std::size_t bound_host_functions);
  template <class T>
  T* at(std::int32_t offset) const {
    return reinterpret_cast<T*>(reinterpret_cast<std::uint8_t*>(vmctx_) + offset);
  }

  Store& store_;
  std::shared_ptr<code::ModuleCode> code_;
  std::shared_ptr<const void> keep_alive_;  // the plan whose host functions are bound here
  abi::VmCtx* vmctx_ = nullptr;             // start of the owned block; outlives tables_, whose VmTables lie in it
  std::size_t block_bytes_ = 0;
  abi::VmHostFunc* host_funcs_ = nullptr;  // in the block
  std::vector<std::shared_ptr<Memory>> memories_;
  std::vector<TableInstance*> imported_tables_;
  std::unique_ptr<TableInstance[]> tables_;  // defined
  std::vector<GlobalInstance*> imported_globals_;
  std::vector<std::unique_ptr<GlobalInstance>> globals_;  // defined; made when first exported
  std::vector<TagInstance*> imported_tags_;
  std::unique_ptr<TagInstance[]> tags_;  // defined
  abi::VmMemory* default_memory_ = nullptr;
  std::vector<bool> data_dropped_;
  std::vector<bool> elem_dropped_;
};

}  // namespace heddle::runtime
