// Integer arithmetic. https://webassembly.github.io/spec/core/exec/numerics.html
#include <bit>
#include <utility>

#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::Alu;
using machine::kRax;
using machine::kRcx;
using machine::kRdx;
using machine::kScratch;

namespace {

Kind int_kind(Width w) {
  return w == Width::w32 ? Kind::i32 : Kind::i64;
}

std::uint64_t truncated(Width w, std::uint64_t value) {
  return w == Width::w32 ? static_cast<std::uint32_t>(value) : value;
}

std::uint64_t evaluate(Alu op, std::uint64_t a, std::uint64_t b) {
  switch (op) {
    case Alu::add: return a + b;
    case Alu::sub: return a - b;
    case Alu::and_: return a & b;
    case Alu::or_: return a | b;
    case Alu::xor_: return a ^ b;
  }
  return 0;
}

}  // namespace

void Compiler::int_alu(Alu op, Width w) {
  const Kind kind = int_kind(w);
  Value rhs = pop(), lhs = pop();
  if (lhs.is_const() && rhs.is_const()) return push_const(kind, truncated(w, evaluate(op, lhs.bits, rhs.bits)));
  const bool commutes = op != Alu::sub;
  if (commutes && (lhs.is_const() || (!in_temp(lhs) && in_temp(rhs)))) std::swap(lhs, rhs);
  if (op == Alu::and_) {
    // The compare that follows only looks at the flags.
    constexpr std::uint8_t kIf = 0x04, kBrIf = 0x0d, kI32Eqz = 0x45, kI64Eqz = 0x50;
    const std::uint8_t next = next_opcode();
    if (w == Width::w32 ? next == kIf || next == kBrIf || next == kI32Eqz : next == kI64Eqz) {
      const Src a = Src::of(to_reg(lhs));
      masm_.test(w, a, source(rhs));
      release(lhs);
      release(rhs);
      return push_flags(Cond::ne);
    }
  }
  if (commutes && rhs.is_local(hinted_local(kind, ip_ + 1))) std::swap(lhs, rhs);
  const Dest d = dest_for(kind, &lhs, &rhs, ip_ + 1);
  const Src a = source(lhs), b = source(rhs);
  masm_.alu3(op, w, d.reg, a, b);
  finish(d, kind, lhs, rhs);
}

void Compiler::int_multiply(Width w) {
  const Kind kind = int_kind(w);
  Value rhs = pop(), lhs = pop();
  if (lhs.is_const() || (!in_temp(lhs) && in_temp(rhs))) std::swap(lhs, rhs);
  if (lhs.is_const()) return push_const(kind, truncated(w, lhs.bits * rhs.bits));
  if (rhs.is_const() && std::has_single_bit(rhs.bits)) {
    const Dest d = dest_for(kind, &lhs, nullptr, ip_ + 1);
    masm_.shift_imm(Shift::shl, w, d.reg, to_reg(lhs), static_cast<std::uint8_t>(std::countr_zero(rhs.bits)));
    return finish(d, kind, lhs);
  }
  if (rhs.is_local(hinted_local(kind, ip_ + 1))) std::swap(lhs, rhs);
  const Dest d = dest_for(kind, &lhs, &rhs, ip_ + 1);
  const Src a = source_no_imm(lhs), b = source(rhs);
  masm_.multiply(w, d.reg, a, b);
  finish(d, kind, lhs, rhs);
}

// ---- division

/// Divisor known: no checks, and no division for powers of two.
bool Compiler::divide_by_constant(Width w, bool is_signed, bool remainder, const Value& lhs, const Value& rhs) {
  if (!rhs.is_const() || is_signed || !std::has_single_bit(rhs.bits)) return false;
  const Kind kind = int_kind(w);
  Value v = lhs;
  const auto shift = static_cast<std::uint8_t>(std::countr_zero(rhs.bits));
  const Dest d = dest_for(kind, &v, nullptr, ip_ + 1);
  if (!remainder) {
    masm_.shift_imm(Shift::shr_u, w, d.reg, to_reg(v), shift);
  } else {
    Value mask = constant(kind, rhs.bits - 1);
    masm_.alu3(Alu::and_, w, d.reg, Src::of(to_reg(v)), source(mask));
  }
  finish(d, kind, v);
  return true;
}

