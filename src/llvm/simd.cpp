// Vectors: every value is <2 x i64> between instructions and seen as the shape that the opcode's name begins with.
// https://webassembly.github.io/spec/core/exec/numerics.html (vector operations are lane-wise scalar ones)
// Relaxed operations give what the host does best, the same choice as the baseline tier (both results are allowed
// there).
#include <algorithm>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <numeric>

#include "base/cpu_features.h"
#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;
namespace I = llvm::Intrinsic;

namespace {

/// "i8x16" of "i8x16.add".
std::string_view shape_name(std::string_view text) {
  return text.substr(0, text.find('.'));
}
/// "add" of "i8x16.add".
std::string_view operation(std::string_view text) {
  return text.substr(text.find('.') + 1);
}

bool is_unsigned(std::string_view text) {
  return text.ends_with("_u") || text.ends_with("_u_zero");
}

llvm::FixedVectorType* shape_type(llvm::LLVMContext& context, std::string_view shape) {
  const auto ints = [&](unsigned bits, unsigned lanes) {
    return llvm::FixedVectorType::get(llvm::Type::getIntNTy(context, bits), lanes);
  };
  if (shape == "i8x16") return ints(8, 16);
  if (shape == "i16x8") return ints(16, 8);
  if (shape == "i32x4") return ints(32, 4);
  if (shape == "f32x4") return llvm::FixedVectorType::get(llvm::Type::getFloatTy(context), 4);
  if (shape == "f64x2") return llvm::FixedVectorType::get(llvm::Type::getDoubleTy(context), 2);
  return ints(64, 2);
}

std::vector<int> indices(int first, int count, int step) {
  std::vector<int> mask(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) mask[static_cast<std::size_t>(i)] = first + i * step;
  return mask;
}

/// Shorthand for the operations on one instruction's operands.
class Lanes {
 public:
  using Value = llvm::Value;
  Lanes(llvm::IRBuilder<>& ir, std::string_view text) : ir_(ir), text_(text), type_(shape(shape_name(text))) {}

  llvm::FixedVectorType* shape(std::string_view name) const { return shape_type(ir_.getContext(), name); }
  llvm::FixedVectorType* type() const { return type_; }
  Value* as(Value* v, llvm::Type* type) const { return ir_.CreateBitCast(v, type); }
  Value* as(Value* v) const { return as(v, type_); }
  Value* pack(Value* v) const { return as(v, shape("i64x2")); }
  Value* splat(std::uint64_t n, llvm::FixedVectorType* type) const { return llvm::ConstantInt::get(type, n); }

  Value* widen(Value* v, bool is_unsigned_) const {
    auto* from = llvm::cast<llvm::FixedVectorType>(v->getType());
    auto* to = llvm::FixedVectorType::get(ir_.getIntNTy(from->getScalarSizeInBits() * 2), from->getNumElements());
    return is_unsigned_ ? ir_.CreateZExt(v, to) : ir_.CreateSExt(v, to);
  }
  Value* half(Value* v, bool high) const {
    const int lanes = static_cast<int>(llvm::cast<llvm::FixedVectorType>(v->getType())->getNumElements());
    return ir_.CreateShuffleVector(v, indices(high ? lanes / 2 : 0, lanes / 2, 1));
  }
  Value* pairwise_sum(Value* wide) const {
    const int lanes = static_cast<int>(llvm::cast<llvm::FixedVectorType>(wide->getType())->getNumElements());
    return ir_.CreateAdd(ir_.CreateShuffleVector(wide, indices(0, lanes / 2, 2)),
                         ir_.CreateShuffleVector(wide, indices(1, lanes / 2, 2)));
  }
  Value* with_zeros(Value* two) const {
    Value* zeros = llvm::Constant::getNullValue(two->getType());
    return ir_.CreateShuffleVector(two, zeros, indices(0, 4, 1));
  }
  /// Of pairs of bytes: a's as signed, b's (7 bits, says the instruction) as unsigned, saturated to i16x8.
  Value* relaxed_dot(Value* a, Value* b) const {
    auto* bytes = shape("i8x16");
    return ir_.CreateIntrinsic(llvm::Intrinsic::x86_ssse3_pmadd_ub_sw_128, {}, {as(b, bytes), as(a, bytes)});
  }
  Value* clamp(Value* v, std::int64_t low, std::int64_t high) const {
    auto* type = llvm::cast<llvm::FixedVectorType>(v->getType());
    Value* at_least = ir_.CreateBinaryIntrinsic(I::smax, v, llvm::ConstantInt::getSigned(type, low));
    return ir_.CreateBinaryIntrinsic(I::smin, at_least, llvm::ConstantInt::getSigned(type, high));
  }

