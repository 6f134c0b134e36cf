// Host -> wasm -> host: values, traps, nesting, stacks.
#include "runtime/entry.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "abi/builtins.h"
#include "runtime/instance.h"
#include "runtime/traps.h"
#include "support/machine_instance.h"

namespace heddle::runtime {
namespace {

using namespace asmjit::x86;
using spec::kF64;
using spec::kI32;
using spec::kI64;
using spec::TrapCode;
using test::Emitter;
using test::f64;
using test::i32;
using test::i64;
using test::MachineInstance;
using test::MachineModule;

TEST(Entry, parameters_travel_in_registers_and_the_overflow_buffer) {
  MachineModule m;
  spec::FuncType t;
  t.params.assign(8, kI64);
  t.params.insert(t.params.end(), 9, kF64);
  t.results = {kI64, kF64, kI64};
  // rax = sum of the 8 integers; overflow[0] = sum of the 9 floats; overflow[1] = second overflow integer
  const auto f = m.add(t, [](Emitter& e) {
    e.as.mov(r10, ptr(r13, abi::kOffsetStore));
    e.as.lea(r10, ptr(r10, abi::kStoreOffsetOverflow));
    e.as.mov(rax, rdi);
    for (const auto& r : {rsi, rdx, rcx, r8, r9}) e.as.add(rax, r);
    e.as.add(rax, ptr(r10));
    e.as.add(rax, ptr(r10, 16));
    e.as.mov(r11, ptr(r10, 16));
    for (const auto& x : {xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7}) e.as.addsd(xmm0, x);
    e.as.addsd(xmm0, ptr(r10, 32));
    e.as.movsd(ptr(r10), xmm0);
    e.as.mov(ptr(r10, 16), r11);
    e.as.ret();
  });
  MachineInstance i(m);
  std::vector<abi::VmValue> params;
  for (std::uint64_t v = 1; v <= 8; ++v) params.push_back(i64(v << (4 * v)));
  for (int v = 0; v < 9; ++v) params.push_back(f64(1 << v));
  std::vector<abi::VmValue> results;
  ASSERT_EQ(i.call(f, params, &results), EntryStatus::returned);
  std::uint64_t sum = 0;
  for (std::uint64_t v = 1; v <= 8; ++v) sum += v << (4 * v);
  EXPECT_EQ(results[0].i64, sum);
  EXPECT_EQ(results[1].f64, 511.0);
  EXPECT_EQ(results[2].i64, std::uint64_t{8} << 32);
}

TEST(Entry, callee_saved_registers_come_back_after_a_trap) {
  MachineModule m;
  const auto f = m.add({}, [](Emitter& e) {
    for (const auto& r : {rbx, rbp, r12, r14, r15}) e.as.mov(r, 0x1234);
    e.trap(TrapCode::unreachable);
  });
  MachineInstance i(m);
  std::uint64_t before[5] = {11, 12, 13, 14, 15};
  std::uint64_t after[5] = {};
  EntryStatus status{};
  // The compiler keeps values in callee-saved registers across this call; a lost one breaks the loop's sums.
  for (int round = 0; round < 100; ++round) {
    status = i.call(f);
    for (int k = 0; k < 5; ++k) after[k] += before[k];
  }
  EXPECT_EQ(status, EntryStatus::trapped);
  for (int k = 0; k < 5; ++k) EXPECT_EQ(after[k], before[k] * 100);
  EXPECT_EQ(i.store.vm()->entry, nullptr);
}

TEST(Trap, site_says_what_happened_and_where) {
  MachineModule m;
  const auto inner = m.add({}, [](Emitter& e) { e.trap(TrapCode::integer_overflow, 333); });
  const auto outer = m.add({}, [&](Emitter& e) {
    e.enter(24, 0);
    e.call(inner, 444);
    e.leave();
  });
  MachineInstance i(m);
  ASSERT_EQ(i.call(outer), EntryStatus::trapped);
  EXPECT_EQ(i.trap_code(), static_cast<std::uint32_t>(TrapCode::integer_overflow));
  const auto& frames = i.store.trap_stack().frames;
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].code->func, inner);
  EXPECT_EQ(frames[0].body_offset, 333u);
  EXPECT_EQ(frames[1].code->func, outer);
  EXPECT_EQ(frames[1].body_offset, 444u);
}

TEST(Trap, code_may_come_in_eax) {
  MachineModule m;
  const auto f = m.add({}, [](Emitter& e) {
    e.as.mov(eax, static_cast<std::uint32_t>(TrapCode::unaligned_atomic));
    e.trap(TrapCode::none);
  });
  MachineInstance i(m);
  ASSERT_EQ(i.call(f), EntryStatus::trapped);
  EXPECT_EQ(i.trap_code(), static_cast<std::uint32_t>(TrapCode::unaligned_atomic));
}

