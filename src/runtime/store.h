// Store: the wasm side of one host thread. Owns the instances that live on it (core spec, Store) and the VmStore that
// generated code uses. Created, used and destroyed on one thread; only what is named below may be touched by others.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/types.h>
#include <vector>

#include "abi/vmctx.h"
#include "base/result.h"
#include "runtime/exceptions.h"
#include "runtime/outcome.h"
#include "runtime/stack_walk.h"
#include "runtime/traps.h"

namespace heddle::runtime {

class Instance;
class ThreadGroup;
class ResourceLimits;
class TraceRow;

/// What the thread is doing, for reports: written by the thread itself (relaxed stores around host calls and waits),
/// read by reporters (relaxed). A report may be a moment old; nothing else depends on it.
struct ThreadState {
  enum class Kind : std::uint32_t { host, running, waiting /* for ever */, waiting_until /* a timeout */, host_call };
  std::atomic<Kind> kind{Kind::host};
  std::atomic<std::uint64_t> wait_address{0};        ///< guest address, if waiting
  std::atomic<std::uint64_t> since_ns{0};            ///< CLOCK_MONOTONIC
  std::atomic<std::uint32_t> woken_by{0};            ///< thread that ended the last wait, if somebody did
  std::atomic<const char*> host_call_name{nullptr};  ///< static string, if host_call
  std::atomic<std::int64_t> host_call_fd{-1};
};

class Store {
 public:
  /// `stack_limit`: lowest address that guest frames may use; below it at least kHostStackBytes of stack exist for host
  /// calls and signal frames. `group` and `limits` are borrowed and may be nullptr (tools, tests).
  Store(ThreadGroup* group, const std::uint8_t* stack_limit, ResourceLimits* limits);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  abi::VmStore* vm() { return &vm_; }
  ThreadGroup* group() const { return group_; }
  ResourceLimits* limits() const { return limits_; }
  std::uint32_t tid() const { return tid_; }
  void set_tid(std::uint32_t tid) { tid_ = tid; }
  pid_t kernel_tid() const { return kernel_tid_; }
  ThreadState& state() { return state_; }
  /// Where this thread's doings are noted; nullptr unless its group is traced. Own thread.
  TraceRow* trace() const { return trace_; }
  const std::uint8_t* stack_limit() const { return stack_limit_; }

  /// The store whose wasm (or host call) runs on this thread, or nullptr. Initial-exec TLS; async-signal-safe.
  static Store* current();

  /// Calls a function. `params` and `results` have the function's arity. Own thread; may nest (host function -> wasm).
  EntryStatus call(const abi::VmFuncRef& func, std::span<const abi::VmValue> params, std::span<abi::VmValue> results);

  /// The message of a host_trap that a handler left, or the validation error of a lazily compiled body.
  std::string& trap_text() { return trap_text_; }

  /// The wasm frames of the trap that was delivered last. Valid until the next one, and while the instances live.
  const StackTrace& trap_stack() const { return trap_stack_; }
  /// Records trap_stack() from VmStore::trap_pc and trap_sp. Called on the way out of wasm (trap_outside.cpp).
  void capture_trap(bool pc_is_return_address);

  /// Asks this thread to leave wasm (see interruptible.h). Any thread, while the store is registered in its group.
  /// For good: the flag is never cleared. If a store of another owner runs nested inside this one on the same thread,
  /// the request takes effect when that one returns.
  void interrupt();

  /// Asks this thread to write its stack down (report.h). Any thread, as for interrupt(). One request at a time.
  void request_capture(StackCapture* capture);
  bool wants_capture() const { return capture_.load(std::memory_order_acquire) != nullptr; }
  /// Takes the request back or, in the signal handler, over; nullptr if there is none (any more).
  StackCapture* take_capture() { return capture_.exchange(nullptr, std::memory_order_acq_rel); }

  /// True if a memory access of this store's code may fault at `address`: inside a reservation of one of its memories.
  /// Async-signal-safe on the own thread while it runs generated code.
  bool may_fault_at(const void* address) const;

  ExceptionHeap& exceptions() { return exceptions_; }
  const std::vector<std::unique_ptr<Instance>>& instances() const { return instances_; }

  /// Takes ownership; instances die with the store in reverse order.
  Instance* adopt(std::unique_ptr<Instance> instance);

 private:
  friend class ThreadGroup;
  abi::VmStore vm_;
  ThreadGroup* group_;
  std::size_t member_index_ = 0;  // the group's, under its lock
  bool member_admitted_ = false;  // likewise
  ResourceLimits* limits_;
  const std::uint8_t* stack_limit_;
  std::uint32_t tid_ = 0;
  pid_t kernel_tid_;
  ThreadState state_;
  TraceRow* trace_ = nullptr;  // the group's, set by add_member
  std::string trap_text_;
  StackTrace trap_stack_;
  std::atomic<StackCapture*> capture_{nullptr};  // acq_rel on both sides
  ExceptionHeap exceptions_;
  SignalStack signal_stack_;
  std::vector<std::unique_ptr<Instance>> instances_;
};

/// Stack kept free below a store's limit for host calls and signal frames.
inline constexpr std::size_t kHostStackBytes = 64 << 10;

}  // namespace heddle::runtime
