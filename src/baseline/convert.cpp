// Conversions between integers and floats. https://webassembly.github.io/spec/core/exec/numerics.html#conversions
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::kFloatScratch;
using machine::kScratch;

namespace {

Kind int_kind(Width w) {
  return w == Width::w32 ? Kind::i32 : Kind::i64;
}

/// +-2^63 as bits of the type.
constexpr std::uint64_t two_to_63(Kind kind) {
  return kind == Kind::f64 ? 0x43e0000000000000u : 0x5f000000u;
}
constexpr std::uint64_t minus_two_to_63(Kind kind) {
  return kind == Kind::f64 ? 0xc3e0000000000000u : 0xdf000000u;
}

}  // namespace

void Compiler::promote() {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(Kind::f64, &v, nullptr, ip_ + 1);
  masm_.promote(d.reg, Src::of(r));
  finish(d, Kind::f64, v);
}

void Compiler::demote() {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(Kind::f32, &v, nullptr, ip_ + 1);
  masm_.demote(d.reg, Src::of(r));
  finish(d, Kind::f32, v);
}

void Compiler::reinterpret(Kind from, Kind to) {
  Value v = pop();
  if (v.is_const()) return push_const(to, v.bits);
  const Dest d = dest_for(to, nullptr, nullptr, ip_ + 1);
  const Src s = source(v);
  if (s.is_mem())
    masm_.load(to, d.reg, s.mem);
  else if (is_float_class(from))
    masm_.move_bits_to_int(width_of(from), d.reg, s.reg);
  else
    masm_.move_bits_to_float(width_of(from), d.reg, s.reg);
  finish(d, to, v);
}

void Compiler::convert_int(Width from, bool is_signed, Kind to) {
  Value v = pop();
  const Dest d = dest_for(to, nullptr, nullptr, ip_ + 1);
  if (is_signed) {
    masm_.int_to_float(from, to, d.reg, source_no_imm(v));
    return finish(d, to, v);
  }
  const Reg r = to_reg(v);
  if (from == Width::w32) {
    masm_.int_to_float(Width::w64, to, d.reg, Src::of(r));  // zero-extended: fits
    return finish(d, to, v);
  }
  // Above 2^63: half of it, with the lost bit kept for rounding, doubled again.
  const Label high = masm_.new_label(), done = masm_.new_label();
  const Reg low_bit = alloc_int();
  masm_.test(Width::w64, Src::of(r), Src::of(r));
  masm_.jump_near(Cond::negative, high);
  masm_.int_to_float(Width::w64, to, d.reg, Src::of(r));
  masm_.jump_near(done);
  masm_.bind(high);
  masm_.shift_imm(Shift::shr_u, Width::w64, kScratch, r, 1);
  masm_.mov(Width::w64, low_bit, r);
  masm_.alu(Alu::and_, Width::w32, low_bit, Src::of(1));
  masm_.alu(Alu::or_, Width::w64, kScratch, Src::of(low_bit));
  masm_.int_to_float(Width::w64, to, d.reg, Src::of(kScratch));
  masm_.float_op(FloatOp::add, to, d.reg, d.reg, Src::of(d.reg));
  masm_.bind(done);
  free_reg(low_bit);
  finish(d, to, v);
}

/// Converts with the machine's 64-bit conversion, whose answer for anything else is the lowest integer, and looks at
/// the result: what does not fit is dealt with out of line.
void Compiler::truncate(Kind from, Width to, bool is_signed, bool saturating) {
  Value v = pop();
  const Reg x = to_reg(v);
  const std::uint8_t* next = saturating ? after_immediates(1) : ip_ + 1;
  const Dest d = dest_for(int_kind(to), nullptr, nullptr, next);
  OutOfLine& step = out_of_line(saturating ? OutOfLine::Form::saturate : OutOfLine::Form::float_trap);
  const Label bad = step.entry, resume = masm_.new_label();
  step.kind = from;
  step.x = x;
  step.dst = d.reg;
  step.resume = resume;
  if (is_signed) {
    step.low = to == Width::w32 ? 0x80000000u : std::uint64_t{1} << 63;
    step.high = step.low - 1;
  } else {
    step.high = to == Width::w32 ? 0xffffffffu : ~std::uint64_t{0};
  }
  if (to == Width::w32) {
    masm_.float_to_int(from, Width::w64, d.reg, x);
    if (is_signed)
      masm_.sign_extend(Width::w64, kScratch, d.reg, 4);
    else
      masm_.mov_zero_extend(kScratch, d.reg);
    masm_.cmp(Width::w64, Src::of(kScratch), Src::of(d.reg));
    masm_.jump(Cond::ne, bad);
    if (is_signed) masm_.mov_zero_extend(d.reg, d.reg);
  } else if (is_signed) {
    if (!saturating) {
      step.form = OutOfLine::Form::exact_min;
      step.low = minus_two_to_63(from);
    }
    masm_.float_to_int(from, Width::w64, d.reg, x);
    masm_.cmp(Width::w64, Src::of(d.reg), Src::of(1));  // overflows for the lowest integer alone
    masm_.jump(Cond::overflow, bad);
  } else {
    truncate_u64(from, d.reg, x, bad);
  }
  masm_.bind(resume);
  finish(d, int_kind(to), v);
}

void Compiler::truncate_u64(Kind from, Reg dst, Reg x, Label bad) {
  const Label high = masm_.new_label(), done = masm_.new_label();
  masm_.float_compare(from, x, Src::of(masm_.pool(two_to_63(from), 0)));
  masm_.jump_near(Cond::ge_u, high);
  masm_.float_to_int(from, Width::w64, dst, x);
  masm_.test(Width::w64, Src::of(dst), Src::of(dst));
  masm_.jump(Cond::negative, bad);  // -1 and below, and NaN
  masm_.jump_near(done);
  masm_.bind(high);
  masm_.load_float_const(from, kFloatScratch, minus_two_to_63(from));
  masm_.float_op(FloatOp::add, from, kFloatScratch, kFloatScratch, Src::of(x));
  masm_.float_to_int(from, Width::w64, dst, kFloatScratch);
  masm_.test(Width::w64, Src::of(dst), Src::of(dst));
  masm_.jump(Cond::negative, bad);
  masm_.mov_imm(kScratch, std::uint64_t{1} << 63);
  masm_.alu(Alu::xor_, Width::w64, dst, Src::of(kScratch));
  masm_.bind(done);
}

}  // namespace heddle::baseline
