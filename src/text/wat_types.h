// Types in the text format (core spec, Text Format, Types), indices, and type uses. Functions over a cursor: what they
// return after an error (cursor.failed()) has no meaning.
#pragma once

#include <cstdint>
#include <optional>

#include "spec/types.h"
#include "text/cursor.h"
#include "text/module_context.h"

namespace heddle::text {

/// A number or an identifier of the space. Numbers are not checked against its size: that is validation.
std::uint32_t parse_index(Cursor& cursor, const IndexSpace& space);
std::uint32_t parse_optional_index(Cursor& cursor, const IndexSpace& space);

/// Only the words: func, extern, any ...
spec::HeapType parse_abstract_heap_type(Cursor& cursor);
spec::HeapType parse_heap_type(Cursor& cursor, const ModuleContext& module);
spec::ValType parse_ref_type(Cursor& cursor, const ModuleContext& module);
spec::ValType parse_val_type(Cursor& cursor, const ModuleContext& module);
spec::TableType parse_table_type(Cursor& cursor, const ModuleContext& module);
spec::MemType parse_mem_type(Cursor& cursor, const ModuleContext& module);
spec::GlobalType parse_global_type(Cursor& cursor, const ModuleContext& module);

/// Parts of the above, for the abbreviations with inline segments.
spec::AddressType parse_address_type(Cursor& cursor);
std::uint8_t parse_page_size(Cursor& cursor);

/// (type x)? (param ...)* (result ...)*
struct TypeUse {
  std::optional<std::uint32_t> index;  ///< (type x)
  std::uint32_t offset = 0;            ///< in the source
  spec::FuncType inline_type;
  bool has_inline = false;  ///< any (param) or (result)
};
/// Names of parameters go to `names` (index among the parameters); where it is null they may have none.
TypeUse parse_type_use(Cursor& cursor, const ModuleContext& module, IndexNames* names);
/// Index of the type it uses; adds it where it stands alone. "inline function type" if the two forms disagree.
std::uint32_t resolve_type_use(Cursor& cursor, ModuleContext& module, const TypeUse& use);

/// (type ...) or (rec (type ...)*), whose names are bound already.
void parse_type_field(Cursor& cursor, ModuleContext& module);

}  // namespace heddle::text
