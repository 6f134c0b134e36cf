#include "spec/opcodes.h"

#include <algorithm>

#include "base/check.h"

namespace heddle::spec {
namespace {

constexpr std::uint16_t kNoRow = 0xffff;

consteval std::array<std::uint16_t, 256> rows_of_plain_opcodes() {
  std::array<std::uint16_t, 256> rows{};
  rows.fill(kNoRow);
  for (std::size_t i = 0; i < kOpcodeCount; ++i) {
    const auto code = static_cast<std::uint32_t>(kOpcodes[i].opcode);
    if (code < 256) rows[code] = static_cast<std::uint16_t>(i);
  }
  return rows;
}

constexpr std::array<std::uint16_t, 256> kPlainRows = rows_of_plain_opcodes();

}  // namespace

const OpcodeInfo* find_opcode(std::uint32_t code) {
  if (code < 256) return kPlainRows[code] == kNoRow ? nullptr : &kOpcodes[kPlainRows[code]];
  const auto* end = kOpcodes + kOpcodeCount;
  const auto* row = std::lower_bound(kOpcodes + 0, end, code, [](const OpcodeInfo& op, std::uint32_t wanted) {
    return static_cast<std::uint32_t>(op.opcode) < wanted;
  });
  return row != end && static_cast<std::uint32_t>(row->opcode) == code ? row : nullptr;
}

std::size_t opcode_row(Opcode opcode) {
  const OpcodeInfo* row = find_opcode(static_cast<std::uint32_t>(opcode));
  HEDDLE_DCHECK(row != nullptr, "an Opcode value is in the table");
  return static_cast<std::size_t>(row - kOpcodes);
}

}  // namespace heddle::spec
