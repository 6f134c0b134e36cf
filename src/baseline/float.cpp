// Float arithmetic. https://webassembly.github.io/spec/core/exec/numerics.html#floating-point-operations
// NaN payloads are whatever the machine makes of them, which the specification allows; abs, neg, copysign and
// reinterpretations only touch the bits they should.
#include <utility>

#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::BitOp;
using machine::kFloatScratch;

namespace {

constexpr std::uint64_t sign_mask(Kind kind) {
  return kind == Kind::f64 ? std::uint64_t{1} << 63 : std::uint64_t{1} << 31;
}
constexpr std::uint64_t magnitude_mask(Kind kind) {
  return kind == Kind::f64 ? ~sign_mask(kind) : 0x7fffffffu;
}

}  // namespace

void Compiler::float_binary(FloatOp op, Kind kind) {
  Value rhs = pop(), lhs = pop();
  const bool commutes = op == FloatOp::add || op == FloatOp::mul;
  if (commutes && !in_temp(lhs) && (in_temp(rhs) || lhs.is_const())) std::swap(lhs, rhs);
  if (commutes && rhs.is_local(hinted_local(kind, ip_ + 1))) std::swap(lhs, rhs);
  // With three operands the result may go to the register of either source.
  const Dest d = dest_for(kind, &lhs, masm_.cpu().avx ? nullptr : &rhs, ip_ + 1);
  const Reg a = to_reg(lhs);
  masm_.float_op(op, kind, d.reg, a, float_source(rhs));
  finish(d, kind, lhs, rhs);
}

/// The machine's min and max return the second operand for NaN and for two zeros; the specification wants a NaN, and
/// -0 < +0.
void Compiler::float_min_max(FloatOp op, Kind kind) {
  Value rhs = pop(), lhs = pop();
  const Dest d = dest_for(kind, &lhs, &rhs, ip_ + 1);
  const Reg b = to_reg(rhs);
  load_to(lhs, d.reg);
  const Label differ = masm_.new_label(), nan = masm_.new_label(), done = masm_.new_label();
  masm_.float_compare(kind, d.reg, Src::of(b));
  masm_.jump_near(Cond::ne, differ);
  masm_.jump_near(Cond::unordered, nan);
  masm_.float_bits(op == FloatOp::min ? BitOp::or_ : BitOp::and_, d.reg, d.reg, Src::of(b));
  masm_.jump_near(done);
  masm_.bind(nan);
  masm_.float_op(FloatOp::add, kind, d.reg, d.reg, Src::of(b));
  masm_.jump_near(done);
  masm_.bind(differ);
  masm_.float_op(op, kind, d.reg, d.reg, Src::of(b));
  masm_.bind(done);
  finish(d, kind, lhs, rhs);
}

void Compiler::float_copysign(Kind kind) {
  Value rhs = pop(), lhs = pop();
  const Dest d = dest_for(kind, &lhs, &rhs, ip_ + 1);
  const Reg a = to_reg(lhs), b = to_reg(rhs);
  masm_.float_bits(BitOp::and_, kFloatScratch, b, Src::of(masm_.pool(sign_mask(kind), 0)));
  masm_.float_bits(BitOp::and_, d.reg, a, Src::of(masm_.pool(magnitude_mask(kind), 0)));
  masm_.float_bits(BitOp::or_, d.reg, d.reg, Src::of(kFloatScratch));
  finish(d, kind, lhs, rhs);
}

void Compiler::float_compare(Cond c, Kind kind, bool swap) {
  Value rhs = pop(), lhs = pop();
  if (swap) std::swap(lhs, rhs);
  const Reg a = to_reg(lhs);
  masm_.float_compare(kind, a, float_source(rhs));
  release(lhs);
  release(rhs);
  push_flags(c);
}

void Compiler::float_abs(Kind kind) {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(kind, &v, nullptr, ip_ + 1);
  masm_.float_bits(BitOp::and_, d.reg, r, Src::of(masm_.pool(magnitude_mask(kind), 0)));
  finish(d, kind, v);
}

void Compiler::float_neg(Kind kind) {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(kind, &v, nullptr, ip_ + 1);
  masm_.float_bits(BitOp::xor_, d.reg, r, Src::of(masm_.pool(sign_mask(kind), 0)));
  finish(d, kind, v);
}

void Compiler::float_round(Rounding mode, Kind kind) {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(kind, &v, nullptr, ip_ + 1);
  masm_.float_round(kind, mode, d.reg, Src::of(r));
  finish(d, kind, v);
}

void Compiler::float_sqrt(Kind kind) {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(kind, &v, nullptr, ip_ + 1);
  masm_.float_sqrt(kind, d.reg, Src::of(r));
  finish(d, kind, v);
}

}  // namespace heddle::baseline
