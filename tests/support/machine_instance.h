// A MachineModule instantiated on the calling thread, with host functions by name.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "runtime/entry.h"
#include "runtime/linker.h"
#include "runtime/store.h"
#include "support/machine_code.h"

namespace heddle::test {

/// Lowest address that guest frames of this thread may use: 512 KiB below here.
inline const std::uint8_t* stack_limit_here() {
  return static_cast<const std::uint8_t*>(__builtin_frame_address(0)) - (512 << 10);
}

/// One store, one instance. Use and destroy on one thread.
struct MachineInstance {
  explicit MachineInstance(MachineModule& m, runtime::Linker linker = {}, runtime::ThreadGroup* group = nullptr)
      : store(group, stack_limit_here(), nullptr) {
    auto code = code::ModuleCode::create(m.build(), m);
    HEDDLE_CHECK(code.ok(), "test module has code memory");
    auto made = linker.plan(*code, {});
    HEDDLE_CHECK(made.ok(), "test module links");
    plan = *made;
    auto started = plan->instantiate(store);
    HEDDLE_CHECK(started.ok(), "test module instantiates");
    instance = started->instance;
  }
  runtime::EntryStatus call(spec::FuncIndex f, std::vector<abi::VmValue> params = {},
                            std::vector<abi::VmValue>* results = nullptr) {
    const abi::VmFuncRef& ref = *instance->func_ref(f);
    std::vector<abi::VmValue> values(ref.type->func.results.size());
    const auto status = store.call(ref, params, values);
    if (results != nullptr) *results = values;
    return status;
  }
  std::uint32_t trap_code() { return store.vm()->trap_code; }

  runtime::Store store;
  std::shared_ptr<const runtime::InstancePlan> plan;
  runtime::Instance* instance = nullptr;
};

/// Runs `use` as a host call of `store`'s wasm would: with the store current.
template <class F>
void as_current(runtime::Store& store, F&& use) {
  struct Handler {
    static void handle(abi::VmHostFunc* self, abi::VmHostArgs*) { (*static_cast<F*>(self->user))(); }
  };
  static const spec::FuncType type;
  static const auto group = module::canonicalize(type);
  abi::VmHostFunc host;
  host.handler = &Handler::handle;
  host.user = &use;
  host.store = store.vm();
  host.self_ref = {runtime::host_thunk_slot(), &host, group->types[0].get(), nullptr};
  store.call(host.self_ref, {}, {});
}

inline abi::VmValue i32(std::uint32_t v) {
  abi::VmValue value{};
  value.i64 = v;
  return value;
}
inline abi::VmValue i64(std::uint64_t v) {
  abi::VmValue value{};
  value.i64 = v;
  return value;
}
inline abi::VmValue f64(double v) {
  abi::VmValue value{};
  value.f64 = v;
  return value;
}

}  // namespace heddle::test
