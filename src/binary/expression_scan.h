// Walks instructions without checking them: finds the `end` that closes an expression, and what is malformed in it.
#pragma once

#include <vector>

#include "base/result.h"
#include "binary/body_reader.h"

namespace heddle::binary {

/// Reads instructions up to the `end` that matches the expression's begin. Function indices of `ref.func` are appended
/// to `referenced` (may be nullptr).
base::Status scan_expression(BodyReader& reader, std::vector<spec::FuncIndex>* referenced);

/// The same for a function body with its locals. An error if the body's range goes on behind its `end`.
base::Status scan_body(const module::Module& m, const module::Body& body);

}  // namespace heddle::binary
