// Atomics (threads proposal): sequentially consistent and volatile, after an explicit alignment check.
#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;
using llvm::AtomicOrdering;
using spec::TrapCode;

namespace {

/// The result type's letter stands last in the signature; stores have it in front of the colon.
bool is_i64(const spec::OpcodeInfo& info) {
  return info.signature().find('I') != std::string_view::npos;
}

std::optional<llvm::AtomicRMWInst::BinOp> rmw_operation(std::string_view text) {
  using B = llvm::AtomicRMWInst::BinOp;
  const auto has = [text](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (has(".add")) return B::Add;
  if (has(".sub")) return B::Sub;
  if (has(".and")) return B::And;
  if (has(".or")) return B::Or;
  if (has(".xor")) return B::Xor;
  if (has(".xchg")) return B::Xchg;
  return std::nullopt;
}

}  // namespace

base::Status IrFunction::on_AtomicLoad(Opcode op, const imm::MemArg& memarg) {
  const spec::OpcodeInfo& info = spec::opcode_info(op);
  Value* address = address_of(pop(), memarg, info.memory_bytes, true);
  llvm::LoadInst* load =
      ir_.CreateAlignedLoad(ir_.getIntNTy(info.memory_bytes * 8u), address, llvm::Align(info.memory_bytes), true);
  load->setAtomic(AtomicOrdering::SequentiallyConsistent);
  push(ir_.CreateZExt(load, is_i64(info) ? ir_.getInt64Ty() : ir_.getInt32Ty()));
  return {};
}

base::Status IrFunction::on_AtomicStore(Opcode op, const imm::MemArg& memarg) {
  const spec::OpcodeInfo& info = spec::opcode_info(op);
  Value* value = ir_.CreateTrunc(pop(), ir_.getIntNTy(info.memory_bytes * 8u));
  Value* address = address_of(pop(), memarg, info.memory_bytes, true);
  llvm::StoreInst* store = ir_.CreateAlignedStore(value, address, llvm::Align(info.memory_bytes), true);
  store->setAtomic(AtomicOrdering::SequentiallyConsistent);
  return {};
}

base::Status IrFunction::on_AtomicRmw(Opcode op, const imm::MemArg& memarg) {
  const spec::OpcodeInfo& info = spec::opcode_info(op);
  const auto operation = rmw_operation(info.text());
  if (!operation) return leave_to_baseline(op);
  Value* operand = pop();
  llvm::Type* result = operand->getType();
  Value* narrow = ir_.CreateTrunc(operand, ir_.getIntNTy(info.memory_bytes * 8u));
  Value* address = address_of(pop(), memarg, info.memory_bytes, true);
  llvm::AtomicRMWInst* rmw = ir_.CreateAtomicRMW(*operation, address, narrow, llvm::Align(info.memory_bytes),
                                                 AtomicOrdering::SequentiallyConsistent);
  rmw->setVolatile(true);
  push(ir_.CreateZExt(rmw, result));
  return {};
}

// A narrow compare-exchange compares with the expected value only if that fits: otherwise it stores nothing but still
// reads.
base::Status IrFunction::on_AtomicCmpxchg(Opcode op, const imm::MemArg& memarg) {
  const spec::OpcodeInfo& info = spec::opcode_info(op);
  llvm::Type* narrow = ir_.getIntNTy(info.memory_bytes * 8u);
  Value* replacement = pop();
  Value* expected = pop();
  llvm::Type* wide = expected->getType();
  if (narrow != wide) return leave_to_baseline(op);
  Value* address = address_of(pop(), memarg, info.memory_bytes, true);
  llvm::AtomicCmpXchgInst* exchange =
      ir_.CreateAtomicCmpXchg(address, expected, replacement, llvm::Align(info.memory_bytes),
                              AtomicOrdering::SequentiallyConsistent, AtomicOrdering::SequentiallyConsistent);
  exchange->setVolatile(true);
  push(ir_.CreateExtractValue(exchange, 0));
  return {};
}

base::Status IrFunction::on_AtomicWait(Opcode op, const imm::MemArg& memarg) {
  Value* timeout = pop();
  Value* expected = pop();
  Value* address = zext64(pop());
  const auto builtin = op == Opcode::memory_atomic_wait32 ? abi::Builtin::atomic_wait32 : abi::Builtin::atomic_wait64;
  Value* result = builtin_call(
      builtin, ir_.getInt64Ty(),
      {vmctx_, ir_.getInt32(memarg.memory.value), address, ir_.getInt64(memarg.offset), expected, timeout});
  push(ir_.CreateTrunc(checked_result64(result), ir_.getInt32Ty()));
  return {};
}

base::Status IrFunction::on_AtomicNotify(Opcode, const imm::MemArg& memarg) {
  Value* count = pop();
  Value* address = zext64(pop());
  Value* result =
      builtin_call(abi::Builtin::atomic_notify, ir_.getInt64Ty(),
                   {vmctx_, ir_.getInt32(memarg.memory.value), address, ir_.getInt64(memarg.offset), count});
  push(ir_.CreateTrunc(checked_result64(result), ir_.getInt32Ty()));
  return {};
}

base::Status IrFunction::on_AtomicFence(Opcode, const imm::Fence&) {
  ir_.CreateFence(AtomicOrdering::SequentiallyConsistent);
  return {};
}

}  // namespace heddle::llvm_tier
