// The fast version of a loop, made of a copy of it: plain accesses at addresses of 64 bits, a count of 64 bits, and one
// copy of an unrolled body.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/Transforms/Utils/ScalarEvolutionExpander.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include "llvm/affine_loop.h"
#include "llvm/reroll.h"

namespace heddle::llvm_tier {

class FastLoop {
 public:
  /// What it is made of; all borrowed.
  struct Parts {
    const AffineLoop& original;
    const Reroll* reroll;  ///< or nullptr
    llvm::Loop& loop;
    llvm::ValueToValueMapTy& clones;      ///< original -> loop
    llvm::ArrayRef<llvm::Value*> starts;  ///< of the original's runs, as i64
    llvm::Value* repeats;                 ///< of the original, as i64
    llvm::SCEVExpander& expander;
    llvm::Instruction* before;  ///< where what does not change in the loop is computed
  };

  FastLoop(llvm::ScalarEvolution& evolution, const Parts& parts)
      : evolution_(evolution),
        parts_(parts),
        copies_(parts.reroll == nullptr ? 1 : parts.reroll->copies),
        ir_(parts.before->getContext()) {}

  /// All accesses must be known to lie inside the memory, with indexes that do not wrap.
  void rewrite();

 private:
  llvm::Value* clone_of(llvm::Value* value) const;
  llvm::Value* expand(const llvm::SCEV* value);
  void replace_exit_values();
  void drop_copies();
  void replace_induction(llvm::Instruction& original);
  llvm::Value* address_of(const AffineAccess& access);
  void rewrite_access(const AffineAccess& access);
  void count_in_64_bits();
  void delete_unused();

  llvm::ScalarEvolution& evolution_;
  const Parts parts_;
  unsigned copies_;
  llvm::IRBuilder<> ir_;
  llvm::PHINode* count_ = nullptr;
  llvm::SmallVector<llvm::Value*, 4> firsts_;                                      ///< address of each run's start
  llvm::DenseMap<std::pair<std::size_t, std::uint64_t>, llvm::Value*> addresses_;  ///< by run and position
};

}  // namespace heddle::llvm_tier
