// Constants, arithmetic, comparisons: core spec, Execution, Numerics. No fast-math anywhere.
#include <llvm/IR/Intrinsics.h>

#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;
using llvm::Intrinsic::ID;
using spec::TrapCode;
namespace I = llvm::Intrinsic;

base::Status IrFunction::on_i32_const(const imm::I32Const& i) {
  push(ir_.getInt32(static_cast<std::uint32_t>(i.value)));
  return {};
}

base::Status IrFunction::on_i64_const(const imm::I64Const& i) {
  push(ir_.getInt64(static_cast<std::uint64_t>(i.value)));
  return {};
}

base::Status IrFunction::on_f32_const(const imm::F32Const& i) {
  push(llvm::ConstantFP::get(ir_.getContext(), llvm::APFloat(llvm::APFloat::IEEEsingle(), llvm::APInt(32, i.bits))));
  return {};
}

base::Status IrFunction::on_f64_const(const imm::F64Const& i) {
  push(llvm::ConstantFP::get(ir_.getContext(), llvm::APFloat(llvm::APFloat::IEEEdouble(), llvm::APInt(64, i.bits))));
  return {};
}

llvm::Value* IrFunction::opaque_if_constant(Value* value) {
  if (!llvm::isa<llvm::Constant>(value)) return value;
  return ir_.CreateIntrinsic(I::arithmetic_fence, {value->getType()}, {value});
}

llvm::Value* IrFunction::quiet_min_max(llvm::Intrinsic::ID id, Value* a, Value* b) {
  llvm::CallInst* ordered = ir_.CreateIntrinsic(id, {a->getType()}, {a, b});
  ordered->setHasNoNaNs(true);
  // The no-NaN promise makes its result poison where it is not chosen, which select allows.
  return ir_.CreateSelect(ir_.CreateFCmpUNO(a, b), ir_.CreateFAdd(a, b), ordered);
}

// One branch, rarely taken, serves both divisors that need a look: 0 and -1 are what is below 2 after adding 1.
llvm::BasicBlock* IrFunction::begin_rare_divisor(Value* divisor, llvm::BasicBlock* usual) {
  llvm::Type* type = divisor->getType();
  llvm::BasicBlock* rare = new_block("rare");
  Value* next_number = ir_.CreateAdd(divisor, llvm::ConstantInt::get(type, 1));
  ir_.CreateCondBr(ir_.CreateICmpULT(next_number, llvm::ConstantInt::get(type, 2)), rare, usual, unlikely_);
  ir_.SetInsertPoint(rare);
  trap_if(ir_.CreateICmpEQ(divisor, llvm::Constant::getNullValue(type)), TrapCode::integer_divide_by_zero);
  return ir_.GetInsertBlock();
}

llvm::Value* IrFunction::signed_quotient(Value* dividend, Value* divisor) {
  llvm::BasicBlock* usual = new_block("divide");
  begin_rare_divisor(divisor, usual);
  const llvm::APInt minimum = llvm::APInt::getSignedMinValue(dividend->getType()->getIntegerBitWidth());
  trap_if(ir_.CreateICmpEQ(dividend, llvm::ConstantInt::get(dividend->getType(), minimum)), TrapCode::integer_overflow);
  ir_.CreateBr(usual);
  ir_.SetInsertPoint(usual);
  return ir_.CreateSDiv(dividend, divisor);
}

// A remainder by -1 is 0; the machine would fault on the smallest number.
llvm::Value* IrFunction::signed_remainder(Value* dividend, Value* divisor) {
  llvm::BasicBlock* usual = new_block("divide");
  llvm::BasicBlock* next = new_block("next");
  llvm::BasicBlock* by_minus_one = begin_rare_divisor(divisor, usual);
  ir_.CreateBr(next);
  ir_.SetInsertPoint(usual);
  Value* remainder = ir_.CreateSRem(dividend, divisor);
  ir_.CreateBr(next);
  ir_.SetInsertPoint(next);
  llvm::PHINode* result = ir_.CreatePHI(dividend->getType(), 2);
  result->addIncoming(llvm::Constant::getNullValue(dividend->getType()), by_minus_one);
  result->addIncoming(remainder, usual);
  return result;
}

