// Versions of loops over linear memory. Every access traps by faulting, so it is volatile, and its i32 index may wrap;
// nothing can be vectorised that way. Where affine_loop.h knows all addresses of an execution beforehand, the loop gets
// a second version behind a check that they lie inside the memory: there accesses are plain and addresses of 64 bits,
// and LLVM's loop vectorizer takes it from there. When the check fails, the original runs, and traps where it always
// did.
//
// Why the check stays true while the loop runs: the memory is not shared, so only this thread can change its length,
// which never shrinks; and the loop calls nothing.
#pragma once

#include <cstdint>
#include <llvm/IR/PassManager.h>

namespace heddle::llvm_tier {

/// A memory 0 that is not shared: where the VmCtx has the pointer to its VmMemory.
struct UnsharedMemory {
  std::int32_t vm_memory_field;
};

/// Vectorises what can be; `function` takes its vmctx last. True if there was something: passes should clean up then.
bool vectorise_loops(llvm::Function& function, llvm::FunctionAnalysisManager& analyses, UnsharedMemory memory);

}  // namespace heddle::llvm_tier
