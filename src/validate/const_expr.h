// Constant expressions: what may stand where a value must be known without running code.
// https://webassembly.github.io/spec/core/valid/instructions.html#constant-expressions
#pragma once

#include "base/result.h"
#include "module/module.h"

namespace heddle::validate {

/// Checks that `expr` is constant and yields `expected`. It may read the globals below `visible_globals`.
base::Status check_const_expr(const module::Module& m, const module::ConstExpr& expr, spec::ValType expected,
                              std::uint32_t visible_globals);

}  // namespace heddle::validate
