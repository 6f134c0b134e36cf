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

/// Whether address xor hint is dropped next and says so.
bool Compiler::prefetch_if_asked(const Value& address, const Value& hint) {
  constexpr std::uint8_t kDrop = 0x1a;
  if (!hint.is_const() || next_opcode() != kDrop) return false;
  const auto wish = abi::prefetch_hint(static_cast<std::uint32_t>(hint.bits));
  if (!wish) return false;
  prefetch(*wish, address);
  push_const(Kind::i32, 0);
  return true;
}

void Compiler::int_alu(Alu op, Width w) {
  const Kind kind = int_kind(w);
  Value rhs = pop(), lhs = pop();
  if (op == Alu::xor_ && w == Width::w32 && prefetch_if_asked(lhs, rhs)) return;
  if (rhs.scale_log2 != 0) return add_scaled(w, lhs, rhs);
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
    if (rhs.is_const() && and_low_bytes(w, lhs, rhs.bits)) return;
  }
  if (commutes && rhs.is_local(hinted_local(kind, ip_ + 1))) std::swap(lhs, rhs);
  const Dest d = dest_for(kind, &lhs, &rhs, ip_ + 1);
  const Src a = source(lhs), b = source(rhs);
  masm_.alu3(op, w, d.reg, a, b);
  finish(d, kind, lhs, rhs);
}

/// lhs + (rhs << scale), which int_shift() left to us: one lea.
void Compiler::add_scaled(Width w, Value lhs, Value rhs) {
  const Kind kind = int_kind(w);
  const Reg index = to_reg(rhs);
  if (lhs.is_const()) {
    const Dest d = dest_for(kind, &rhs, nullptr, ip_ + 1);
    masm_.shift_imm(Shift::shl, w, d.reg, index, rhs.scale_log2);
    masm_.alu(Alu::add, w, d.reg, source(lhs));
    return finish(d, kind, rhs);
  }
  const Dest d = dest_for(kind, &lhs, nullptr, ip_ + 1);
  const Reg base = to_reg(lhs);
  masm_.lea(w, d.reg, Address{base, index, rhs.scale_log2, 0, {}});
  finish(d, kind, lhs, rhs);
}

