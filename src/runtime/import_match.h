// Import matching (core spec, Validation, Matching: External Types) across modules, and the words that messages use for
// imports.
#pragma once

#include <string>

#include "base/result.h"
#include "module/module.h"
#include "runtime/instance.h"

namespace heddle::runtime {

/// "(func (param i32) (result i32))", "(memory 1 2 shared)" ...: the type an import asks for.
std::string import_type_text(const module::Module& m, const module::Import& import);
/// "\"env\" \"memory\"".
std::string import_name_text(const module::Import& import);

/// The error if `given` does not match what `import` asks for: unlinkable "incompatible import type ...".
base::Status match_import(const module::Module& m, const module::Import& import, const Extern& given);
/// The same for a definition that has no store yet.
base::Status match_import(const module::Module& m, const module::Import& import, const HostFunction& given);
base::Status match_import(const module::Module& m, const module::Import& import, const Memory& given);

}  // namespace heddle::runtime
