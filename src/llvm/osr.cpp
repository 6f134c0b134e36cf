// On-stack replacement, the better tier's half (abi/tier.h, CompileRequest::osr_loop): a function whose entry takes all
// locals and operands from VmStore::overflow and jumps to the header of a loop. The function is built as usual; its
// real beginning has no predecessor then and is removed with all that only it reaches.
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

void IrFunction::begin_osr() {
  for (std::uint32_t i = 0; i < body_.locals.size() && i < spec::kMaxParams; ++i)
    ir_.CreateStore(ir_.CreateLoad(body_.locals[i]->getAllocatedType(), overflow_slot(i)), body_.locals[i]);
  osr_entry_ = ir_.GetInsertBlock();
  ir_.SetInsertPoint(new_block("start"));
}

// The baseline keeps the exception of a catch clause among its operands, right below those of the clause.
void IrFunction::enter_at_loop(Frame& loop) {
  std::size_t clauses = 0;
  for (const Frame& frame : frames_) clauses += frame.kind == FrameKind::catch_;
  auto next = static_cast<std::uint32_t>(body_.locals.size());
  if (next + stack_.size() + clauses > spec::kMaxParams) return;
  const llvm::IRBuilderBase::InsertPointGuard guard(ir_);
  ir_.SetInsertPoint(osr_entry_);
  auto frame = frames_.begin();
  for (std::size_t i = 0; i <= stack_.size(); ++i) {
    for (; frame != frames_.end() && frame->height <= i; ++frame)
      if (frame->kind == FrameKind::catch_)
        ir_.CreateStore(ir_.CreateLoad(ir_.getPtrTy(), overflow_slot(next++)), frame->kept);
    if (i == stack_.size()) break;
    llvm::Type* type = stack_[i]->getType();
    Value* value = ir_.CreateLoad(type, overflow_slot(next++));
    if (i < loop.height)
      ir_.CreateStore(value, osr_slot(i, type));
    else
      loop.label_phis[i - loop.height]->addIncoming(value, osr_entry_);
  }
  ir_.CreateBr(loop.label);
  osr_entered_ = true;
}

llvm::AllocaInst* IrFunction::osr_slot(std::size_t index, llvm::Type* type) {
  if (osr_slots_.size() <= index) osr_slots_.resize(index + 1);
  for (llvm::AllocaInst* slot : osr_slots_[index])
    if (slot->getAllocatedType() == type) return slot;
  osr_slots_[index].push_back(entry_alloca(type));
  return osr_slots_[index].back();
}

void IrFunction::keep_exception(Frame& clause) {
  if (!osr_loop_) return;
  clause.kept = entry_alloca(ir_.getPtrTy());
  ir_.CreateStore(clause.exception, clause.kept);
}

llvm::Value* IrFunction::caught_exception(const Frame& clause) {
  return osr_loop_ ? ir_.CreateLoad(ir_.getPtrTy(), clause.kept) : clause.exception;
}

void IrFunction::spill_below(std::size_t height) {
  if (!osr_loop_) return;
  for (std::size_t i = 0; i < height; ++i) ir_.CreateStore(stack_[i], osr_slot(i, stack_[i]->getType()));
}

void IrFunction::reload_below(std::size_t height) {
  if (!osr_loop_) return;
  for (std::size_t i = 0; i < height; ++i)
    stack_[i] = ir_.CreateLoad(stack_[i]->getType(), osr_slot(i, stack_[i]->getType()));
}

bool IrFunction::finish_osr() {
  if (osr_entered_) llvm::EliminateUnreachableBlocks(*function_);
  return osr_entered_;
}

}  // namespace heddle::llvm_tier
