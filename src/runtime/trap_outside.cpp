// Set-up of the handlers and of signal stacks; and where a trapped thread goes on (traps.h).
#include <algorithm>
#include <mutex>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/os_memory.h"
#include "runtime/builtins.h"
#include "runtime/entry.h"
#include "runtime/store.h"
#include "runtime/traps.h"

#if defined(__SANITIZE_THREAD__)
#define HEDDLE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HEDDLE_THREAD_SANITIZER 1
#endif
#endif

namespace heddle::runtime {
namespace {

struct sigaction g_previous[NSIG];

void install(int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
  // Read what stands there first: our handler may run as soon as it is installed.
  HEDDLE_CHECK(sigaction(signal, nullptr, &g_previous[signal]) == 0, "a signal's action can be read");
  struct sigaction ours = {};
  ours.sa_sigaction = handler;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | flags;
  sigemptyset(&ours.sa_mask);
  HEDDLE_CHECK(sigaction(signal, &ours, nullptr) == 0, "a signal's action can be set");
#ifdef HEDDLE_THREAD_SANITIZER
  // ThreadSanitizer keeps signals back until the next call that it knows: never, in generated code. Past it, to the
  // kernel, with the rest of the action as libc has set it.
  struct {
    void (*handler)(int, siginfo_t*, void*);
    unsigned long flags;
    void (*restorer)();
    unsigned long mask;
  } action{};
  syscall(SYS_rt_sigaction, signal, nullptr, &action, sizeof action.mask);
  action.handler = handler;
  syscall(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
#endif
}

/// Leaves wasm because of VmStore::trap_code, which happened at trap_pc and trap_sp.
[[noreturn]] void deliver(abi::VmStore* vm, bool pc_is_return_address) {
  if (vm->trap_code == static_cast<std::uint32_t>(spec::TrapCode::interrupted))
    heddle_unwind(vm, static_cast<std::uint32_t>(EntryStatus::interrupted));
  static_cast<Store*>(vm->owner)->capture_trap(pc_is_return_address);
  heddle_unwind(vm, static_cast<std::uint32_t>(EntryStatus::trapped));
}

[[noreturn]] void trap_at_exit(abi::VmStore* vm, std::uint32_t code) {
  vm->trap_code = code;
  vm->trap_sp = vm->exit_sp;
  vm->trap_pc = *reinterpret_cast<const std::uint8_t* const*>(vm->exit_sp - 8);
  deliver(vm, true);
}

}  // namespace

struct sigaction& previous_action(int signal) {
  return g_previous[signal];
}

void install_signal_handlers() {
  static std::once_flag once;
  std::call_once(once, [] {
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE}) install(signal, &on_trap_signal, 0);
    // Restart: host code of an embedder that knows nothing of us keeps its system calls.
    install(kInterruptSignal, &on_interrupt_signal, SA_RESTART);
  });
}

void unblock_handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, kInterruptSignal}) sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

std::size_t signal_stack_bytes() {
  // The kernel's frame with the machine's vector state, our handlers (under 1 KiB), and room for a foreign one behind.
  static const std::size_t bytes =
      base::round_up_to_page(std::max<std::size_t>(getauxval(AT_MINSIGSTKSZ), 2048) + 12'288);
  return bytes;
}

SignalStack::SignalStack() {
  HEDDLE_CHECK(sigaltstack(nullptr, &before_) == 0, "the signal stack can be asked for");
  if ((before_.ss_flags & SS_DISABLE) == 0 && before_.ss_size >= signal_stack_bytes()) return;
  void* stack = mmap(nullptr, signal_stack_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  HEDDLE_CHECK(stack != MAP_FAILED, "there is memory for a signal stack");
  mapped_ = stack;
  use(stack);
}

SignalStack::~SignalStack() {
  if (mapped_ == nullptr) return;
  sigaltstack(&before_, nullptr);
  munmap(mapped_, signal_stack_bytes());
}

stack_t SignalStack::use(void* stack) {
  stack_t request = {};
  stack_t before = {};
  request.ss_sp = stack;
  request.ss_size = signal_stack_bytes();
  HEDDLE_CHECK(sigaltstack(&request, &before) == 0, "a thread can have a signal stack");
  return before;
}

void SignalStack::restore(const stack_t& before) {
  if ((before.ss_flags & SS_DISABLE) == 0) sigaltstack(&before, nullptr);
}

void heddle_trap_arrived(abi::VmStore* vm) {
  deliver(vm, false);
}

void heddle_host_call_ended(abi::VmStore* vm) {
  if (vm->interrupt.load(std::memory_order_acquire) != 0)
    heddle_unwind(vm, static_cast<std::uint32_t>(EntryStatus::interrupted));
  const std::uint32_t code = vm->host_trap;
  vm->host_trap = 0;
  trap_at_exit(vm, code);
}

extern "C" void heddle_builtin_raise_trap(abi::VmCtx* ctx, std::uint32_t trap_code) {
  trap_at_exit(ctx->store, trap_code);
}

}  // namespace heddle::runtime