 private:
  llvm::IRBuilder<>& ir_;
  std::string_view text_;
  llvm::FixedVectorType* type_;
};

/// Shape named after the last underscore group, e.g. "i8x16" of "extend_low_i8x16_s", or empty.
std::string_view inner_shape(std::string_view op) {
  for (std::string_view shape : {"i8x16", "i16x8", "i32x4", "f32x4", "f64x2"})
    if (op.find(shape) != std::string_view::npos) return shape;
  return {};
}

std::optional<llvm::CmpInst::Predicate> predicate(std::string_view op, bool is_float) {
  using P = llvm::CmpInst::Predicate;
  if (op == "eq") return is_float ? P::FCMP_OEQ : P::ICMP_EQ;
  if (op == "ne") return is_float ? P::FCMP_UNE : P::ICMP_NE;
  if (op == "lt" || op == "lt_s") return is_float ? P::FCMP_OLT : P::ICMP_SLT;
  if (op == "gt" || op == "gt_s") return is_float ? P::FCMP_OGT : P::ICMP_SGT;
  if (op == "le" || op == "le_s") return is_float ? P::FCMP_OLE : P::ICMP_SLE;
  if (op == "ge" || op == "ge_s") return is_float ? P::FCMP_OGE : P::ICMP_SGE;
  if (op == "lt_u") return P::ICMP_ULT;
  if (op == "gt_u") return P::ICMP_UGT;
  if (op == "le_u") return P::ICMP_ULE;
  if (op == "ge_u") return P::ICMP_UGE;
  return std::nullopt;
}

std::optional<I::ID> float_unary(std::string_view op) {
  if (op == "abs") return I::fabs;
  if (op == "sqrt") return I::sqrt;
  if (op == "ceil") return I::ceil;
  if (op == "floor") return I::floor;
  if (op == "trunc") return I::trunc;
  if (op == "nearest") return I::roundeven;
  return std::nullopt;
}

std::optional<I::ID> int_binary(std::string_view op) {
  if (op == "add_sat_s") return I::sadd_sat;
  if (op == "add_sat_u") return I::uadd_sat;
  if (op == "sub_sat_s") return I::ssub_sat;
  if (op == "sub_sat_u") return I::usub_sat;
  if (op == "min_s") return I::smin;
  if (op == "min_u") return I::umin;
  if (op == "max_s") return I::smax;
  if (op == "max_u") return I::umax;
  return std::nullopt;
}

}  // namespace

base::Status IrFunction::on_SimdConst(Opcode, const imm::V128Const& i) {
  std::uint64_t words[2];
  std::copy_n(i.bytes.data(), 16, reinterpret_cast<std::uint8_t*>(words));
  push(llvm::ConstantDataVector::get(ir_.getContext(), llvm::ArrayRef<std::uint64_t>(words, 2)));
  return {};
}

base::Status IrFunction::on_SimdShuffle(Opcode, const imm::Shuffle& i) {
  Lanes l(ir_, "i8x16.");
  Value* b = l.as(pop());
  Value* a = l.as(pop());
  push(l.pack(ir_.CreateShuffleVector(a, b, std::vector<int>(i.lanes.begin(), i.lanes.end()))));
  return {};
}

