// Pass 2 of module_parser.h, and the order of all three.
#include "text/module_parser.h"

#include <fmt/core.h>

#include "text/name_section.h"

namespace heddle::text {

using spec::ExternKind;

Parsed ModuleParser::parse(std::string_view id) {
  Parsed parsed;
  parsed.module_name = id;
  module_.module_name = id;
  cursor_.seek(first_);
  // The module's own name stands in front of its first field.
  const std::string_view name = module_.annotations.take_name(cursor_);
  if (name.data() != nullptr) module_.module_name = name;
  bind_fields();
  parse_types();
  parse_declarations();
  parse_bodies();
  module_.annotations.report_unused(cursor_);
  if (cursor_.failed()) return parsed;

  module_.type_store.write(module_.builder.section(SectionKind::type));
  if (module_.needs_data_count) {
    SectionBuffer& section = module_.builder.section(SectionKind::data_count);
    section.entry(0).u32(module_.datas.count);
  }
  write_hints();
  write_name_section(module_);
  module_.builder.finish(parsed.bytes, parsed.map);
  return parsed;
}

void ModuleParser::parse_types() {
  cursor_.seek(first_);
  while (!cursor_.failed() && cursor_.index() < last_) {
    const std::uint32_t close = cursor_.token().match;
    if (cursor_.at_open("type") || cursor_.at_open("rec"))
      parse_type_field(cursor_, module_);
    else
      cursor_.seek(close < last_ ? close + 1 : last_);
  }
}

void ModuleParser::parse_declarations() {
  cursor_.seek(first_);
  while (!cursor_.failed()) {
    module_.annotations.take_customs(cursor_, module_.builder);
    if (cursor_.failed() || cursor_.index() >= last_) return;
    parse_declaration();
  }
}

void ModuleParser::parse_declaration() {
  if (cursor_.at_open("type") || cursor_.at_open("rec")) {
    cursor_.seek(cursor_.token().match);
    return cursor_.advance();
  }
  const std::uint32_t offset = cursor_.offset();
  cursor_.advance();
  const std::string_view word = cursor_.text();
  cursor_.advance();
  if (word == "func") return parse_func(offset);  // its body comes later
  if (word == "import") parse_import(offset);
  if (word == "table") parse_table(offset);
  if (word == "memory") parse_memory(offset);
  if (word == "global") parse_global(offset);
  if (word == "tag") parse_tag(offset);
  if (word == "export") parse_export(offset);
  if (word == "start") parse_start(offset);
  if (word == "elem") parse_elem(offset);
  if (word == "data") parse_data(offset);
  cursor_.expect_close();
}

void ModuleParser::skip_id() {
  cursor_.take_id();
}

// ---- Imports and exports
// ---------------------------------------------------------------------------------------------

void ModuleParser::parse_import(std::uint32_t offset) {
  InlineImport names;
  names.module = cursor_.expect_name();
  names.name = cursor_.expect_name();
  const std::optional<ExternKind> kind = take_open_kind();
  if (!kind) {
    if (cursor_.at(TokenKind::open)) cursor_.advance();
    return cursor_.unexpected("(func, (table, (memory, (global or (tag");
  }
  skip_id();
  parse_import_desc(names, *kind, offset);
  cursor_.expect_close();
}

/// The type behind the names, and the entry of the import section.
void ModuleParser::parse_import_desc(const InlineImport& names, ExternKind kind, std::uint32_t offset) {
  binary::Encoder& enc = module_.builder.section(SectionKind::import).entry(offset);
  enc.name(names.module).name(names.name).byte(static_cast<std::uint8_t>(kind));
  switch (kind) {
    case ExternKind::func:
    case ExternKind::tag: {
      IndexNames params;
      const TypeUse use = parse_type_use(cursor_, module_, &params);
      const std::uint32_t type = resolve_type_use(cursor_, module_, use);
      if (kind == ExternKind::tag) enc.byte(0);
      enc.u32(type);
      const std::uint32_t index = kind == ExternKind::tag ? next_.tags++ : next_.funcs++;
      if (kind == ExternKind::func && !params.empty()) module_.local_names.emplace_back(index, std::move(params));
      return;
    }
    case ExternKind::table:
      enc.table_type(parse_table_type(cursor_, module_));
      ++next_.tables;
      return;
    case ExternKind::memory:
      enc.mem_type(parse_mem_type(cursor_, module_));
      ++next_.memories;
      return;
    case ExternKind::global:
      enc.global_type(parse_global_type(cursor_, module_));
      ++next_.globals;
      return;
  }
}

/// (export "n")* (import "m" "n")? behind a definition's identifier.
std::optional<ModuleParser::InlineImport> ModuleParser::parse_inline_names(ExternKind kind, std::uint32_t index,
                                                                           std::uint32_t offset) {
  while (cursor_.take_open("export")) {
    write_export(cursor_.expect_name(), kind, index, offset);
    cursor_.expect_close();
  }
  if (!cursor_.take_open("import")) return std::nullopt;
  InlineImport names;
  names.module = cursor_.expect_name();
  names.name = cursor_.expect_name();
  cursor_.expect_close();
  return names;
}

void ModuleParser::write_export(std::string_view name, ExternKind kind, std::uint32_t index, std::uint32_t offset) {
  module_.builder.section(SectionKind::export_)
      .entry(offset)
      .name(name)
      .byte(static_cast<std::uint8_t>(kind))
      .u32(index);
}

void ModuleParser::parse_export(std::uint32_t offset) {
  const std::string name = cursor_.expect_name();
  const std::optional<ExternKind> kind = take_open_kind();
  if (!kind) {
    if (cursor_.at(TokenKind::open)) cursor_.advance();
    return cursor_.unexpected("(func, (table, (memory, (global or (tag");
  }
  write_export(name, *kind, parse_index(cursor_, space_of(*kind)), offset);
  cursor_.expect_close();
}

void ModuleParser::parse_start(std::uint32_t offset) {
  SectionBuffer& section = module_.builder.section(SectionKind::start);
  if (section.count != 0) return cursor_.fail(offset, "multiple start sections");
  section.entry(offset).u32(parse_index(cursor_, module_.funcs));
}

// ---- Definitions
// -----------------------------------------------------------------------------------------------------

void ModuleParser::parse_func(std::uint32_t offset) {
  const std::uint32_t close = cursor_.stream().tokens[cursor_.index() - 2].match;
  skip_id();
  if (const auto names = parse_inline_names(ExternKind::func, next_.funcs, offset)) {
    parse_import_desc(*names, ExternKind::func, offset);
    return cursor_.expect_close();
  }
  PendingBody pending;
  pending.token = cursor_.index();
  pending.func = next_.funcs++;
  pending.offset = offset;
  IndexNames params;  // bound with the body
  const TypeUse use = parse_type_use(cursor_, module_, &params);
  pending.type = resolve_type_use(cursor_, module_, use);
  module_.builder.section(SectionKind::func).entry(offset).u32(pending.type);
  if (cursor_.failed()) return;
  bodies_.push_back(pending);
  cursor_.seek(close);
  cursor_.advance();  // a missing parenthesis is reported by the body
}

void ModuleParser::parse_global(std::uint32_t offset) {
  skip_id();
  if (const auto names = parse_inline_names(ExternKind::global, next_.globals, offset))
    return parse_import_desc(*names, ExternKind::global, offset);
  ++next_.globals;
  SectionBuffer& section = module_.builder.section(SectionKind::global);
  section.entry(offset).global_type(parse_global_type(cursor_, module_));
  instructions_.expression(section.body);
}

void ModuleParser::parse_tag(std::uint32_t offset) {
  skip_id();
  if (const auto names = parse_inline_names(ExternKind::tag, next_.tags, offset))
    return parse_import_desc(*names, ExternKind::tag, offset);
  ++next_.tags;
  IndexNames params;
  const TypeUse use = parse_type_use(cursor_, module_, &params);
  const std::uint32_t type = resolve_type_use(cursor_, module_, use);
  module_.builder.section(SectionKind::tag).entry(offset).byte(0).u32(type);
}

void ModuleParser::parse_table(std::uint32_t offset) {
  skip_id();
  if (const auto names = parse_inline_names(ExternKind::table, next_.tables, offset))
    return parse_import_desc(*names, ExternKind::table, offset);
  const std::uint32_t table = next_.tables++;
  // i64? reftype (elem ...), or a table type with an optional first value.
  const Token& behind = cursor_.at_keyword("i32") || cursor_.at_keyword("i64") ? cursor_.ahead(1) : cursor_.token();
  if (behind.kind != TokenKind::natural) return parse_inline_elems(table, parse_address_type(cursor_), offset);
  const spec::TableType type = parse_table_type(cursor_, module_);
  SectionBuffer& section = module_.builder.section(SectionKind::table);
  binary::Encoder& enc = section.entry(offset);
  if (cursor_.at(TokenKind::close)) {
    enc.table_type(type);
  } else {
    enc.byte(0x40).byte(0x00).table_type(type);
    instructions_.expression(section.body);
  }
}

void ModuleParser::parse_memory(std::uint32_t offset) {
  skip_id();
  if (const auto names = parse_inline_names(ExternKind::memory, next_.memories, offset))
    return parse_import_desc(*names, ExternKind::memory, offset);
  const std::uint32_t memory = next_.memories++;
  const Token& behind = cursor_.at_keyword("i32") || cursor_.at_keyword("i64") ? cursor_.ahead(1) : cursor_.token();
  if (behind.kind == TokenKind::open) return parse_inline_data(memory, parse_address_type(cursor_), offset);
  module_.builder.section(SectionKind::memory).entry(offset).mem_type(parse_mem_type(cursor_, module_));
}

/// (pagesize n)? (data "..."*): as large as the data, which begins at 0.
void ModuleParser::parse_inline_data(std::uint32_t memory, spec::AddressType address, std::uint32_t offset) {
  spec::MemType type;
  type.address = address;
  type.page_log2 = parse_page_size(cursor_);
  cursor_.expect_open("data");
  const std::string data = parse_strings();
  cursor_.expect_close();
  const std::uint64_t page_bytes = std::uint64_t{1} << type.page_log2;
  type.limits.min = data.size() / page_bytes + (data.size() % page_bytes != 0 ? 1 : 0);
  type.limits.max = type.limits.min;
  module_.builder.section(SectionKind::memory).entry(offset).mem_type(type);

  ++next_.datas;
  binary::Encoder& enc = module_.builder.section(SectionKind::data).entry(offset);
  if (memory == 0)
    enc.byte(0);
  else
    enc.byte(2).u32(memory);
  if (address == spec::AddressType::i64)
    enc.op(spec::Opcode::i64_const).s64(0);
  else
    enc.op(spec::Opcode::i32_const).s32(0);
  enc.op(spec::Opcode::end).name(data);
}

// ---- Data segments
// ---------------------------------------------------------------------------------------------------

std::string ModuleParser::parse_strings() {
  std::string data;
  while (cursor_.take_string(data)) {
  }
  return data;
}

/// (offset instr*) or one folded instruction.
void ModuleParser::parse_offset(CodeBuffer& out) {
  if (!cursor_.take_open("offset")) return instructions_.folded_expression(out);
  instructions_.expression(out);
  cursor_.expect_close();
}

void ModuleParser::parse_data(std::uint32_t offset) {
  skip_id();
  ++next_.datas;
  SectionBuffer& section = module_.builder.section(SectionKind::data);
  binary::Encoder& enc = section.entry(offset);
  std::uint32_t memory = 0;
  if (cursor_.take_open("memory")) {
    memory = parse_index(cursor_, module_.memories);
    cursor_.expect_close();
    if (!cursor_.at(TokenKind::open)) return cursor_.unexpected("(offset ...)");
  } else if (cursor_.at(TokenKind::natural)) {
    memory = parse_index(cursor_, module_.memories);  // WebAssembly 1.0, as for elem
    if (!cursor_.at(TokenKind::open)) return cursor_.unexpected("(offset ...)");
  }
  if (!cursor_.at(TokenKind::open)) {
    enc.byte(1);
  } else {
    if (memory == 0)
      enc.byte(0);
    else
      enc.byte(2).u32(memory);
    parse_offset(section.body);
  }
  enc.name(parse_strings());
}

}  // namespace heddle::text
