// The "name" custom section (core spec, appendix Custom Sections; extended name section proposal): written from the
// identifiers of a text module, read back for the printer.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "module/module.h"
#include "text/module_context.h"

namespace heddle::text {

/// Adds the section at the module's end; none if nothing has a name. Labels are left out.
void write_name_section(ModuleContext& module);

using NameMap = std::unordered_map<std::uint32_t, std::string_view>;

/// Everything the section says, as views into the module's bytes. A broken section ends at the break.
struct NameSection {
  std::string_view module;
  NameMap functions, types, tables, memories, globals, elems, datas, tags;
  std::unordered_map<std::uint32_t, NameMap> locals;  ///< by function
  std::unordered_map<std::uint32_t, NameMap> fields;  ///< by type
};
NameSection read_name_section(const module::Module& m);

}  // namespace heddle::text
