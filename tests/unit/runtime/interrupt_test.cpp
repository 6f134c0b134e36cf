// No interrupt is lost, wherever it meets the thread: generated code, the windows around it, or a system call.
#include <atomic>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "abi/builtins.h"
#include "code/lazy_stubs.h"
#include "runtime/entry.h"
#include "runtime/interruptible.h"
#include "support/machine_instance.h"
#include "support/stress.h"

namespace heddle::runtime {
namespace {

using namespace asmjit::x86;
using test::Emitter;
using test::MachineInstance;
using test::MachineModule;
using test::Random;

/// `victim` runs one round on its own thread and returns when its store is interrupted. This thread interrupts each
/// round once, after a random delay; a lost interrupt leaves the victim where it is, and the watchdog speaks.
struct Attack {
  const char* what;  ///< went wrong if rounds stop ending
  int rounds;
  std::uint32_t max_delay;
  std::atomic<Store*> store{nullptr};
  std::atomic<int> started{0};
  std::atomic<int> ended{0};

  /// On the victim's thread.
  void defend(Store& own, const std::function<void(int)>& round) {
    store.store(&own);
    for (int i = 1; i <= rounds; ++i) {
      own.vm()->interrupt.store(0);
      started.store(i);
      round(i);
      ended.store(i);
    }
  }
  void run(std::thread victim) {
    const test::Watchdog watchdog(120, what, &ended);
    Random random(1);
    for (int i = 1; i <= rounds; ++i) {
      while (started.load() < i) sched_yield();
      random.spin(max_delay);
      store.load()->interrupt();
      while (ended.load() < i) sched_yield();
    }
    victim.join();
  }
};

TEST(InterruptibleSyscall, no_interrupt_of_a_read_is_lost) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  Attack attack{"read() missed an interrupt", test::rounds(20'000), 600};
  attack.run(std::thread([&] {
    Store store(nullptr, test::stack_limit_here(), nullptr);
    char byte;
    attack.defend(store, [&](int) {
      test::as_current(store, [&] {
        const long r =
            heddle_interruptible_syscall(store.vm(), SYS_read, pipe_fds[0], reinterpret_cast<long>(&byte), 1);
        ASSERT_EQ(r, kCancelled);
      });
    });
  }));
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

TEST(InterruptibleSyscall, no_interrupt_of_a_futex_is_lost) {
  Attack attack{"futex() missed an interrupt", test::rounds(20'000), 600};
  attack.run(std::thread([&] {
    Store store(nullptr, test::stack_limit_here(), nullptr);
    std::uint32_t word = 0;
    const timespec hour{3600, 0};
    attack.defend(store, [&](int i) {
      test::as_current(store, [&] {
        long r;
        do {
          r = heddle_interruptible_syscall(store.vm(), SYS_futex, reinterpret_cast<long>(&word), FUTEX_WAIT_PRIVATE, 0,
                                           i % 2 != 0 ? reinterpret_cast<long>(&hour) : 0);
        } while (r == -EINTR);
        ASSERT_EQ(r, kCancelled);
      });
    });
  }));
}

TEST(InterruptibleSyscall, completed_call_keeps_its_result) {
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  Attack attack{"read() missed an interrupt or a byte", test::rounds(10'000), 300};
  int bytes = 0;
  int cancelled = 0;
  int not_entered = 0;
  attack.run(std::thread([&] {
    Store store(nullptr, test::stack_limit_here(), nullptr);
    char byte = 0;
    // One byte is there each round: either the read gets it or it was cancelled and the byte stays.
    attack.defend(store, [&](int) {
      ++not_entered;
      test::as_current(store, [&] {
        --not_entered;
        ASSERT_EQ(write(pipe_fds[1], &byte, 1), 1);
        for (int i = 0; i < 3; ++i) syscall(SYS_getppid);
        const long r =
            heddle_interruptible_syscall(store.vm(), SYS_read, pipe_fds[0], reinterpret_cast<long>(&byte), 1);
        if (r == 1)
          ++bytes;
        else if (r == kCancelled)
          ++cancelled;
        if (r != 1) ASSERT_EQ(read(pipe_fds[0], &byte, 1), 1) << "a cancelled read took the byte";
        while (store.vm()->interrupt.load() == 0) asm volatile("pause");
      });
    });
  }));
  EXPECT_EQ(bytes + cancelled + not_entered, attack.rounds);
  fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
  char byte;
  EXPECT_EQ(read(pipe_fds[0], &byte, 1), -1) << "all bytes are accounted for";
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

/// Interrupts `function` of a fresh instance round after round.
void attack_wasm(MachineModule& m, spec::FuncIndex function, const Linker& linker, int rounds, const char* what) {
  Attack attack{what, test::rounds(rounds), 400};
  attack.run(std::thread([&] {
    MachineInstance i(m, linker);
    attack.defend(i.store, [&](int) { ASSERT_EQ(i.call(function), EntryStatus::interrupted); });
    EXPECT_EQ(i.store.vm()->entry, nullptr);
    EXPECT_EQ(Store::current(), nullptr);
  }));
}

TEST(Interrupt, loop_without_calls_ends) {
  MachineModule m;
  const auto f = m.add({}, [](Emitter& e) {
    const asmjit::Label top = e.as.newLabel();
    e.as.bind(top);
    e.as.add(rax, 1);
    e.as.jmp(top);
  });
  attack_wasm(m, f, {}, 1'000, "a loop went on");
}

TEST(Interrupt, recursion_ends_at_every_instruction_of_its_frames) {
  MachineModule m;
  const auto g = m.add({}, [](Emitter& e) {
    e.enter(40, 0);
    e.leave();
  });
  const auto f = m.add({}, [&](Emitter& e) {
    e.enter(24, 0);
    const asmjit::Label top = e.as.newLabel();
    e.as.bind(top);
    e.call(g);
    e.as.jmp(top);
  });
  attack_wasm(m, f, {}, 1'000, "calls went on");
}

void quick_host(HostCall&) {}

TEST(Interrupt, loop_of_host_calls_ends) {
  MachineModule m;
  const auto h = m.import("host", "quick", {});
  const auto f = m.add({}, [&](Emitter& e) {
    e.enter(24, 0);
    const asmjit::Label top = e.as.newLabel();
    e.as.bind(top);
    e.call_import(h, 0);
    e.as.jmp(top);
  });
  Linker linker;
  linker.define("host", "quick", host_function<&quick_host>(nullptr));
  attack_wasm(m, f, linker, 2'000, "the host thunk lost an interrupt");
}

TEST(Interrupt, loop_of_builtin_calls_ends) {
  MachineModule m;
  m.memory(1);
  const auto f = m.add({}, [&](Emitter& e) {
    e.enter(24, 0);
    const asmjit::Label top = e.as.newLabel();
    e.as.bind(top);
    e.as.xor_(esi, esi);
    e.as.xor_(edx, edx);
    e.as.xor_(ecx, ecx);
    e.as.mov(r8d, 8);
    e.call_builtin(abi::offset_of(abi::Builtin::memory_fill));
    e.as.jmp(top);
  });
  attack_wasm(m, f, {}, 2'000, "a builtin's return lost an interrupt");
}

TEST(Interrupt, loop_through_lazy_stubs_ends) {
  // A slot that is never updated: every call goes through the stub.
  static const abi::Slot stale{code::LazyStubs::stub(0)};
  MachineModule m;
  const auto g = m.add({}, [](Emitter& e) { e.as.ret(); });
  ASSERT_EQ(g.value, 0u);
  const auto f = m.add({}, [&](Emitter& e) {
    e.enter(24, 0);
    const asmjit::Label top = e.as.newLabel();
    e.as.bind(top);
    e.as.mov(rax, reinterpret_cast<std::uint64_t>(&stale));
    e.as.call(ptr(rax));
    e.artifact.sites.add_call(e.here(), 0);
    e.as.jmp(top);
  });
  attack_wasm(m, f, {}, 2'000, "the lazy stub lost an interrupt");
}

TEST(Interrupt, short_calls_from_the_host_end_at_the_entry) {
  MachineModule m;
  const auto f = m.add({}, [](Emitter& e) { e.as.ret(); });
  Attack attack{"the entry lost an interrupt", test::rounds(10'000), 400};
  attack.run(std::thread([&] {
    MachineInstance i(m);
    attack.defend(i.store, [&](int) {
      while (i.call(f) != EntryStatus::interrupted) {
      }
    });
  }));
}

}  // namespace
}  // namespace heddle::runtime
