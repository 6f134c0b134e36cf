// Which features of the language a module uses: in its types, definitions, constant expressions and bodies. What an
// instruction needs is the column `feature` of opcodes.def; what the module level needs is said in features_used.cpp.
#pragma once

#include "base/result.h"
#include "module/module.h"
#include "spec/features.h"

namespace heddle::engine {

/// The module need not be valid. Errors: malformed (a body, which decoding does not read). Any thread.
base::Result<spec::Features> features_used(const module::Module& m);

}  // namespace heddle::engine
