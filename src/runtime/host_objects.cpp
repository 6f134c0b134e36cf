#include "runtime/host_objects.h"

namespace heddle::runtime {

Extern HostObjects::function(std::shared_ptr<const HostFunction> function) {
  auto bound = std::make_unique<abi::VmHostFunc>(bind_host_function(*function, store_));
  bound->self_ref.vmctx = bound.get();
  keep_alive_.push_back(std::move(function));
  functions_.push_back(std::move(bound));
  return {&functions_.back()->self_ref};
}

base::Result<Extern> HostObjects::table(const spec::TableType& type) {
  auto table = std::make_unique<Table>();
  table->instance.type = type;
  HEDDLE_TRY(table->instance.allocate(&table->vm, store_.limits()));
  tables_.push_back(std::move(table));
  return Extern{&tables_.back()->instance};
}

Extern HostObjects::global(const spec::GlobalType& type, abi::VmValue value) {
  auto global = std::make_unique<Global>();
  global->value = value;
  global->instance.type = type;
  global->instance.value = &global->value;
  globals_.push_back(std::move(global));
  return {&globals_.back()->instance};
}

}  // namespace heddle::runtime