void Compiler::int_divide(Width w, bool is_signed, bool remainder) {
  const Kind kind = int_kind(w);
  Value rhs = pop(), lhs = pop();
  if (divide_by_constant(w, is_signed, remainder, lhs, rhs)) return;
  const std::uint64_t minus_one = truncated(w, ~std::uint64_t{0});
  const bool maybe_zero = !rhs.is_const() || rhs.bits == 0;
  const bool maybe_minus_one = is_signed && (!rhs.is_const() || rhs.bits == minus_one);

  const Reg divisor = to_reg(rhs, RegSet::of(kRax, kRdx));
  if (!(lhs.is_reg() && lhs.reg == kRax)) {
    claim(kRax);
    load_to(lhs, kRax);
    release(lhs);
  }
  claim(kRdx);
  if (maybe_zero) {
    masm_.test(w, Src::of(divisor), Src::of(divisor));
    trap_if(Cond::eq, TrapCode::integer_divide_by_zero);
  }
  Label resume;
  if (maybe_minus_one) {
    resume = masm_.new_label();
    masm_.cmp(w, Src::of(divisor), Src::of(-1));
    OutOfLine& step = out_of_line(remainder ? OutOfLine::Form::remainder_zero : OutOfLine::Form::divide_overflow);
    step.width = w;
    step.resume = resume;
    masm_.jump(Cond::eq, step.entry);
    if (!remainder) masm_.bind(resume);
  }
  if (is_signed)
    masm_.divide_signed(w, divisor);
  else
    masm_.divide_unsigned(w, divisor);
  if (maybe_minus_one && remainder) masm_.bind(resume);
  release(rhs);
  free_reg(remainder ? kRax : kRdx);
  push_reg(kind, remainder ? kRdx : kRax);
}

// ---- shifts

void Compiler::int_shift(Shift op, Width w) {
  const Kind kind = int_kind(w);
  Value rhs = pop(), lhs = pop();
  if (rhs.is_const()) {
    const auto count = static_cast<std::uint8_t>(rhs.bits & (w == Width::w32 ? 31 : 63));
    if (count == 0) return repush(lhs);
    const Dest d = dest_for(kind, &lhs, nullptr, ip_ + 1);
    masm_.shift_imm(op, w, d.reg, to_reg(lhs), count);
    return finish(d, kind, lhs);
  }
  if (masm_.cpu().bmi2 && op != Shift::rotl && op != Shift::rotr) {
    const Reg count = to_reg(rhs);
    const Dest d = dest_for(kind, &lhs, &rhs, ip_ + 1);
    masm_.shift_bmi(op, w, d.reg, source_no_imm(lhs), count);
    return finish(d, kind, lhs, rhs);
  }
  const Reg value = to_temp(lhs, RegSet::of(kRcx));
  if (!(rhs.is_reg() && rhs.reg == kRcx)) {
    claim(kRcx);
    load_to(rhs, kRcx);
    release(rhs);
  }
  masm_.shift_rcx(op, w, value);
  free_reg(kRcx);
  push_reg(kind, value);
}

// ---- compares

void Compiler::int_compare(Cond c, Width w) {
  Value rhs = pop(), lhs = pop();
  if (lhs.is_const() && !rhs.is_const()) {
    std::swap(lhs, rhs);
    c = swapped(c);
  }
  Src a = source_no_imm(lhs);
  if (a.is_mem() && !rhs.is_const() && !rhs.is_reg()) a = Src::of(to_reg(lhs));
  const bool against_zero = rhs.is_const() && rhs.bits == 0;
  if (against_zero && a.is_reg())
    masm_.test(w, a, a);
  else
    masm_.cmp(w, a, source(rhs));
  release(lhs);
  release(rhs);
  push_flags(c);
}

