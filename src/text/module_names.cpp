// Pass 1 of module_parser.h: identifiers and indices of every field.
#include <fmt/core.h>

#include "text/module_parser.h"

namespace heddle::text {

void ModuleParser::bind_fields() {
  cursor_.seek(first_);
  while (!cursor_.failed() && cursor_.index() < last_) {
    if (!cursor_.at(TokenKind::open)) return cursor_.unexpected("( or )");
    const std::uint32_t close = cursor_.token().match;
    bind_field();
    cursor_.seek(close + 1 < last_ ? close + 1 : last_);
  }
}

void ModuleParser::bind_field() {
  const std::uint32_t close = cursor_.token().match;
  const std::uint32_t offset = cursor_.offset();
  cursor_.advance();
  const std::string_view word = cursor_.at(TokenKind::keyword) ? cursor_.text() : std::string_view();
  if (word == "rec") {
    cursor_.advance();
    return bind_types();
  }
  if (word == "start" || word == "export") return;
  if (word == "import") {
    check_import_order(offset);
    return bind_import();
  }
  if (word == "type") {
    cursor_.advance();
    return bind_id(module_.types);
  }
  if (word == "func") return bind_definition(module_.funcs, "function");
  if (word == "global") return bind_definition(module_.globals, "global");
  if (word == "tag") return bind_definition(module_.tags, "tag");
  if (word == "elem" || word == "data") {
    cursor_.advance();
    return bind_id(word == "elem" ? module_.elems : module_.datas);
  }
  if (word == "table" || word == "memory") {
    bind_definition(word == "table" ? module_.tables : module_.memories, word == "table" ? "table" : "memory");
    return bind_inline_segment(close);
  }
  cursor_.unexpected("a module field");
}

/// The (type ...) inside (rec ...).
void ModuleParser::bind_types() {
  while (cursor_.at_open("type")) {
    const std::uint32_t close = cursor_.token().match;
    cursor_.advance();
    cursor_.advance();
    bind_id(module_.types);
    cursor_.seek(close);
    cursor_.advance();
  }
}

void ModuleParser::bind_id(IndexSpace& space) {
  const std::uint32_t offset = cursor_.offset();
  const std::string_view id = cursor_.take_id();
  const std::uint32_t index = space.count++;
  if (!id.empty() && !space.ids.bind(id, index))
    return cursor_.fail(offset, fmt::format("duplicate {} ${}", space.what, id));
  std::string_view name = module_.annotations.take_name(cursor_);
  if (name.data() == nullptr) name = id;
  if (!name.empty()) space.names.emplace_back(index, name);
}

void ModuleParser::check_import_order(std::uint32_t offset) {
  if (defined_ != nullptr) cursor_.fail(offset, fmt::format("import after {}", defined_));
}

/// Behind the identifier: over inline exports; whether (import ...) follows.
bool ModuleParser::skip_to_inline_import() {
  while (cursor_.at_open("export")) {
    cursor_.seek(cursor_.token().match);
    cursor_.advance();
  }
  return cursor_.at_open("import");
}

void ModuleParser::bind_definition(IndexSpace& space, const char* defined) {
  cursor_.advance();
  bind_id(space);
  if (skip_to_inline_import())
    check_import_order(cursor_.offset());
  else
    defined_ = defined;
}

/// (table ... (elem ...)) and (memory ... (data ...)) take an index of the segments.
void ModuleParser::bind_inline_segment(std::uint32_t close) {
  while (cursor_.index() < close && !cursor_.at(TokenKind::end)) {
    if (cursor_.at_open("elem")) ++module_.elems.count;
    if (cursor_.at_open("data")) ++module_.datas.count;
    if (cursor_.at(TokenKind::open)) cursor_.seek(cursor_.token().match);
    cursor_.advance();
  }
}

/// (import "m" "n" (kind $id ...)).
void ModuleParser::bind_import() {
  cursor_.advance();
  while (cursor_.at(TokenKind::string)) cursor_.advance();
  if (const std::optional<spec::ExternKind> kind = take_open_kind()) bind_id(space_of(*kind));
}

IndexSpace& ModuleParser::space_of(spec::ExternKind kind) {
  switch (kind) {
    case spec::ExternKind::func: return module_.funcs;
    case spec::ExternKind::table: return module_.tables;
    case spec::ExternKind::memory: return module_.memories;
    case spec::ExternKind::global: return module_.globals;
    case spec::ExternKind::tag: return module_.tags;
  }
  HEDDLE_UNREACHABLE("all kinds are listed");
}

/// "(func", "(table" ...: nothing (and nothing consumed) if there is none.
std::optional<spec::ExternKind> ModuleParser::take_open_kind() {
  using spec::ExternKind;
  for (ExternKind kind : {ExternKind::func, ExternKind::table, ExternKind::memory, ExternKind::global, ExternKind::tag})
    if (cursor_.take_open(spec::extern_kind_name(kind))) return kind;
  return std::nullopt;
}

}  // namespace heddle::text
