// bytes -> Module: the module level of the binary format (core spec, Binary Format, Modules). Function bodies and
// constant expressions are only delimited here; their instructions are read when they are validated.
#pragma once

#include <memory>

#include "base/result.h"
#include "module/module.h"
#include "spec/features.h"

namespace heddle::binary {

/// Decodes a module. `wire` is kept alive by the result. Any thread. Errors: malformed, unsupported (a component, a
/// newer version), limit. Everything announced is checked against the bytes that are left before memory is reserved.
/// Constant expressions are scanned to find their end (and illegal opcodes), not checked. Of `wire` only that is needed
/// which is decoded: not the contents of custom sections, nor bodies whose places it knows. Where it cannot be had any
/// more, any error may come, or none: ask `wire`.
base::Result<std::shared_ptr<const module::Module>> decode_module(std::shared_ptr<const module::WireBytes> wire,
                                                                  spec::Features features);

}  // namespace heddle::binary
