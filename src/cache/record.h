// One function's code as bytes on disk, and back. Numbers stand as this machine writes them: an entry is for one build
// on one kind of processor. What is read is checked whole before anybody gets it: no offset leaves the code, no index
// the module.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "abi/tier.h"
#include "base/span.h"
#include "module/module.h"

namespace heddle::cache {

std::vector<std::uint8_t> write_record(base::Bytes code, const abi::CodeTables& tables);

/// The piece's code stays where it is, in `record`. nullopt: broken, or not for this module.
std::optional<abi::KeptCode::Piece> read_record(base::Bytes record, const module::Module& m, spec::FuncIndex func);

}  // namespace heddle::cache