base::Status IrFunction::on_Test(Opcode, const imm::None&) {
  Value* value = pop();
  push_bool(ir_.CreateICmpEQ(value, llvm::Constant::getNullValue(value->getType())));
  return {};
}

base::Status IrFunction::on_Unary(Opcode op, const imm::None&) {
  Value* v = pop();
  const auto count = [&](ID id) { return ir_.CreateBinaryIntrinsic(id, v, ir_.getFalse()); };
  const auto extend = [&](unsigned bits) {
    return ir_.CreateSExt(ir_.CreateTrunc(v, ir_.getIntNTy(bits)), v->getType());
  };
  switch (op) {
    case Opcode::i32_clz:
    case Opcode::i64_clz: push(count(I::ctlz)); return {};
    case Opcode::i32_ctz:
    case Opcode::i64_ctz: push(count(I::cttz)); return {};
    case Opcode::i32_popcnt:
    case Opcode::i64_popcnt: push(float_intrinsic(I::ctpop, v)); return {};
    case Opcode::i32_extend8_s:
    case Opcode::i64_extend8_s: push(extend(8)); return {};
    case Opcode::i32_extend16_s:
    case Opcode::i64_extend16_s: push(extend(16)); return {};
    case Opcode::i64_extend32_s: push(extend(32)); return {};
    case Opcode::f32_abs:
    case Opcode::f64_abs: push(float_intrinsic(I::fabs, v)); return {};
    case Opcode::f32_neg:
    case Opcode::f64_neg: push(ir_.CreateFNeg(v)); return {};
    case Opcode::f32_ceil:
    case Opcode::f64_ceil: push(float_intrinsic(I::ceil, opaque_if_constant(v))); return {};
    case Opcode::f32_floor:
    case Opcode::f64_floor: push(float_intrinsic(I::floor, opaque_if_constant(v))); return {};
    case Opcode::f32_trunc:
    case Opcode::f64_trunc: push(float_intrinsic(I::trunc, opaque_if_constant(v))); return {};
    case Opcode::f32_nearest:
    case Opcode::f64_nearest: push(float_intrinsic(I::roundeven, opaque_if_constant(v))); return {};
    case Opcode::f32_sqrt:
    case Opcode::f64_sqrt: push(float_intrinsic(I::sqrt, opaque_if_constant(v))); return {};
    default: return leave_to_baseline(op);
  }
}

base::Status IrFunction::on_Binary(Opcode op, const imm::None&) {
  Value* b = pop();
  Value* a = pop();
  llvm::Type* type = a->getType();
  const auto constant = [type](std::uint64_t n) { return llvm::ConstantInt::get(type, n); };
  const auto shift = [&] { return ir_.CreateAnd(b, constant(type->getIntegerBitWidth() - 1)); };
  const auto fa = [&] { return opaque_if_constant(a); };
  const auto fb = [&] { return opaque_if_constant(b); };
  const auto check_divisor = [&] { trap_if(ir_.CreateICmpEQ(b, constant(0)), TrapCode::integer_divide_by_zero); };
  switch (op) {
    case Opcode::i32_add:
    case Opcode::i64_add: push(ir_.CreateAdd(a, b)); return {};
    case Opcode::i32_sub:
    case Opcode::i64_sub: push(ir_.CreateSub(a, b)); return {};
    case Opcode::i32_mul:
    case Opcode::i64_mul: push(ir_.CreateMul(a, b)); return {};
    case Opcode::i32_div_s:
    case Opcode::i64_div_s: push(signed_quotient(a, b)); return {};
    case Opcode::i32_div_u:
    case Opcode::i64_div_u:
      check_divisor();
      push(ir_.CreateUDiv(a, b));
      return {};
    case Opcode::i32_rem_s:
    case Opcode::i64_rem_s: push(signed_remainder(a, b)); return {};
    case Opcode::i32_rem_u:
    case Opcode::i64_rem_u:
      check_divisor();
      push(ir_.CreateURem(a, b));
      return {};
    case Opcode::i32_and:
    case Opcode::i64_and: push(ir_.CreateAnd(a, b)); return {};
    case Opcode::i32_or:
    case Opcode::i64_or: push(ir_.CreateOr(a, b)); return {};
    case Opcode::i32_xor:
    case Opcode::i64_xor: push(ir_.CreateXor(a, b)); return {};
    case Opcode::i32_shl:
    case Opcode::i64_shl: push(ir_.CreateShl(a, shift())); return {};
    case Opcode::i32_shr_s:
    case Opcode::i64_shr_s: push(ir_.CreateAShr(a, shift())); return {};
    case Opcode::i32_shr_u:
    case Opcode::i64_shr_u: push(ir_.CreateLShr(a, shift())); return {};
    case Opcode::i32_rotl:
    case Opcode::i64_rotl: push(ir_.CreateIntrinsic(I::fshl, {type}, {a, a, b})); return {};
    case Opcode::i32_rotr:
    case Opcode::i64_rotr: push(ir_.CreateIntrinsic(I::fshr, {type}, {a, a, b})); return {};
    case Opcode::f32_add:
    case Opcode::f64_add: push(ir_.CreateFAdd(fa(), fb())); return {};
    case Opcode::f32_sub:
    case Opcode::f64_sub: push(ir_.CreateFSub(fa(), fb())); return {};
    case Opcode::f32_mul:
    case Opcode::f64_mul: push(ir_.CreateFMul(fa(), fb())); return {};
    case Opcode::f32_div:
    case Opcode::f64_div: push(ir_.CreateFDiv(fa(), fb())); return {};
    case Opcode::f32_min:
    case Opcode::f64_min: push(quiet_min_max(I::minimum, fa(), fb())); return {};
    case Opcode::f32_max:
    case Opcode::f64_max: push(quiet_min_max(I::maximum, fa(), fb())); return {};
    case Opcode::f32_copysign:
    case Opcode::f64_copysign: push(ir_.CreateBinaryIntrinsic(I::copysign, a, b)); return {};
    default: return leave_to_baseline(op);
  }
}

