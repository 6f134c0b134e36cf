// WidePhisPass: an i32 that control flow carries to a 64-bit address stays zero-extended on its way.
//
// A guest's pointer is an i32 and the machine's address is 64 bits wide. What a phi brings from another block may have
// anything in its upper half as far as instruction selection knows, so that each access of a loop would begin with an
// instruction that clears it. Extended where it is computed, it costs nothing: 32-bit instructions clear the upper
// half.
#pragma once

#include <llvm/IR/PassManager.h>

namespace heddle::llvm_tier {

/// Runs last: it hides induction variables from the passes that look for them.
class WidePhisPass : public llvm::PassInfoMixin<WidePhisPass> {
 public:
  llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

}  // namespace heddle::llvm_tier
