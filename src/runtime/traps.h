// Traps and interrupts as signals: what the handlers (trap_inside.cpp) and their set-up (trap_outside.cpp) share, and
// what the rest of the runtime calls.
//
//   SIGSEGV SIGBUS SIGILL SIGFPE   at a trap site of generated code: a trap of the guest. Else: the previous handler's.
//   kInterruptSignal               this thread shall leave wasm (Store::interrupt); from a timer: sampling.h
//
// Delivery of a trap: the handler notes code, pc and rsp in the VmStore and lets the thread go on in
// heddle_trap_arrived, on the guest's own stack just below the trapping frame (there are kHostStackBytes left, whatever
// the guest did). That is ordinary code: it may allocate and take locks, since generated code holds none. It records
// the stack and leaves wasm by heddle_unwind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <signal.h>

#include "abi/vmctx.h"
#include "spec/trap_codes.h"

namespace heddle::runtime {

/// Chosen: ignored by default, so one that arrives late harms nobody; debuggers pass it on silently; neither libc nor
/// toolchains use it; and unlike real-time signals a standard one cannot fail to be sent because a queue is full
/// (several that coalesce do what one does, since the flag is set before).
inline constexpr int kInterruptSignal = SIGURG;

/// Installs the handlers, once for the process. Any thread.
void install_signal_handlers();

/// A thread that runs wasm needs them, whatever mask it inherited.
void unblock_handled_signals();

/// Bytes of signal stack that the handlers need on this machine, in whole pages.
std::size_t signal_stack_bytes();

/// The alternate signal stack of a thread that runs wasm: keeps what the thread has if it is large enough, else gives
/// it one until the end of the object. Same thread throughout.
class SignalStack {
 public:
  SignalStack();
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

  /// Uses [stack, stack + signal_stack_bytes()) for the calling thread from now on; the memory belongs to the caller,
  /// who keeps it until the thread ends. Returns what the thread had.
  static stack_t use(void* stack);
  /// Gives the thread back what it had, if that was anything: who put it there may want to free it (sanitizers do).
  static void restore(const stack_t& before);

 private:
  void* mapped_ = nullptr;
  stack_t before_{};
};

extern "C" {
/// Where a thread goes on after a trap; see above.
[[noreturn]] void heddle_trap_arrived(abi::VmStore* vm);
/// Called by the host thunk when a handler has returned and the thread shall leave wasm or trap.
[[noreturn]] void heddle_host_call_ended(abi::VmStore* vm);
}

/// Handlers; trap_inside.cpp.
void on_trap_signal(int signal, siginfo_t* info, void* context);
void on_interrupt_signal(int signal, siginfo_t* info, void* context);
/// What stood before us, by signal number; written before our handlers are installed.
struct sigaction& previous_action(int signal);

}  // namespace heddle::runtime
