// Module -> .wat, the disassembler. What it writes parses back (wat_parser.h) to an equivalent module: the same types,
// index spaces, segments and instructions. Names come from the "name" section where there is one; other custom sections
// are left out unless asked for, and then stand at the end.
//
// Does not validate: modules that break rules are printed as they are.
#pragma once

#include <string>

#include "base/result.h"
#include "module/module.h"

namespace heddle::text {

struct PrintOptions {
  bool custom_sections = false;  ///< as (@custom ...)
};

/// Malformed bodies are the only errors (they are not read when a module is decoded). Any thread.
base::Result<std::string> print_wat(const module::Module& m, const PrintOptions& options = {});

}  // namespace heddle::text
