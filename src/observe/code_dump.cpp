#include "observe/code_dump.h"

#include <algorithm>
#include <fmt/format.h>

#include "binary/names.h"
#include "code/module_code.h"

#include "observe/describe.h"

namespace heddle::observe {
namespace {

bool is_called(const module::Module& m, const binary::Names& names, spec::FuncIndex func, const std::string& text) {
  if (text == fmt::format("{}", func.value)) return true;
  const std::string name = binary::function_name(m, names, func);
  if (text == name || "$" + text == name) return true;
  return std::any_of(m.exports.begin(), m.exports.end(), [&](const module::Export& e) {
    return e.kind == spec::ExternKind::func && e.index == func.value && e.name == text;
  });
}

}  // namespace

bool CodeDump::wants_listing(const code::ModuleCode& module, spec::FuncIndex func) const {
  return std::any_of(options_.functions.begin(), options_.functions.end(),
                     [&](const std::string& text) { return is_called(module.module(), module.names(), func, text); });
}

void CodeDump::on_new_code(const code::NewCode& c) {
  if (c.listing.empty()) return;
  options_.write(fmt::format("{}, function {}: {} bytes of code at {}\n{}\n", describe(c), c.code.func.value,
                             c.code.size_bytes, static_cast<const void*>(c.code.begin), c.listing));
}

std::optional<std::string> CodeDump::missing_in(const module::Module& m) const {
  const binary::Names names = binary::read_names(m);
  for (const std::string& text : options_.functions) {
    bool found = false;
    for (std::uint32_t f = m.imported_functions; f < m.functions.size() && !found; ++f)
      found = is_called(m, names, spec::FuncIndex(f), text);
    if (!found) return text;
  }
  return std::nullopt;
}

}  // namespace heddle::observe
