// Function bodies and constant expressions as text: one instruction a line, indented by nesting; or all on one line.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "module/module.h"
#include "text/printer_names.h"

namespace heddle::text {

/// Locals and instructions of a defined function, each on a line of its own behind a newline; without the final `end`.
base::Status print_body(const module::Module& m, const PrinterNames& names, spec::FuncIndex func,
                        const Identifiers& locals, std::string& out);

/// "(i32.const 1)": each instruction in parentheses, where that is possible; without the final `end`.
base::Status print_expression(const module::Module& m, const PrinterNames& names, module::ConstExpr expr,
                              std::string& out);

}  // namespace heddle::text
