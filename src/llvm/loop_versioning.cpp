#include "llvm/loop_versioning.h"

#include <llvm/Analysis/AssumptionCache.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/LoopSimplify.h>
#include <llvm/Transforms/Utils/LoopUtils.h>
#include <llvm/Transforms/Utils/ScalarEvolutionExpander.h>
#include <llvm/Transforms/Vectorize/LoopVectorize.h>
#include <vector>

#include "abi/vmctx.h"
#include "base/check.h"
#include "llvm/affine_loop.h"
#include "llvm/fast_loop.h"
#include "llvm/reroll.h"

namespace heddle::llvm_tier {
namespace {

using llvm::BasicBlock;
using llvm::Value;

/// Chosen: below, the checks cost about as much as vectors gain.
constexpr std::uint64_t kMinIterations = 16;

/// A loop that has a second version.
struct Versions {
  BasicBlock* before;  ///< ends with the decision, whose second way leads to the original
  llvm::WeakTrackingVH fast_header;
};

class Versioning {
 public:
  Versioning(llvm::Function& function, llvm::FunctionAnalysisManager& analyses, UnsharedMemory memory)
      : function_(function),
        memory_(memory),
        dominators_(analyses.getResult<llvm::DominatorTreeAnalysis>(function)),
        loops_(analyses.getResult<llvm::LoopAnalysis>(function)),
        evolution_(analyses.getResult<llvm::ScalarEvolutionAnalysis>(function)),
        assumptions_(analyses.getResult<llvm::AssumptionAnalysis>(function)) {}

  void version(llvm::ArrayRef<llvm::Loop*> candidates) {
    for (llvm::Loop* loop : candidates) {
      llvm::simplifyLoop(loop, &dominators_, &loops_, &evolution_, &assumptions_, nullptr, false);
      llvm::formLCSSA(*loop, dominators_, &loops_, &evolution_);
      if (const auto affine = find_affine(*loop, evolution_, dominators_, kMinIterations)) version(*affine);
    }
    HEDDLE_DCHECK(dominators_.verify(), "the dominator tree knows the new versions");
    if (made_.empty()) return;
    for (llvm::Loop* loop : loops_.getLoopsInPreorder())
      if (!fast_.contains(loop)) llvm::addStringMetadataToLoop(loop, "llvm.loop.vectorize.enable", 0);
  }

  const std::vector<Versions>& made() const { return made_; }

 private:
  bool can_expand(const AffineLoop& affine, llvm::SCEVExpander& expander, llvm::Instruction* at) {
    return expander.isSafeToExpandAt(affine.repeats, at) &&
           llvm::all_of(affine.runs, [&](const Run& run) { return expander.isSafeToExpandAt(run.start, at); });
  }

  void version(const AffineLoop& affine) {
    llvm::Loop& loop = *affine.loop;
    BasicBlock* before = loop.getLoopPreheader();
    llvm::SCEVExpander expander(evolution_, "range");
    if (!can_expand(affine, expander, before->getTerminator())) return;
    const auto reroll = find_copies(affine, evolution_);

    BasicBlock* slow = llvm::SplitBlock(before, before->getTerminator(), &dominators_, &loops_);
    llvm::ValueToValueMapTy clones;
    llvm::SmallVector<BasicBlock*, 8> blocks;
    llvm::Loop* copy =
        llvm::cloneLoopWithPreheader(slow, before, &loop, clones, ".fast", &loops_, &dominators_, blocks);
    llvm::remapInstructionsInBlocks(blocks, clones);
    join_exits(loop, *copy, clones, before);

    BasicBlock* check = BasicBlock::Create(function_.getContext(), "range", &function_, copy->getLoopPreheader());
    if (llvm::Loop* parent = loop.getParentLoop()) parent->addBasicBlockToLoop(check, loops_);
    dominators_.addNewBlock(check, before);
    dominators_.changeImmediateDominator(copy->getLoopPreheader(), check);

    llvm::Instruction* end = before->getTerminator();
    ir_.SetInsertPoint(end);
    Value* repeats = expander.expandCodeFor(affine.repeats, affine.repeats->getType(), end);
    ir_.SetInsertPoint(end);
    repeats = ir_.CreateZExt(repeats, ir_.getInt64Ty());
    const std::uint64_t min_repeats = kMinIterations / (reroll ? reroll->copies : 1) - 1;
    ir_.CreateCondBr(ir_.CreateICmpUGE(repeats, ir_.getInt64(min_repeats)), check, slow);
    end->eraseFromParent();

    ir_.SetInsertPoint(check);
    llvm::Instruction* placeholder = ir_.CreateUnreachable();
    llvm::SmallVector<Value*, 4> starts;
    Value* in_bounds = emit_check(affine, repeats, expander, starts, placeholder);
    FastLoop(evolution_, {affine, reroll ? &*reroll : nullptr, *copy, clones, starts, repeats, expander, placeholder})
        .rewrite();
    ir_.SetInsertPoint(placeholder);
    ir_.CreateCondBr(in_bounds, copy->getLoopPreheader(), slow);
    placeholder->eraseFromParent();

    llvm::formDedicatedExitBlocks(&loop, &dominators_, &loops_, nullptr, true);
    llvm::formDedicatedExitBlocks(copy, &dominators_, &loops_, nullptr, true);
    evolution_.forgetAllLoops();
    fast_.insert(copy);
    made_.push_back({before, copy->getHeader()});
  }

