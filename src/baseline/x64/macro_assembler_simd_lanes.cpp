// Vector operations that move lanes: between vectors, integer registers, memory and each other, and shifts.
// https://webassembly.github.io/spec/core/exec/instructions.html#vector-instructions
#include <cstring>

#include "base/check.h"
#include "baseline/x64/encode.h"
#include "baseline/x64/macro_assembler.h"

namespace heddle::baseline::x64 {

namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

namespace {

using Lanes = std::array<std::uint8_t, 16>;

asmjit::InstId insert_id(unsigned bytes, bool avx) {
  switch (bytes) {
    case 1: return avx ? Inst::kIdVpinsrb : Inst::kIdPinsrb;
    case 2: return avx ? Inst::kIdVpinsrw : Inst::kIdPinsrw;
    case 4: return avx ? Inst::kIdVpinsrd : Inst::kIdPinsrd;
    default: return avx ? Inst::kIdVpinsrq : Inst::kIdPinsrq;
  }
}

asmjit::InstId extract_id(unsigned bytes, bool avx) {
  switch (bytes) {
    case 1: return avx ? Inst::kIdVpextrb : Inst::kIdPextrb;
    case 2: return avx ? Inst::kIdVpextrw : Inst::kIdPextrw;
    case 4: return avx ? Inst::kIdVpextrd : Inst::kIdPextrd;
    default: return avx ? Inst::kIdVpextrq : Inst::kIdPextrq;
  }
}

/// lanes[i] = first + i for all i, modulo 32.
bool is_run(const Lanes& lanes, unsigned first) {
  for (unsigned i = 0; i < 16; ++i)
    if (lanes[i] != ((first + i) & 31)) return false;
  return true;
}

/// Whole elements of `bytes` each, starting at a multiple of that; their numbers (0 .. 32 / bytes - 1) in `out`.
bool as_elements(const Lanes& lanes, unsigned bytes, std::uint8_t* out) {
  for (unsigned i = 0; i < 16; i += bytes) {
    if (lanes[i] % bytes != 0) return false;
    for (unsigned k = 1; k < bytes; ++k)
      if (lanes[i + k] != lanes[i] + k) return false;
    out[i / bytes] = static_cast<std::uint8_t>(lanes[i] / bytes);
  }
  return true;
}

/// Elements of `bytes` taken in turn from the first source's half and the second's. `base`: where each source begins.
bool is_interleaved(const Lanes& lanes, unsigned bytes, bool high, unsigned first_base, unsigned second_base) {
  for (unsigned i = 0; i < 16; ++i) {
    const unsigned element = i / bytes;
    const unsigned base = element % 2 == 0 ? first_base : second_base;
    if (lanes[i] != base + (high ? 8 : 0) + element / 2 * bytes + i % bytes) return false;
  }
  return true;
}

}  // namespace

// ---- splat, extract, replace

void MacroAssembler::vector_splat(VectorOp op, Reg dst, Reg scalar) {
  using O = VectorOp;
  if (op == O::f32x4_splat) return vex2(HEDDLE_P(shufd), dst, scalar, 0);
  if (op == O::f64x2_splat) return vex2(HEDDLE_VEX(Movddup, movddup), dst, scalar);
  move_bits_to_float(op == O::i64x2_splat ? Width::w64 : Width::w32, dst, scalar);
  switch (op) {
    case O::i8x16_splat: return splat_bytes(dst);
    case O::i16x8_splat: return splat_words(dst);
    case O::i32x4_splat: return vex2(HEDDLE_P(shufd), dst, dst, 0);
    default: return vex3(HEDDLE_P(unpcklqdq), dst, dst, dst);
  }
}

void MacroAssembler::splat_bytes(Reg dst) {
  if (cpu_.avx2) return emit(Inst::kIdVpbroadcastb, rx(dst), rx(dst));
  float_zero(kFloatScratch);
  vex3(HEDDLE_P(shufb), dst, dst, kFloatScratch);
}

void MacroAssembler::splat_words(Reg dst) {
  if (cpu_.avx2) return emit(Inst::kIdVpbroadcastw, rx(dst), rx(dst));
  vex2(HEDDLE_P(shuflw), dst, dst, 0);
  vex2(HEDDLE_P(shufd), dst, dst, 0);
}

void MacroAssembler::vector_extract(VectorOp op, unsigned lane, Reg dst, Reg a) {
  using O = VectorOp;
  const bool avx = cpu_.avx;
  const auto imm = asmjit::Imm(lane);
  switch (op) {
    case O::f32x4_extract_lane:
      if (lane == 0) return mov(Kind::v128, dst, a);
      return vex2(HEDDLE_P(shufd), dst, a, lane);
    case O::f64x2_extract_lane:
      if (lane == 0) return mov(Kind::v128, dst, a);
      return vex2(HEDDLE_P(shufd), dst, a, 0xee);
    case O::i64x2_extract_lane:
      if (lane == 0) return move_bits_to_int(Width::w64, dst, a);
      return emit(extract_id(8, avx), r64(dst), rx(a), imm);
    case O::i32x4_extract_lane:
      if (lane == 0) return move_bits_to_int(Width::w32, dst, a);
      return emit(extract_id(4, avx), r32(dst), rx(a), imm);
    case O::i16x8_extract_lane_s:
    case O::i16x8_extract_lane_u:
      emit(extract_id(2, avx), r32(dst), rx(a), imm);
      if (op == O::i16x8_extract_lane_s) sign_extend(Width::w32, dst, dst, 2);
      return;
    default:
      emit(extract_id(1, avx), r32(dst), rx(a), imm);
      if (op == O::i8x16_extract_lane_s) sign_extend(Width::w32, dst, dst, 1);
  }
}

void MacroAssembler::vector_replace(VectorOp op, unsigned lane, Reg dst, Reg a, const Src& b) {
  using O = VectorOp;
  switch (op) {
    case O::i8x16_replace_lane: return insert_lane(1, lane, dst, a, b);
    case O::i16x8_replace_lane: return insert_lane(2, lane, dst, a, b);
    case O::i32x4_replace_lane: return insert_lane(4, lane, dst, a, b);
    case O::i64x2_replace_lane: return insert_lane(8, lane, dst, a, b);
    case O::f32x4_replace_lane:
      if (b.is_mem()) return insert_lane(4, lane, dst, a, b);
      return vex3(HEDDLE_VEX(Insertps, insertps), dst, a, b, lane << 4);
    default: break;
  }
  if (b.is_mem()) return insert_lane(8, lane, dst, a, b);
  if (lane == 1) return vex3(HEDDLE_VEX(Unpcklpd, unpcklpd), dst, a, b);
  vex3(HEDDLE_VEX(Movsd, movsd), dst, a, b);
}

/// From an integer register or memory.
void MacroAssembler::insert_lane(unsigned bytes, unsigned lane, Reg dst, Reg a, const Src& b) {
  const auto id = insert_id(bytes, cpu_.avx);
  const auto imm = asmjit::Imm(lane);
  if (!cpu_.avx) mov(Kind::v128, dst, a);
  const auto put = [&](const asmjit::Operand_& s) {
    if (cpu_.avx)
      emit(id, rx(dst), rx(a), s, imm);
    else
      emit(id, rx(dst), s, imm);
  };
  if (b.is_mem())
    put(encode(b.mem, bytes));
  else if (bytes == 8)
    put(r64(b.reg));
  else
    put(r32(b.reg));
}

// ---- tests

Cond MacroAssembler::vector_test(VectorOp op, Reg a) {
  const Vex test = HEDDLE_P(test);
  if (op == VectorOp::v128_any_true) {
    vex2(test, a, a);
    return Cond::ne;
  }
  // All lanes are true if none equals zero.
  float_zero(kFloatScratch);
  switch (op) {
    case VectorOp::i8x16_all_true: vex3(HEDDLE_P(cmpeqb), kFloatScratch, kFloatScratch, a); break;
    case VectorOp::i16x8_all_true: vex3(HEDDLE_P(cmpeqw), kFloatScratch, kFloatScratch, a); break;
    case VectorOp::i32x4_all_true: vex3(HEDDLE_P(cmpeqd), kFloatScratch, kFloatScratch, a); break;
    default: vex3(HEDDLE_P(cmpeqq), kFloatScratch, kFloatScratch, a); break;
  }
  vex2(test, kFloatScratch, kFloatScratch);
  return Cond::eq;
}

void MacroAssembler::vector_bitmask(VectorOp op, Reg dst, Reg a) {
  const bool avx = cpu_.avx;
  switch (op) {
    case VectorOp::i8x16_bitmask: return emit(avx ? Inst::kIdVpmovmskb : Inst::kIdPmovmskb, r32(dst), rx(a));
    case VectorOp::i32x4_bitmask: return emit(avx ? Inst::kIdVmovmskps : Inst::kIdMovmskps, r32(dst), rx(a));
    case VectorOp::i64x2_bitmask: return emit(avx ? Inst::kIdVmovmskpd : Inst::kIdMovmskpd, r32(dst), rx(a));
    default: break;
  }
  // Saturated to bytes, twice; signs stay.
  vex3(HEDDLE_P(acksswb), kFloatScratch, a, a);
  emit(avx ? Inst::kIdVpmovmskb : Inst::kIdPmovmskb, r32(dst), rx(kFloatScratch));
  zero_extend(dst, dst, 1);
}

// ---- memory

void MacroAssembler::vector_load(VectorOp op, Reg dst, const Address& from) {
  using O = VectorOp;
  const bool avx = cpu_.avx;
  const auto extend = [&](Vex id) { emit(avx ? id.avx : id.sse, rx(dst), encode(from, 8)); };
  switch (op) {
    case O::v128_load: return load(Kind::v128, dst, from);
    case O::v128_load8x8_s: return extend(HEDDLE_P(movsxbw));
    case O::v128_load8x8_u: return extend(HEDDLE_P(movzxbw));
    case O::v128_load16x4_s: return extend(HEDDLE_P(movsxwd));
    case O::v128_load16x4_u: return extend(HEDDLE_P(movzxwd));
    case O::v128_load32x2_s: return extend(HEDDLE_P(movsxdq));
    case O::v128_load32x2_u: return extend(HEDDLE_P(movzxdq));
    case O::v128_load32_zero: return load(Kind::f32, dst, from);
    case O::v128_load64_zero: return load(Kind::f64, dst, from);
    case O::v128_load64_splat: return extend(HEDDLE_VEX(Movddup, movddup));
    case O::v128_load32_splat:
      if (avx) return emit(Inst::kIdVbroadcastss, rx(dst), encode(from, 4));
      load(Kind::f32, dst, from);
      return vex2(HEDDLE_P(shufd), dst, dst, 0);
    case O::v128_load16_splat:
      if (cpu_.avx2) return emit(Inst::kIdVpbroadcastw, rx(dst), encode(from, 2));
      insert_lane(2, 0, dst, dst, Src::of(from));
      return splat_words(dst);
    case O::v128_load8_splat:
      if (cpu_.avx2) return emit(Inst::kIdVpbroadcastb, rx(dst), encode(from, 1));
      insert_lane(1, 0, dst, dst, Src::of(from));
      return splat_bytes(dst);
    default: ok_ = false;
  }
}

void MacroAssembler::vector_load_lane(unsigned bytes, unsigned lane, Reg dst, Reg a, const Address& from) {
  insert_lane(bytes, lane, dst, a, Src::of(from));
}

void MacroAssembler::vector_store_lane(unsigned bytes, unsigned lane, const Address& to, Reg a) {
  if (lane == 0 && bytes >= 4) return store(bytes == 4 ? Kind::f32 : Kind::f64, to, a);
  emit(extract_id(bytes, cpu_.avx), encode(to, bytes), rx(a), asmjit::Imm(lane));
}

// ---- shuffle

void MacroAssembler::vector_shuffle(const Lanes& lanes, Reg dst, Reg a, Reg b) {
  bool uses_a = false, uses_b = false;
  Lanes from_a, from_b;  // for pshufb: the top bit gives 0
  for (unsigned i = 0; i < 16; ++i) {
    const bool first = lanes[i] < 16;
    (first ? uses_a : uses_b) = true;
    from_a[i] = first ? lanes[i] : 0x80;
    from_b[i] = first ? 0x80 : lanes[i] & 15;
  }
  if (!uses_b) return shuffle_one(from_a, dst, a);
  if (!uses_a) return shuffle_one(from_b, dst, b);
  if (shuffle_two(lanes, dst, a, b)) return;
  const auto mask = [this](const Lanes& l) {
    std::uint64_t words[2];
    std::memcpy(words, l.data(), 16);
    return Src::of(pool(words[0], words[1]));
  };
  vex3(HEDDLE_P(shufb), kFloatScratch, b, mask(from_b));
  vex3(HEDDLE_P(shufb), dst, a, mask(from_a));
  vex3(HEDDLE_P(or), dst, dst, kFloatScratch);
}

void MacroAssembler::shuffle_one(const Lanes& lanes, Reg dst, Reg a) {
  if (is_run(lanes, 0)) return mov(Kind::v128, dst, a);
  std::uint8_t e[4];
  if (as_elements(lanes, 4, e))
    return vex2(HEDDLE_P(shufd), dst, a, static_cast<unsigned>(e[0] | e[1] << 2 | e[2] << 4 | e[3] << 6));
  std::uint64_t words[2];
  std::memcpy(words, lanes.data(), 16);
  vex3(HEDDLE_P(shufb), dst, a, Src::of(pool(words[0], words[1])));
}

/// One instruction on both, if there is one.
bool MacroAssembler::shuffle_two(const Lanes& lanes, Reg dst, Reg a, Reg b) {
  const auto emit_pair = [&](Vex op, bool b_first, int imm) {
    const Reg first = b_first ? b : a, second = b_first ? a : b;
    const Reg to = !cpu_.avx && dst == second ? kFloatScratch : dst;
    if (imm < 0)
      vex3(op, to, first, second);
    else
      vex3(op, to, first, Src::of(second), static_cast<unsigned>(imm));
    mov(Kind::v128, dst, to);
    return true;
  };
  // palignr: the second source's bytes, then the first one's.
  for (int k = 1; k < 16; ++k) {
    if (is_run(lanes, static_cast<unsigned>(k))) return emit_pair(HEDDLE_P(alignr), true, k);
    if (is_run(lanes, static_cast<unsigned>(16 + k))) return emit_pair(HEDDLE_P(alignr), false, k);
  }
  constexpr Vex kUnpack[2][4] = {
      {HEDDLE_P(unpcklbw), HEDDLE_P(unpcklwd), HEDDLE_P(unpckldq), HEDDLE_P(unpcklqdq)},
      {HEDDLE_P(unpckhbw), HEDDLE_P(unpckhwd), HEDDLE_P(unpckhdq), HEDDLE_P(unpckhqdq)},
  };
  for (unsigned log2 = 0; log2 < 4; ++log2) {
    for (const bool high : {false, true}) {
      if (is_interleaved(lanes, 1u << log2, high, 0, 16)) return emit_pair(kUnpack[high][log2], false, -1);
      if (is_interleaved(lanes, 1u << log2, high, 16, 0)) return emit_pair(kUnpack[high][log2], true, -1);
    }
  }
  std::uint8_t e[8];
  if (as_elements(lanes, 4, e)) {  // shufps: two of the first, then two of the second
    const bool b_first = e[0] >= 4;
    if ((e[1] >= 4) == b_first && (e[2] >= 4) != b_first && (e[3] >= 4) != b_first) {
      const int imm = (e[0] & 3) | (e[1] & 3) << 2 | (e[2] & 3) << 4 | (e[3] & 3) << 6;
      return emit_pair(HEDDLE_VEX(Shufps, shufps), b_first, imm);
    }
  }
  if (as_elements(lanes, 2, e)) {  // pblendw: every word stays where it is
    int imm = 0;
    for (unsigned i = 0; i < 8; ++i) {
      if ((e[i] & 7) != i) return false;
      if (e[i] >= 8) imm |= 1 << i;
    }
    return emit_pair(HEDDLE_P(blendw), false, imm);
  }
  return false;
}

// ---- shifts

namespace {

struct ShiftForm {
  Vex op;
  unsigned lane_bits;
};

/// Bytes are shifted as words.
ShiftForm shift_form(VectorOp op) {
  using O = VectorOp;
  switch (op) {
    case O::i8x16_shl: return {HEDDLE_P(sllw), 8};
    case O::i8x16_shr_s: return {HEDDLE_P(sraw), 8};
    case O::i8x16_shr_u: return {HEDDLE_P(srlw), 8};
    case O::i16x8_shl: return {HEDDLE_P(sllw), 16};
    case O::i16x8_shr_s: return {HEDDLE_P(sraw), 16};
    case O::i16x8_shr_u: return {HEDDLE_P(srlw), 16};
    case O::i32x4_shl: return {HEDDLE_P(slld), 32};
    case O::i32x4_shr_s: return {HEDDLE_P(srad), 32};
    case O::i32x4_shr_u: return {HEDDLE_P(srld), 32};
    case O::i64x2_shl: return {HEDDLE_P(sllq), 64};
    default: return {HEDDLE_P(srlq), 64};  // i64x2.shr_s too, unless AVX-512
  }
}

constexpr std::uint64_t kSign64 = std::uint64_t{1} << 63;

}  // namespace

void MacroAssembler::vector_shift(VectorOp op, Reg dst, Reg a, Reg count, Reg temp) {
  const ShiftForm form = shift_form(op);
  mov(Width::w32, kScratch, count);
  alu(Alu::and_, Width::w32, kScratch, Src::of(static_cast<std::int32_t>(form.lane_bits - 1)));
  if (form.lane_bits == 8) return shift_bytes(op, dst, a, temp);
  move_bits_to_float(Width::w32, kFloatScratch, kScratch);
  if (op != VectorOp::i64x2_shr_s) return vex3(form.op, dst, a, kFloatScratch);
  if (cpu_.avx512) return emit(Inst::kIdVpsraq, rx(dst), rx(a), rx(kFloatScratch));
  // The sign, shifted to where it is now: (x ^ s) - s extends it.
  load(Kind::v128, temp, splat64(kSign64).mem);
  vex3(HEDDLE_P(srlq), temp, temp, kFloatScratch);
  vex3(HEDDLE_P(srlq), dst, a, kFloatScratch);
  vex3(HEDDLE_P(xor), dst, dst, temp);
  vex3(HEDDLE_P(subq), dst, dst, temp);
}

/// The count is in kScratch.
void MacroAssembler::shift_bytes(VectorOp op, Reg dst, Reg a, Reg temp) {
  if (op == VectorOp::i8x16_shr_s) {  // each byte in the upper half of a word, shifted by 8 more
    alu(Alu::add, Width::w32, kScratch, Src::of(8));
    move_bits_to_float(Width::w32, kFloatScratch, kScratch);
    vex3(HEDDLE_P(unpckhbw), temp, a, a);
    vex3(HEDDLE_P(unpcklbw), dst, a, a);
    vex3(HEDDLE_P(sraw), temp, temp, kFloatScratch);
    vex3(HEDDLE_P(sraw), dst, dst, kFloatScratch);
    return vex3(HEDDLE_P(acksswb), dst, dst, temp);
  }
  // temp: bytes 0xff >> count, the bits that stay within their byte.
  const Reg wide = kFloatScratch;
  lea(Width::w32, kScratch, Address::at(kScratch, 8));
  move_bits_to_float(Width::w32, wide, kScratch);
  vector_ones(temp);
  vex3(HEDDLE_P(srlw), temp, temp, wide);
  vex3(HEDDLE_P(ackuswb), temp, temp, temp);
  alu(Alu::sub, Width::w32, kScratch, Src::of(8));
  move_bits_to_float(Width::w32, wide, kScratch);
  if (op == VectorOp::i8x16_shl) {
    vex3(HEDDLE_P(and), dst, a, temp);
    return vex3(HEDDLE_P(sllw), dst, dst, wide);
  }
  vex3(HEDDLE_P(srlw), dst, a, wide);
  vex3(HEDDLE_P(and), dst, dst, temp);
}

void MacroAssembler::vector_shift_imm(VectorOp op, Reg dst, Reg a, unsigned count, Reg temp) {
  const ShiftForm form = shift_form(op);
  count &= form.lane_bits - 1;
  switch (op) {
    case VectorOp::i8x16_shl:
      vex_shift(form.op, dst, a, count);
      return vex3(HEDDLE_P(and), dst, dst, splat8(static_cast<std::uint8_t>(0xff << count)));
    case VectorOp::i8x16_shr_u:
      vex_shift(form.op, dst, a, count);
      return vex3(HEDDLE_P(and), dst, dst, splat8(static_cast<std::uint8_t>(0xff >> count)));
    case VectorOp::i8x16_shr_s:
      vex3(HEDDLE_P(unpckhbw), temp, a, a);
      vex3(HEDDLE_P(unpcklbw), dst, a, a);
      vex_shift(HEDDLE_P(sraw), temp, temp, 8 + count);
      vex_shift(HEDDLE_P(sraw), dst, dst, 8 + count);
      return vex3(HEDDLE_P(acksswb), dst, dst, temp);
    case VectorOp::i64x2_shr_s:
      if (cpu_.avx512) return emit(Inst::kIdVpsraq, rx(dst), rx(a), asmjit::Imm(count));
      vex_shift(form.op, dst, a, count);
      vex3(HEDDLE_P(xor), dst, dst, splat64(kSign64 >> count));
      return vex3(HEDDLE_P(subq), dst, dst, splat64(kSign64 >> count));
    default: return vex_shift(form.op, dst, a, count);
  }
}

}  // namespace heddle::baseline::x64
