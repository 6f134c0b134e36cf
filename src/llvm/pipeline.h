// LLVM IR -> optimised -> object file in memory. Passes constructed by hand, X86 back end only. Each thread keeps one
// target machine; contexts are the caller's.
#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>
#include <optional>
#include <span>

#include "llvm/loop_versioning.h"

namespace heddle::llvm_tier {

using ObjectBytes = llvm::SmallVector<char, 0>;

/// Sets the module's triple and data layout, and makes the compile unit of its debug information; call before building
/// functions in it.
void prepare_module(llvm::Module& out);

/// A function of the module, and what accesses in it are marked for.
struct MarkedFunction {
  llvm::Function* function = nullptr;
  std::optional<UnsharedMemory> memory;
};

/// Optimises the functions and emits an ELF relocatable object, with a section for each one's code.
ObjectBytes optimise_and_emit(llvm::Module& out, std::span<const MarkedFunction> functions);

/// This thread's.
llvm::TargetMachine& target_machine();

/// Textual IR, for --dump-code.
std::string to_text(const llvm::Module& out);

}  // namespace heddle::llvm_tier
