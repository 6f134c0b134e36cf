// HostObjects: functions, tables and globals that a host makes for one store and gives to instances as imports (tools,
// tests, the script runner's "spectest"). Must outlive every call in that store. Own thread only.
#pragma once

#include <memory>
#include <vector>

#include "runtime/instance.h"

namespace heddle::runtime {

class HostObjects {
 public:
  explicit HostObjects(Store& store) : store_(store) {}

  Extern function(std::shared_ptr<const HostFunction> function);
  /// `type` mentions no concrete heap type. Errors: limit.
  base::Result<Extern> table(const spec::TableType& type);
  Extern global(const spec::GlobalType& type, abi::VmValue value);

 private:
  struct Table {
    abi::VmTable vm;
    TableInstance instance;  // owns vm.elements; destroyed first
  };
  struct Global {
    abi::VmValue value;
    GlobalInstance instance;
  };
  Store& store_;
  std::vector<std::shared_ptr<const HostFunction>> keep_alive_;
  std::vector<std::unique_ptr<abi::VmHostFunc>> functions_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<std::unique_ptr<Global>> globals_;
};

}  // namespace heddle::runtime
