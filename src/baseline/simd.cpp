// Vectors: operands from the shadow stack to registers and back; what the machine does with them is in
// x64/macro_assembler_simd*.cpp. https://webassembly.github.io/spec/core/exec/instructions.html#vector-instructions
//
// Relaxed operations give the strict result where there is one, a fused multiply-add where the processor has it, and
// for dot products what pmaddubsw makes of a second operand above 7 bits. The LLVM tier chooses the same.
#include <cstring>
#include <utility>

#include "base/check.h"
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::VectorForm;

namespace {

std::uint64_t word_at(const std::uint8_t* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// What a scalar looks like in every lane.
std::uint64_t repeated(spec::Opcode splat, std::uint64_t bits) {
  using O = spec::Opcode;
  switch (splat) {
    case O::i8x16_splat: return (bits & 0xff) * 0x0101010101010101u;
    case O::i16x8_splat: return (bits & 0xffff) * 0x0001000100010001u;
    case O::i32x4_splat:
    case O::f32x4_splat: return (bits & 0xffffffff) * 0x0000000100000001u;
    default: return bits;
  }
}

struct LaneType {
  Kind kind;       ///< of the scalar
  unsigned bytes;  ///< in the vector
};

LaneType lane_type(spec::Opcode op) {
  using O = spec::Opcode;
  switch (op) {
    case O::i8x16_extract_lane_s:
    case O::i8x16_extract_lane_u: return {Kind::i32, 1};
    case O::i16x8_extract_lane_s:
    case O::i16x8_extract_lane_u: return {Kind::i32, 2};
    case O::i32x4_extract_lane: return {Kind::i32, 4};
    case O::i64x2_extract_lane: return {Kind::i64, 8};
    case O::f32x4_extract_lane: return {Kind::f32, 4};
    case O::f64x2_extract_lane: return {Kind::f64, 8};
    default: HEDDLE_UNREACHABLE("extract_lane has eight forms");
  }
}

}  // namespace

// ---- operands

void Compiler::push_vector_const(std::uint64_t lo, std::uint64_t hi) {
  v128_consts_.push_back({lo, hi});
  push_const(Kind::v128, v128_consts_.size() - 1);
}

/// In a register to read from; if it must be loaded, then to the destination, unless `busy` still needs that.
Reg Compiler::vector_operand(Value& v, const Dest& d, const Value* busy) {
  const bool in_register = v.is_reg() || (v.where == Where::local && locals_[v.local].pin.valid());
  if (in_register || (d.local != Dest::kNoLocal && busy != nullptr && busy->is_local(d.local))) return to_reg(v);
  load_to(v, d.reg);
  return d.reg;
}

Reg Compiler::vector_temp(Opcode op) {
  return masm_.vector_form(op).one_step ? Reg{} : alloc_float();
}

// ---- constants and arithmetic

base::Status Compiler::on_SimdConst(Opcode, const binary::imm::V128Const& imm) {
  push_vector_const(word_at(imm.bytes.data()), word_at(imm.bytes.data() + 8));
  return {};
}

base::Status Compiler::on_SimdUnary(Opcode op, const None&) {
  Value v = pop();
  const Dest d = dest_for(Kind::v128, &v, nullptr, after_immediates(1));
  const Reg a = vector_operand(v, d, nullptr);
  const Reg temp = vector_temp(op);
  masm_.vector_unary(op, d.reg, a, temp);
  if (temp.valid()) free_reg(temp);
  finish(d, Kind::v128, v);
  return {};
}

base::Status Compiler::on_SimdBinary(Opcode op, const None&) {
  const VectorForm form = masm_.vector_form(op);
  const std::uint8_t* next = after_immediates(1);
  Value rhs = pop(), lhs = pop();
  if (form.swapped) std::swap(lhs, rhs);
  if (form.commutes && !in_temp(lhs) && (in_temp(rhs) || lhs.is_const())) std::swap(lhs, rhs);
  if (form.commutes && rhs.is_local(hinted_local(Kind::v128, next))) std::swap(lhs, rhs);
  const Dest d = dest_for(Kind::v128, &lhs, form.any_dst ? nullptr : &rhs, next);
  const Reg a = vector_operand(lhs, d, &rhs);
  if (form.one_step) {
    masm_.vector_binary(op, d.reg, a, float_source(rhs), Reg{});
  } else {
    const Reg b = to_reg(rhs), temp = alloc_float();
    masm_.vector_binary(op, d.reg, a, Src::of(b), temp);
    free_reg(temp);
  }
  finish(d, Kind::v128, lhs, rhs);
  return {};
}

base::Status Compiler::on_SimdTernary(Opcode op, const None&) {
  const std::uint8_t* next = after_immediates(1);
  Value third = pop(), second = pop(), first = pop();
  if (masm_.vector_form(op).swapped) std::swap(first, second);
  if (third.is_local(hinted_local(Kind::v128, next))) next = body_end_;  // the result must not go there
  const Dest d = dest_for(Kind::v128, &first, &second, next);
  const Reg a = vector_operand(first, d, nullptr), b = to_reg(second);
  masm_.vector_ternary(op, d.reg, a, b, float_source(third));
  release(third);
  finish(d, Kind::v128, first, second);
  return {};
}

base::Status Compiler::on_SimdShift(Opcode op, const None&) {
  Value count = pop(), v = pop();
  const Dest d = dest_for(Kind::v128, &v, nullptr, after_immediates(1));
  const Reg a = vector_operand(v, d, nullptr), temp = vector_temp(op);
  if (count.is_const())
    masm_.vector_shift_imm(op, d.reg, a, static_cast<unsigned>(count.bits), temp);
  else
    masm_.vector_shift(op, d.reg, a, to_reg(count), temp);
  if (temp.valid()) free_reg(temp);
  finish(d, Kind::v128, v, count);
  return {};
}

base::Status Compiler::on_SimdShuffle(Opcode, const binary::imm::Shuffle& imm) {
  Value rhs = pop(), lhs = pop();
  const Dest d = dest_for(Kind::v128, &lhs, &rhs, after_immediates(17));
  const Reg a = vector_operand(lhs, d, &rhs), b = to_reg(rhs);
  masm_.vector_shuffle(imm.lanes, d.reg, a, b);
  finish(d, Kind::v128, lhs, rhs);
  return {};
}

// ---- vectors and scalars

base::Status Compiler::on_SimdSplat(Opcode op, const None&) {
  Value v = pop();
  if (v.is_const()) {
    const std::uint64_t word = repeated(op, v.bits);
    push_vector_const(word, word);
    return {};
  }
  const Dest d = dest_for(Kind::v128, &v, nullptr, after_immediates(1));
  masm_.vector_splat(op, d.reg, to_reg(v));
  finish(d, Kind::v128, v);
  return {};
}

base::Status Compiler::on_SimdExtractLane(Opcode op, const binary::imm::Lane& imm) {
  const LaneType lane = lane_type(op);
  Value v = pop();
  const Dest d = dest_for(lane.kind, &v, nullptr, after_immediates(2));
  const Src s = float_source(v);
  if (s.is_mem()) {
    const Address at = s.mem.plus(static_cast<std::int32_t>(imm.lane * lane.bytes));
    const bool sign = op == Opcode::i8x16_extract_lane_s || op == Opcode::i16x8_extract_lane_s;
    if (is_float_class(lane.kind))
      masm_.load(lane.kind, d.reg, at);
    else
      masm_.load_int(d.reg, at, lane.bytes, sign, width_of(lane.kind));
  } else {
    masm_.vector_extract(op, imm.lane, d.reg, s.reg);
  }
  finish(d, lane.kind, v);
  return {};
}

base::Status Compiler::on_SimdReplaceLane(Opcode op, const binary::imm::Lane& imm) {
  Value scalar = pop(), v = pop();
  const Dest d = dest_for(Kind::v128, &v, &scalar, after_immediates(2));
  const Reg a = vector_operand(v, d, nullptr);
  const Src b = is_float_class(scalar.kind) ? float_source(scalar) : source_no_imm(scalar);
  masm_.vector_replace(op, imm.lane, d.reg, a, b);
  finish(d, Kind::v128, v, scalar);
  return {};
}

base::Status Compiler::on_SimdTest(Opcode op, const None&) {
  Value v = pop();
  const Reg a = to_reg(v);
  switch (op) {
    case Opcode::i8x16_bitmask:
    case Opcode::i16x8_bitmask:
    case Opcode::i32x4_bitmask:
    case Opcode::i64x2_bitmask: {
      const Dest d = dest_for(Kind::i32, nullptr, nullptr, after_immediates(1));
      masm_.vector_bitmask(op, d.reg, a);
      finish(d, Kind::i32, v);
      return {};
    }
    default: {
      const Cond yes = masm_.vector_test(op, a);
      release(v);
      push_flags(yes);
      return {};
    }
  }
}

// ---- memory

/// Behind the instruction: the sub-opcode, the memory argument, and `more` bytes.
const std::uint8_t* Compiler::after_vector_memarg(unsigned more) const {
  const std::uint8_t* flags = after_immediates(1);
  return after_immediates(((*flags & 0x40) != 0 ? 4 : 3) + more);
}

base::Status Compiler::on_SimdLoad(Opcode op, const binary::imm::MemArg& imm) {
  const Access a = access(imm, spec::opcode_info(op).memory_bytes);
  const Dest d = dest_for(Kind::v128, &a.index, nullptr, after_vector_memarg(0));
  const Address at = ready(a);
  memory_site(a);
  masm_.vector_load(op, d.reg, at);
  finish(d, Kind::v128, a.index);
  return {};
}

base::Status Compiler::on_SimdStore(Opcode, const binary::imm::MemArg& imm) {
  Value v = pop();
  const Reg r = to_reg(v);
  const Access a = access(imm, 16);
  const Address at = ready(a);
  memory_site(a);
  masm_.store(Kind::v128, at, r);
  release(a.index);
  release(v);
  return {};
}

base::Status Compiler::on_SimdLoadLane(Opcode op, const binary::imm::MemArgLane& imm) {
  const unsigned bytes = spec::opcode_info(op).memory_bytes;
  Value v = pop();
  const Dest d = dest_for(Kind::v128, &v, nullptr, after_vector_memarg(1));
  Reg from = vector_operand(v, d, nullptr);
  if (!masm_.cpu().avx) {
    masm_.mov(Kind::v128, d.reg, from);
    from = d.reg;
  }
  const Access a = access(imm.memarg, bytes);
  const Address at = ready(a);
  memory_site(a);
  masm_.vector_load_lane(bytes, imm.lane, d.reg, from, at);
  release(a.index);
  finish(d, Kind::v128, v);
  return {};
}

base::Status Compiler::on_SimdStoreLane(Opcode op, const binary::imm::MemArgLane& imm) {
  const unsigned bytes = spec::opcode_info(op).memory_bytes;
  Value v = pop();
  const Reg r = to_reg(v);
  const Access a = access(imm.memarg, bytes);
  const Address at = ready(a);
  memory_site(a);
  masm_.vector_store_lane(bytes, imm.lane, at, r);
  release(a.index);
  release(v);
  return {};
}

}  // namespace heddle::baseline