void Compiler::int_eqz(Width w) {
  Value v = pop();
  if (v.where == Where::flags) return push_flags(inverted(v.cond));
  if (v.is_const()) return push_const(Kind::i32, v.bits == 0);
  const Src s = source(v);
  if (s.is_reg())
    masm_.test(w, s, s);
  else
    masm_.cmp(w, s, Src::of(0));
  release(v);
  push_flags(Cond::eq);
}

// ---- one operand

void Compiler::count_leading(Width w) {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(int_kind(w), &v, nullptr, ip_ + 1);
  masm_.count_leading_zeros(w, d.reg, r);
  finish(d, int_kind(w), v);
}

void Compiler::count_trailing(Width w) {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(int_kind(w), &v, nullptr, ip_ + 1);
  masm_.count_trailing_zeros(w, d.reg, r);
  finish(d, int_kind(w), v);
}

void Compiler::count_ones(Width w) {
  Value v = pop();
  const Reg r = to_temp(v);  // may be destroyed
  const Reg result = alloc_int();
  masm_.count_ones(w, result, r);
  release(v);
  push_reg(int_kind(w), result);
}

void Compiler::int_extend(Width w, unsigned from_bytes) {
  Value v = pop();
  const Reg r = to_reg(v);
  const Dest d = dest_for(int_kind(w), &v, nullptr, ip_ + 1);
  masm_.sign_extend(w, d.reg, r, from_bytes);
  finish(d, int_kind(w), v);
}

// ---- 128 bits
// https://github.com/WebAssembly/wide-arithmetic/blob/main/proposals/wide-arithmetic/Overview.md

void Compiler::wide_add(bool subtract) {
  Value b_high = pop(), b_low = pop(), a_high = pop(), a_low = pop();
  // Only two of the four need registers of their own.
  const Reg low = to_temp(a_low), high = to_temp(a_high);
  if (b_high.is_const()) static_cast<void>(to_reg(b_high));  // a wide one would clear the carry's scratch
  const Src right_low = source(b_low);
  masm_.alu(subtract ? Alu::sub : Alu::add, Width::w64, low, right_low);
  masm_.keep_flags(true);
  const Src right_high = source(b_high);
  if (subtract)
    masm_.sub_borrow(high, right_high);
  else
    masm_.add_carry(high, right_high);
  masm_.keep_flags(false);
  release(b_low);
  release(b_high);
  push_reg(Kind::i64, low);
  push_reg(Kind::i64, high);
}

void Compiler::wide_multiply(bool is_signed) {
  Value rhs = pop(), lhs = pop();
  const Reg r = to_reg(rhs, RegSet::of(kRax, kRdx));
  if (!(lhs.is_reg() && lhs.reg == kRax)) {
    claim(kRax);
    load_to(lhs, kRax);
    release(lhs);
  }
  claim(kRdx);
  masm_.multiply_high(Width::w64, r, is_signed);
  release(rhs);
  push_reg(Kind::i64, kRax);
  push_reg(Kind::i64, kRdx);
}

// ---- between widths

void Compiler::wrap() {
  Value v = pop();
  if (v.is_const()) return push_const(Kind::i32, static_cast<std::uint32_t>(v.bits));
  const Dest d = dest_for(Kind::i32, &v, nullptr, ip_ + 1);
  Src s = source(v);
  if (s.is_mem())
    masm_.load(Kind::i32, d.reg, s.mem);
  else
    masm_.mov_zero_extend(d.reg, s.reg);
  finish(d, Kind::i32, v);
}

void Compiler::extend_i32(bool is_signed) {
  Value v = pop();
  if (v.is_const()) {
    const auto word = static_cast<std::int32_t>(v.bits);
    return push_const(Kind::i64, is_signed ? static_cast<std::uint64_t>(std::int64_t{word}) : v.bits);
  }
  if (is_signed) {
    const Reg r = to_reg(v);
    const Dest d = dest_for(Kind::i64, &v, nullptr, ip_ + 1);
    masm_.sign_extend(Width::w64, d.reg, r, 4);
    return finish(d, Kind::i64, v);
  }
  // i32 is kept zero-extended: in a register it is an i64 already.
  static_cast<void>(to_reg(v));
  v.kind = Kind::i64;
  repush(v);
}

}  // namespace heddle::baseline
