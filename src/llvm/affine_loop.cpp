#include "llvm/affine_loop.h"

#include <llvm/Analysis/IVDescriptors.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/IntrinsicInst.h>

namespace heddle::llvm_tier {
namespace {

constexpr const char* kBaseMark = "heddle.memory0.base";
constexpr const char* kAccessMark = "heddle.memory0";
/// Chosen: a longer body gains little by being vectorised, and its copy costs.
constexpr unsigned kMaxInstructions = 256;

std::optional<std::uint64_t> marked_offset(const llvm::Instruction& access) {
  const llvm::MDNode* mark = access.getMetadata(kAccessMark);
  if (mark == nullptr) return std::nullopt;
  return llvm::mdconst::extract<llvm::ConstantInt>(mark->getOperand(0))->getZExtValue();
}

bool is_without_effect(const llvm::Instruction& instruction) {
  if (instruction.mayReadOrWriteMemory() || instruction.mayThrow() || !instruction.willReturn()) return false;
  return !llvm::isa<llvm::CallBase>(instruction) || llvm::isa<llvm::IntrinsicInst>(instruction);
}

/// A value that goes from one iteration to the next must be one that the vectorizer can compute for several of them:
/// an induction, a reduction in any order, or just the value of the iteration before.
bool is_carried_well(llvm::PHINode& phi, llvm::Loop& loop, llvm::ScalarEvolution& evolution,
                     llvm::DominatorTree& dominators) {
  llvm::InductionDescriptor induction;
  if (llvm::InductionDescriptor::isInductionPHI(&phi, &loop, &evolution, induction)) return true;
  llvm::RecurrenceDescriptor reduction;
  if (llvm::RecurrenceDescriptor::isReductionPHI(&phi, &loop, reduction)) return !reduction.hasExactFPMath();
  return llvm::RecurrenceDescriptor::isFixedOrderRecurrence(&phi, &loop, &dominators);
}

/// Puts the access into the run that its index belongs to.
void add(AffineLoop& loop, llvm::Instruction& instruction, const Run& index, std::uint64_t offset, std::uint64_t width,
         llvm::ScalarEvolution& evolution) {
  for (std::size_t i = 0; i < loop.runs.size(); ++i) {
    Run& run = loop.runs[i];
    if (run.stride != index.stride) continue;
    const auto* apart = llvm::dyn_cast<llvm::SCEVConstant>(evolution.getMinusSCEV(index.start, run.start));
    if (apart == nullptr) continue;
    const std::int64_t distance = apart->getAPInt().getSExtValue();
    if (distance < 0) {  // the lowest so far
      const auto shift = static_cast<std::uint64_t>(-distance);
      for (AffineAccess& other : loop.accesses)
        if (other.run == i) other.position += shift;
      run.start = index.start;
      run.reach += shift;
    }
    const std::uint64_t position = offset + static_cast<std::uint64_t>(std::max<std::int64_t>(distance, 0));
    run.reach = std::max(run.reach, position + width);
    loop.accesses.push_back({&instruction, i, position, width});
    return;
  }
  loop.accesses.push_back({&instruction, loop.runs.size(), offset, width});
  loop.runs.push_back({index.start, index.stride, offset + width});
}

bool add(AffineLoop& loop, llvm::Instruction& instruction, std::uint64_t offset, llvm::ScalarEvolution& evolution) {
  const llvm::SCEV* address = evolution.getSCEV(access_address(instruction));
  const auto* from = llvm::dyn_cast<llvm::SCEVUnknown>(evolution.getPointerBase(address));
  const auto* base = from == nullptr ? nullptr : llvm::dyn_cast<llvm::LoadInst>(from->getValue());
  if (base == nullptr || base->getMetadata(kBaseMark) == nullptr) return false;
  loop.base = from->getValue();
  // address - base - offset is the zero-extended index, whatever the passes made of the computation. So its low 32 bits
  // are the index.
  const llvm::SCEV* sum = evolution.getMinusSCEV(address, from);
  if (llvm::isa<llvm::SCEVCouldNotCompute>(sum)) return false;
  const llvm::SCEV* index64 = evolution.getMinusSCEV(sum, evolution.getConstant(sum->getType(), offset));
  const llvm::SCEV* index = evolution.getTruncateExpr(index64, llvm::Type::getInt32Ty(instruction.getContext()));
  const llvm::Type* type = llvm::getLoadStoreType(&instruction);
  if (type->isVectorTy()) return false;
  const std::uint64_t width = type->getPrimitiveSizeInBits().getFixedValue() / 8;
  if (evolution.isLoopInvariant(index, loop.loop)) {
    add(loop, instruction, {index, 0}, offset, width, evolution);
    return true;
  }
  const auto* steps = llvm::dyn_cast<llvm::SCEVAddRecExpr>(index);
  if (steps == nullptr || steps->getLoop() != loop.loop || !steps->isAffine()) return false;
  const auto* stride = llvm::dyn_cast<llvm::SCEVConstant>(steps->getStepRecurrence(evolution));
  if (stride == nullptr) return false;
  add(loop, instruction, {steps->getStart(), stride->getAPInt().getSExtValue()}, offset, width, evolution);
  return true;
}

}  // namespace

void mark_memory0_base(llvm::Instruction& base) {
  base.setMetadata(kBaseMark, llvm::MDNode::get(base.getContext(), {}));
}

void mark_memory0_access(llvm::Instruction& access, std::uint64_t offset) {
  llvm::Constant* value = llvm::ConstantInt::get(llvm::Type::getInt64Ty(access.getContext()), offset);
  access.setMetadata(kAccessMark, llvm::MDNode::get(access.getContext(), llvm::ConstantAsMetadata::get(value)));
}

void unmark_memory0_access(llvm::Instruction& access) {
  access.setMetadata(kAccessMark, nullptr);
}

llvm::Value* access_address(llvm::Instruction& access) {
  return llvm::getPointerOperand(&access);
}

bool may_be_affine(const llvm::Loop& loop) {
  if (!loop.isInnermost() || loop.getLoopLatch() == nullptr || loop.getExitingBlock() != loop.getLoopLatch())
    return false;
  unsigned count = 0;
  bool has_access = false;
  for (const llvm::BasicBlock* block : loop.blocks()) {
    for (const llvm::Instruction& instruction : *block) {
      if (++count > kMaxInstructions) return false;
      if (marked_offset(instruction))
        has_access = true;
      else if (!is_without_effect(instruction))
        return false;
    }
  }
  return has_access;
}

std::optional<AffineLoop> find_affine(llvm::Loop& loop, llvm::ScalarEvolution& evolution,
                                      llvm::DominatorTree& dominators, std::uint64_t min_iterations) {
  if (!loop.isLoopSimplifyForm() || loop.getExitBlock() == nullptr) return std::nullopt;
  AffineLoop found;
  found.loop = &loop;
  found.repeats = evolution.getBackedgeTakenCount(&loop);
  if (llvm::isa<llvm::SCEVCouldNotCompute>(found.repeats)) return std::nullopt;
  if (evolution.getTypeSizeInBits(found.repeats->getType()) > 64) return std::nullopt;
  // 0 would be 2^32, which nobody repeats a loop of this kind: the rests of unrolled loops have (n & 3) iterations.
  const llvm::SCEV* iterations = evolution.getAddExpr(found.repeats, evolution.getOne(found.repeats->getType()));
  if (evolution.getUnsignedRangeMax(iterations).ult(min_iterations)) return std::nullopt;
  for (llvm::PHINode& phi : loop.getHeader()->phis())
    if (!is_carried_well(phi, loop, evolution, dominators)) return std::nullopt;
  for (llvm::BasicBlock* block : loop.blocks()) {
    for (llvm::Instruction& instruction : *block) {
      const auto offset = marked_offset(instruction);
      if (offset && !add(found, instruction, *offset, evolution)) return std::nullopt;
    }
  }
  return found;
}

}  // namespace heddle::llvm_tier
