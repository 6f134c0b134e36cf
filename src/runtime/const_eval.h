// Values of constant expressions (core spec, Constant Expressions) at instantiation. The expressions have been
// validated; what remains is arithmetic.
#pragma once

#include "abi/vmctx.h"
#include "base/result.h"
#include "module/module.h"

namespace heddle::runtime {

class Instance;

/// The value; i32 and references zero-extended to 64 bits, other bytes zero. `instance` supplies globals and function
/// references; its imports and all globals before the one that is being initialised have their values. Errors:
/// unsupported (expressions that allocate heap objects).
base::Result<abi::VmValue> evaluate(Instance& instance, const module::ConstExpr& expression);

/// Whether evaluate() can: needs no instance. Errors: unsupported.
base::Status check_evaluable(const module::Module& m, const module::ConstExpr& expression);

}  // namespace heddle::runtime