base::Status IrFunction::on_SimdSplat(Opcode op, const imm::None&) {
  Lanes l(ir_, spec::opcode_info(op).text());
  Value* v = pop();
  llvm::Type* lane = l.type()->getElementType();
  if (lane->isIntegerTy() && lane != v->getType()) v = ir_.CreateTrunc(v, lane);
  push(l.pack(ir_.CreateVectorSplat(l.type()->getNumElements(), v)));
  return {};
}

base::Status IrFunction::on_SimdExtractLane(Opcode op, const imm::Lane& i) {
  const std::string_view text = spec::opcode_info(op).text();
  Lanes l(ir_, text);
  Value* v = ir_.CreateExtractElement(l.as(pop()), i.lane);
  if (v->getType()->isIntegerTy() && v->getType()->getIntegerBitWidth() < 32)
    v = is_unsigned(text) ? ir_.CreateZExt(v, ir_.getInt32Ty()) : ir_.CreateSExt(v, ir_.getInt32Ty());
  push(v);
  return {};
}

base::Status IrFunction::on_SimdReplaceLane(Opcode op, const imm::Lane& i) {
  Lanes l(ir_, spec::opcode_info(op).text());
  Value* v = pop();
  Value* vector = l.as(pop());
  llvm::Type* lane = l.type()->getElementType();
  if (lane->isIntegerTy() && lane != v->getType()) v = ir_.CreateTrunc(v, lane);
  push(l.pack(ir_.CreateInsertElement(vector, v, i.lane)));
  return {};
}

base::Status IrFunction::on_SimdTest(Opcode op, const imm::None&) {
  const std::string_view text = spec::opcode_info(op).text();
  Lanes l(ir_, text);
  const std::string_view name = operation(text);
  Value* v = pop();
  if (name == "any_true") {
    push_bool(ir_.CreateICmpNE(ir_.CreateBitCast(v, ir_.getIntNTy(128)), ir_.getIntN(128, 0)));
  } else if (name == "all_true") {
    Value* zero_lanes = ir_.CreateICmpEQ(l.as(v), llvm::Constant::getNullValue(l.type()));
    push_bool(ir_.CreateNot(ir_.CreateOrReduce(zero_lanes)));
  } else {  // bitmask: the sign of each lane
    Value* signs = ir_.CreateICmpSLT(l.as(v), llvm::Constant::getNullValue(l.type()));
    push(ir_.CreateZExt(ir_.CreateBitCast(signs, ir_.getIntNTy(l.type()->getNumElements())), ir_.getInt32Ty()));
  }
  return {};
}

base::Status IrFunction::on_SimdShift(Opcode op, const imm::None&) {
  const std::string_view text = spec::opcode_info(op).text();
  Lanes l(ir_, text);
  const std::string_view name = operation(text);
  const unsigned bits = l.type()->getScalarSizeInBits();
  Value* amount = ir_.CreateAnd(pop(), ir_.getInt32(bits - 1));
  Value* lane =
      bits == 64 ? ir_.CreateZExt(amount, ir_.getInt64Ty()) : ir_.CreateZExtOrTrunc(amount, ir_.getIntNTy(bits));
  Value* by = ir_.CreateVectorSplat(l.type()->getNumElements(), lane);
  Value* v = l.as(pop());
  push(l.pack(name == "shl" ? ir_.CreateShl(v, by) : name == "shr_s" ? ir_.CreateAShr(v, by) : ir_.CreateLShr(v, by)));
  return {};
}

