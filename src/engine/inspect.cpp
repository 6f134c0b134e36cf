#include "engine/inspect.h"

#include <algorithm>

#include "binary/names.h"
#include "binary/reader.h"
#include "engine/features_used.h"

namespace heddle::engine {
namespace {

using module::Module;
using spec::ExternKind;

/// https://webassembly.github.io/spec/core/binary/modules.html#sections
constexpr const char* kSectionNames[] = {"custom", "type",  "import",  "function", "table", "memory",     "global",
                                         "export", "start", "element", "code",     "data",  "data count", "tag"};
constexpr std::uint64_t kHeaderBytes = 8;

/// The module has been decoded, so what stands here is in order.
base::Status list_sections(const Module& m, std::vector<SectionInfo>& out) {
  binary::Reader reader(m.bytes(), {kHeaderBytes, m.bytes().size()});
  auto custom = m.customs.begin();
  while (!reader.at_end()) {
    HEDDLE_TRY_ASSIGN(const std::uint8_t id, reader.byte());
    HEDDLE_TRY_ASSIGN(const std::uint32_t size, reader.length());
    HEDDLE_CHECK(id < std::size(kSectionNames), "decoding refuses unknown sections");
    SectionInfo section{kSectionNames[id], id == 0, reader.offset(), size};
    if (section.custom && custom != m.customs.end()) section.name = (custom++)->name;
    out.push_back(std::move(section));
    reader.advance(size);
  }
  return {};
}

std::string func_type_text(const Module& m, spec::TypeIndex type) {
  if (type.value >= m.types.size() || m.types[type.value].kind != spec::CompositeKind::func) return "?";
  return spec::to_string(m.types[type.value].func);
}

std::string type_text(const Module& m, ExternKind kind, std::uint32_t index) {
  switch (kind) {
    case ExternKind::func: return index < m.functions.size() ? func_type_text(m, m.functions[index].type) : "?";
    case ExternKind::table: return index < m.tables.size() ? spec::to_string(m.tables[index].type) : "?";
    case ExternKind::memory: return index < m.memories.size() ? spec::to_string(m.memories[index].type) : "?";
    case ExternKind::global: return index < m.globals.size() ? spec::to_string(m.globals[index].type) : "?";
    case ExternKind::tag: return index < m.tags.size() ? func_type_text(m, m.tags[index].type.type) : "?";
  }
  HEDDLE_UNREACHABLE("every extern kind has types");
}

std::vector<ItemInfo> index_space(const Module& m, ExternKind kind, std::size_t size) {
  std::vector<ItemInfo> items;
  for (std::uint32_t i = 0; i < size; ++i) items.push_back({kind, i, type_text(m, kind, i), std::nullopt, {}});
  return items;
}

void list_items(const Module& m, Inspection& out) {
  for (const module::Import& i : m.imports)
    out.imports.push_back({i.kind, i.index, type_text(m, i.kind, i.index), std::string(i.module), std::string(i.name)});
  for (const module::Export& e : m.exports)
    out.exports.push_back({e.kind, e.index, type_text(m, e.kind, e.index), std::nullopt, std::string(e.name)});
  out.memories = index_space(m, ExternKind::memory, m.memories.size());
  out.tables = index_space(m, ExternKind::table, m.tables.size());
  out.globals = index_space(m, ExternKind::global, m.globals.size());
  out.tags = index_space(m, ExternKind::tag, m.tags.size());
}

void count(const Module& m, Inspection& out) {
  out.size_bytes = m.bytes().size();
  out.types = static_cast<std::uint32_t>(m.types.size());
  out.imported_functions = m.imported_functions;
  out.defined_functions = static_cast<std::uint32_t>(m.bodies.size());
  for (const module::Body& body : m.bodies) out.code_bytes += body.range.size_bytes();
  out.data_segments = static_cast<std::uint32_t>(m.datas.size());
  for (const module::DataSegment& data : m.datas) out.data_bytes += data.bytes.end - data.bytes.begin;
  out.elem_segments = static_cast<std::uint32_t>(m.elems.size());
  if (m.has_start) out.start = m.start.value;
}

/// https://github.com/WebAssembly/WASI/blob/main/legacy/application-abi.md
/// https://github.com/WebAssembly/wasi-threads
void describe_wasi(const Module& m, Inspection& out) {
  for (const module::Import& import : m.imports) {
    if (import.module.substr(0, 4) != "wasi") continue;
    const std::string name(import.module);
    if (std::find(out.wasi_modules.begin(), out.wasi_modules.end(), name) == out.wasi_modules.end())
      out.wasi_modules.push_back(name);
    if (name == "wasi" && import.name == "thread-spawn") out.imports_thread_spawn = true;
  }
  out.exports_thread_start = m.find_export("wasi_thread_start") != nullptr;
  if (m.find_export("_start") != nullptr)
    out.wasi_kind = Inspection::WasiKind::command;
  else if (m.find_export("_initialize") != nullptr)
    out.wasi_kind = Inspection::WasiKind::reactor;
  else if (!out.wasi_modules.empty())
    out.wasi_kind = Inspection::WasiKind::library;
}

void describe_customs(const Module& m, Inspection& out) {
  for (const binary::ProducersField& field : binary::read_producers(m))
    for (const auto& [name, version] : field.values)
      out.producers.push_back({std::string(field.name), std::string(name), std::string(version)});
  out.has_names = m.find_custom("name") != nullptr;
  out.has_debug_info = m.find_custom(".debug_info") != nullptr;
}

}  // namespace

base::Result<Inspection> inspect_module(const Module& m) {
  Inspection out;
  count(m, out);
  HEDDLE_TRY(list_sections(m, out.sections));
  list_items(m, out);
  describe_wasi(m, out);
  describe_customs(m, out);
  HEDDLE_TRY_ASSIGN(const spec::Features used, features_used(m));
  for (unsigned f = 1; f < static_cast<unsigned>(spec::Feature::kCount); ++f)
    if (used.has(static_cast<spec::Feature>(f)))
      out.features.emplace_back(spec::feature_name(static_cast<spec::Feature>(f)));
  return out;
}

}  // namespace heddle::engine
