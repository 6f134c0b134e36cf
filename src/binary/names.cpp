// https://webassembly.github.io/spec/core/appendix/custom.html#name-section
// https://github.com/WebAssembly/tool-conventions/blob/main/ProducersSection.md
// Both sections are hints: reading stops at the first thing that is not as it should be and keeps what came before.
#include "binary/names.h"

#include <algorithm>
#include <fmt/format.h>

#include "binary/reader.h"

namespace heddle::binary {
namespace {

constexpr std::uint8_t kModuleName = 0;
constexpr std::uint8_t kFunctionNames = 1;

base::Status read_function_names(const module::Module& m, Reader& reader, Names& names) {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader.length());
  names.functions.reserve(std::min<std::size_t>(count, m.functions.size()));
  for (std::uint32_t i = 0; i < count; ++i) {
    HEDDLE_TRY_ASSIGN(const std::uint32_t func, reader.u32());
    HEDDLE_TRY_ASSIGN(const std::string_view name, reader.name());
    if (func < m.functions.size()) names.functions.emplace(func, name);
  }
  return {};
}

base::Status read_name_section(const module::Module& m, const module::CustomSection& section, Names& names) {
  if (!m.wire->need(section.contents)) return {};
  Reader reader(m.bytes(), section.contents);
  while (!reader.at_end()) {
    HEDDLE_TRY_ASSIGN(const std::uint8_t id, reader.byte());
    HEDDLE_TRY_ASSIGN(const std::uint32_t size, reader.length());
    Reader contents(m.bytes(), {reader.offset(), reader.offset() + size});
    reader.advance(size);
    // A broken subsection does not spoil the next one.
    if (id == kModuleName) {
      if (const auto name = contents.name(); name.ok()) names.module = *name;
    } else if (id == kFunctionNames) {
      (void)read_function_names(m, contents, names).ok();
    }
  }
  return {};
}

base::Status read_producers_section(Reader& reader, std::vector<ProducersField>& fields) {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader.length());
  for (std::uint32_t i = 0; i < count; ++i) {
    HEDDLE_TRY_ASSIGN(const std::string_view field, reader.name());
    HEDDLE_TRY_ASSIGN(const std::uint32_t values, reader.length());
    fields.push_back({field, {}});
    for (std::uint32_t k = 0; k < values; ++k) {
      HEDDLE_TRY_ASSIGN(const std::string_view name, reader.name());
      HEDDLE_TRY_ASSIGN(const std::string_view version, reader.name());
      fields.back().values.emplace_back(name, version);
    }
  }
  return {};
}

}  // namespace

Names read_names(const module::Module& m) {
  Names names;
  if (const module::CustomSection* section = m.find_custom("name")) (void)read_name_section(m, *section, names).ok();
  return names;
}

std::vector<ProducersField> read_producers(const module::Module& m) {
  std::vector<ProducersField> fields;
  const module::CustomSection* section = m.find_custom("producers");
  if (section != nullptr && m.wire->need(section->contents)) {
    Reader reader(m.bytes(), section->contents);
    (void)read_producers_section(reader, fields).ok();
  }
  return fields;
}

std::string function_name(const module::Module& m, const Names& names, spec::FuncIndex func) {
  if (const auto named = names.functions.find(func.value); named != names.functions.end())
    return fmt::format("${}", named->second);
  for (const module::Export& e : m.exports)
    if (e.kind == spec::ExternKind::func && e.index == func.value) return std::string(e.name);
  return fmt::format("func[{}]", func.value);
}

}  // namespace heddle::binary
