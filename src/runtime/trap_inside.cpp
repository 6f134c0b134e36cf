// What runs inside signal handlers. It may not: allocate, take locks, log, call anything that is not async-signal-safe,
// use TLS that is not initial-exec, or touch a C++ object that its own thread could be in the middle of changing. No
// new includes. Everything it reads is immutable, atomic, or belongs to generated code (which was interrupted at an
// instruction, so the Store is at rest).
#include <cstdint>
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi/vmctx.h"
#include "code/lazy_stubs.h"
#include "code/space.h"
#include "runtime/entry.h"
#include "runtime/interruptible.h"
#include "runtime/outcome.h"
#include "runtime/sampling.h"
#include "runtime/stack_walk.h"
#include "runtime/store.h"
#include "runtime/traps.h"
#include "spec/trap_codes.h"

extern "C" {
extern const std::uint8_t heddle_enter_window_begin[], heddle_enter_window_end[];
extern const std::uint8_t heddle_thunk_window_begin[], heddle_thunk_window_end[];
extern const std::uint8_t heddle_land_window_begin[], heddle_land_window_end[];
extern const std::uint8_t heddle_entry_text_begin[], heddle_entry_text_end[];
extern const std::uint8_t heddle_syscall_begin[], heddle_syscall_end[], heddle_syscall_cancel[];
}

namespace heddle::runtime {
namespace {

constexpr greg_t kDirectionFlag = 0x400;

bool within(const std::uint8_t* pc, const std::uint8_t* begin, const std::uint8_t* end) {
  return pc >= begin && pc < end;
}

/// Generated code, or host assembly between its test of the flag and wasm.
bool may_redirect(const std::uint8_t* pc) {
  return code::Space::contains(pc) || within(pc, heddle_enter_window_begin, heddle_enter_window_end) ||
         within(pc, heddle_thunk_window_begin, heddle_thunk_window_end) ||
         within(pc, heddle_land_window_begin, heddle_land_window_end) || code::LazyStubs::in_interrupt_window(pc);
}

greg_t address_of(const void* p) {
  return static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(p));
}

/// The thread goes on at the entry of `function` with up to two arguments.
template <class Function>
void go_on_at(mcontext_t& machine, Function* function, const void* first, greg_t second) {
  machine.gregs[REG_RIP] = static_cast<greg_t>(reinterpret_cast<std::uintptr_t>(function));
  machine.gregs[REG_RDI] = address_of(first);
  machine.gregs[REG_RSI] = second;
  machine.gregs[REG_EFL] &= ~kDirectionFlag;  // as the ABI has it at function entry
}

/// Hands the signal to whoever was there before us.
void pass_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction& before = previous_action(signal);
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
    return;
  }
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
    return;
  }
  if (signal == kInterruptSignal) return;  // ignored by default
  if (before.sa_handler == SIG_IGN && info->si_code <= 0) return;
  // The default is death. A fault happens again when its instruction is run again; a signal somebody sent does not.
  struct sigaction dying = {};
  dying.sa_handler = SIG_DFL;
  sigaction(signal, &dying, nullptr);
  if (info->si_code <= 0) syscall(SYS_tgkill, getpid(), gettid(), signal);
}

spec::TrapCode code_in_eax(const mcontext_t& machine) {
  const auto code = static_cast<std::uint32_t>(machine.gregs[REG_RAX]);
  return code < static_cast<std::uint32_t>(spec::TrapCode::kCount) ? static_cast<spec::TrapCode>(code)
                                                                   : spec::TrapCode::none;
}

bool is_ud2(const std::uint8_t* pc) {
  const std::uint8_t* code = code::Space::published(pc);
  return code[0] == 0x0f && code[1] == 0x0b;
}

/// The trap that this fault is, or none.
spec::TrapCode trap_of(int signal, const siginfo_t* info, const mcontext_t& machine, const std::uint8_t* pc,
                       const Store& store) {
  const code::FunctionCode* function = code::Space::find(pc);
  if (function == nullptr) return spec::TrapCode::none;
  const auto site = function->trap_site(pc);
  if (!site && !function->sites_by_range) return spec::TrapCode::none;
  if (signal == SIGSEGV || signal == SIGBUS) {
    // A fault outside every memory is a mistake of ours, not the guest's trap.
    if (!store.may_fault_at(info->si_addr)) return spec::TrapCode::none;
    return site ? site->code : spec::TrapCode::memory_out_of_bounds;
  }
  if (!site) return signal == SIGILL && is_ud2(pc) ? code_in_eax(machine) : spec::TrapCode::none;
  return site->code != spec::TrapCode::none ? site->code : code_in_eax(machine);
}

}  // namespace