TEST(Trap, division_fault_is_a_trap) {
  MachineModule m;
  const auto f = m.add({}, [](Emitter& e) {
    e.as.xor_(ecx, ecx);
    e.as.xor_(edx, edx);
    e.artifact.sites.add_trap(e.here(), 5, TrapCode::integer_divide_by_zero);
    e.as.div(ecx);
    e.as.ret();
  });
  MachineInstance i(m);
  ASSERT_EQ(i.call(f), EntryStatus::trapped);
  EXPECT_EQ(i.trap_code(), static_cast<std::uint32_t>(TrapCode::integer_divide_by_zero));
}

test::Emit load_at(std::uint64_t address) {
  return [address](Emitter& e) {
    e.as.mov(rcx, ptr(r13, abi::kOffsetMemory0Base));
    e.as.mov(rdx, address);
    e.artifact.sites.add_trap(e.here(), 9, TrapCode::memory_out_of_bounds);
    e.as.mov(rax, ptr(rcx, rdx));
    e.as.ret();
  };
}

TEST(Trap, access_beyond_the_memory_is_a_trap) {
  MachineModule m;
  m.memory(1);
  const auto in = m.add({{}, {kI64}}, load_at(65528));
  const auto out = m.add({{}, {kI64}}, load_at(65536));
  const auto far = m.add({{}, {kI64}}, load_at(0xffff'ffff));
  MachineInstance i(m);
  EXPECT_EQ(i.call(in), EntryStatus::returned);
  ASSERT_EQ(i.call(out), EntryStatus::trapped);
  EXPECT_EQ(i.trap_code(), static_cast<std::uint32_t>(TrapCode::memory_out_of_bounds));
  EXPECT_EQ(i.call(far), EntryStatus::trapped);
}

TEST(TrapDeathTest, fault_outside_every_memory_is_no_trap_of_the_guest) {
  MachineModule m;
  m.memory(1);
  const auto f = m.add({}, [](Emitter& e) {
    e.as.mov(rcx, 16);
    e.artifact.sites.add_trap(e.here(), 9, TrapCode::memory_out_of_bounds);
    e.as.mov(rax, ptr(rcx));
    e.as.ret();
  });
  MachineInstance i(m);
#ifdef HEDDLE_SANITIZED
  EXPECT_DEATH(i.call(f), "");  // the sanitizer's handler stands behind ours
#else
  EXPECT_EXIT(i.call(f), testing::KilledBySignal(SIGSEGV), "");
#endif
}

TEST(TrapDeathTest, instruction_without_a_trap_site_is_passed_on) {
  MachineModule m;
  const auto f = m.add({}, [](Emitter& e) { e.as.ud2(); });
  MachineInstance i(m);
  EXPECT_EXIT(i.call(f), testing::KilledBySignal(SIGILL), "");
}

volatile sig_atomic_t g_foreign = 0;

TEST(Trap, foreign_signals_reach_the_handler_that_was_there_before) {
  const Store store(nullptr, test::stack_limit_here(), nullptr);  // installs ours
  for (const int signal : {SIGSEGV, SIGURG}) {
    const struct sigaction kept = previous_action(signal);
    struct sigaction foreign = {};
    foreign.sa_handler = [](int s) { g_foreign = s; };
    previous_action(signal) = foreign;
    g_foreign = 0;
    raise(signal);
    EXPECT_EQ(g_foreign, signal);
    foreign.sa_flags = SA_SIGINFO;
    foreign.sa_sigaction = [](int s, siginfo_t* info, void*) { g_foreign = info->si_signo + s; };
    previous_action(signal) = foreign;
    raise(signal);
    EXPECT_EQ(g_foreign, 2 * signal);
    previous_action(signal) = kept;
  }
}

std::uint32_t add_host(HostCall& call, std::uint32_t a, double b) {
  ++*static_cast<int*>(call.user());
  return a + static_cast<std::uint32_t>(b);
}

TEST(HostThunk, handler_gets_parameters_and_gives_a_result) {
  MachineModule m;
  int calls = 0;
  const auto h = m.import("host", "add", {{kI32, kF64}, {kI32}});
  const auto f = m.add({{kI32, kF64}, {kI32}}, [&](Emitter& e) {
    e.enter(24, 0);
    e.call_import(h, 0);
    e.as.add(eax, 1);
    e.leave();
  });
  Linker linker;
  linker.define("host", "add", host_function<&add_host>(&calls));
  MachineInstance i(m, linker);
  std::vector<abi::VmValue> results;
  ASSERT_EQ(i.call(f, {i32(30), f64(11.5)}, &results), EntryStatus::returned);
  EXPECT_EQ(results[0].i64, 42u);
  EXPECT_EQ(calls, 1);
}

void trap_host(HostCall& call) {
  call.trap(TrapCode::host_trap, "no such thing");
}

TEST(HostThunk, handler_may_trap_with_its_own_words) {
  MachineModule m;
  const auto h = m.import("host", "trap", {});
  const auto f = m.add({}, [&](Emitter& e) {
    e.enter(24, 0);
    e.call_import(h, 0, 77);
    e.leave();
  });
  Linker linker;
  linker.define("host", "trap", host_function<&trap_host>(nullptr));
  MachineInstance i(m, linker);
  ASSERT_EQ(i.call(f), EntryStatus::trapped);
  EXPECT_EQ(i.trap_code(), static_cast<std::uint32_t>(TrapCode::host_trap));
  EXPECT_EQ(i.store.trap_text(), "no such thing");
  ASSERT_EQ(i.store.trap_stack().frames.size(), 1u);
  EXPECT_EQ(i.store.trap_stack().frames[0].body_offset, 77u);
}

/// Calls function `target` of the same instance and swallows its trap.
struct Nested {
  spec::FuncIndex target;
  std::size_t frames = 0;
};
void nested_host(HostCall& call) {
  auto& n = *static_cast<Nested*>(call.user());
  EXPECT_EQ(Store::current(), &call.store());
  const auto status = call.store().call(*call.instance()->func_ref(n.target), {}, {});
  EXPECT_EQ(status, EntryStatus::trapped);
  n.frames = call.store().trap_stack().frames.size();
  // After the nested call the walk starts at our caller again.
  EXPECT_EQ(collect(StackWalker::at_exit(*call.vm_store()), 10).frames.size(), 1u);
}

TEST(HostThunk, nested_entry_traps_alone_and_stacks_go_through_it) {
  MachineModule m;
  const auto h = m.import("host", "nested", {});
  const auto inner = m.add({}, [](Emitter& e) { e.trap(TrapCode::unreachable); });
  const auto outer = m.add({{}, {kI32}}, [&](Emitter& e) {
    e.enter(24, 0);
    e.call_import(h, 0);
    e.as.mov(eax, 5);
    e.leave();
  });
  Nested n{inner};
  Linker linker;
  linker.define("host", "nested", host_function<&nested_host>(&n));
  MachineInstance i(m, linker);
  std::vector<abi::VmValue> results;
  ASSERT_EQ(i.call(outer, {}, &results), EntryStatus::returned) << "the host swallowed the inner trap";
  EXPECT_EQ(results[0].i64, 5u);
  EXPECT_EQ(n.frames, 2u) << "inner, and outer behind the host";
}

TEST(LazyStub, keeps_all_arguments) {
  MachineModule m;
  spec::FuncType t;
  t.params.assign(6, kI64);
  t.params.insert(t.params.end(), 8, kF64);
  t.results = {kI64, kF64};
  const auto f = m.add(t, [](Emitter& e) {
    e.as.mov(rax, rdi);
    int shift = 1;
    for (const auto& r : {rsi, rdx, rcx, r8, r9}) {
      e.as.shl(r, 8 * shift++);
      e.as.or_(rax, r);
    }
    for (const auto& x : {xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7}) {
      e.as.addsd(xmm0, xmm0);
      e.as.addsd(xmm0, x);
    }
    e.as.mov(r10, ptr(r13, abi::kOffsetStore));
    e.as.movsd(ptr(r10, abi::kStoreOffsetOverflow), xmm0);
    e.as.ret();
  });
  const auto caller = m.add(t, [&](Emitter& e) {
    e.enter(24, 0);
    e.call(f);
    e.leave();
  });
  // The tier scribbles over every register an ABI lets it.
  m.before_compile = [] {
    asm volatile("vpxor %%xmm0,%%xmm0,%%xmm0; xor %%edi,%%edi; xor %%r9d,%%r9d" ::: "xmm0", "rdi", "r9");
  };
  MachineInstance i(m);
  std::vector<abi::VmValue> params;
  for (std::uint64_t v = 1; v <= 6; ++v) params.push_back(i64(v));
  for (int v = 0; v < 8; ++v) params.push_back(f64(v % 2));
  std::vector<abi::VmValue> results;
  ASSERT_EQ(i.call(caller, params, &results), EntryStatus::returned);
  EXPECT_EQ(results[0].i64, 0x060504030201u);
  EXPECT_EQ(results[1].f64, 0b01010101);
}

TEST(LazyStub, invalid_body_traps_when_called) {
  MachineModule m;
  const auto f = m.add({}, [](Emitter& e) { e.as.ret(); });
  m.fail_with = base::Error{base::ErrorKind::invalid, 99, "type mismatch: expected i32"};
  MachineInstance i(m);
  ASSERT_EQ(i.call(f), EntryStatus::trapped);
  EXPECT_EQ(i.trap_code(), static_cast<std::uint32_t>(TrapCode::invalid_function_body));
  EXPECT_EQ(i.store.trap_text(), "type mismatch: expected i32");
}

}  // namespace
}  // namespace heddle::runtime
