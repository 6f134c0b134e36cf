// Instantiation (core spec, Execution, Modules): the steps from bound imports to a started instance. Used by
// Instance::instantiate and by InstancePlan, which has checked its imports once for all threads.
#pragma once

#include <memory>
#include <span>
#include <variant>

#include "runtime/instance.h"

namespace heddle::runtime {

/// One import: an object of the store, or a host function that is bound to the new instance.
using BoundImport = std::variant<Extern, const HostFunction*>;

class Instantiation {
 public:
  struct Request {
    std::shared_ptr<code::ModuleCode> code;
    const Blueprint& blueprint;
    std::span<const BoundImport> imports;  ///< match the module's types already
    /// Shared memories that the module defines, made once for all threads; by memory index without imports; entries may
    /// be nullptr.
    std::span<const std::shared_ptr<Memory>> shared_memories;
    std::shared_ptr<const void> keep_alive;  ///< of the host functions
  };
  static base::Result<Instance::Started> run(Store& store, const Request& request);

 private:
  Instantiation(Instance& instance, const Request& request)
      : instance_(instance), module_(instance.module()), layout_(instance.code().layout()), request_(request) {}

  base::Status allocate();
  void bind_imports();
  base::Status make_memories();
  base::Status make_tables();
  void make_tags();
  void make_func_refs();
  base::Status make_globals();
  base::Status fill_tables();
  /// The rest may trap: TrapCode::none if all went well.
  base::Result<spec::TrapCode> run_active_segments();
  /// Fills an active segment without reading it into memory twice. False: nothing or only a part is written.
  bool copy_from_file(const module::DataSegment& segment, std::uint64_t offset);
  base::Result<std::uint64_t> evaluate_offset(const module::ConstExpr& expression);

  Instance& instance_;
  const module::Module& module_;
  const abi::VmLayout& layout_;
  const Request& request_;
};

}  // namespace heddle::runtime
