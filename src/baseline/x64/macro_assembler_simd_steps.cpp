// Lane-wise vector operations that take several instructions. Each is written once, with steps that have three operands
// whatever the processor; comments give the idea, the tests compare every lane with a model.
// https://webassembly.github.io/spec/core/exec/numerics.html
#include "base/check.h"
#include "baseline/x64/encode.h"
#include "baseline/x64/macro_assembler.h"

namespace heddle::baseline::x64 {

namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

namespace {

/// pshufd: the upper half of each of two vectors moved down; the high word of each pair in both places.
constexpr unsigned kHighHalf = 0xee, kOddLanes = 0xf5;
/// cmpps: equal, less or equal, unordered.
constexpr unsigned kEqual = 0, kLessEqual = 2, kUnordered = 3;

}  // namespace

// ---- comparisons

void MacroAssembler::vector_not_equal(Vex equal, Reg dst, Reg a, Reg b) {
  vex3(equal, dst, a, b);
  vector_ones(kFloatScratch);
  vex3(HEDDLE_P(xor), dst, dst, kFloatScratch);
}

/// a <= b as max(a, b) == b, a >= b as min(a, b) == b; inverted for > and <.
void MacroAssembler::vector_ordered(Vex extreme, Vex equal, Reg dst, Reg a, Reg b, bool invert) {
  vex3(extreme, dst, a, b);
  vex3(equal, dst, dst, b);
  if (!invert) return;
  vector_ones(kFloatScratch);
  vex3(HEDDLE_P(xor), dst, dst, kFloatScratch);
}

/// Without SSE4.2: the upper words decide, unless equal; then b - a has no bits but a borrow in the upper word.
void MacroAssembler::vector_greater64(Reg dst, Reg a, Reg b, Reg temp) {
  if (cpu_.sse42) return vex3(HEDDLE_P(cmpgtq), dst, a, b);
  vex3(HEDDLE_P(subq), temp, b, a);
  vex3(HEDDLE_P(cmpeqd), kFloatScratch, a, b);
  vex3(HEDDLE_P(and), temp, temp, kFloatScratch);
  vex3(HEDDLE_P(cmpgtd), dst, a, b);
  vex3(HEDDLE_P(or), dst, dst, temp);
  vex2(HEDDLE_P(shufd), dst, dst, kOddLanes);
}

// ---- integers

/// (ah * 2^32 + al) * (bh * 2^32 + bl) = (ah * bl + al * bh) * 2^32 + al * bl, modulo 2^64.
void MacroAssembler::vector_multiply64(Reg dst, Reg a, Reg b, Reg temp) {
  vex_shift(HEDDLE_P(srlq), temp, a, 32);
  vex3(HEDDLE_P(muludq), temp, temp, b);
  vex_shift(HEDDLE_P(srlq), kFloatScratch, b, 32);
  vex3(HEDDLE_P(muludq), kFloatScratch, kFloatScratch, a);
  vex3(HEDDLE_P(addq), temp, temp, kFloatScratch);
  vex_shift(HEDDLE_P(sllq), temp, temp, 32);
  vex3(HEDDLE_P(muludq), dst, a, b);
  vex3(HEDDLE_P(addq), dst, dst, temp);
}

void MacroAssembler::vector_neg(Vex subtract, Reg dst, Reg a) {
  float_zero(kFloatScratch);
  vex3(subtract, kFloatScratch, kFloatScratch, a);
  mov(Kind::v128, dst, kFloatScratch);
}

/// With s = all ones for negative lanes: (a ^ s) - s.
void MacroAssembler::vector_abs64(Reg dst, Reg a) {
  if (cpu_.avx512) return emit(Inst::kIdVpabsq, rx(dst), rx(a));
  vex2(HEDDLE_P(shufd), kFloatScratch, a, kOddLanes);
  vex_shift(HEDDLE_P(srad), kFloatScratch, kFloatScratch, 31);
  vex3(HEDDLE_P(xor), dst, a, kFloatScratch);
  vex3(HEDDLE_P(subq), dst, dst, kFloatScratch);
}

/// The bits of each half byte by table, added.
void MacroAssembler::vector_popcnt(Reg dst, Reg a, Reg temp) {
  const Src table = Src::of(pool(0x0302020102010100u, 0x0403030203020201u));
  vex_shift(HEDDLE_P(srlw), kFloatScratch, a, 4);
  vex3(HEDDLE_P(and), kFloatScratch, kFloatScratch, splat8(0x0f));
  load(Kind::v128, temp, table.mem);
  vex3(HEDDLE_P(shufb), temp, temp, kFloatScratch);
  vex3(HEDDLE_P(and), dst, a, splat8(0x0f));
  load(Kind::v128, kFloatScratch, table.mem);
  vex3(HEDDLE_P(shufb), kFloatScratch, kFloatScratch, dst);
  vex3(HEDDLE_P(addb), dst, kFloatScratch, temp);
}

/// Interleaved with zeros.
void MacroAssembler::extend_high_unsigned(Vex unpack, Reg dst, Reg a) {
  float_zero(kFloatScratch);
  vex3(unpack, dst, a, kFloatScratch);
}

void MacroAssembler::extend_high_signed(Vex extend, Reg dst, Reg a) {
  vex2(HEDDLE_P(shufd), dst, a, kHighHalf);
  vex2(extend, dst, dst);
}

void MacroAssembler::extended_multiply8(bool high, Vex extend, Reg dst, Reg a, Reg b, Reg temp) {
  if (high) {
    vex2(HEDDLE_P(shufd), temp, a, kHighHalf);
    vex2(HEDDLE_P(shufd), kFloatScratch, b, kHighHalf);
    a = temp;
    b = kFloatScratch;
  }
  vex2(extend, temp, a);
  vex2(extend, kFloatScratch, b);
  vex3(HEDDLE_P(mullw), dst, temp, kFloatScratch);
}

/// Low and high words of the products, interleaved.
void MacroAssembler::extended_multiply16(bool high, Vex high_words, Reg dst, Reg a, Reg b) {
  vex3(high_words, kFloatScratch, a, b);
  vex3(HEDDLE_P(mullw), dst, a, b);
  vex3(high ? HEDDLE_P(unpckhwd) : HEDDLE_P(unpcklwd), dst, dst, kFloatScratch);
}

/// pmuldq and pmuludq multiply the even lanes.
void MacroAssembler::extended_multiply32(bool high, Vex multiply, Reg dst, Reg a, Reg b) {
  const unsigned lanes = high ? 0xfa : 0x50;  // 3 3 2 2 or 1 1 0 0
  vex2(HEDDLE_P(shufd), kFloatScratch, b, lanes);
  vex2(HEDDLE_P(shufd), dst, a, lanes);
  vex3(multiply, dst, dst, kFloatScratch);
}

/// pmulhrsw is right for all but -1 * -1, where it gives -1 (0x8000) for the 0x7fff wanted; no other product is 0x8000.
void MacroAssembler::vector_q15_multiply(Reg dst, Reg a, Reg b) {
  vex3(HEDDLE_P(mulhrsw), dst, a, b);
  vex3(HEDDLE_P(cmpeqw), kFloatScratch, dst, splat16(0x8000));
  vex3(HEDDLE_P(xor), dst, dst, kFloatScratch);
}

/// Index 16 and above get their top bit set, which makes pshufb give 0.
void MacroAssembler::vector_swizzle(Reg dst, Reg a, Reg b) {
  vex3(HEDDLE_P(addusb), kFloatScratch, b, splat8(0x70));
  vex3(HEDDLE_P(shufb), dst, a, kFloatScratch);
}

void MacroAssembler::extadd_pairwise(VectorOp op, Reg dst, Reg a) {
  switch (op) {
    case VectorOp::i16x8_extadd_pairwise_i8x16_s:  // unsigned 1 times signed lane
      load(Kind::v128, kFloatScratch, splat8(1).mem);
      vex3(HEDDLE_P(maddubsw), kFloatScratch, kFloatScratch, a);
      return mov(Kind::v128, dst, kFloatScratch);
    case VectorOp::i16x8_extadd_pairwise_i8x16_u: return vex3(HEDDLE_P(maddubsw), dst, a, splat8(1));
    case VectorOp::i32x4_extadd_pairwise_i16x8_s: return vex3(HEDDLE_P(maddwd), dst, a, splat16(1));
    default:  // each lane less 2^15, and 2^16 added to the sum
      vex3(HEDDLE_P(xor), dst, a, splat16(0x8000));
      vex3(HEDDLE_P(maddwd), dst, dst, splat16(1));
      return vex3(HEDDLE_P(addd), dst, dst, splat32(0x10000));
  }
}

// ---- floats

/// The machine's min returns its second operand for NaN and for two zeros. Both orders, ored: the sign of -0 and any
/// NaN survive. Then a NaN is made quiet by clearing its payload (whatever the or made of it).
void MacroAssembler::vector_min(Kind kind, Reg dst, Reg a, Reg b) {
  const bool d = kind == Kind::f64;
  const Vex min = d ? HEDDLE_VEX(Minpd, minpd) : HEDDLE_VEX(Minps, minps);
  vex3(min, kFloatScratch, b, a);
  vex3(min, dst, a, b);
  vex3(HEDDLE_VEX(Orps, orps), dst, dst, kFloatScratch);
  vex3(d ? HEDDLE_VEX(Cmppd, cmppd) : HEDDLE_VEX(Cmpps, cmpps), kFloatScratch, dst, Src::of(dst), kUnordered);
  vex3(HEDDLE_VEX(Orps, orps), dst, dst, kFloatScratch);
  clear_payload(kind, dst, kFloatScratch, dst);
}

/// With x = both orders xored (0, the sign for two zeros that differ, or something if NaN): (max | x) - x makes +0 of
/// two different zeros, leaves numbers alone and keeps NaN.
void MacroAssembler::vector_max(Kind kind, Reg dst, Reg a, Reg b) {
  const bool d = kind == Kind::f64;
  const Vex max = d ? HEDDLE_VEX(Maxpd, maxpd) : HEDDLE_VEX(Maxps, maxps);
  const Vex compare = d ? HEDDLE_VEX(Cmppd, cmppd) : HEDDLE_VEX(Cmpps, cmpps);
  vex3(max, kFloatScratch, b, a);
  vex3(max, dst, a, b);
  vex3(HEDDLE_VEX(Xorps, xorps), dst, dst, kFloatScratch);
  vex3(HEDDLE_VEX(Orps, orps), kFloatScratch, kFloatScratch, dst);
  vex3(d ? HEDDLE_VEX(Subpd, subpd) : HEDDLE_VEX(Subps, subps), kFloatScratch, kFloatScratch, dst);
  vex3(compare, dst, kFloatScratch, Src::of(kFloatScratch), kUnordered);
  clear_payload(kind, dst, dst, kFloatScratch);
}

/// dst = v without the bits below the quiet bit where `nan` is all ones. Destroys nan; dst is nan or v.
void MacroAssembler::clear_payload(Kind kind, Reg dst, Reg nan, Reg v) {
  if (kind == Kind::f64)
    vex_shift(HEDDLE_P(srlq), nan, nan, 13);
  else
    vex_shift(HEDDLE_P(srld), nan, nan, 10);
  if (cpu_.avx) return emit(Inst::kIdVandnps, rx(dst), rx(nan), rx(v));
  emit(Inst::kIdAndnps, rx(nan), rx(v));
  mov(Kind::v128, dst, nan);
}

/// Halves of 16 bits as the low bits of 2^23 and 2^39; one rounding, in the last addition.
void MacroAssembler::vector_convert_u32(Reg dst, Reg a) {
  if (cpu_.avx512) return emit(Inst::kIdVcvtudq2ps, rx(dst), rx(a));
  vex3(HEDDLE_P(and), kFloatScratch, a, splat32(0xffff));
  vex3(HEDDLE_P(or), kFloatScratch, kFloatScratch, splat32(0x4b000000));  // 2^23
  vex_shift(HEDDLE_P(srld), dst, a, 16);
  vex3(HEDDLE_P(or), dst, dst, splat32(0x53000000));              // 2^39
  vex3(HEDDLE_VEX(Subps, subps), dst, dst, splat32(0x53000080));  // 2^39 + 2^23
  vex3(HEDDLE_VEX(Addps, addps), dst, dst, kFloatScratch);
}

/// The low words of 2^52.
void MacroAssembler::vector_convert_low_u32(Reg dst, Reg a) {
  vex3(HEDDLE_VEX(Unpcklps, unpcklps), dst, a, splat32(0x43300000));
  vex3(HEDDLE_VEX(Subpd, subpd), dst, dst, splat64(0x4330000000000000u));
}

/// The machine's conversion gives 0x80000000 for whatever does not fit: NaN becomes 0 before, too large is flipped
/// after.
void MacroAssembler::vector_truncate_f32_s(Reg dst, Reg a) {
  const Vex compare = HEDDLE_VEX(Cmpps, cmpps);
  vex3(compare, kFloatScratch, a, Src::of(a), kEqual);
  vex3(HEDDLE_VEX(Andps, andps), dst, a, kFloatScratch);
  load(Kind::v128, kFloatScratch, splat32(0x4f000000).mem);  // 2^31
  vex3(compare, kFloatScratch, kFloatScratch, Src::of(dst), kLessEqual);
  vex2(HEDDLE_VEX(Cvttps2dq, cvttps2dq), dst, dst);
  vex3(HEDDLE_P(xor), dst, dst, kFloatScratch);
}

/// x = max(a, 0) (0 for NaN). From 2^31 on the machine gives 0x80000000, to which what is above 2^31 is added: trunc(x
/// - 2^31), not below 0 and at most 0x7fffffff.
void MacroAssembler::vector_truncate_f32_u(Reg dst, Reg a, Reg temp) {
  float_zero(kFloatScratch);
  vex3(HEDDLE_VEX(Maxps, maxps), dst, a, kFloatScratch);
  if (cpu_.avx512) return emit(Inst::kIdVcvttps2udq, rx(dst), rx(dst));
  load(Kind::v128, kFloatScratch, splat32(0x4f000000).mem);  // 2^31
  vex3(HEDDLE_VEX(Subps, subps), temp, dst, kFloatScratch);
  vex3(HEDDLE_VEX(Cmpps, cmpps), kFloatScratch, kFloatScratch, Src::of(temp), kLessEqual);
  vex2(HEDDLE_VEX(Cvttps2dq, cvttps2dq), temp, temp);
  vex3(HEDDLE_P(xor), temp, temp, kFloatScratch);
  float_zero(kFloatScratch);
  vex3(HEDDLE_P(maxsd), temp, temp, kFloatScratch);
  vex2(HEDDLE_VEX(Cvttps2dq, cvttps2dq), dst, dst);
  vex3(HEDDLE_P(addd), dst, dst, temp);
}

/// min(a, NaN ? 0 : 2^31 - 1); what is too small converts to 0x80000000 by itself.
void MacroAssembler::vector_truncate_f64_s(Reg dst, Reg a) {
  vex3(HEDDLE_VEX(Cmppd, cmppd), kFloatScratch, a, Src::of(a), kEqual);
  vex3(HEDDLE_VEX(Andpd, andpd), kFloatScratch, kFloatScratch, splat64(0x41dfffffffc00000u));
  vex3(HEDDLE_VEX(Minpd, minpd), dst, a, kFloatScratch);
  vex2(HEDDLE_VEX(Cvttpd2dq, cvttpd2dq), dst, dst);
}

/// Clamped to 0 .. 2^32 - 1 (NaN to 0), rounded towards zero, added to 2^52: the low words are the result.
void MacroAssembler::vector_truncate_f64_u(Reg dst, Reg a) {
  float_zero(kFloatScratch);
  vex3(HEDDLE_VEX(Maxpd, maxpd), dst, a, kFloatScratch);
  vex3(HEDDLE_VEX(Minpd, minpd), dst, dst, splat64(0x41efffffffe00000u));
  vex2(HEDDLE_VEX(Roundpd, roundpd), dst, dst, 8u | static_cast<unsigned>(Rounding::trunc));
  vex3(HEDDLE_VEX(Addpd, addpd), dst, dst, splat64(0x4330000000000000u));
  vex3(HEDDLE_VEX(Shufps, shufps), dst, dst, Src::of(kFloatScratch), 0x88);
}

// ---- by opcode

void MacroAssembler::vector_unary(VectorOp op, Reg dst, Reg a, Reg temp) {
  if (emit_one_step(op, dst, a)) return;
  using O = VectorOp;
  switch (op) {
    case O::v128_not: vector_ones(kFloatScratch); return vex3(HEDDLE_P(xor), dst, a, kFloatScratch);
    case O::i8x16_neg: return vector_neg(HEDDLE_P(subb), dst, a);
    case O::i16x8_neg: return vector_neg(HEDDLE_P(subw), dst, a);
    case O::i32x4_neg: return vector_neg(HEDDLE_P(subd), dst, a);
    case O::i64x2_neg: return vector_neg(HEDDLE_P(subq), dst, a);
    case O::i64x2_abs: return vector_abs64(dst, a);
    case O::f32x4_abs: return vex3(HEDDLE_VEX(Andps, andps), dst, a, splat32(0x7fffffff));
    case O::f32x4_neg: return vex3(HEDDLE_VEX(Xorps, xorps), dst, a, splat32(0x80000000));
    case O::f64x2_abs: return vex3(HEDDLE_VEX(Andpd, andpd), dst, a, splat64(~std::uint64_t{0} >> 1));
    case O::f64x2_neg: return vex3(HEDDLE_VEX(Xorpd, xorpd), dst, a, splat64(std::uint64_t{1} << 63));
    case O::i8x16_popcnt: return vector_popcnt(dst, a, temp);
    case O::i16x8_extadd_pairwise_i8x16_s:
    case O::i16x8_extadd_pairwise_i8x16_u:
    case O::i32x4_extadd_pairwise_i16x8_s:
    case O::i32x4_extadd_pairwise_i16x8_u: return extadd_pairwise(op, dst, a);
    case O::i16x8_extend_high_i8x16_s: return extend_high_signed(HEDDLE_P(movsxbw), dst, a);
    case O::i32x4_extend_high_i16x8_s: return extend_high_signed(HEDDLE_P(movsxwd), dst, a);
    case O::i64x2_extend_high_i32x4_s: return extend_high_signed(HEDDLE_P(movsxdq), dst, a);
    case O::i16x8_extend_high_i8x16_u: return extend_high_unsigned(HEDDLE_P(unpckhbw), dst, a);
    case O::i32x4_extend_high_i16x8_u: return extend_high_unsigned(HEDDLE_P(unpckhwd), dst, a);
    case O::i64x2_extend_high_i32x4_u: return extend_high_unsigned(HEDDLE_P(unpckhdq), dst, a);
    case O::f32x4_convert_i32x4_u: return vector_convert_u32(dst, a);
    case O::f64x2_convert_low_i32x4_u: return vector_convert_low_u32(dst, a);
    // Of the relaxed truncations' results, those of the strict ones.
    case O::i32x4_trunc_sat_f32x4_s:
    case O::i32x4_relaxed_trunc_f32x4_s: return vector_truncate_f32_s(dst, a);
    case O::i32x4_trunc_sat_f32x4_u:
    case O::i32x4_relaxed_trunc_f32x4_u: return vector_truncate_f32_u(dst, a, temp);
    case O::i32x4_trunc_sat_f64x2_s_zero:
    case O::i32x4_relaxed_trunc_f64x2_s_zero: return vector_truncate_f64_s(dst, a);
    case O::i32x4_trunc_sat_f64x2_u_zero:
    case O::i32x4_relaxed_trunc_f64x2_u_zero: return vector_truncate_f64_u(dst, a);
    default: ok_ = false;
  }
}

void MacroAssembler::vector_binary(VectorOp op, Reg dst, Reg a, const Src& b, Reg temp) {
  if (emit_one_step(op, dst, a, b)) return;
  using O = VectorOp;
  if (op == O::i64x2_mul && cpu_.avx512) {
    if (b.is_mem()) return emit(Inst::kIdVpmullq, rx(dst), rx(a), encode(b.mem, 16));
    return emit(Inst::kIdVpmullq, rx(dst), rx(a), rx(b.reg));
  }
  if ((op == O::i64x2_gt_s || op == O::i64x2_lt_s) && cpu_.sse42) return vex3(HEDDLE_P(cmpgtq), dst, a, b);
  const Reg r = b.reg;
  switch (op) {
    case O::i8x16_ne: return vector_not_equal(HEDDLE_P(cmpeqb), dst, a, r);
    case O::i16x8_ne: return vector_not_equal(HEDDLE_P(cmpeqw), dst, a, r);
    case O::i32x4_ne: return vector_not_equal(HEDDLE_P(cmpeqd), dst, a, r);
    case O::i64x2_ne: return vector_not_equal(HEDDLE_P(cmpeqq), dst, a, r);
    case O::i8x16_le_s: return vector_ordered(HEDDLE_P(maxsb), HEDDLE_P(cmpeqb), dst, a, r, false);
    case O::i8x16_ge_s: return vector_ordered(HEDDLE_P(minsb), HEDDLE_P(cmpeqb), dst, a, r, false);
    case O::i8x16_le_u: return vector_ordered(HEDDLE_P(maxub), HEDDLE_P(cmpeqb), dst, a, r, false);
    case O::i8x16_ge_u: return vector_ordered(HEDDLE_P(minub), HEDDLE_P(cmpeqb), dst, a, r, false);
    case O::i8x16_gt_u: return vector_ordered(HEDDLE_P(maxub), HEDDLE_P(cmpeqb), dst, a, r, true);
    case O::i8x16_lt_u: return vector_ordered(HEDDLE_P(minub), HEDDLE_P(cmpeqb), dst, a, r, true);
    case O::i16x8_le_s: return vector_ordered(HEDDLE_P(maxsw), HEDDLE_P(cmpeqw), dst, a, r, false);
    case O::i16x8_ge_s: return vector_ordered(HEDDLE_P(minsw), HEDDLE_P(cmpeqw), dst, a, r, false);
    case O::i16x8_le_u: return vector_ordered(HEDDLE_P(maxuw), HEDDLE_P(cmpeqw), dst, a, r, false);
    case O::i16x8_ge_u: return vector_ordered(HEDDLE_P(minuw), HEDDLE_P(cmpeqw), dst, a, r, false);
    case O::i16x8_gt_u: return vector_ordered(HEDDLE_P(maxuw), HEDDLE_P(cmpeqw), dst, a, r, true);
    case O::i16x8_lt_u: return vector_ordered(HEDDLE_P(minuw), HEDDLE_P(cmpeqw), dst, a, r, true);
    case O::i32x4_le_s: return vector_ordered(HEDDLE_P(maxsd), HEDDLE_P(cmpeqd), dst, a, r, false);
    case O::i32x4_ge_s: return vector_ordered(HEDDLE_P(minsd), HEDDLE_P(cmpeqd), dst, a, r, false);
    case O::i32x4_le_u: return vector_ordered(HEDDLE_P(maxud), HEDDLE_P(cmpeqd), dst, a, r, false);
    case O::i32x4_ge_u: return vector_ordered(HEDDLE_P(minud), HEDDLE_P(cmpeqd), dst, a, r, false);
    case O::i32x4_gt_u: return vector_ordered(HEDDLE_P(maxud), HEDDLE_P(cmpeqd), dst, a, r, true);
    case O::i32x4_lt_u: return vector_ordered(HEDDLE_P(minud), HEDDLE_P(cmpeqd), dst, a, r, true);
    case O::i64x2_gt_s:
    case O::i64x2_lt_s: return vector_greater64(dst, a, r, temp);
    case O::i64x2_le_s:
    case O::i64x2_ge_s:  // swapped
      vector_greater64(dst, a, r, temp);
      vector_ones(kFloatScratch);
      return vex3(HEDDLE_P(xor), dst, dst, kFloatScratch);
    case O::i64x2_mul: return vector_multiply64(dst, a, r, temp);
    case O::i16x8_extmul_low_i8x16_s: return extended_multiply8(false, HEDDLE_P(movsxbw), dst, a, r, temp);
    case O::i16x8_extmul_high_i8x16_s: return extended_multiply8(true, HEDDLE_P(movsxbw), dst, a, r, temp);
    case O::i16x8_extmul_low_i8x16_u: return extended_multiply8(false, HEDDLE_P(movzxbw), dst, a, r, temp);
    case O::i16x8_extmul_high_i8x16_u: return extended_multiply8(true, HEDDLE_P(movzxbw), dst, a, r, temp);
    case O::i32x4_extmul_low_i16x8_s: return extended_multiply16(false, HEDDLE_P(mulhw), dst, a, r);
    case O::i32x4_extmul_high_i16x8_s: return extended_multiply16(true, HEDDLE_P(mulhw), dst, a, r);
    case O::i32x4_extmul_low_i16x8_u: return extended_multiply16(false, HEDDLE_P(mulhuw), dst, a, r);
    case O::i32x4_extmul_high_i16x8_u: return extended_multiply16(true, HEDDLE_P(mulhuw), dst, a, r);
    case O::i64x2_extmul_low_i32x4_s: return extended_multiply32(false, HEDDLE_P(muldq), dst, a, r);
    case O::i64x2_extmul_high_i32x4_s: return extended_multiply32(true, HEDDLE_P(muldq), dst, a, r);
    case O::i64x2_extmul_low_i32x4_u: return extended_multiply32(false, HEDDLE_P(muludq), dst, a, r);
    case O::i64x2_extmul_high_i32x4_u: return extended_multiply32(true, HEDDLE_P(muludq), dst, a, r);
    case O::i16x8_q15mulr_sat_s:
    case O::i16x8_relaxed_q15mulr_s: return vector_q15_multiply(dst, a, r);
    case O::i8x16_swizzle:
    case O::i8x16_relaxed_swizzle: return vector_swizzle(dst, a, r);
    case O::f32x4_min:
    case O::f32x4_relaxed_min: return vector_min(Kind::f32, dst, a, r);
    case O::f64x2_min:
    case O::f64x2_relaxed_min: return vector_min(Kind::f64, dst, a, r);
    case O::f32x4_max:
    case O::f32x4_relaxed_max: return vector_max(Kind::f32, dst, a, r);
    case O::f64x2_max:
    case O::f64x2_relaxed_max: return vector_max(Kind::f64, dst, a, r);
    default: ok_ = false;
  }
}

/// a * b + c, or c - a * b: in one rounding where the processor can, as the other tier does.
void MacroAssembler::multiply_add(bool negated, bool is_f64, Reg dst, Reg a, Reg b, const Src& c) {
  if (cpu_.fma) {
    constexpr asmjit::InstId ids[] = {Inst::kIdVfmadd213ps, Inst::kIdVfmadd213pd, Inst::kIdVfnmadd213ps,
                                      Inst::kIdVfnmadd213pd};
    const auto id = ids[(negated ? 2 : 0) + (is_f64 ? 1 : 0)];
    mov(Kind::v128, dst, a);
    if (c.is_mem()) return emit(id, rx(dst), rx(b), encode(c.mem, 16));
    return emit(id, rx(dst), rx(b), rx(c.reg));
  }
  vex3(is_f64 ? HEDDLE_VEX(Mulpd, mulpd) : HEDDLE_VEX(Mulps, mulps), dst, a, b);
  if (!negated) return vex3(is_f64 ? HEDDLE_VEX(Addpd, addpd) : HEDDLE_VEX(Addps, addps), dst, dst, c);
  load_vector(kFloatScratch, c);
  vex3(is_f64 ? HEDDLE_VEX(Subpd, subpd) : HEDDLE_VEX(Subps, subps), kFloatScratch, kFloatScratch, dst);
  mov(Kind::v128, dst, kFloatScratch);
}

void MacroAssembler::load_vector(Reg dst, const Src& src) {
  if (src.is_mem())
    load(Kind::v128, dst, src.mem);
  else
    mov(Kind::v128, dst, src.reg);
}

void MacroAssembler::vector_ternary(VectorOp op, Reg dst, Reg a, Reg b, const Src& c) {
  using O = VectorOp;
  switch (op) {
    case O::v128_bitselect:
    case O::i8x16_relaxed_laneselect:
    case O::i16x8_relaxed_laneselect:
    case O::i32x4_relaxed_laneselect:
    case O::i64x2_relaxed_laneselect:  // ((a ^ b) & c) ^ b
      vex3(HEDDLE_P(xor), dst, a, b);
      vex3(HEDDLE_P(and), dst, dst, c);
      return vex3(HEDDLE_P(xor), dst, dst, b);
    case O::f32x4_relaxed_madd: return multiply_add(false, false, dst, a, b, c);
    case O::f32x4_relaxed_nmadd: return multiply_add(true, false, dst, a, b, c);
    case O::f64x2_relaxed_madd: return multiply_add(false, true, dst, a, b, c);
    case O::f64x2_relaxed_nmadd: return multiply_add(true, true, dst, a, b, c);
    case O::i32x4_relaxed_dot_i8x16_i7x16_add_s:
      vex3(HEDDLE_P(maddubsw), dst, a, b);
      vex3(HEDDLE_P(maddwd), dst, dst, splat16(1));
      return vex3(HEDDLE_P(addd), dst, dst, c);
    default: ok_ = false;
  }
}

}  // namespace heddle::baseline::x64
