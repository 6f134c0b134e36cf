// .gcc_except_table of one function -> abi::ExceptionHandler rows. Knows what LLVM writes for landing pads of catch
// clauses; there is no specification but the code of its writers and readers
// (https://itanium-cxx-abi.github.io/cxx-abi/exceptions.pdf describes the parts).
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "abi/artifact.h"
#include "base/span.h"

namespace heddle::llvm_tier {

/// What the type table's entry at this offset of the section stands for: its relocation's symbol, or nothing.
using TagAt = std::function<std::optional<spec::TagIndex>(std::size_t offset)>;

/// Handlers in the order in which they are asked, or nothing if the table has another form than expected.
std::optional<std::vector<abi::ExceptionHandler>> read_exception_table(base::Bytes table, const TagAt& tag_at);

}  // namespace heddle::llvm_tier
