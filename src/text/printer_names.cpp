// See printer_names.h.
#include "text/printer_names.h"

#include <algorithm>
#include <fmt/format.h>

namespace heddle::text {
namespace {

bool is_id_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-./:<=>?@\\^_`|~").find(c) != std::string_view::npos;
}

std::string identifier(std::string_view name) {
  std::string id = "$";
  if (std::all_of(name.begin(), name.end(), is_id_char))
    id += name;
  else
    append_quoted(name, false, id);
  return id;
}

}  // namespace

void append_quoted(std::string_view bytes, bool escape_wide, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (char c : bytes) {
    const unsigned char byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte != 0x7f && (byte < 0x80 || !escape_wide);
    if (plain && c != '"' && c != '\\') {
      out += c;
    } else {
      out += '\\';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  out += '"';
}

Identifiers::Identifiers(const NameMap& names) {
  // In order of the index, so that the first of two equal names keeps it.
  std::vector<std::pair<std::uint32_t, std::string_view>> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  std::unordered_set<std::string_view> taken;
  for (const auto& [index, name] : sorted)
    if (!name.empty() && taken.insert(name).second) by_index_.emplace(index, identifier(name));
}

std::string Identifiers::ref(std::uint32_t index) const {
  const std::string_view name = id(index);
  return name.empty() ? fmt::format("{}", index) : std::string(name);
}

PrinterNames::PrinterNames(const module::Module& m) : module_(m), section_(read_name_section(m)) {
  functions = Identifiers(section_.functions);
  types = Identifiers(section_.types);
  tables = Identifiers(section_.tables);
  memories = Identifiers(section_.memories);
  globals = Identifiers(section_.globals);
  elems = Identifiers(section_.elems);
  datas = Identifiers(section_.datas);
  tags = Identifiers(section_.tags);
  for (const auto& [type, fields] : section_.fields) fields_.emplace(type, Identifiers(fields));
}

Identifiers PrinterNames::locals_of(std::uint32_t func) const {
  const auto found = section_.locals.find(func);
  return found == section_.locals.end() ? Identifiers() : Identifiers(found->second);
}

const Identifiers& PrinterNames::fields_of(std::uint32_t type) const {
  const auto found = fields_.find(type);
  return found == fields_.end() ? none_ : found->second;
}

std::string PrinterNames::type(spec::HeapType heap) const {
  return heap.is_concrete() ? types.ref(heap.index().value) : spec::to_string(heap);
}

std::string PrinterNames::type(spec::ValType val) const {
  if (!val.is_ref() || val == spec::kFuncRef || val == spec::kExternRef || val == spec::kExnRef)
    return spec::to_string(val);
  return fmt::format("(ref {}{})", val.nullable() ? "null " : "", type(val.heap()));
}

namespace {

std::string limits_text(const spec::Limits& limits, spec::AddressType address) {
  std::string text = address == spec::AddressType::i64 ? "i64 " : "";
  text += fmt::format("{}", limits.min);
  if (limits.max) text += fmt::format(" {}", *limits.max);
  return text;
}

}  // namespace

std::string PrinterNames::type(const spec::TableType& table) const {
  return limits_text(table.limits, table.address) + " " + type(table.element);
}

std::string PrinterNames::type(const spec::MemType& memory) const {
  std::string text = limits_text(memory.limits, memory.address);
  if (memory.shared) text += " shared";
  if (memory.page_log2 != 16 && memory.page_log2 < 64)
    text += fmt::format(" (pagesize {})", std::uint64_t{1} << memory.page_log2);
  return text;
}

std::string PrinterNames::type(const spec::GlobalType& global) const {
  return global.mutable_ ? fmt::format("(mut {})", type(global.type)) : type(global.type);
}

std::string PrinterNames::signature(const spec::FuncType& func, const Identifiers* params) const {
  std::string text;
  bool open = false;
  auto close = [&] {
    if (open) text += ')';
    open = false;
  };
  for (std::uint32_t i = 0; i < func.params.size(); ++i) {
    const std::string_view id = params != nullptr ? params->id(i) : std::string_view();
    if (!id.empty()) close();
    if (!open) text += " (param";
    if (!id.empty()) text += fmt::format(" {}", id);
    text += ' ';
    text += type(func.params[i]);
    open = true;
    if (!id.empty()) close();
  }
  close();
  if (func.results.empty()) return text;
  text += " (result";
  for (spec::ValType result : func.results) text += " " + type(result);
  return text + ")";
}

std::string PrinterNames::type_use(spec::TypeIndex index, const Identifiers* params) const {
  std::string text = fmt::format("(type {})", types.ref(index.value));
  if (index.value < module_.types.size() && module_.types[index.value].kind == spec::CompositeKind::func)
    text += signature(module_.func_type(index), params);
  return text;
}

}  // namespace heddle::text
