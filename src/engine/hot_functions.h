// Which functions of a module are worth the LLVM tier before it has ever run.
#pragma once

#include <cstdint>
#include <vector>

#include "module/module.h"

namespace heddle::engine {

/// Those where instructions stand in the deepest loops, mean over the function, until their bodies add up to
/// `most_bytes`; of equals the smaller first. Bodies need not be valid. Ascending by index.
std::vector<spec::FuncIndex> likely_hot(const module::Module& m, std::uint64_t most_bytes);

}  // namespace heddle::engine
