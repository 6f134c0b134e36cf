// See name_section.h.
#include "text/name_section.h"

#include "binary/encoder.h"
#include "binary/reader.h"

namespace heddle::text {
namespace {

enum Subsection : std::uint8_t {
  kModule = 0,
  kFunctions = 1,
  kLocals = 2,
  kTypes = 4,
  kTables = 5,
  kMemories = 6,
  kGlobals = 7,
  kElems = 8,
  kDatas = 9,
  kFields = 10,
  kTags = 11,
};

void write_map(binary::Encoder& enc, const IndexNames& names) {
  enc.u32(static_cast<std::uint32_t>(names.size()));
  for (const auto& [index, name] : names) enc.u32(index).name(name);
}

void write_subsection(binary::Encoder& out, Subsection id, const IndexNames& names) {
  if (names.empty()) return;
  binary::Encoder enc;
  write_map(enc, names);
  out.section(id, enc.bytes());
}

void write_indirect(binary::Encoder& out, Subsection id,
                    const std::vector<std::pair<std::uint32_t, IndexNames>>& maps) {
  if (maps.empty()) return;
  binary::Encoder enc;
  enc.u32(static_cast<std::uint32_t>(maps.size()));
  for (const auto& [index, names] : maps) {
    enc.u32(index);
    write_map(enc, names);
  }
  out.section(id, enc.bytes());
}

/// Reads one map; false where the section breaks.
bool read_map(binary::Reader& reader, NameMap& names) {
  const base::Result<std::uint32_t> count = reader.u32();
  if (!count.ok()) return false;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const base::Result<std::uint32_t> index = reader.u32();
    if (!index.ok()) return false;
    const base::Result<std::string_view> name = reader.name();
    if (!name.ok()) return false;
    names.emplace(*index, *name);
  }
  return true;
}

bool read_indirect(binary::Reader& reader, std::unordered_map<std::uint32_t, NameMap>& maps) {
  const base::Result<std::uint32_t> count = reader.u32();
  if (!count.ok()) return false;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const base::Result<std::uint32_t> index = reader.u32();
    if (!index.ok() || !read_map(reader, maps[*index])) return false;
  }
  return true;
}

void read_subsection(std::uint8_t id, binary::Reader& reader, NameSection& names) {
  switch (id) {
    case kModule:
      if (const base::Result<std::string_view> name = reader.name(); name.ok()) names.module = *name;
      return;
    case kFunctions: read_map(reader, names.functions); return;
    case kLocals: read_indirect(reader, names.locals); return;
    case kTypes: read_map(reader, names.types); return;
    case kTables: read_map(reader, names.tables); return;
    case kMemories: read_map(reader, names.memories); return;
    case kGlobals: read_map(reader, names.globals); return;
    case kElems: read_map(reader, names.elems); return;
    case kDatas: read_map(reader, names.datas); return;
    case kFields: read_indirect(reader, names.fields); return;
    case kTags: read_map(reader, names.tags); return;
    default: return;  // labels, and whatever comes later
  }
}

}  // namespace

void write_name_section(ModuleContext& module) {
  binary::Encoder out;
  if (!module.module_name.empty()) {
    binary::Encoder enc;
    enc.name(module.module_name);
    out.section(kModule, enc.bytes());
  }
  write_subsection(out, kFunctions, module.funcs.names);
  write_indirect(out, kLocals, module.local_names);
  write_subsection(out, kTypes, module.types.names);
  write_subsection(out, kTables, module.tables.names);
  write_subsection(out, kMemories, module.memories.names);
  write_subsection(out, kGlobals, module.globals.names);
  write_subsection(out, kElems, module.elems.names);
  write_subsection(out, kDatas, module.datas.names);
  write_indirect(out, kFields, module.field_names);
  write_subsection(out, kTags, module.tags.names);
  if (out.size_bytes() != 0) module.builder.add_custom(ModuleBuilder::kLast, "name", out.bytes(), 0);
}

NameSection read_name_section(const module::Module& m) {
  NameSection names;
  const module::CustomSection* section = m.find_custom("name");
  if (section == nullptr) return names;
  binary::Reader reader(m.bytes(), section->contents);
  while (!reader.at_end()) {
    const base::Result<std::uint8_t> id = reader.byte();
    const base::Result<std::uint32_t> size = reader.u32();
    if (!id.ok() || !size.ok() || *size > reader.remaining_bytes()) break;
    const std::uint64_t begin = reader.offset();
    binary::Reader contents(m.bytes(), {begin, begin + *size});
    read_subsection(*id, contents, names);
    reader.advance(*size);
  }
  return names;
}

}  // namespace heddle::text