base::Status IrFunction::on_Compare(Opcode op, const imm::None&) {
  using P = llvm::CmpInst::Predicate;
  Value* b = pop();
  Value* a = pop();
  const auto push_compare = [&](P predicate) { push_bool(ir_.CreateCmp(predicate, a, b)); };
  switch (op) {
    case Opcode::i32_eq:
    case Opcode::i64_eq: push_compare(P::ICMP_EQ); return {};
    case Opcode::i32_ne:
    case Opcode::i64_ne: push_compare(P::ICMP_NE); return {};
    case Opcode::i32_lt_s:
    case Opcode::i64_lt_s: push_compare(P::ICMP_SLT); return {};
    case Opcode::i32_lt_u:
    case Opcode::i64_lt_u: push_compare(P::ICMP_ULT); return {};
    case Opcode::i32_gt_s:
    case Opcode::i64_gt_s: push_compare(P::ICMP_SGT); return {};
    case Opcode::i32_gt_u:
    case Opcode::i64_gt_u: push_compare(P::ICMP_UGT); return {};
    case Opcode::i32_le_s:
    case Opcode::i64_le_s: push_compare(P::ICMP_SLE); return {};
    case Opcode::i32_le_u:
    case Opcode::i64_le_u: push_compare(P::ICMP_ULE); return {};
    case Opcode::i32_ge_s:
    case Opcode::i64_ge_s: push_compare(P::ICMP_SGE); return {};
    case Opcode::i32_ge_u:
    case Opcode::i64_ge_u: push_compare(P::ICMP_UGE); return {};
    case Opcode::f32_eq:
    case Opcode::f64_eq: push_compare(P::FCMP_OEQ); return {};
    case Opcode::f32_ne:
    case Opcode::f64_ne: push_compare(P::FCMP_UNE); return {};
    case Opcode::f32_lt:
    case Opcode::f64_lt: push_compare(P::FCMP_OLT); return {};
    case Opcode::f32_gt:
    case Opcode::f64_gt: push_compare(P::FCMP_OGT); return {};
    case Opcode::f32_le:
    case Opcode::f64_le: push_compare(P::FCMP_OLE); return {};
    case Opcode::f32_ge:
    case Opcode::f64_ge: push_compare(P::FCMP_OGE); return {};
    default: return leave_to_baseline(op);
  }
}

}  // namespace heddle::llvm_tier
