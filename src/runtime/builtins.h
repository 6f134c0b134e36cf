// The host services of abi/builtins.def as C functions: heddle_builtin_<name>, with C linkage so that assembly can name
// them too. Each file builtins_<family>.cpp defines its part; builtins.cpp makes the table that VmCtx::builtins points
// to. Called by generated code on the store's own thread; none may block except through the interruptible system call.
#pragma once

#include "abi/builtins.h"

namespace heddle::runtime {

using abi::VmCtx;  // the parameter lists of builtins.def name it without its namespace

extern "C" {
#define BUILTIN(name, result, parameters) result heddle_builtin_##name parameters;
#include "abi/builtins.def"
}

/// Indexed by abi::Builtin. Const for the life of the process.
extern const void* const kBuiltins[static_cast<std::size_t>(abi::Builtin::kCount)];

}  // namespace heddle::runtime
