// Float half of the macro assembler. With AVX every operation takes its three-operand form; without, the first source
// is moved to the destination first.
#include "base/check.h"
#include "baseline/x64/encode.h"
#include "baseline/x64/macro_assembler.h"

namespace heddle::baseline::x64 {

namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

namespace {

struct Ids {
  asmjit::InstId sse[2];  // f32, f64
  asmjit::InstId avx[2];
};

constexpr Ids kFloatOps[] = {
    {{Inst::kIdAddss, Inst::kIdAddsd}, {Inst::kIdVaddss, Inst::kIdVaddsd}},
    {{Inst::kIdSubss, Inst::kIdSubsd}, {Inst::kIdVsubss, Inst::kIdVsubsd}},
    {{Inst::kIdMulss, Inst::kIdMulsd}, {Inst::kIdVmulss, Inst::kIdVmulsd}},
    {{Inst::kIdDivss, Inst::kIdDivsd}, {Inst::kIdVdivss, Inst::kIdVdivsd}},
    {{Inst::kIdMinss, Inst::kIdMinsd}, {Inst::kIdVminss, Inst::kIdVminsd}},
    {{Inst::kIdMaxss, Inst::kIdMaxsd}, {Inst::kIdVmaxss, Inst::kIdVmaxsd}},
};
constexpr asmjit::InstId kBitsSse[] = {Inst::kIdAndps, Inst::kIdAndnps, Inst::kIdOrps, Inst::kIdXorps};
constexpr asmjit::InstId kBitsAvx[] = {Inst::kIdVandps, Inst::kIdVandnps, Inst::kIdVorps, Inst::kIdVxorps};

int index_of(Kind kind) {
  return kind == Kind::f64 ? 1 : 0;
}
std::uint32_t bytes_of(Kind kind) {
  return kind == Kind::f64 ? 8 : 4;
}

}  // namespace

void MacroAssembler::float_op(FloatOp op, Kind kind, Reg dst, Reg a, const Src& b) {
  const Ids& ids = kFloatOps[static_cast<int>(op)];
  const int i = index_of(kind);
  if (cpu_.avx) {
    if (b.is_mem())
      emit(ids.avx[i], rx(dst), rx(a), encode(b.mem, bytes_of(kind)));
    else
      emit(ids.avx[i], rx(dst), rx(a), rx(b.reg));
    return;
  }
  if (b.is_reg() && b.reg == dst && dst != a) {
    emit(Inst::kIdMovaps, rx(kFloatScratch), rx(b.reg));
    emit(Inst::kIdMovaps, rx(dst), rx(a));
    emit(ids.sse[i], rx(dst), rx(kFloatScratch));
    return;
  }
  if (dst != a) emit(Inst::kIdMovaps, rx(dst), rx(a));
  if (b.is_mem())
    emit(ids.sse[i], rx(dst), encode(b.mem, bytes_of(kind)));
  else
    emit(ids.sse[i], rx(dst), rx(b.reg));
}

void MacroAssembler::float_sqrt(Kind kind, Reg dst, const Src& src) {
  const bool d = kind == Kind::f64;
  if (src.is_mem()) {
    load(kind, dst, src.mem);
    return float_sqrt(kind, dst, Src::of(dst));
  }
  if (cpu_.avx)
    emit(d ? Inst::kIdVsqrtsd : Inst::kIdVsqrtss, rx(dst), rx(src.reg), rx(src.reg));
  else
    emit(d ? Inst::kIdSqrtsd : Inst::kIdSqrtss, rx(dst), rx(src.reg));
}

void MacroAssembler::float_round(Kind kind, Rounding mode, Reg dst, const Src& src) {
  const bool d = kind == Kind::f64;
  if (src.is_mem()) {
    load(kind, dst, src.mem);
    return float_round(kind, mode, dst, Src::of(dst));
  }
  const auto imm = asmjit::Imm(static_cast<int>(mode) | 8);  // 8: no inexact exception
  if (cpu_.avx)
    emit(d ? Inst::kIdVroundsd : Inst::kIdVroundss, rx(dst), rx(src.reg), rx(src.reg), imm);
  else
    emit(d ? Inst::kIdRoundsd : Inst::kIdRoundss, rx(dst), rx(src.reg), imm);
}

void MacroAssembler::float_bits(BitOp op, Reg dst, Reg a, const Src& b) {
  const int i = static_cast<int>(op);
  if (cpu_.avx) {
    if (b.is_mem())
      emit(kBitsAvx[i], rx(dst), rx(a), encode(b.mem, 16));
    else
      emit(kBitsAvx[i], rx(dst), rx(a), rx(b.reg));
    return;
  }
  if (b.is_reg() && b.reg == dst && dst != a) {
    emit(Inst::kIdMovaps, rx(kFloatScratch), rx(b.reg));
    emit(Inst::kIdMovaps, rx(dst), rx(a));
    emit(kBitsSse[i], rx(dst), rx(kFloatScratch));
    return;
  }
  if (dst != a) emit(Inst::kIdMovaps, rx(dst), rx(a));
  if (b.is_mem())
    emit(kBitsSse[i], rx(dst), encode(b.mem, 16));
  else
    emit(kBitsSse[i], rx(dst), rx(b.reg));
}

void MacroAssembler::float_zero(Reg dst) {
  if (cpu_.avx)
    emit(Inst::kIdVxorps, rx(dst), rx(dst), rx(dst));
  else
    emit(Inst::kIdXorps, rx(dst), rx(dst));
}

void MacroAssembler::load_float_const(Kind kind, Reg dst, std::uint64_t lo, std::uint64_t hi) {
  if (lo == 0 && hi == 0) return float_zero(dst);
  load(kind, dst, pool(lo, hi));
}

void MacroAssembler::float_compare(Kind kind, Reg a, const Src& b) {
  const bool d = kind == Kind::f64;
  const auto id = cpu_.avx ? (d ? Inst::kIdVucomisd : Inst::kIdVucomiss) : (d ? Inst::kIdUcomisd : Inst::kIdUcomiss);
  if (b.is_mem())
    emit(id, rx(a), encode(b.mem, bytes_of(kind)));
  else
    emit(id, rx(a), rx(b.reg));
}

void MacroAssembler::int_to_float(Width from, Kind to, Reg dst, const Src& src) {
  float_zero(dst);  // the conversion writes a part of dst only: break the dependence on its old value
  const bool d = to == Kind::f64;
  const auto id =
      cpu_.avx ? (d ? Inst::kIdVcvtsi2sd : Inst::kIdVcvtsi2ss) : (d ? Inst::kIdCvtsi2sd : Inst::kIdCvtsi2ss);
  const auto convert = [&](const asmjit::Operand_& s) {
    if (cpu_.avx)
      emit(id, rx(dst), rx(dst), s);
    else
      emit(id, rx(dst), s);
  };
  if (src.is_mem())
    convert(encode(src.mem, from == Width::w32 ? 4 : 8));
  else if (from == Width::w32)
    convert(r32(src.reg));
  else
    convert(r64(src.reg));
}

void MacroAssembler::float_to_int(Kind from, Width to, Reg dst, Reg src) {
  const bool d = from == Kind::f64;
  const auto id =
      cpu_.avx ? (d ? Inst::kIdVcvttsd2si : Inst::kIdVcvttss2si) : (d ? Inst::kIdCvttsd2si : Inst::kIdCvttss2si);
  if (to == Width::w32)
    emit(id, r32(dst), rx(src));
  else
    emit(id, r64(dst), rx(src));
}

void MacroAssembler::promote(Reg dst, const Src& src) {
  if (src.is_mem()) {
    load(Kind::f32, dst, src.mem);
    return promote(dst, Src::of(dst));
  }
  if (cpu_.avx)
    emit(Inst::kIdVcvtss2sd, rx(dst), rx(src.reg), rx(src.reg));
  else
    emit(Inst::kIdCvtss2sd, rx(dst), rx(src.reg));
}

void MacroAssembler::demote(Reg dst, const Src& src) {
  if (src.is_mem()) {
    load(Kind::f64, dst, src.mem);
    return demote(dst, Src::of(dst));
  }
  if (cpu_.avx)
    emit(Inst::kIdVcvtsd2ss, rx(dst), rx(src.reg), rx(src.reg));
  else
    emit(Inst::kIdCvtsd2ss, rx(dst), rx(src.reg));
}

void MacroAssembler::move_bits_to_int(Width w, Reg dst, Reg src) {
  if (w == Width::w32)
    emit(cpu_.avx ? Inst::kIdVmovd : Inst::kIdMovd, r32(dst), rx(src));
  else
    emit(cpu_.avx ? Inst::kIdVmovq : Inst::kIdMovq, r64(dst), rx(src));
}

void MacroAssembler::move_bits_to_float(Width w, Reg dst, Reg src) {
  if (w == Width::w32)
    emit(cpu_.avx ? Inst::kIdVmovd : Inst::kIdMovd, rx(dst), r32(src));
  else
    emit(cpu_.avx ? Inst::kIdVmovq : Inst::kIdMovq, rx(dst), r64(src));
}

}  // namespace heddle::baseline::x64