void on_trap_signal(int signal, siginfo_t* info, void* context) {
  mcontext_t& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
  const auto* pc = reinterpret_cast<const std::uint8_t*>(machine.gregs[REG_RIP]);
  Store* store = Store::current();
  const bool ours = store != nullptr && store->vm()->entry != nullptr && info->si_code > 0 && code::Space::contains(pc);
  const spec::TrapCode code = ours ? trap_of(signal, info, machine, pc, *store) : spec::TrapCode::none;
  if (code == spec::TrapCode::none) {
    pass_on(signal, info, context);
    return;
  }
  abi::VmStore* vm = store->vm();
  vm->trap_code = static_cast<std::uint32_t>(code);
  vm->trap_pc = pc;
  vm->trap_sp = reinterpret_cast<std::uint8_t*>(machine.gregs[REG_RSP]);
  vm->exit_sp = nullptr;  // the frames begin at trap_sp
  // As if the trapping instruction had called: aligned, with a null return address to end foreign unwinders.
  auto sp = (static_cast<std::uintptr_t>(machine.gregs[REG_RSP]) & ~std::uintptr_t{15}) - 8;
  *reinterpret_cast<std::uintptr_t*>(sp) = 0;
  machine.gregs[REG_RSP] = static_cast<greg_t>(sp);
  go_on_at(machine, &heddle_trap_arrived, vm, 0);
}

namespace {

/// Writes the stack down for who asked (Store::request_capture). Left for another signal if the thread stands between
/// host and wasm, where its records do not agree for some instructions.
void capture_stack(Store& store, const mcontext_t& machine) {
  const auto* pc = reinterpret_cast<const std::uint8_t*>(machine.gregs[REG_RIP]);
  const bool generated = code::Space::contains(pc);
  if (within(pc, heddle_entry_text_begin, heddle_entry_text_end) || code::LazyStubs::contains(pc)) return;
  // A stub in the code region, too: nothing is pushed there yet.
  StackCapture* capture = store.take_capture();
  if (capture == nullptr) return;
  const abi::VmStore& vm = *store.vm();
  const auto* sp = reinterpret_cast<const std::uint8_t*>(machine.gregs[REG_RSP]);
  StackWalker walker = generated ? StackWalker::at_instruction(vm, pc, sp) : StackWalker::at_exit(vm);
  StackFrame frame;
  while (walker.next(frame)) {
    if (capture->count < StackCapture::kMaxFrames)
      capture->frames[capture->count++] = frame;
    else
      ++capture->omitted;
  }
  capture->done.store(1, std::memory_order_release);
  syscall(SYS_futex, &capture->done, 1 | 128 /* FUTEX_WAKE_PRIVATE */, 1, nullptr, nullptr, 0);
}

/// Makes the thread leave wasm, or relies on the flag.
void interrupt_here(Store& store, mcontext_t& machine) {
  const auto* pc = reinterpret_cast<const std::uint8_t*>(machine.gregs[REG_RIP]);
  if (within(pc, heddle_syscall_begin, heddle_syscall_end)) {
    machine.gregs[REG_RIP] = address_of(heddle_syscall_cancel);
  } else if (may_redirect(pc) && store.vm()->entry != nullptr) {
    go_on_at(machine, &heddle_unwind, store.vm(), static_cast<greg_t>(EntryStatus::interrupted));
  }
  // Anywhere else the flag, which is set, will be tested before the thread enters wasm or blocks again.
}

}  // namespace

void on_interrupt_signal(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  mcontext_t& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
  if (info->si_code == SI_TIMER && Sampler::is_sampler(info->si_value.sival_ptr)) {
    static_cast<Sampler*>(info->si_value.sival_ptr)
        ->sample(reinterpret_cast<const void*>(machine.gregs[REG_RIP]),
                 reinterpret_cast<const void*>(machine.gregs[REG_RSP]));
    errno = saved_errno;
    return;
  }
  Store* store = info->si_code == SI_TKILL ? Store::current() : nullptr;
  const bool captures = store != nullptr && store->wants_capture();
  const bool interrupts = store != nullptr && store->vm()->interrupt.load(std::memory_order_acquire) != 0;
  if (captures) capture_stack(*store, machine);
  if (interrupts) interrupt_here(*store, machine);
  if (!captures && !interrupts) pass_on(signal, info, context);
  errno = saved_errno;
}

}  // namespace heddle::runtime