/// Masks of whole low bytes are moves.
bool Compiler::and_low_bytes(Width w, Value& lhs, std::uint64_t mask) {
  const unsigned bytes = mask == 0xff ? 1 : mask == 0xffff ? 2 : mask == 0xffffffff && w == Width::w64 ? 4 : 0;
  if (bytes == 0) return false;
  const Kind kind = int_kind(w);
  const Dest d = dest_for(kind, &lhs, nullptr, ip_ + 1);
  const Src s = source(lhs);
  if (s.is_mem())
    masm_.load_int(d.reg, s.mem, bytes, false, Width::w32);
  else
    masm_.zero_extend(d.reg, s.reg, bytes);
  finish(d, kind, lhs);
  return true;
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

/// Divisor known: no checks, and no division instruction if multiplication does it.
bool Compiler::divide_by_constant(Width w, bool is_signed, bool remainder, const Value& lhs, const Value& rhs) {
  if (!rhs.is_const() || rhs.bits == 0 || lhs.is_const()) return false;
  if (is_signed) return w == Width::w32 && divide_by_constant_s32(static_cast<std::int32_t>(rhs.bits), remainder, lhs);
  if (std::has_single_bit(rhs.bits)) {
    divide_by_power_of_two(w, rhs.bits, remainder, lhs);
    return true;
  }
  divide_by_multiplying(w, rhs.bits, remainder, lhs);
  return true;
}

void Compiler::divide_by_power_of_two(Width w, std::uint64_t divisor, bool remainder, Value v) {
  const Kind kind = int_kind(w);
  const Dest d = dest_for(kind, &v, nullptr, ip_ + 1);
  if (!remainder) {
    masm_.shift_imm(Shift::shr_u, w, d.reg, to_reg(v), static_cast<std::uint8_t>(std::countr_zero(divisor)));
  } else {
    Value mask = constant(kind, divisor - 1);
    masm_.alu3(Alu::and_, w, d.reg, Src::of(to_reg(v)), source(mask));
  }
  finish(d, kind, v);
}

/// The quotient is in rdx (held), rax is held too; the remainder replaces it if asked for.
void Compiler::finish_quotient(Width w, std::uint64_t divisor, bool remainder, Value& dividend) {
  if (remainder) {
    Value by = constant(int_kind(w), divisor);
    masm_.multiply(w, kRdx, Src::of(kRdx), source(by));
    masm_.mov(w, kRax, to_reg(dividend));
    masm_.alu(Alu::sub, w, kRax, Src::of(kRdx));
  }
  free_reg(remainder ? kRdx : kRax);
  release(dividend);
  push_reg(int_kind(w), remainder ? kRax : kRdx);
}

/// 32 bits: the high half of x * ceil(2^64 / d) is exact, since its error stays below 2^32 * 2^32 / 2^64.
/// 64 bits: Granlund and Montgomery, "Division by Invariant Integers using Multiplication", figure 4.1:
///   m = floor(2^64 * (2^l - d) / d) + 1 with l = ceil(log2 d);  t = high(m * x);  q = (((x - t) >> 1) + t) >> (l - 1)
void Compiler::divide_by_multiplying(Width w, std::uint64_t divisor, bool remainder, Value v) {
  __extension__ using Wide = unsigned __int128;
  const Reg x = to_reg(v, RegSet::of(kRax, kRdx));
  claim(kRax);
  claim(kRdx);
  if (w == Width::w32) {
    masm_.mov_imm(kRax, ~std::uint64_t{0} / divisor + 1);
    masm_.multiply_high(Width::w64, x, false);
  } else {
    const int l = 64 - std::countl_zero(divisor - 1);
    const Wide two_to_l = Wide{1} << l;
    masm_.mov_imm(kRax, static_cast<std::uint64_t>(((two_to_l - divisor) << 64) / divisor) + 1);
    masm_.multiply_high(Width::w64, x, false);
    masm_.mov(Width::w64, kRax, x);
    masm_.alu(Alu::sub, Width::w64, kRax, Src::of(kRdx));
    masm_.shift_imm(Shift::shr_u, Width::w64, kRax, kRax, 1);
    masm_.alu(Alu::add, Width::w64, kRdx, Src::of(kRax));
    if (l > 1) masm_.shift_imm(Shift::shr_u, Width::w64, kRdx, kRdx, static_cast<std::uint8_t>(l - 1));
  }
  finish_quotient(w, divisor, remainder, v);
}

/// q = floor(x * m / 2^(32 + s)) + (x < 0), m = floor(2^(32 + s) / |d|) + 1 with 2^s < |d| (Warren, "Hacker's Delight",
/// 10-1): x * m fits 64 bits since m < 2^32. Negated for d < 0.
bool Compiler::divide_by_constant_s32(std::int32_t divisor, bool remainder, const Value& lhs) {
  if (divisor == 1 || divisor == -1 || divisor == INT32_MIN) return false;
  const std::uint32_t magnitude =
      divisor < 0 ? 0 - static_cast<std::uint32_t>(divisor) : static_cast<std::uint32_t>(divisor);
  const int s = 31 - std::countl_zero(magnitude - 1);  // 2^s < magnitude <= 2^(s + 1)
  const std::uint64_t m = (std::uint64_t{1} << (32 + s)) / magnitude + 1;
  Value v = lhs;
  const Reg x = to_reg(v, RegSet::of(kRax, kRdx));
  claim(kRax);
  claim(kRdx);
  masm_.sign_extend(Width::w64, kRdx, x, 4);
  masm_.mov_imm(kRax, m);
  masm_.multiply(Width::w64, kRdx, Src::of(kRdx), Src::of(kRax));
  masm_.shift_imm(Shift::shr_s, Width::w64, kRdx, kRdx, static_cast<std::uint8_t>(32 + s));
  masm_.shift_imm(Shift::shr_u, Width::w32, kRax, x, 31);
  masm_.alu(Alu::add, Width::w32, kRdx, Src::of(kRax));
  if (divisor < 0) masm_.neg(Width::w32, kRdx);
  finish_quotient(Width::w32, static_cast<std::uint32_t>(divisor), remainder, v);
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
    constexpr std::uint8_t kI32Add = 0x6a, kI64Add = 0x7c;
    if (op == Shift::shl && count <= 3 && next_opcode() == (w == Width::w32 ? kI32Add : kI64Add)) {
      static_cast<void>(to_reg(lhs));
      repush(lhs);
      top().scale_log2 = count;
      return;
    }
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