  /// The exit's phis get the copy's values. Nothing else takes values out of a loop in LCSSA form.
  void join_exits(const llvm::Loop& loop, const llvm::Loop& copy, llvm::ValueToValueMapTy& clones, BasicBlock* before) {
    BasicBlock* exit = loop.getExitBlock();
    for (llvm::PHINode& phi : exit->phis()) {
      Value* value = phi.getIncomingValueForBlock(loop.getLoopLatch());
      const auto cloned = clones.find(value);
      phi.addIncoming(cloned == clones.end() ? value : static_cast<Value*>(cloned->second), copy.getLoopLatch());
    }
    dominators_.changeImmediateDominator(exit, before);
  }

  /// All in 64 bits, where nothing overflows: starts and repeats are below 2^32, strides at most 2^31, reaches below
  /// 2^40. An end inside the memory also says that no index wraps, since no memory of 32-bit addresses is longer than
  /// 2^32 bytes.
  Value* emit_check(const AffineLoop& affine, Value* repeats, llvm::SCEVExpander& expander,
                    llvm::SmallVectorImpl<Value*>& starts, llvm::Instruction* at) {
    ir_.SetInsertPoint(at);
    Value* vmctx = function_.getArg(static_cast<unsigned>(function_.arg_size() - 1));
    const auto field = [&](Value* from, std::uint64_t offset) {
      return ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), from, offset);
    };
    llvm::LoadInst* vm_memory =
        ir_.CreateLoad(ir_.getPtrTy(), field(vmctx, static_cast<std::uint64_t>(memory_.vm_memory_field)));
    llvm::LoadInst* size = ir_.CreateLoad(ir_.getInt64Ty(), field(vm_memory, offsetof(abi::VmMemory, size_bytes)));
    size->setAtomic(llvm::AtomicOrdering::Acquire);
    size->setAlignment(llvm::Align(8));

    Value* good = nullptr;
    const auto require = [&](Value* condition) { good = good == nullptr ? condition : ir_.CreateAnd(good, condition); };
    if (evolution_.getTypeSizeInBits(affine.repeats->getType()) > 32)
      require(ir_.CreateICmpULT(repeats, ir_.getInt64(std::uint64_t{1} << 32)));
    for (const Run& run : affine.runs) {
      Value* start = expander.expandCodeFor(run.start, ir_.getInt32Ty(), at);
      ir_.SetInsertPoint(at);
      start = ir_.CreateZExt(start, ir_.getInt64Ty());
      starts.push_back(start);
      const auto step = static_cast<std::uint64_t>(std::abs(run.stride));
      Value* way = ir_.CreateMul(repeats, ir_.getInt64(step));
      if (run.stride < 0) require(ir_.CreateICmpULE(way, start));
      Value* last = run.stride > 0 ? ir_.CreateAdd(start, way) : start;
      require(ir_.CreateICmpULE(ir_.CreateAdd(last, ir_.getInt64(run.reach)), size));
    }
    return good;
  }

  llvm::Function& function_;
  UnsharedMemory memory_;
  llvm::DominatorTree& dominators_;
  llvm::LoopInfo& loops_;
  llvm::ScalarEvolution& evolution_;
  llvm::AssumptionCache& assumptions_;
  llvm::IRBuilder<> ir_{function_.getContext()};
  std::vector<Versions> made_;
  llvm::SmallPtrSet<const llvm::Loop*, 4> fast_;
};

llvm::SmallVector<llvm::Loop*, 4> candidates_in(llvm::LoopInfo& loops) {
  llvm::SmallVector<llvm::Loop*, 4> candidates;
  for (llvm::Loop* loop : loops.getLoopsInPreorder())
    if (may_be_affine(*loop)) candidates.push_back(loop);
  return candidates;
}

/// The header is gone if the vectorizer left nothing for single iterations.
bool was_vectorised(const Versions& versions, const llvm::LoopInfo& loops) {
  const auto* header = llvm::cast_or_null<BasicBlock>(static_cast<Value*>(versions.fast_header));
  if (header == nullptr) return true;
  const llvm::Loop* loop = loops.getLoopFor(header);
  return loop == nullptr || loop->getHeader() != header ||
         llvm::getBooleanLoopAttribute(loop, "llvm.loop.isvectorized");
}

}  // namespace

bool vectorise_loops(llvm::Function& function, llvm::FunctionAnalysisManager& analyses, UnsharedMemory memory) {
  const auto candidates = candidates_in(analyses.getResult<llvm::LoopAnalysis>(function));
  if (candidates.empty()) return false;
  Versioning versioning(function, analyses, memory);
  versioning.version(candidates);
  llvm::PreservedAnalyses kept;
  kept.preserve<llvm::DominatorTreeAnalysis>();
  kept.preserve<llvm::LoopAnalysis>();
  analyses.invalidate(function, kept);
  if (versioning.made().empty()) return false;

  analyses.invalidate(function, llvm::LoopVectorizePass().run(function, analyses));

  bool any = false;
  const auto& loops = analyses.getResult<llvm::LoopAnalysis>(function);
  llvm::SmallVector<const Versions*, 4> in_vain;
  for (const Versions& versions : versioning.made()) {
    if (was_vectorised(versions, loops))
      any = true;
    else
      in_vain.push_back(&versions);
  }
  for (const Versions* versions : in_vain) {
    auto* decision = llvm::cast<llvm::BranchInst>(versions->before->getTerminator());
    llvm::BranchInst::Create(decision->getSuccessor(1), versions->before);
    Value* condition = decision->getCondition();
    decision->eraseFromParent();
    llvm::RecursivelyDeleteTriviallyDeadInstructions(condition);
  }
  if (!in_vain.empty()) {
    llvm::EliminateUnreachableBlocks(function);
    analyses.invalidate(function, llvm::PreservedAnalyses::none());
  }
  HEDDLE_DCHECK(!llvm::verifyFunction(function, &llvm::errs()), "loops with two versions are valid IR");
  return any;
}

}  // namespace heddle::llvm_tier
