// Pass 3 of module_parser.h: function bodies, and the branch hints found in them.
#include <fmt/core.h>

#include "text/module_parser.h"

namespace heddle::text {

void ModuleParser::parse_bodies() {
  // An error in a declaration must not hide one in a body in front of it.
  std::optional<base::Error> later;
  if (cursor_.failed()) later = cursor_.take_error(cursor_.index());
  for (const PendingBody& pending : bodies_) {
    if (later && later->offset < pending.offset) break;
    parse_body(pending);
    if (cursor_.failed()) return;
  }
  if (later)
    cursor_.fail(later->offset, std::move(later->message), later->kind);
  else
    cursor_.seek(last_);
}

void ModuleParser::parse_body(const PendingBody& pending) {
  cursor_.seek(pending.token);
  IndexNames params;
  const TypeUse use = parse_type_use(cursor_, module_, &params);
  const spec::FuncType* type = module_.type_store.func_type(pending.type);
  const std::size_t param_count = type != nullptr ? type->params.size() : use.inline_type.params.size();
  body_.clear();
  parse_locals(pending.func, std::move(params), static_cast<std::uint32_t>(param_count), body_.enc);
  std::vector<BranchHint> hints;
  instructions_.body(body_, hints);
  cursor_.expect_close();
  if (!hints.empty()) hints_.push_back({pending.func, std::move(hints)});
  SectionBuffer& section = module_.builder.section(SectionKind::code);
  section.entry(pending.offset).u32(static_cast<std::uint32_t>(body_.enc.size_bytes()));
  section.body.append(body_);
}

/// (local ...)*: binds all names and writes the runs of equal types.
void ModuleParser::parse_locals(std::uint32_t func, IndexNames names, std::uint32_t param_count, binary::Encoder& out) {
  SymbolTable& ids = instructions_.locals();
  ids.clear();
  auto bind = [&](std::string_view id, std::uint32_t index, std::uint32_t offset) {
    if (!ids.bind(id, index)) cursor_.fail(offset, fmt::format("duplicate local ${}", id));
  };
  for (const auto& [index, id] : names) bind(id, index, cursor_.offset());
  struct Run {
    std::uint32_t count;
    spec::ValType type;
  };
  std::vector<Run> runs;
  std::uint32_t next = param_count;
  auto add = [&](spec::ValType type) {
    ++next;
    if (!runs.empty() && runs.back().type == type)
      ++runs.back().count;
    else
      runs.push_back({1, type});
  };
  while (cursor_.take_open("local")) {
    const std::uint32_t offset = cursor_.offset();
    const std::string_view id = cursor_.take_id();
    if (!id.empty()) {
      bind(id, next, offset);
      names.emplace_back(next, id);
      add(parse_val_type(cursor_, module_));
    } else {
      while (!cursor_.at(TokenKind::close) && !cursor_.failed()) add(parse_val_type(cursor_, module_));
    }
    cursor_.expect_close();
  }
  out.u32(static_cast<std::uint32_t>(runs.size()));
  for (const Run& run : runs) out.u32(run.count).val_type(run.type);
  if (!names.empty()) module_.local_names.emplace_back(func, std::move(names));
}

/// https://github.com/WebAssembly/branch-hinting/blob/main/proposals/branch-hinting/Overview.md
void ModuleParser::write_hints() {
  if (hints_.empty()) return;
  binary::Encoder enc;
  enc.u32(static_cast<std::uint32_t>(hints_.size()));
  for (const FunctionHints& function : hints_) {
    enc.u32(function.func).u32(static_cast<std::uint32_t>(function.hints.size()));
    for (const BranchHint& hint : function.hints) enc.u32(hint.byte_offset).u32(1).byte(hint.value);
  }
  module_.builder.add_custom(ModuleBuilder::slot_before(SectionKind::code), "metadata.code.branch_hint", enc.bytes(),
                             0);
}

}  // namespace heddle::text
