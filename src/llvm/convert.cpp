// Conversions between number types: core spec, Execution, Numerics, Conversions.
#include <llvm/IR/Intrinsics.h>

#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;
using spec::TrapCode;
namespace I = llvm::Intrinsic;

namespace {

/// The open interval of floats whose truncation fits, bounds exact in the source type.
struct TruncRange {
  double above;  ///< value > above (or >= where `closed`)
  double below;  ///< value < below
  bool closed;
  bool to_i64;
  bool is_signed;
};

TruncRange trunc_range(spec::Opcode op) {
  using O = spec::Opcode;
  constexpr double k31 = 2147483648.0, k32 = 4294967296.0, k63 = 9223372036854775808.0, k64 = 18446744073709551616.0;
  switch (op) {
    case O::i32_trunc_f32_s: return {-k31, k31, true, false, true};  // f32 has nothing between -2^31 - 1 and -2^31
    case O::i32_trunc_f64_s: return {-k31 - 1.0, k31, false, false, true};
    case O::i32_trunc_f32_u:
    case O::i32_trunc_f64_u: return {-1.0, k32, false, false, false};
    case O::i64_trunc_f32_s:
    case O::i64_trunc_f64_s: return {-k63, k63, true, true, true};
    default: return {-1.0, k64, false, true, false};
  }
}

}  // namespace

llvm::Value* IrFunction::checked_trunc(Opcode op, Value* value) {
  const TruncRange range = trunc_range(op);
  llvm::Type* type = value->getType();
  trap_if(ir_.CreateFCmpUNO(value, value), TrapCode::invalid_conversion_to_integer);
  Value* above = llvm::ConstantFP::get(type, range.above);
  Value* fits_below = range.closed ? ir_.CreateFCmpOGE(value, above) : ir_.CreateFCmpOGT(value, above);
  Value* fits = ir_.CreateAnd(fits_below, ir_.CreateFCmpOLT(value, llvm::ConstantFP::get(type, range.below)));
  trap_if(ir_.CreateNot(fits), TrapCode::integer_overflow);
  llvm::Type* result = range.to_i64 ? ir_.getInt64Ty() : ir_.getInt32Ty();
  return range.is_signed ? ir_.CreateFPToSI(value, result) : ir_.CreateFPToUI(value, result);
}

base::Status IrFunction::on_Convert(Opcode op, const imm::None&) {
  Value* v = pop();
  llvm::Type* i32 = ir_.getInt32Ty();
  llvm::Type* i64 = ir_.getInt64Ty();
  llvm::Type* f32 = ir_.getFloatTy();
  llvm::Type* f64 = ir_.getDoubleTy();
  const auto saturate = [&](bool is_signed, llvm::Type* to) {
    push(ir_.CreateIntrinsic(is_signed ? I::fptosi_sat : I::fptoui_sat, {to, v->getType()}, {v}));
  };
  switch (op) {
    case Opcode::i32_wrap_i64: push(ir_.CreateTrunc(v, i32)); return {};
    case Opcode::i64_extend_i32_s: push(ir_.CreateSExt(v, i64)); return {};
    case Opcode::i64_extend_i32_u: push(ir_.CreateZExt(v, i64)); return {};
    case Opcode::i32_trunc_f32_s:
    case Opcode::i32_trunc_f32_u:
    case Opcode::i32_trunc_f64_s:
    case Opcode::i32_trunc_f64_u:
    case Opcode::i64_trunc_f32_s:
    case Opcode::i64_trunc_f32_u:
    case Opcode::i64_trunc_f64_s:
    case Opcode::i64_trunc_f64_u: push(checked_trunc(op, v)); return {};
    case Opcode::i32_trunc_sat_f32_s:
    case Opcode::i32_trunc_sat_f64_s: saturate(true, i32); return {};
    case Opcode::i32_trunc_sat_f32_u:
    case Opcode::i32_trunc_sat_f64_u: saturate(false, i32); return {};
    case Opcode::i64_trunc_sat_f32_s:
    case Opcode::i64_trunc_sat_f64_s: saturate(true, i64); return {};
    case Opcode::i64_trunc_sat_f32_u:
    case Opcode::i64_trunc_sat_f64_u: saturate(false, i64); return {};
    case Opcode::f32_convert_i32_s:
    case Opcode::f32_convert_i64_s: push(ir_.CreateSIToFP(v, f32)); return {};
    case Opcode::f32_convert_i32_u:
    case Opcode::f32_convert_i64_u: push(ir_.CreateUIToFP(v, f32)); return {};
    case Opcode::f64_convert_i32_s:
    case Opcode::f64_convert_i64_s: push(ir_.CreateSIToFP(v, f64)); return {};
    case Opcode::f64_convert_i32_u:
    case Opcode::f64_convert_i64_u: push(ir_.CreateUIToFP(v, f64)); return {};
    // The fence keeps a demotion of a promotion, which quiets a signalling NaN.
    case Opcode::f32_demote_f64: push(ir_.CreateFPTrunc(opaque_if_constant(v), f32)); return {};
    case Opcode::f64_promote_f32: {
      Value* wide = ir_.CreateFPExt(opaque_if_constant(v), f64);
      push(ir_.CreateIntrinsic(I::arithmetic_fence, {f64}, {wide}));
      return {};
    }
    case Opcode::i32_reinterpret_f32: push(ir_.CreateBitCast(v, i32)); return {};
    case Opcode::i64_reinterpret_f64: push(ir_.CreateBitCast(v, i64)); return {};
    case Opcode::f32_reinterpret_i32: push(ir_.CreateBitCast(v, f32)); return {};
    case Opcode::f64_reinterpret_i64: push(ir_.CreateBitCast(v, f64)); return {};
    default: return leave_to_baseline(op);
  }
}

}  // namespace heddle::llvm_tier