base::Status IrFunction::on_SimdUnary(Opcode op, const imm::None&) {
  const std::string_view text = spec::opcode_info(op).text();
  Lanes l(ir_, text);
  std::string_view name = operation(text);
  constexpr std::string_view kRelaxed = "relaxed_";
  if (name.starts_with(kRelaxed)) name.remove_prefix(kRelaxed.size());  // trunc: the saturating one is allowed
  Value* v = pop();
  const bool is_float = l.type()->getElementType()->isFloatingPointTy();
  const auto result = [&](Value* value) {
    push(l.pack(value));
    return base::Status();
  };
  const std::string_view inner = inner_shape(name);
  Value* from = inner.empty() ? nullptr : l.as(v, l.shape(inner));
  if (op == Opcode::v128_not) return result(ir_.CreateNot(v));
  if (is_float && name == "neg") return result(ir_.CreateFNeg(l.as(v)));
  if (const auto id = float_unary(name); is_float && id) return result(ir_.CreateUnaryIntrinsic(*id, l.as(v)));
  if (name == "neg") return result(ir_.CreateNeg(l.as(v)));
  if (name == "abs") return result(ir_.CreateBinaryIntrinsic(I::abs, l.as(v), ir_.getFalse()));
  if (name == "popcnt") return result(ir_.CreateUnaryIntrinsic(I::ctpop, l.as(v)));
  if (name.starts_with("extadd_pairwise")) return result(l.pairwise_sum(l.widen(from, is_unsigned(name))));
  if (name.starts_with("extend_"))
    return result(l.widen(l.half(from, name.starts_with("extend_high")), is_unsigned(name)));
  if (name.starts_with("trunc_")) {  // saturating
    auto* lanes = llvm::FixedVectorType::get(ir_.getInt32Ty(),
                                             llvm::cast<llvm::FixedVectorType>(from->getType())->getNumElements());
    Value* whole =
        ir_.CreateIntrinsic(is_unsigned(name) ? I::fptoui_sat : I::fptosi_sat, {lanes, from->getType()}, {from});
    return result(lanes->getNumElements() == 2 ? l.with_zeros(whole) : whole);
  }
  if (name.starts_with("convert_")) {
    Value* ints = name.starts_with("convert_low") ? l.half(from, false) : from;
    return result(is_unsigned(name) ? ir_.CreateUIToFP(ints, l.type()) : ir_.CreateSIToFP(ints, l.type()));
  }
  if (name.starts_with("demote_"))
    return result(l.with_zeros(ir_.CreateFPTrunc(from, llvm::FixedVectorType::get(ir_.getFloatTy(), 2))));
  if (name.starts_with("promote_")) return result(ir_.CreateFPExt(l.half(from, false), l.type()));
  return leave_to_baseline(op);
}

