// Types as the binary format writes them (core spec, Binary Format, Types), for the type section and for immediates.
// Only well-formedness and features are checked; a concrete heap type may name a type that does not exist.
#pragma once

#include "binary/immediates.h"
#include "binary/reader.h"
#include "spec/features.h"
#include "spec/types.h"

namespace heddle::binary {

// False and `error` set on failure; the reader then stands at the start of what could not be read.

/// s33: an abstract heap type's code or a type index. Indices of kMaxTypes and more are "unknown type" at once.
bool read_heap_type(Reader& reader, spec::Features features, spec::HeapType& out, base::Error& error);
bool read_val_type(Reader& reader, spec::Features features, spec::ValType& out, base::Error& error);
bool read_ref_type(Reader& reader, spec::Features features, spec::ValType& out, base::Error& error);
bool read_block_type(Reader& reader, spec::Features features, imm::BlockType& out, base::Error& error);

}  // namespace heddle::binary
