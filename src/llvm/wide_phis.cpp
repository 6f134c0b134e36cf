#include "llvm/wide_phis.h"

#include <llvm/ADT/MapVector.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/PatternMatch.h>

namespace heddle::llvm_tier {
namespace {

using llvm::BasicBlock;
using llvm::PHINode;
using llvm::Value;

constexpr unsigned kNarrowBits = 32;
constexpr unsigned kWideBits = 64;

bool is_extended(const PHINode& phi) {
  return llvm::any_of(phi.users(), [](const llvm::User* user) {
    const auto* extension = llvm::dyn_cast<llvm::ZExtInst>(user);
    return extension != nullptr && extension->getType()->isIntegerTy(kWideBits);
  });
}

class Widener {
 public:
  explicit Widener(llvm::Function& function)
      : function_(function), wide_type_(llvm::Type::getInt64Ty(function.getContext())) {}

  bool run() {
    for (BasicBlock& block : function_)
      for (PHINode& phi : block.phis())
        if (phi.getType()->isIntegerTy(kNarrowBits) && is_extended(phi) && can_be_wide(phi)) begin(phi);
    for (auto& [narrow, wide] : wide_) fill(*narrow, *wide);
    for (auto& [narrow, wide] : wide_) replace(*narrow, *wide);
    return !wide_.empty();
  }

 private:
  /// Is there a place behind each definition? (None is behind an invoke in its own block.)
  static bool can_be_wide(const PHINode& phi) {
    const BasicBlock::const_iterator place = phi.getParent()->getFirstInsertionPt();
    return place != phi.getParent()->end() &&
           llvm::none_of(phi.incoming_values(), [](const Value* value) { return llvm::isa<llvm::InvokeInst>(value); });
  }

  void begin(PHINode& narrow) {
    PHINode* wide = PHINode::Create(wide_type_, narrow.getNumIncomingValues(), "", narrow.getIterator());
    wide->setDebugLoc(narrow.getDebugLoc());
    wide_.insert({&narrow, wide});
  }

  void fill(PHINode& narrow, PHINode& wide) {
    for (unsigned i = 0; i < narrow.getNumIncomingValues(); ++i)
      wide.addIncoming(extended(narrow.getIncomingValue(i)), narrow.getIncomingBlock(i));
  }

  /// `narrow` in 64 bits, computed in the block where it is defined, so that instruction selection sees both at once.
  Value* extended(Value* narrow) {
    if (auto* constant = llvm::dyn_cast<llvm::ConstantInt>(narrow))
      return llvm::ConstantInt::get(wide_type_, constant->getZExtValue());
    if (llvm::isa<llvm::PoisonValue>(narrow)) return llvm::PoisonValue::get(wide_type_);
    if (auto* phi = llvm::dyn_cast<PHINode>(narrow))
      if (auto known = wide_.find(phi); known != wide_.end()) return known->second;
    Value* travelled = nullptr;
    if (llvm::PatternMatch::match(narrow, llvm::PatternMatch::m_Trunc(llvm::PatternMatch::m_Value(travelled))) &&
        travelled->getType() == wide_type_ &&
        llvm::computeKnownBits(travelled, function_.getDataLayout()).countMinLeadingZeros() >= kWideBits - kNarrowBits)
      return travelled;
    Value*& known = extensions_[narrow];
    if (known != nullptr) return known;
    llvm::IRBuilder<> ir(function_.getContext());
    if (auto* instruction = llvm::dyn_cast<llvm::Instruction>(narrow)) {
      const std::optional<BasicBlock::iterator> place = instruction->getInsertionPointAfterDef();
      ir.SetInsertPoint(instruction->getParent(), *place);
      ir.SetCurrentDebugLocation(instruction->getDebugLoc());
    } else {
      ir.SetInsertPoint(&function_.getEntryBlock(), function_.getEntryBlock().getFirstInsertionPt());
    }
    return known = ir.CreateZExt(narrow, wide_type_);
  }

  static void replace(PHINode& narrow, PHINode& wide) {
    for (llvm::User* user : llvm::make_early_inc_range(narrow.users())) {
      auto* extension = llvm::dyn_cast<llvm::ZExtInst>(user);
      if (extension == nullptr || extension->getType() != wide.getType()) continue;
      extension->replaceAllUsesWith(&wide);
      extension->eraseFromParent();
    }
    llvm::IRBuilder<> ir(narrow.getParent(), narrow.getParent()->getFirstInsertionPt());
    ir.SetCurrentDebugLocation(narrow.getDebugLoc());
    narrow.replaceAllUsesWith(ir.CreateTrunc(&wide, narrow.getType()));
    narrow.eraseFromParent();
  }

  llvm::Function& function_;
  llvm::Type* wide_type_;
  llvm::MapVector<PHINode*, PHINode*> wide_;  ///< in the order of the blocks: the same input gives the same code
  llvm::DenseMap<Value*, Value*> extensions_;
};

}  // namespace

llvm::PreservedAnalyses WidePhisPass::run(llvm::Function& function, llvm::FunctionAnalysisManager&) {
  if (!Widener(function).run()) return llvm::PreservedAnalyses::all();
  llvm::PreservedAnalyses kept;
  kept.preserveSet<llvm::CFGAnalyses>();
  return kept;
}

}  // namespace heddle::llvm_tier
