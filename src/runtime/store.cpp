#include "runtime/store.h"

#include <cstring>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/calling_convention.h"
#include "base/check.h"
#include "base/sanitizers.h"
#include "code/module_code.h"
#include "runtime/entry.h"
#include "runtime/instance.h"

namespace heddle::runtime {
namespace {

static_assert(offsetof(abi::VmStore, entry) == 0 && offsetof(abi::VmStore, exit_sp) == 8 &&
                  offsetof(abi::VmStore, interrupt) == 16 && offsetof(abi::VmStore, host_trap) == 20 &&
                  offsetof(abi::VmHostFunc, handler) == 0 && offsetof(abi::VmHostFunc, store) == 16 &&
                  offsetof(abi::VmHostArgs, floats) == 64 && sizeof(abi::VmHostArgs) == 192,
              "entry_x64.S");
static_assert(static_cast<int>(EntryStatus::interrupted) == 2 && static_cast<int>(EntryStatus::returned) == 0,
              "entry_x64.S");

/// Chosen: what a report shows of a runaway recursion; the rest is counted.
constexpr std::size_t kMaxTrapFrames = 100;

// Initial-exec, so that a signal handler may read it: no lazy allocation behind it.
__attribute__((tls_model("initial-exec"))) thread_local Store* tls_current = nullptr;

/// Makes `store` the current one for a scope. Left by normal return only: heddle_enter always comes back.
class CurrentStore {
 public:
  explicit CurrentStore(Store* store) : before_(tls_current) { tls_current = store; }
  ~CurrentStore() { tls_current = before_; }

 private:
  Store* before_;
};

void put_params(const spec::FuncType& type, std::span<const abi::VmValue> params, abi::VmStore& vm,
                abi::VmHostArgs& args) {
  using Kind = abi::Location::Kind;
  abi::ParamLocations places;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const abi::Location at = places.next(type.params[i]);
    abi::VmValue value = params[i];
    if (type.params[i] == spec::kI32) value.i64 = value.i32;  // zero-extended, always
    if (at.kind == Kind::int_reg)
      args.ints[at.index] = value.i64;
    else if (at.kind == Kind::float_reg)
      args.floats[at.index] = value;
    else
      vm.overflow[at.index] = value;
  }
}

void get_results(const spec::FuncType& type, const abi::VmStore& vm, const abi::VmHostArgs& args,
                 std::span<abi::VmValue> results) {
  for (std::uint32_t i = 0; i < results.size(); ++i) {
    const abi::Location at = abi::result_location(type.results[i], i);
    if (at.kind == abi::Location::Kind::overflow) {
      results[i] = vm.overflow[at.index];
    } else if (at.kind == abi::Location::Kind::float_reg) {
      results[i] = args.floats[at.index];
    } else {
      results[i].words[0] = args.ints[at.index];
      results[i].words[1] = 0;
    }
  }
}

/// Exceptions that the host gets hold of stay as long as the store, since nobody tells when it lets them go.
void keep_results(const spec::FuncType& type, std::span<const abi::VmValue> results, ExceptionHeap& heap) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (type.results[i].is_ref() && holds_exceptions(type.results[i])) heap.pin(results[i].ref);
  }
}

}  // namespace

const abi::Slot* host_thunk_slot() {
  void (*thunk)() = &heddle_host_thunk;
  static const abi::Slot slot{reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(thunk))};
  return &slot;
}

Store::Store(ThreadGroup* group, const std::uint8_t* stack_limit, ResourceLimits* limits)
    : group_(group), limits_(limits), stack_limit_(stack_limit), kernel_tid_(gettid()) {
  vm_.owner = this;
  install_signal_handlers();
  unblock_handled_signals();
}

Store::~Store() {
  HEDDLE_CHECK(vm_.entry == nullptr, "a store is destroyed outside its own wasm");
  while (!instances_.empty()) instances_.pop_back();
}

HEDDLE_IN_SIGNAL_HANDLER Store* Store::current() {
  return tls_current;
}

EntryStatus Store::call(const abi::VmFuncRef& func, std::span<const abi::VmValue> params,
                        std::span<abi::VmValue> results) {
  const spec::FuncType& type = func.type->func;
  HEDDLE_CHECK(params.size() == type.params.size() && results.size() == type.results.size(),
               "a call passes as many values as the function's type has");
  trap_text_.clear();
  CurrentStore scope(this);
  const ThreadState::Kind before = state_.kind.load(std::memory_order_relaxed);
  state_.kind.store(ThreadState::Kind::running, std::memory_order_relaxed);
  abi::VmHostArgs args;
  put_params(type, params, vm_, args);
  const auto status = static_cast<EntryStatus>(heddle_enter(&vm_, func.slot, func.vmctx, &args));
  if (status == EntryStatus::returned) {
    get_results(type, vm_, args, results);
    keep_results(type, results, exceptions_);
  }
  state_.kind.store(before, std::memory_order_relaxed);
  return status;
}

void Store::capture_trap(bool pc_is_return_address) {
  const auto walker =
      pc_is_return_address ? StackWalker::at_exit(vm_) : StackWalker::at_instruction(vm_, vm_.trap_pc, vm_.trap_sp);
  trap_stack_ = collect(walker, kMaxTrapFrames);
  if (vm_.trap_code == static_cast<std::uint32_t>(spec::TrapCode::invalid_function_body)) {
    // The innermost frame is the caller; the stub's own function is not on the stack, so all modules are asked.
    for (const auto& instance : instances_) {
      if (const auto error = instance->code().error()) trap_text_ = error->message;
    }
  }
}

void Store::interrupt() {
  vm_.interrupt.store(1, std::memory_order_release);
  syscall(SYS_tgkill, getpid(), kernel_tid_, kInterruptSignal);
}

void Store::request_capture(StackCapture* capture) {
  capture_.store(capture, std::memory_order_release);
  syscall(SYS_tgkill, getpid(), kernel_tid_, kInterruptSignal);
}

bool Store::may_fault_at(const void* address) const {
  for (const auto& instance : instances_) {
    const auto count = static_cast<std::uint32_t>(instance->module().memories.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      if (instance->memory(spec::MemIndex(i)).reserves(address)) return true;
    }
  }
  return false;
}

Instance* Store::adopt(std::unique_ptr<Instance> instance) {
  instances_.push_back(std::move(instance));
  return instances_.back().get();
}

}  // namespace heddle::runtime
