// Element segments and tables with inline elements (part of pass 2 of module_parser.h).
#include "text/module_parser.h"

namespace heddle::text {

/// What a segment holds: function indices, or expressions of a reference type.
struct ModuleParser::ElemList {
  spec::ValType type = spec::ValType::ref(spec::HeapType::func, false);
  bool uses_expressions = false;
  std::uint32_t count = 0;
  CodeBuffer items;

  void write(CodeBuffer& out) const {
    out.enc.u32(count);
    out.append(items);
  }
};

void ModuleParser::parse_elem_indices(ElemList& list) {
  for (; cursor_.at_index(); ++list.count) list.items.enc.u32(parse_index(cursor_, module_.funcs));
}

/// (item instr*) or one folded instruction, repeated.
void ModuleParser::parse_elem_exprs(ElemList& list) {
  list.uses_expressions = true;
  for (; cursor_.at(TokenKind::open); ++list.count) {
    if (cursor_.take_open("item")) {
      instructions_.expression(list.items);
      cursor_.expect_close();
    } else {
      instructions_.folded_expression(list.items);
    }
  }
}

/// func index*, or reftype expression*; with `bare_indices` also index*.
void ModuleParser::parse_elem_list(bool bare_indices, ElemList& list) {
  if (cursor_.take_keyword("func") || (bare_indices && (cursor_.at_index() || cursor_.at(TokenKind::close))))
    return parse_elem_indices(list);
  list.type = parse_ref_type(cursor_, module_);
  parse_elem_exprs(list);
}

/// Core spec, Binary Format, Element Section: eight forms, told apart by three bits.
void ModuleParser::parse_elem(std::uint32_t offset) {
  enum : std::uint8_t { kPassive = 1, kDeclarative = 3, kExplicitTable = 2, kExpressions = 4 };
  skip_id();
  ++next_.elems;
  std::uint8_t flags = 0;
  std::uint32_t table = 0;
  CodeBuffer place;
  bool bare_indices = false;
  if (cursor_.take_keyword("declare")) {
    flags = kDeclarative;
  } else if (cursor_.at(TokenKind::natural)) {
    // WebAssembly 1.0: (elem 0 (i32.const 0) $f); the threads proposal's scripts still write it.
    table = parse_index(cursor_, module_.tables);
    bare_indices = true;
    parse_offset(place);
  } else if (!cursor_.at(TokenKind::open) || cursor_.at_open("ref")) {
    flags = kPassive;
  } else {
    bare_indices = !cursor_.at_open("table");
    if (cursor_.take_open("table")) {
      table = parse_index(cursor_, module_.tables);
      cursor_.expect_close();
    }
    parse_offset(place);
  }
  const bool active = flags == 0;
  ElemList list;
  parse_elem_list(bare_indices, list);

  if (active && (table != 0 || (list.uses_expressions && list.type != spec::kFuncRef))) flags = kExplicitTable;
  if (list.uses_expressions) flags |= kExpressions;
  SectionBuffer& section = module_.builder.section(SectionKind::elem);
  binary::Encoder& enc = section.entry(offset);
  enc.byte(flags);
  if (active && flags & kExplicitTable) enc.u32(table);
  section.body.append(place);
  if (flags & 3) {
    if (list.uses_expressions)
      enc.val_type(list.type);
    else
      enc.byte(0x00);  // elemkind: functions
  }
  list.write(section.body);
}

/// reftype (elem ...): as large as the list, which begins at 0.
void ModuleParser::parse_inline_elems(std::uint32_t table, spec::AddressType address, std::uint32_t offset) {
  spec::TableType type;
  type.address = address;
  type.element = parse_ref_type(cursor_, module_);
  cursor_.expect_open("elem");
  ElemList list;
  if (cursor_.at_index() || cursor_.at(TokenKind::close))
    parse_elem_indices(list);
  else
    parse_elem_exprs(list);
  cursor_.expect_close();
  type.limits.min = list.count;
  type.limits.max = list.count;
  module_.builder.section(SectionKind::table).entry(offset).table_type(type);

  ++next_.elems;
  if (!list.uses_expressions && type.element != spec::kFuncRef) {
    // Function indices would give the segment the type (ref func), which need not fit the table.
    list.uses_expressions = true;
    CodeBuffer exprs;
    const std::vector<std::uint8_t>& indices = list.items.enc.bytes();
    for (std::size_t i = 0; i < indices.size();) {
      exprs.enc.op(spec::Opcode::ref_func);
      do {
        exprs.enc.byte(indices[i]);
      } while ((indices[i++] & 0x80) != 0);
      exprs.enc.op(spec::Opcode::end);
    }
    list.items = std::move(exprs);
  }
  const bool short_form = table == 0 && type.element == spec::kFuncRef;
  SectionBuffer& section = module_.builder.section(SectionKind::elem);
  binary::Encoder& enc = section.entry(offset);
  enc.byte(static_cast<std::uint8_t>((short_form ? 0 : 2) | (list.uses_expressions ? 4 : 0)));
  if (!short_form) enc.u32(table);
  if (address == spec::AddressType::i64)
    enc.op(spec::Opcode::i64_const).s64(0);
  else
    enc.op(spec::Opcode::i32_const).s32(0);
  enc.op(spec::Opcode::end);
  if (!short_form) {
    if (list.uses_expressions)
      enc.val_type(type.element);
    else
      enc.byte(0x00);
  }
  list.write(section.body);
}

}  // namespace heddle::text
