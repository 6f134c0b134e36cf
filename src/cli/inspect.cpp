// heddle inspect FILE: what a module consists of and what it needs, for people or (--json) for programs. The keys of
// the JSON are kept once given out.
#include "engine/inspect.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "binary/decoder.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "engine/module_source.h"
#include "text/printer_names.h"

namespace heddle::cli {
namespace {

using engine::Inspection;
using engine::ItemInfo;

const char* word_for(Inspection::WasiKind kind) {
  switch (kind) {
    case Inspection::WasiKind::none: return "none";
    case Inspection::WasiKind::command: return "command";
    case Inspection::WasiKind::reactor: return "reactor";
    case Inspection::WasiKind::library: return "library";
  }
  HEDDLE_UNREACHABLE("every kind has a word");
}

// --- for people ------------------------------------------------------------------------------------------------------

/// Names are the module's own words: nothing of them reaches a terminal as a control character.
std::string in_quotes(std::string_view name) {
  std::string text;
  text::append_quoted(name, false, text);
  return text;
}

std::string plural(std::uint64_t n, std::string_view word) {
  return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s");
}

std::string list(const std::vector<std::string>& words) {
  return words.empty() ? std::string("none") : fmt::format("{}", fmt::join(words, ", "));
}

void append_items(std::string_view title, const std::vector<ItemInfo>& items, std::string& out) {
  if (items.empty()) return;
  out += fmt::format("{} ({}):\n", title, items.size());
  for (const ItemInfo& item : items) {
    std::string name;
    if (item.module) name = in_quotes(*item.module) + ' ';
    if (item.module || title == "exports") name += in_quotes(item.name) + ' ';
    out += fmt::format("  {} {} {}{}\n", spec::extern_kind_name(item.kind), item.index, name, item.type);
    if (out.ends_with(" \n")) out.erase(out.size() - 2, 1);
  }
}

void append_sections(const Inspection& found, std::string& out) {
  out += fmt::format("sections ({}):\n", found.sections.size());
  for (const engine::SectionInfo& section : found.sections)
    out += fmt::format("  {:10} bytes at {:#x}  {}\n", section.size_bytes, section.offset,
                       section.custom ? "custom " + in_quotes(section.name) : section.name);
}

void append_toolchain(const Inspection& found, std::string& out) {
  for (const Inspection::Producer& p : found.producers)
    out += fmt::format("toolchain: {} {} {}\n", in_quotes(p.field), in_quotes(p.name), in_quotes(p.version));
}

std::string report(const std::string& file, const Inspection& found) {
  std::string out = fmt::format("{}: {}\n", file, plural(found.size_bytes, "byte"));
  out += fmt::format("kind: {}\n", found.wasi_kind == Inspection::WasiKind::none
                                       ? "no WASI program"
                                       : fmt::format("WASI {}", word_for(found.wasi_kind)));
  if (!found.wasi_modules.empty()) out += fmt::format("WASI modules: {}\n", list(found.wasi_modules));
  out += fmt::format("threads: {}\n", found.imports_thread_spawn ? "imports \"wasi\" \"thread-spawn\"" : "none");
  out += fmt::format("features: {}\n", list(found.features));
  append_toolchain(found, out);
  out += fmt::format("functions: {} defined ({} of code), {} imported\n", found.defined_functions,
                     plural(found.code_bytes, "byte"), found.imported_functions);
  out += fmt::format("types: {}\n", found.types);
  out += fmt::format("data: {}, {}\n", plural(found.data_segments, "segment"), plural(found.data_bytes, "byte"));
  out += fmt::format("elements: {}\n", plural(found.elem_segments, "segment"));
  if (found.start) out += fmt::format("start: func {}\n", *found.start);
  out +=
      fmt::format("names: {}; debug info: {}\n", found.has_names ? "yes" : "no", found.has_debug_info ? "yes" : "no");
  append_sections(found, out);
  append_items("imports", found.imports, out);
  append_items("exports", found.exports, out);
  append_items("memories", found.memories, out);
  append_items("tables", found.tables, out);
  append_items("globals", found.globals, out);
  append_items("tags", found.tags, out);
  return out;
}

// --- for programs ----------------------------------------------------------------------------------------------------

using Json = nlohmann::ordered_json;

Json items_to_json(const std::vector<ItemInfo>& items, bool named) {
  Json out = Json::array();
  for (const ItemInfo& item : items) {
    Json entry;
    if (item.module) entry["module"] = *item.module;
    if (item.module || named) entry["name"] = item.name;
    entry["kind"] = spec::extern_kind_name(item.kind);
    entry["index"] = item.index;
    entry["type"] = item.type;
    out.push_back(std::move(entry));
  }
  return out;
}

Json wasi_to_json(const Inspection& found) {
  return {{"kind", word_for(found.wasi_kind)},
          {"modules", found.wasi_modules},
          {"imports_thread_spawn", found.imports_thread_spawn},
          {"exports_thread_start", found.exports_thread_start}};
}

std::string json_report(const std::string& file, const Inspection& found) {
  Json sections = Json::array(), producers = Json::array();
  for (const engine::SectionInfo& s : found.sections)
    sections.push_back({{"name", s.name}, {"custom", s.custom}, {"offset", s.offset}, {"size_bytes", s.size_bytes}});
  for (const Inspection::Producer& p : found.producers)
    producers.push_back({{"field", p.field}, {"name", p.name}, {"version", p.version}});
  Json out;
  out["file"] = file;
  out["size_bytes"] = found.size_bytes;
  out["wasi"] = wasi_to_json(found);
  out["features"] = found.features;
  out["producers"] = std::move(producers);
  out["types"] = found.types;
  out["functions"] = {
      {"imported", found.imported_functions}, {"defined", found.defined_functions}, {"code_bytes", found.code_bytes}};
  out["data"] = {{"segments", found.data_segments}, {"bytes", found.data_bytes}};
  out["elements"] = {{"segments", found.elem_segments}};
  out["start"] = found.start ? Json(*found.start) : Json(nullptr);
  out["has_names"] = found.has_names;
  out["has_debug_info"] = found.has_debug_info;
  out["sections"] = std::move(sections);
  out["imports"] = items_to_json(found.imports, true);
  out["exports"] = items_to_json(found.exports, true);
  out["memories"] = items_to_json(found.memories, false);
  out["tables"] = items_to_json(found.tables, false);
  out["globals"] = items_to_json(found.globals, false);
  out["tags"] = items_to_json(found.tags, false);
  // A file's name need not be UTF-8.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

base::Result<Inspection> inspect(const std::string& file, engine::ModuleSource& source) {
  constexpr auto kFeatures = spec::Features::all();  // looking is not running
  HEDDLE_TRY(engine::read_module(file, kFeatures, source));
  HEDDLE_TRY_ASSIGN(const auto decoded, binary::decode_module(source.wire, kFeatures));
  return engine::inspect_module(*decoded);
}

}  // namespace

int inspect_main(int argc, char** argv) {
  InspectArguments arguments;
  if (const auto code = parse_inspect(argc, argv, arguments)) return *code;
  engine::ModuleSource source;
  const auto found = inspect(arguments.file, source);
  if (!found.ok()) return fail(source.render(found.error()));
  print(arguments.json ? json_report(arguments.file, *found) : report(arguments.file, *found));
  return 0;
}

}  // namespace heddle::cli
