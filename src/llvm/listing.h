// Machine code as text beside the wasm instructions it was made for (--dump-code).
#pragma once

#include <span>
#include <string>

#include "llvm/object_reader.h"
#include "module/module.h"

namespace heddle::llvm_tier {

/// A line for each place in wasm ("+0x12 0x1a2b i32.add", in a callee that was inlined "... in func[7]"), and below it
/// its instructions. `inlined` is what abi::OffsetRow::inlined counts.
std::string list_code(const ObjectParts& code, const module::Module& m, spec::FuncIndex func,
                      std::span<const abi::InlinedCall> inlined);

}  // namespace heddle::llvm_tier
