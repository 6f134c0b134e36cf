#include "observe/describe.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace heddle::observe {

std::string printable_name(const code::ModuleCode& owner, spec::FuncIndex func) {
  std::string name = binary::function_name(owner.module(), owner.names(), func);
  for (char& c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return name;
}

std::string describe(const code::NewCode& code) {
  using Kind = code::NewCode::Kind;
  const std::string name = printable_name(*code.code.owner, code.code.func);
  switch (code.kind) {
    case Kind::first:
    case Kind::better: return fmt::format("{} [{}]", name, code.code.tier);
    case Kind::loop_entry: return fmt::format("{} [{}, loop at {:#x}]", name, code.code.tier, code.loop_offset);
    case Kind::loop_stub:
      return fmt::format("{} [{}, way out of loop at {:#x}]", name, code.code.tier, code.loop_offset);
  }
  HEDDLE_UNREACHABLE("every kind has a name");
}

std::vector<PlaceRow> place_rows(const code::FunctionCode& code) {
  const auto body = static_cast<std::uint32_t>(code.owner->module().body(code.func).range.begin);
  std::vector<PlaceRow> rows = {{0, body}};
  for (const abi::OffsetRow& row : code.offset_rows) rows.push_back({row.code_offset, row.body_offset});
  for (const abi::Site& site : code.sites)
    rows.push_back({site.code_offset - (site.is_call ? 1 : 0), site.body_offset, site.is_call});
  // Of several at one place the last instruction's counts.
  std::sort(rows.begin(), rows.end(), [](const PlaceRow& a, const PlaceRow& b) {
    return std::pair(a.code_offset, a.body_offset) < std::pair(b.code_offset, b.body_offset);
  });
  std::vector<PlaceRow> out;
  for (const PlaceRow& row : rows) {
    if (!out.empty() && out.back().code_offset == row.code_offset) out.pop_back();
    if (out.empty() || out.back().body_offset != row.body_offset) out.push_back(row);
  }
  return out;
}

}  // namespace heddle::observe
