// The rules of a module outside its function bodies, in the order of the binary's sections, so that the first error
// met is the one with the lowest offset. https://webassembly.github.io/spec/core/valid/modules.html
#include "validate/module_rules.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "validate/const_expr.h"
#include "validate/errors.h"
#include "validate/type_rules.h"

namespace heddle::validate {
namespace {

using module::Module;
using spec::Feature;

/// Globals that a constant expression behind the globals section may read. Before the garbage-collection proposal only
/// imported ones were.
std::uint32_t all_visible_globals(const Module& m) {
  return m.features.has(Feature::gc) ? static_cast<std::uint32_t>(m.globals.size()) : m.imported_globals;
}

base::Status check_function(const Module& m, std::uint32_t index) {
  const module::Function& function = m.functions[index];
  return check_func_type_index(m, function.type, function.offset);
}

base::Status check_table(const Module& m, std::uint32_t index) {
  const module::Table& table = m.tables[index];
  if (index > 0 && !m.features.has(Feature::reference_types))
    return errors::feature_off(table.offset, "multiple tables", spec::feature_name(Feature::reference_types));
  HEDDLE_TRY(check_table_type(m, table.type, table.offset));
  if (index < m.imported_tables) return {};
  if (table.has_init) return check_const_expr(m, table.init, table.type.element, m.imported_globals);
  if (table.type.element.is_defaultable()) return {};
  return errors::type_mismatch(table.offset, fmt::format("a table of {} has no default and needs an initial value",
                                                         spec::to_string(table.type.element)));
}

base::Status check_memory(const Module& m, std::uint32_t index) {
  const module::Memory& memory = m.memories[index];
  if (index > 0 && !m.features.has(Feature::multi_memory))
    return errors::feature_off(memory.offset, "multiple memories", spec::feature_name(Feature::multi_memory));
  return check_mem_type(memory.type, memory.offset);
}

base::Status check_tag(const Module& m, std::uint32_t index) {
  return check_tag_type(m, m.tags[index].type, m.tags[index].offset);
}

base::Status check_global(const Module& m, std::uint32_t index) {
  const module::Global& global = m.globals[index];
  HEDDLE_TRY(check_val_type(m, global.type.type, global.offset));
  if (index < m.imported_globals) return {};
  return check_const_expr(m, global.init, global.type.type, m.features.has(Feature::gc) ? index : m.imported_globals);
}

// https://webassembly.github.io/spec/core/valid/modules.html#imports
base::Status check_import(const Module& m, const module::Import& import) {
  switch (import.kind) {
    case spec::ExternKind::func: return check_function(m, import.index);
    case spec::ExternKind::table: return check_table(m, import.index);
    case spec::ExternKind::memory: return check_memory(m, import.index);
    case spec::ExternKind::global: return check_global(m, import.index);
    case spec::ExternKind::tag: return check_tag(m, import.index);
  }
  HEDDLE_UNREACHABLE("every extern kind is checked");
}

std::size_t index_space_size(const Module& m, spec::ExternKind kind) {
  switch (kind) {
    case spec::ExternKind::func: return m.functions.size();
    case spec::ExternKind::table: return m.tables.size();
    case spec::ExternKind::memory: return m.memories.size();
    case spec::ExternKind::global: return m.globals.size();
    case spec::ExternKind::tag: return m.tags.size();
  }
  HEDDLE_UNREACHABLE("every extern kind has an index space");
}

/// The first export in the module whose name stands there already; nullptr if there is none. Sorted, not hashed: names
/// can be chosen such that their hashes collide.
const module::Export* first_repeated_export(const Module& m) {
  std::vector<const module::Export*> by_name;
  by_name.reserve(m.exports.size());
  for (const module::Export& e : m.exports) by_name.push_back(&e);
  std::sort(by_name.begin(), by_name.end(), [](const module::Export* a, const module::Export* b) {
    const int order = a->name.compare(b->name);
    return order != 0 ? order < 0 : a < b;
  });
  const module::Export* first = nullptr;
  for (std::size_t i = 1; i < by_name.size(); ++i)
    if (by_name[i]->name == by_name[i - 1]->name && (first == nullptr || by_name[i] < first)) first = by_name[i];
  return first;
}

// https://webassembly.github.io/spec/core/valid/modules.html#exports
base::Status check_exports(const Module& m) {
  const module::Export* repeated = first_repeated_export(m);
  for (const module::Export& e : m.exports) {
    const std::size_t count = index_space_size(m, e.kind);
    const char* what = e.kind == spec::ExternKind::func ? "function" : spec::extern_kind_name(e.kind);
    if (e.index >= count) return errors::unknown(what, e.index, count, e.offset);
    if (&e == repeated) return errors::invalid(e.offset, "duplicate export name", e.name);
  }
  return {};
}

// https://webassembly.github.io/spec/core/valid/modules.html#start-function
base::Status check_start(const Module& m) {
  if (!m.has_start) return {};
  if (m.start.value >= m.functions.size())
    return errors::unknown("function", m.start.value, m.functions.size(), m.start_offset);
  const spec::FuncType& type = m.type_of(m.start);
  if (type.params.empty() && type.results.empty()) return {};
  return errors::invalid(m.start_offset, "start function", fmt::format("it has the type {}", spec::to_string(type)));
}

// https://webassembly.github.io/spec/core/valid/modules.html#element-segments
base::Status check_elem(const Module& m, const module::ElemSegment& segment) {
  const spec::ValType type = elem_type(segment);
  HEDDLE_TRY(check_val_type(m, type, segment.offset));
  if (segment.mode == module::SegmentMode::active) {
    if (segment.table.value >= m.tables.size())
      return errors::unknown("table", segment.table.value, m.tables.size(), segment.offset);
    const spec::TableType& table = m.tables[segment.table.value].type;
    if (!module::matches(m, type, table.element))
      return errors::types_differ(segment.offset, "the table", {&table.element, 1}, "the element segment", {&type, 1});
    HEDDLE_TRY(check_const_expr(m, segment.table_offset, spec::val_type_of(table.address), all_visible_globals(m)));
  }
  for (spec::FuncIndex func : segment.funcs)
    if (func.value >= m.functions.size())
      return errors::unknown("function", func.value, m.functions.size(), segment.offset);
  for (const module::ConstExpr& expr : segment.expressions)
    HEDDLE_TRY(check_const_expr(m, expr, type, all_visible_globals(m)));
  return {};
}

// https://webassembly.github.io/spec/core/valid/modules.html#data-segments
base::Status check_data(const Module& m, const module::DataSegment& segment) {
  if (segment.mode != module::SegmentMode::active) return {};
  if (segment.memory.value >= m.memories.size())
    return errors::unknown("memory", segment.memory.value, m.memories.size(), segment.offset);
  const spec::ValType address = spec::val_type_of(m.memories[segment.memory.value].type.address);
  return check_const_expr(m, segment.memory_offset, address, all_visible_globals(m));
}

template <class Check>
base::Status check_defined(const Module& m, std::uint32_t imported, std::size_t count, Check&& check) {
  for (std::size_t i = imported; i < count; ++i) HEDDLE_TRY(check(m, static_cast<std::uint32_t>(i)));
  return {};
}

}  // namespace

base::Status check_before_code(const Module& m) {
  HEDDLE_TRY(check_type_section(m));
  for (const module::Import& import : m.imports) HEDDLE_TRY(check_import(m, import));
  HEDDLE_TRY(check_defined(m, m.imported_functions, m.functions.size(), check_function));
  HEDDLE_TRY(check_defined(m, m.imported_tables, m.tables.size(), check_table));
  HEDDLE_TRY(check_defined(m, m.imported_memories, m.memories.size(), check_memory));
  HEDDLE_TRY(check_defined(m, m.imported_tags, m.tags.size(), check_tag));
  HEDDLE_TRY(check_defined(m, m.imported_globals, m.globals.size(), check_global));
  HEDDLE_TRY(check_exports(m));
  HEDDLE_TRY(check_start(m));
  for (const module::ElemSegment& segment : m.elems) HEDDLE_TRY(check_elem(m, segment));
  return {};
}

base::Status check_after_code(const Module& m) {
  for (const module::DataSegment& segment : m.datas) HEDDLE_TRY(check_data(m, segment));
  return {};
}

}  // namespace heddle::validate
