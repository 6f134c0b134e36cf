#include "llvm/fast_loop.h"

#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Local.h>

namespace heddle::llvm_tier {

using llvm::Instruction;
using llvm::Value;

void FastLoop::rewrite() {
  replace_exit_values();
  ir_.SetInsertPoint(parts_.loop.getHeader(), parts_.loop.getHeader()->begin());
  count_ = ir_.CreatePHI(ir_.getInt64Ty(), 2, "count");
  if (parts_.reroll != nullptr) drop_copies();
  ir_.SetInsertPoint(parts_.before);
  for (Value* start : parts_.starts)
    firsts_.push_back(ir_.CreateInBoundsGEP(ir_.getInt8Ty(), parts_.original.base, start));
  for (const AffineAccess& access : parts_.original.accesses) rewrite_access(access);
  count_in_64_bits();
  delete_unused();
}

Value* FastLoop::clone_of(Value* value) const {
  const auto found = parts_.clones.find(value);
  return found == parts_.clones.end() ? value : static_cast<Value*>(found->second);
}

Value* FastLoop::expand(const llvm::SCEV* value) {
  return parts_.expander.expandCodeFor(value, value->getType(), parts_.before);
}

/// The exit's phis have the copy's values. Integers that grow evenly end as the original's would, which can be computed
/// beforehand; others come from the last copy of the body.
void FastLoop::replace_exit_values() {
  if (parts_.reroll == nullptr) return;
  const llvm::Loop& original = *parts_.original.loop;
  for (llvm::PHINode& phi : original.getExitBlock()->phis()) {
    Value* value = phi.getIncomingValueForBlock(original.getLoopLatch());
    const int own = phi.getBasicBlockIndex(parts_.loop.getLoopLatch());
    if (const auto end = parts_.reroll->ends.find(&phi); end != parts_.reroll->ends.end()) {
      phi.setIncomingValue(static_cast<unsigned>(own), expand(end->second));
    } else if (const auto first = parts_.reroll->last_to_first.find(value);
               first != parts_.reroll->last_to_first.end()) {
      phi.setIncomingValue(static_cast<unsigned>(own), clone_of(first->second));
    }
  }
}

void FastLoop::drop_copies() {
  const Reroll& reroll = *parts_.reroll;
  for (Instruction* original : reroll.loosened)
    llvm::cast<Instruction>(clone_of(original))->dropPoisonGeneratingFlags();
  for (const auto& [phi, next] : reroll.carried)
    llvm::cast<llvm::PHINode>(clone_of(phi))->setIncomingValueForBlock(parts_.loop.getLoopLatch(), clone_of(next));
  for (Instruction* original : reroll.stores) {
    auto* store = llvm::cast<llvm::StoreInst>(clone_of(original));
    store->eraseFromParent();
    parts_.clones.erase(original);
  }
  for (Instruction* original : reroll.inductions) replace_induction(*original);
}

void FastLoop::replace_induction(Instruction& original) {
  const auto& steps = *llvm::cast<llvm::SCEVAddRecExpr>(evolution_.getSCEV(&original));
  const llvm::APInt& step = llvm::cast<llvm::SCEVConstant>(steps.getStepRecurrence(evolution_))->getAPInt();
  Value* start = expand(steps.getStart());
  ir_.SetInsertPoint(parts_.loop.getHeader(), parts_.loop.getHeader()->getFirstInsertionPt());
  Value* count = ir_.CreateTrunc(count_, original.getType());
  Value* way = ir_.CreateMul(
      count, llvm::ConstantInt::get(original.getType(), step.sdiv(llvm::APInt(step.getBitWidth(), copies_))));
  Value* value = ir_.CreateAdd(start, way);
  clone_of(&original)->replaceAllUsesWith(value);
}

/// One value for all accesses at one address: the vectorizer would let two of them be checked against each other.
Value* FastLoop::address_of(const AffineAccess& access) {
  Value*& known = addresses_[{access.run, access.position}];
  if (known != nullptr) return known;
  const std::int64_t stride = parts_.original.runs[access.run].stride / copies_;
  ir_.SetInsertPoint(parts_.loop.getHeader(), parts_.loop.getHeader()->getFirstInsertionPt());
  known = firsts_[access.run];
  if (stride != 0) {
    Value* way = ir_.CreateMul(count_, llvm::ConstantInt::getSigned(ir_.getInt64Ty(), stride), "", stride > 0, true);
    known = ir_.CreateInBoundsGEP(ir_.getInt8Ty(), known, way);
  }
  if (access.position != 0) known = ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), known, access.position);
  return known;
}

void FastLoop::rewrite_access(const AffineAccess& access) {
  if (!parts_.clones.count(access.instruction)) return;
  auto& instruction = *llvm::cast<Instruction>(clone_of(access.instruction));
  Value* at = address_of(access);
  unmark_memory0_access(instruction);
  if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) {
    load->setVolatile(false);
    load->setOperand(llvm::LoadInst::getPointerOperandIndex(), at);
  } else {
    auto* store = llvm::cast<llvm::StoreInst>(&instruction);
    store->setVolatile(false);
    store->setOperand(llvm::StoreInst::getPointerOperandIndex(), at);
  }
}

void FastLoop::count_in_64_bits() {
  ir_.SetInsertPoint(parts_.before);
  Value* last = parts_.repeats;
  if (copies_ > 1)
    last = ir_.CreateAdd(ir_.CreateMul(last, ir_.getInt64(copies_), "", true, true), ir_.getInt64(copies_ - 1), "",
                         true, true);
  llvm::BasicBlock* latch = parts_.loop.getLoopLatch();
  auto* branch = llvm::cast<llvm::BranchInst>(latch->getTerminator());
  ir_.SetInsertPoint(branch);
  Value* next = ir_.CreateAdd(count_, ir_.getInt64(1), "", true, true);
  count_->addIncoming(ir_.getInt64(0), parts_.loop.getLoopPreheader());
  count_->addIncoming(next, latch);
  const bool leaves_if_true = branch->getSuccessor(1) == parts_.loop.getHeader();
  branch->setCondition(leaves_if_true ? ir_.CreateICmpEQ(count_, last) : ir_.CreateICmpNE(count_, last));
}

/// Old addresses, other copies, the original's count: a use that is left would keep the vectorizer from its work.
void FastLoop::delete_unused() {
  for (llvm::BasicBlock* block : llvm::reverse(parts_.loop.getBlocks()))
    for (Instruction& instruction : llvm::make_early_inc_range(llvm::reverse(*block)))
      if (llvm::isInstructionTriviallyDead(&instruction)) instruction.eraseFromParent();
  llvm::DeleteDeadPHIs(parts_.loop.getHeader());
}

}  // namespace heddle::llvm_tier
