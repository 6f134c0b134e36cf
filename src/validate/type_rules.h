// When a type may be used in this module: its indices exist, its features are on.
// https://webassembly.github.io/spec/core/valid/types.html
#pragma once

#include "base/result.h"
#include "module/module.h"

namespace heddle::validate {

/// Number and vector types are checked without a call.
base::Status check_heap_type(const module::Module& m, spec::HeapType type, std::uint64_t at);
base::Status check_reference_type(const module::Module& m, spec::ValType type, std::uint64_t at);
inline base::Status check_val_type(const module::Module& m, spec::ValType type, std::uint64_t at) {
  if (type.is_num()) return {};
  return check_reference_type(m, type, at);
}

/// The type section: every type refers only to types of its own or earlier groups, and is a subtype of what it
/// declares.
base::Status check_type_section(const module::Module& m);

/// Limits in order and within what addresses reach; shared memory; custom page sizes. Whether shared, 64-bit and custom
/// page sizes may be spelt with the features that are on is the decoder's, as for all types.
base::Status check_mem_type(const spec::MemType& type, std::uint64_t at);
base::Status check_table_type(const module::Module& m, const spec::TableType& type, std::uint64_t at);
/// The index of a function type.
base::Status check_func_type_index(const module::Module& m, spec::TypeIndex type, std::uint64_t at);
/// A function type without results.
base::Status check_tag_type(const module::Module& m, const spec::TagType& type, std::uint64_t at);

/// The type of a segment's elements: function indices are references that are not null.
/// https://webassembly.github.io/spec/core/binary/modules.html#element-section
inline spec::ValType elem_type(const module::ElemSegment& segment) {
  return segment.uses_expressions ? segment.type : spec::ValType::ref(spec::HeapType::func, false);
}

}  // namespace heddle::validate
