// Atomic accesses of the threads proposal, all sequentially consistent.
// https://webassembly.github.io/threads/core/exec/instructions.html
// On x86-64 a plain load and an xchg for each store give that order.
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::kRax;
using machine::kScratch;

base::Status Compiler::on_AtomicLoad(Opcode op, const binary::imm::MemArg& m) {
  const auto& info = spec::opcode_info(op);
  load(m, info.signature().back() == 'i' ? Kind::i32 : Kind::i64, info.memory_bytes, false, true);
  return {};
}

base::Status Compiler::on_AtomicStore(Opcode op, const binary::imm::MemArg& m) {
  atomic_store(m, spec::opcode_info(op).memory_bytes);
  return {};
}

void Compiler::atomic_store(const binary::imm::MemArg& memarg, unsigned bytes) {
  Value v = pop();
  const Reg r = to_temp(v);
  const Access a = access(memarg, bytes, true);
  const Address at = ready(a);
  memory_site(a);
  masm_.atomic_exchange(at, r, bytes);
  release(a.index);
  release(v);
}

/// The old value is in r, at least its low `bytes`.
void Compiler::push_atomic_result(Kind kind, Reg r, unsigned bytes) {
  if (bytes < 4 || (bytes == 4 && kind == Kind::i64)) masm_.zero_extend(r, r, bytes);
  push_reg(kind, r);
}

void Compiler::atomic_rmw(Rmw op, const binary::imm::MemArg& memarg, Kind kind, unsigned bytes) {
  switch (op) {
    case Rmw::and_: return atomic_loop(Alu::and_, memarg, kind, bytes);
    case Rmw::or_: return atomic_loop(Alu::or_, memarg, kind, bytes);
    case Rmw::xor_: return atomic_loop(Alu::xor_, memarg, kind, bytes);
    case Rmw::add:
    case Rmw::sub:
    case Rmw::xchg: break;
  }
  Value v = pop();
  const Reg r = to_temp(v);
  const Access a = access(memarg, bytes, true);
  if (op == Rmw::sub) masm_.neg(width_of(kind), r);
  const Address at = ready(a);
  memory_site(a);
  if (op == Rmw::xchg)
    masm_.atomic_exchange(at, r, bytes);
  else
    masm_.atomic_add(at, r, bytes);
  release(a.index);
  push_atomic_result(kind, r, bytes);
}

void Compiler::atomic_loop(Alu op, const binary::imm::MemArg& memarg, Kind kind, unsigned bytes) {
  const RegSet not_rax = RegSet::of(kRax);
  Value v = pop();
  const Reg r = to_reg(v, not_rax);
  const Access a = access(memarg, bytes, true, not_rax);
  claim(kRax);
  const Reg next = alloc_int();
  const Address at = ready(a);
  memory_site(a);
  masm_.load_int(kRax, at, bytes, false, width_of(kind));
  const Label again = masm_.new_label();
  masm_.bind(again);
  masm_.alu3(op, Width::w64, next, Src::of(kRax), Src::of(r));
  memory_site(a);
  masm_.atomic_compare_exchange(at, next, bytes);
  masm_.jump(Cond::ne, again);
  free_reg(next);
  release(a.index);
  release(v);
  push_reg(kind, kRax);  // loaded zero-extended, and every failed round loads only the low bytes
}

void Compiler::atomic_cmpxchg(const binary::imm::MemArg& memarg, Kind kind, unsigned bytes) {
  const RegSet not_rax = RegSet::of(kRax);
  Value replacement = pop(), expected = pop();
  const Reg r = to_reg(replacement, not_rax);
  // Before the address, which may need two registers for a moment: there are only three besides rax.
  if (!(expected.is_reg() && expected.reg == kRax)) {
    claim(kRax);
    load_to(expected, kRax);
    release(expected);
  }
  const Access a = access(memarg, bytes, true, not_rax);
  const Address at = ready(a);
  memory_site(a);
  masm_.atomic_compare_exchange(at, r, bytes);
  release(a.index);
  release(replacement);
  push_atomic_result(kind, kRax, bytes);
}

base::Status Compiler::on_AtomicRmw(Opcode op, const binary::imm::MemArg& m) {
  const auto& info = spec::opcode_info(op);
  const Kind kind = info.signature().back() == 'i' ? Kind::i32 : Kind::i64;
  // Seven widths of each operation, in the table's order.
  const auto row = static_cast<std::uint32_t>(op) - static_cast<std::uint32_t>(Opcode::i32_atomic_rmw_add);
  constexpr Rmw kOps[] = {Rmw::add, Rmw::sub, Rmw::and_, Rmw::or_, Rmw::xor_, Rmw::xchg};
  static_assert(static_cast<std::uint32_t>(Opcode::i32_atomic_rmw_cmpxchg) -
                    static_cast<std::uint32_t>(Opcode::i32_atomic_rmw_add) ==
                6 * 7);
  atomic_rmw(kOps[row / 7], m, kind, info.memory_bytes);
  return {};
}

base::Status Compiler::on_AtomicCmpxchg(Opcode op, const binary::imm::MemArg& m) {
  const auto& info = spec::opcode_info(op);
  atomic_cmpxchg(m, info.signature().back() == 'i' ? Kind::i32 : Kind::i64, info.memory_bytes);
  return {};
}

base::Status Compiler::on_AtomicFence(Opcode, const binary::imm::Fence&) {
  masm_.fence();
  return {};
}

// ---- wait and notify: the host checks alignment, bounds and sharing

base::Status Compiler::on_memory_atomic_notify(const binary::imm::MemArg& m) {
  const Value count = pop(), address = pop();
  Value args[] = {constant(Kind::i32, m.memory.value), address, constant(Kind::i64, m.offset), count};
  call_builtin(abi::Builtin::atomic_notify, args);
  push_result64();
  return {};
}

void Compiler::atomic_wait(abi::Builtin builtin, const binary::imm::MemArg& m) {
  const Value timeout = pop(), expected = pop(), address = pop();
  Value args[] = {constant(Kind::i32, m.memory.value), address, constant(Kind::i64, m.offset), expected, timeout};
  call_builtin(builtin, args);
  push_result64();
}

base::Status Compiler::on_memory_atomic_wait32(const binary::imm::MemArg& m) {
  atomic_wait(abi::Builtin::atomic_wait32, m);
  return {};
}

base::Status Compiler::on_memory_atomic_wait64(const binary::imm::MemArg& m) {
  atomic_wait(abi::Builtin::atomic_wait64, m);
  return {};
}

}  // namespace heddle::baseline
