#include "runtime/exceptions.h"

#include <gtest/gtest.h>

#include "abi/builtins.h"
#include "support/machine_instance.h"

namespace heddle::runtime {
namespace {

using namespace asmjit::x86;
using spec::kI64;
using test::Emitter;
using test::i64;
using test::MachineInstance;
using test::MachineModule;

/// rax = a new exception of tag 0 whose value is rbx.
void make(Emitter& e) {
  e.as.xor_(esi, esi);
  e.call_builtin(abi::offset_of(abi::Builtin::exception_new));
  e.as.mov(ptr(rax, abi::kExceptionOffsetValues), rbx);
}

/// Throws rax; control goes on at a handler.
void throw_it(Emitter& e) {
  e.as.mov(rsi, rax);
  e.call_builtin(abi::offset_of(abi::Builtin::exception_throw));
}

/// A frame that keeps r13 at [rsp] and the caller's rbx at [rsp + 8].
void enter_with_rbx(Emitter& e) {
  e.enter(40, 0);
  e.as.mov(ptr(rsp, 8), rbx);
  e.artifact.frame.saved[0] = 8;
}
void leave_with_rbx(Emitter& e) {
  e.as.mov(rbx, ptr(rsp, 8));
  e.leave();
}

/// Throws `rdi` exceptions, one after the other, and catches each itself. If asked, keeps the first one in its frame
/// and returns that one's value at the end, else the last one's.
test::Emit throw_many(bool keep_first) {
  return [keep_first](Emitter& e) {
    enter_with_rbx(e);
    e.as.mov(rbx, rdi);
    if (keep_first) {
      make(e);
      e.as.mov(ptr(rsp, 16), rax);
    }
    const asmjit::Label top = e.as.newLabel();
    e.as.bind(top);
    const std::uint32_t begin = e.here();
    make(e);
    throw_it(e);
    const std::uint32_t landing = e.here();
    e.artifact.handlers.push_back({begin, landing, landing, false, spec::TagIndex(0u)});
    e.as.mov(rcx, ptr(rax, abi::kExceptionOffsetValues));
    e.as.dec(rbx);
    e.as.jnz(top);
    if (keep_first) {
      e.as.mov(rax, ptr(rsp, 16));
      e.as.mov(rcx, ptr(rax, abi::kExceptionOffsetValues));
    }
    e.as.mov(rax, rcx);
    leave_with_rbx(e);
  };
}

TEST(Exceptions, memory_of_a_program_that_throws_for_ever_is_bounded) {
  MachineModule m;
  m.tag({kI64});
  const auto f = m.add({{kI64}, {kI64}}, throw_many(false));
  MachineInstance i(m);
  std::vector<abi::VmValue> results;
  ASSERT_EQ(i.call(f, {i64(300'000)}, &results), EntryStatus::returned);
  EXPECT_EQ(results[0].i64, 1u);
  EXPECT_LT(i.store.exceptions().live_bytes(), 1u << 20) << "300,000 of them take 14 MB";
}

TEST(Exceptions, one_that_a_frame_holds_survives_every_collection) {
  MachineModule m;
  m.tag({kI64});
  const auto f = m.add({{kI64}, {kI64}}, throw_many(true));
  MachineInstance i(m);
  std::vector<abi::VmValue> results;
  ASSERT_EQ(i.call(f, {i64(50'000)}, &results), EntryStatus::returned);
  EXPECT_EQ(results[0].i64, 50'000u);
}

TEST(Exceptions, handler_of_an_outer_frame_gets_its_own_registers_back) {
  MachineModule m;
  m.tag({kI64});
  m.tag({});
  const auto inner = m.add({{kI64}, {}}, [](Emitter& e) {
    enter_with_rbx(e);
    e.as.mov(rbx, rdi);
    make(e);
    e.as.mov(rbx, 0x7777);
    const std::uint32_t begin = e.here();
    throw_it(e);
    const std::uint32_t landing = e.here();
    // Another tag's handler: not for this one.
    e.artifact.handlers.push_back({begin, landing, landing, false, spec::TagIndex(1u)});
    e.trap(spec::TrapCode::unreachable);
  });
  const auto middle = m.add({{kI64}, {}}, [&](Emitter& e) {
    enter_with_rbx(e);
    e.as.mov(rbx, 0x5555);
    e.call(inner);
    leave_with_rbx(e);
  });
  const auto outer = m.add({{kI64}, {kI64}}, [&](Emitter& e) {
    enter_with_rbx(e);
    e.as.mov(rbx, 1000);
    const std::uint32_t begin = e.here();
    e.call(middle);
    const std::uint32_t end = e.here();
    e.trap(spec::TrapCode::unreachable);
    e.artifact.handlers.push_back({begin, end, e.here(), true, {}});
    e.as.mov(rax, ptr(rax, abi::kExceptionOffsetValues));
    e.as.add(rax, rbx);
    leave_with_rbx(e);
  });
  MachineInstance i(m);
  std::vector<abi::VmValue> results;
  ASSERT_EQ(i.call(outer, {i64(42)}, &results), EntryStatus::returned);
  EXPECT_EQ(results[0].i64, 1042u);
  // Nobody catches: the host hears of it.
  ASSERT_EQ(i.call(middle, {i64(7)}), EntryStatus::exception);
  ASSERT_NE(i.store.vm()->pending_exception, nullptr);
  EXPECT_EQ(static_cast<abi::VmException*>(i.store.vm()->pending_exception)->values()->i64, 7u);
  EXPECT_EQ(i.store.trap_stack().frames.size(), 2u);
}

}  // namespace
}  // namespace heddle::runtime
