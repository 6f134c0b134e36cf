// Vector half of the macro assembler: the operations that are one instruction, as a table, and the helpers with which
// the longer ones (macro_assembler_simd_steps.cpp, macro_assembler_simd_lanes.cpp) are written once for SSE and AVX.
#include "base/check.h"
#include "baseline/x64/encode.h"
#include "baseline/x64/macro_assembler.h"

namespace heddle::baseline::x64 {

namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

namespace {

enum class Order : std::uint8_t { as_is, commutes, swapped };

struct OneStep {
  Vex op;
  Order order = Order::as_is;
  std::uint8_t imm = kNoImm;
  static constexpr std::uint8_t kNoImm = 0xff;
};

constexpr std::uint32_t kFirstVectorOp = 0xfd0000;
constexpr std::size_t kVectorOps = 0x114;

/// Everything that one instruction does, up to the order of its operands.
constexpr std::array<OneStep, kVectorOps> make_one_steps() {
  std::array<OneStep, kVectorOps> t{};
  using O = VectorOp;
  const auto set = [&t](O op, Vex vex, Order order = Order::as_is, std::uint8_t imm = OneStep::kNoImm) {
    t[static_cast<std::uint32_t>(op) - kFirstVectorOp] = {vex, order, imm};
  };
  constexpr Order kCommutes = Order::commutes, kSwapped = Order::swapped;
  // clang-format off
  set(O::i8x16_eq, HEDDLE_P(cmpeqb), kCommutes);
  set(O::i16x8_eq, HEDDLE_P(cmpeqw), kCommutes);
  set(O::i32x4_eq, HEDDLE_P(cmpeqd), kCommutes);
  set(O::i64x2_eq, HEDDLE_P(cmpeqq), kCommutes);
  set(O::i8x16_gt_s, HEDDLE_P(cmpgtb));
  set(O::i16x8_gt_s, HEDDLE_P(cmpgtw));
  set(O::i32x4_gt_s, HEDDLE_P(cmpgtd));
  set(O::i8x16_lt_s, HEDDLE_P(cmpgtb), kSwapped);
  set(O::i16x8_lt_s, HEDDLE_P(cmpgtw), kSwapped);
  set(O::i32x4_lt_s, HEDDLE_P(cmpgtd), kSwapped);
  // Immediates of cmpps: 0 equal, 1 less, 2 less or equal (all false for NaN), 4 not equal (true for NaN).
  set(O::f32x4_eq, HEDDLE_VEX(Cmpps, cmpps), kCommutes, 0);
  set(O::f32x4_lt, HEDDLE_VEX(Cmpps, cmpps), Order::as_is, 1);
  set(O::f32x4_le, HEDDLE_VEX(Cmpps, cmpps), Order::as_is, 2);
  set(O::f32x4_ne, HEDDLE_VEX(Cmpps, cmpps), kCommutes, 4);
  set(O::f32x4_gt, HEDDLE_VEX(Cmpps, cmpps), kSwapped, 1);
  set(O::f32x4_ge, HEDDLE_VEX(Cmpps, cmpps), kSwapped, 2);
  set(O::f64x2_eq, HEDDLE_VEX(Cmppd, cmppd), kCommutes, 0);
  set(O::f64x2_lt, HEDDLE_VEX(Cmppd, cmppd), Order::as_is, 1);
  set(O::f64x2_le, HEDDLE_VEX(Cmppd, cmppd), Order::as_is, 2);
  set(O::f64x2_ne, HEDDLE_VEX(Cmppd, cmppd), kCommutes, 4);
  set(O::f64x2_gt, HEDDLE_VEX(Cmppd, cmppd), kSwapped, 1);
  set(O::f64x2_ge, HEDDLE_VEX(Cmppd, cmppd), kSwapped, 2);

  set(O::v128_and, HEDDLE_P(and), kCommutes);
  set(O::v128_or, HEDDLE_P(or), kCommutes);
  set(O::v128_xor, HEDDLE_P(xor), kCommutes);
  set(O::v128_andnot, HEDDLE_P(andn), kSwapped);

  set(O::i8x16_narrow_i16x8_s, HEDDLE_P(acksswb));
  set(O::i8x16_narrow_i16x8_u, HEDDLE_P(ackuswb));
  set(O::i16x8_narrow_i32x4_s, HEDDLE_P(ackssdw));
  set(O::i16x8_narrow_i32x4_u, HEDDLE_P(ackusdw));

  set(O::i8x16_add, HEDDLE_P(addb), kCommutes);
  set(O::i16x8_add, HEDDLE_P(addw), kCommutes);
  set(O::i32x4_add, HEDDLE_P(addd), kCommutes);
  set(O::i64x2_add, HEDDLE_P(addq), kCommutes);
  set(O::i8x16_sub, HEDDLE_P(subb));
  set(O::i16x8_sub, HEDDLE_P(subw));
  set(O::i32x4_sub, HEDDLE_P(subd));
  set(O::i64x2_sub, HEDDLE_P(subq));
  set(O::i8x16_add_sat_s, HEDDLE_P(addsb), kCommutes);
  set(O::i8x16_add_sat_u, HEDDLE_P(addusb), kCommutes);
  set(O::i16x8_add_sat_s, HEDDLE_P(addsw), kCommutes);
  set(O::i16x8_add_sat_u, HEDDLE_P(addusw), kCommutes);
  set(O::i8x16_sub_sat_s, HEDDLE_P(subsb));
  set(O::i8x16_sub_sat_u, HEDDLE_P(subusb));
  set(O::i16x8_sub_sat_s, HEDDLE_P(subsw));
  set(O::i16x8_sub_sat_u, HEDDLE_P(subusw));
  set(O::i8x16_min_s, HEDDLE_P(minsb), kCommutes);
  set(O::i8x16_min_u, HEDDLE_P(minub), kCommutes);
  set(O::i8x16_max_s, HEDDLE_P(maxsb), kCommutes);
  set(O::i8x16_max_u, HEDDLE_P(maxub), kCommutes);
  set(O::i16x8_min_s, HEDDLE_P(minsw), kCommutes);
  set(O::i16x8_min_u, HEDDLE_P(minuw), kCommutes);
  set(O::i16x8_max_s, HEDDLE_P(maxsw), kCommutes);
  set(O::i16x8_max_u, HEDDLE_P(maxuw), kCommutes);
  set(O::i32x4_min_s, HEDDLE_P(minsd), kCommutes);
  set(O::i32x4_min_u, HEDDLE_P(minud), kCommutes);
  set(O::i32x4_max_s, HEDDLE_P(maxsd), kCommutes);
  set(O::i32x4_max_u, HEDDLE_P(maxud), kCommutes);
  set(O::i8x16_avgr_u, HEDDLE_P(avgb), kCommutes);
  set(O::i16x8_avgr_u, HEDDLE_P(avgw), kCommutes);
  set(O::i16x8_mul, HEDDLE_P(mullw), kCommutes);
  set(O::i32x4_mul, HEDDLE_P(mulld), kCommutes);
  set(O::i32x4_dot_i16x8_s, HEDDLE_P(maddwd), kCommutes);
  // pmaddubsw: unsigned times signed, sums saturated. The second operand is the one of 7 bits.
  set(O::i16x8_relaxed_dot_i8x16_i7x16_s, HEDDLE_P(maddubsw), kSwapped);

  set(O::f32x4_add, HEDDLE_VEX(Addps, addps), kCommutes);
  set(O::f32x4_sub, HEDDLE_VEX(Subps, subps));
  set(O::f32x4_mul, HEDDLE_VEX(Mulps, mulps), kCommutes);
  set(O::f32x4_div, HEDDLE_VEX(Divps, divps));
  set(O::f64x2_add, HEDDLE_VEX(Addpd, addpd), kCommutes);
  set(O::f64x2_sub, HEDDLE_VEX(Subpd, subpd));
  set(O::f64x2_mul, HEDDLE_VEX(Mulpd, mulpd), kCommutes);
  set(O::f64x2_div, HEDDLE_VEX(Divpd, divpd));
  // pmin(a, b) = b < a ? b : a; minps(x, y) = x < y ? x : y.
  set(O::f32x4_pmin, HEDDLE_VEX(Minps, minps), kSwapped);
  set(O::f32x4_pmax, HEDDLE_VEX(Maxps, maxps), kSwapped);
  set(O::f64x2_pmin, HEDDLE_VEX(Minpd, minpd), kSwapped);
  set(O::f64x2_pmax, HEDDLE_VEX(Maxpd, maxpd), kSwapped);

  // Of one operand. Rounding as enum Rounding, and 8: no inexact exception.
  set(O::f32x4_nearest, HEDDLE_VEX(Roundps, roundps), Order::as_is, 8);
  set(O::f32x4_floor, HEDDLE_VEX(Roundps, roundps), Order::as_is, 9);
  set(O::f32x4_ceil, HEDDLE_VEX(Roundps, roundps), Order::as_is, 10);
  set(O::f32x4_trunc, HEDDLE_VEX(Roundps, roundps), Order::as_is, 11);
  set(O::f64x2_nearest, HEDDLE_VEX(Roundpd, roundpd), Order::as_is, 8);
  set(O::f64x2_floor, HEDDLE_VEX(Roundpd, roundpd), Order::as_is, 9);
  set(O::f64x2_ceil, HEDDLE_VEX(Roundpd, roundpd), Order::as_is, 10);
  set(O::f64x2_trunc, HEDDLE_VEX(Roundpd, roundpd), Order::as_is, 11);
  set(O::f32x4_sqrt, HEDDLE_VEX(Sqrtps, sqrtps));
  set(O::f64x2_sqrt, HEDDLE_VEX(Sqrtpd, sqrtpd));
  set(O::i8x16_abs, HEDDLE_P(absb));
  set(O::i16x8_abs, HEDDLE_P(absw));
  set(O::i32x4_abs, HEDDLE_P(absd));
  set(O::i16x8_extend_low_i8x16_s, HEDDLE_P(movsxbw));
  set(O::i16x8_extend_low_i8x16_u, HEDDLE_P(movzxbw));
  set(O::i32x4_extend_low_i16x8_s, HEDDLE_P(movsxwd));
  set(O::i32x4_extend_low_i16x8_u, HEDDLE_P(movzxwd));
  set(O::i64x2_extend_low_i32x4_s, HEDDLE_P(movsxdq));
  set(O::i64x2_extend_low_i32x4_u, HEDDLE_P(movzxdq));
  set(O::f32x4_convert_i32x4_s, HEDDLE_VEX(Cvtdq2ps, cvtdq2ps));
  set(O::f64x2_convert_low_i32x4_s, HEDDLE_VEX(Cvtdq2pd, cvtdq2pd));
  set(O::f32x4_demote_f64x2_zero, HEDDLE_VEX(Cvtpd2ps, cvtpd2ps));
  set(O::f64x2_promote_low_f32x4, HEDDLE_VEX(Cvtps2pd, cvtps2pd));
  // clang-format on
  return t;
}

constexpr std::array<OneStep, kVectorOps> kOneSteps = make_one_steps();

const OneStep& one_step_of(VectorOp op) {
  return kOneSteps[static_cast<std::uint32_t>(op) - kFirstVectorOp];
}

bool is_one_step(const OneStep& step) {
  return step.op.sse != 0;
}

}  // namespace

// ---- steps

void MacroAssembler::vex2(Vex op, Reg dst, Reg a) {
  emit(cpu_.avx ? op.avx : op.sse, rx(dst), rx(a));
}

void MacroAssembler::vex2(Vex op, Reg dst, Reg a, unsigned imm) {
  emit(cpu_.avx ? op.avx : op.sse, rx(dst), rx(a), asmjit::Imm(imm));
}

void MacroAssembler::vex3(Vex op, Reg dst, Reg a, const Src& b) {
  if (cpu_.avx) {
    if (b.is_mem()) return emit(op.avx, rx(dst), rx(a), encode(b.mem, 16));
    return emit(op.avx, rx(dst), rx(a), rx(b.reg));
  }
  HEDDLE_DCHECK(dst == a || !(b.is_reg() && b.reg == dst), "SSE would lose the second operand");
  mov(Kind::v128, dst, a);
  if (b.is_mem()) return emit(op.sse, rx(dst), encode(b.mem, 16));
  emit(op.sse, rx(dst), rx(b.reg));
}

void MacroAssembler::vex3(Vex op, Reg dst, Reg a, const Src& b, unsigned imm) {
  const auto i = asmjit::Imm(imm);
  if (cpu_.avx) {
    if (b.is_mem()) return emit(op.avx, rx(dst), rx(a), encode(b.mem, 16), i);
    return emit(op.avx, rx(dst), rx(a), rx(b.reg), i);
  }
  HEDDLE_DCHECK(dst == a || !(b.is_reg() && b.reg == dst), "SSE would lose the second operand");
  mov(Kind::v128, dst, a);
  if (b.is_mem()) return emit(op.sse, rx(dst), encode(b.mem, 16), i);
  emit(op.sse, rx(dst), rx(b.reg), i);
}

void MacroAssembler::vex_shift(Vex op, Reg dst, Reg a, unsigned count) {
  if (cpu_.avx) return emit(op.avx, rx(dst), rx(a), asmjit::Imm(count));
  mov(Kind::v128, dst, a);
  emit(op.sse, rx(dst), asmjit::Imm(count));
}

void MacroAssembler::vector_ones(Reg dst) {
  vex3(HEDDLE_P(cmpeqd), dst, dst, dst);
}

// ---- what the compiler asks

VectorForm MacroAssembler::vector_form(VectorOp op) const {
  const OneStep& step = one_step_of(op);
  if (is_one_step(step)) return {step.order == Order::commutes, step.order == Order::swapped, true, cpu_.avx};
  switch (op) {
    case VectorOp::i64x2_gt_s: return {false, false, cpu_.sse42, cpu_.avx};
    case VectorOp::i64x2_lt_s: return {false, true, cpu_.sse42, cpu_.avx};
    case VectorOp::i64x2_mul: return {true, false, cpu_.avx512, cpu_.avx512};
    case VectorOp::i16x8_shl:
    case VectorOp::i16x8_shr_s:
    case VectorOp::i16x8_shr_u:
    case VectorOp::i32x4_shl:
    case VectorOp::i32x4_shr_s:
    case VectorOp::i32x4_shr_u:
    case VectorOp::i64x2_shl:
    case VectorOp::i64x2_shr_u: return {false, false, true, false};
    case VectorOp::i64x2_shr_s: return {false, false, cpu_.avx512, false};
    case VectorOp::i64x2_ge_s:
    case VectorOp::i32x4_relaxed_dot_i8x16_i7x16_add_s: return {false, true, false, false};
    default: return {};
  }
}

bool MacroAssembler::emit_one_step(VectorOp op, Reg dst, Reg a, const Src& b) {
  const OneStep& step = one_step_of(op);
  if (!is_one_step(step)) return false;
  if (step.imm == OneStep::kNoImm)
    vex3(step.op, dst, a, b);
  else
    vex3(step.op, dst, a, b, step.imm);
  return true;
}

bool MacroAssembler::emit_one_step(VectorOp op, Reg dst, Reg a) {
  const OneStep& step = one_step_of(op);
  if (!is_one_step(step)) return false;
  if (step.imm == OneStep::kNoImm)
    vex2(step.op, dst, a);
  else
    vex2(step.op, dst, a, step.imm);
  return true;
}

}  // namespace heddle::baseline::x64