base::Status IrFunction::on_SimdBinary(Opcode op, const imm::None&) {
  const std::string_view text = spec::opcode_info(op).text();
  Lanes l(ir_, text);
  std::string_view name = operation(text);
  constexpr std::string_view kRelaxed = "relaxed_";
  const bool relaxed = name.starts_with(kRelaxed);
  if (relaxed) name.remove_prefix(kRelaxed.size());
  Value* raw_b = pop();
  Value* raw_a = pop();
  Value* a = l.as(raw_a);
  Value* b = l.as(raw_b);
  const bool is_float = l.type()->getElementType()->isFloatingPointTy();
  const auto result = [&](Value* value) {
    push(l.pack(value));
    return base::Status();
  };
  if (name == "and") return result(ir_.CreateAnd(a, b));
  if (name == "or") return result(ir_.CreateOr(a, b));
  if (name == "xor") return result(ir_.CreateXor(a, b));
  if (name == "andnot") return result(ir_.CreateAnd(a, ir_.CreateNot(b)));
  if (const auto compare = predicate(name, is_float)) {
    auto* mask = llvm::FixedVectorType::get(ir_.getIntNTy(l.type()->getScalarSizeInBits()), l.type()->getNumElements());
    return result(ir_.CreateSExt(ir_.CreateCmp(*compare, a, b), mask));
  }
  if (is_float) {
    Value* fa = opaque_if_constant(a);
    Value* fb = opaque_if_constant(b);
    if (name == "add") return result(ir_.CreateFAdd(fa, fb));
    if (name == "sub") return result(ir_.CreateFSub(fa, fb));
    if (name == "mul") return result(ir_.CreateFMul(fa, fb));
    if (name == "div") return result(ir_.CreateFDiv(fa, fb));
    if (name == "min") return result(quiet_min_max(I::minimum, fa, fb));
    if (name == "max") return result(quiet_min_max(I::maximum, fa, fb));
    if (name == "pmin") return result(ir_.CreateSelect(ir_.CreateFCmpOLT(b, a), b, a));
    if (name == "pmax") return result(ir_.CreateSelect(ir_.CreateFCmpOLT(a, b), b, a));
    return leave_to_baseline(op);
  }
  if (const auto id = int_binary(name)) return result(ir_.CreateBinaryIntrinsic(*id, a, b));
  if (name == "add") return result(ir_.CreateAdd(a, b));
  if (name == "sub") return result(ir_.CreateSub(a, b));
  if (name == "mul") return result(ir_.CreateMul(a, b));
  if (name == "avgr_u") {
    Value* wide_a = l.widen(a, true);
    Value* sum = ir_.CreateAdd(ir_.CreateAdd(wide_a, l.widen(b, true)), llvm::ConstantInt::get(wide_a->getType(), 1));
    return result(ir_.CreateTrunc(ir_.CreateLShr(sum, 1), l.type()));
  }
  if (name == "swizzle") {  // a lane index of 16 or more gives 0: saturate so that pshufb sees its top bit
    Value* lanes = ir_.CreateBinaryIntrinsic(I::uadd_sat, b, l.splat(0x70, l.type()));
    return result(ir_.CreateIntrinsic(I::x86_ssse3_pshuf_b_128, {}, {a, lanes}));
  }
  const std::string_view inner = inner_shape(name);
  if (name.starts_with("narrow_")) {
    auto* from = l.shape(inner);
    const unsigned bits = l.type()->getScalarSizeInBits();
    const std::int64_t low = is_unsigned(name) ? 0 : -(std::int64_t{1} << (bits - 1));
    const std::int64_t high = is_unsigned(name) ? (std::int64_t{1} << bits) - 1 : (std::int64_t{1} << (bits - 1)) - 1;
    Value* ca = l.clamp(l.as(raw_a, from), low, high);
    Value* cb = l.clamp(l.as(raw_b, from), low, high);
    Value* both = ir_.CreateShuffleVector(ca, cb, indices(0, static_cast<int>(l.type()->getNumElements()), 1));
    return result(ir_.CreateTrunc(both, l.type()));
  }
  if (name.starts_with("extmul_")) {
    const bool high = name.starts_with("extmul_high");
    const auto operand = [&](Value* v) { return l.widen(l.half(l.as(v, l.shape(inner)), high), is_unsigned(name)); };
    return result(ir_.CreateMul(operand(raw_a), operand(raw_b)));
  }
  if (op == Opcode::i32x4_dot_i16x8_s) {
    auto* from = l.shape("i16x8");
    return result(l.pairwise_sum(ir_.CreateMul(l.widen(l.as(raw_a, from), false), l.widen(l.as(raw_b, from), false))));
  }
  if (op == Opcode::i16x8_relaxed_dot_i8x16_i7x16_s) return result(l.relaxed_dot(raw_a, raw_b));
  if (name == "q15mulr_sat_s" || name == "q15mulr_s") {
    Value* product = ir_.CreateMul(l.widen(a, false), l.widen(b, false));
    Value* rounded = ir_.CreateAShr(ir_.CreateAdd(product, llvm::ConstantInt::get(product->getType(), 0x4000)), 15);
    return result(ir_.CreateTrunc(l.clamp(rounded, -0x8000, 0x7fff), l.type()));
  }
  return leave_to_baseline(op);
}

