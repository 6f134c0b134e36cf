// LLVM IR -> optimised -> object file in memory. Passes constructed by hand, X86 back end only. Each thread keeps one
// target machine; contexts are the caller's.
#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>
#include <optional>

#include "llvm/loop_versioning.h"

namespace heddle::llvm_tier {

using ObjectBytes = llvm::SmallVector<char, 0>;

/// Sets the module's triple and data layout; call before building functions in it.
void prepare_module(llvm::Module& out);

/// Optimises every function and emits an ELF relocatable object. `memory`: what accesses in them are marked for.
ObjectBytes optimise_and_emit(llvm::Module& out, std::optional<UnsharedMemory> memory);

/// This thread's.
llvm::TargetMachine& target_machine();

/// Textual IR, for --dump-code.
std::string to_text(const llvm::Module& out);

}  // namespace heddle::llvm_tier