base::Status IrFunction::on_SimdTernary(Opcode op, const imm::None&) {
  const std::string_view text = spec::opcode_info(op).text();
  Lanes l(ir_, text);
  const std::string_view name = operation(text);
  Value* c = pop();
  Value* b = pop();
  Value* a = pop();
  if (name == "bitselect" || name == "relaxed_laneselect") {
    push(ir_.CreateOr(ir_.CreateAnd(a, c), ir_.CreateAnd(b, ir_.CreateNot(c))));
    return {};
  }
  if (name == "relaxed_madd" || name == "relaxed_nmadd") {
    Value* fa = l.as(a);
    if (name == "relaxed_nmadd") fa = ir_.CreateFNeg(fa);
    Value* sum = base::host_cpu_features().fma ? ir_.CreateIntrinsic(I::fma, {l.type()}, {fa, l.as(b), l.as(c)})
                                               : ir_.CreateFAdd(ir_.CreateFMul(fa, l.as(b)), l.as(c));
    push(l.pack(sum));
    return {};
  }
  if (op == Opcode::i32x4_relaxed_dot_i8x16_i7x16_add_s) {
    push(l.pack(ir_.CreateAdd(l.pairwise_sum(l.widen(l.relaxed_dot(a, b), false)), l.as(c))));
    return {};
  }
  return leave_to_baseline(op);
}

// Loads and stores. Volatile, align 1, like the scalar ones.

base::Status IrFunction::on_SimdLoad(Opcode op, const imm::MemArg& memarg) {
  const spec::OpcodeInfo& info = spec::opcode_info(op);
  Lanes l(ir_, "i64x2.");
  Value* address = address_of(pop(), memarg, info.memory_bytes, false);
  const auto load = [&](llvm::Type* type) { return ir_.CreateAlignedLoad(type, address, llvm::Align(1), true); };
  const std::string_view name = operation(info.text());
  const unsigned bits = info.memory_bytes * 8u;
  if (op == Opcode::v128_load) {
    push(load(l.type()));
  } else if (name.ends_with("_splat")) {
    push(l.pack(ir_.CreateVectorSplat(128 / bits, load(ir_.getIntNTy(bits)))));
  } else if (name.ends_with("_zero")) {
    Value* zeros = llvm::Constant::getNullValue(llvm::FixedVectorType::get(ir_.getIntNTy(bits), 128 / bits));
    push(l.pack(ir_.CreateInsertElement(zeros, load(ir_.getIntNTy(bits)), std::uint64_t{0})));
  } else {  // load8x8_s and the like
    const unsigned lane_bits = name.starts_with("load8x8") ? 8 : name.starts_with("load16x4") ? 16 : 32;
    Value* narrow =
        ir_.CreateBitCast(load(ir_.getInt64Ty()), llvm::FixedVectorType::get(ir_.getIntNTy(lane_bits), 64 / lane_bits));
    push(l.pack(l.widen(narrow, is_unsigned(name))));
  }
  return {};
}

base::Status IrFunction::on_SimdStore(Opcode op, const imm::MemArg& memarg) {
  Value* value = pop();
  Value* address = address_of(pop(), memarg, spec::opcode_info(op).memory_bytes, false);
  ir_.CreateAlignedStore(value, address, llvm::Align(1), true);
  return {};
}

base::Status IrFunction::on_SimdLoadLane(Opcode op, const imm::MemArgLane& i) {
  const unsigned bytes = spec::opcode_info(op).memory_bytes;
  auto* type = llvm::FixedVectorType::get(ir_.getIntNTy(bytes * 8), 16 / bytes);
  Value* vector = ir_.CreateBitCast(pop(), type);
  Value* address = address_of(pop(), i.memarg, bytes, false);
  Value* lane = ir_.CreateAlignedLoad(type->getElementType(), address, llvm::Align(1), true);
  push(ir_.CreateBitCast(ir_.CreateInsertElement(vector, lane, i.lane), type_of(spec::kV128)));
  return {};
}

base::Status IrFunction::on_SimdStoreLane(Opcode op, const imm::MemArgLane& i) {
  const unsigned bytes = spec::opcode_info(op).memory_bytes;
  auto* type = llvm::FixedVectorType::get(ir_.getIntNTy(bytes * 8), 16 / bytes);
  Value* lane = ir_.CreateExtractElement(ir_.CreateBitCast(pop(), type), i.lane);
  Value* address = address_of(pop(), i.memarg, bytes, false);
  ir_.CreateAlignedStore(lane, address, llvm::Align(1), true);
  return {};
}

}  // namespace heddle::llvm_tier
