// See keywords.h.
#include "text/keywords.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace heddle::text {
namespace {

/// Open addressing, a quarter full: one probe for most words.
class InstructionTable {
 public:
  InstructionTable() {
    for (const spec::OpcodeInfo& row : spec::kOpcodes) insert(row);
  }

  const spec::OpcodeInfo* find(std::string_view word) const {
    for (std::size_t slot = hash(word);; ++slot) {
      const spec::OpcodeInfo* row = slots_[slot % kSlots];
      if (row == nullptr || row->text() == word) return row;
    }
  }

 private:
  static constexpr std::size_t kSlots = 4096;
  static_assert(kSlots >= 4 * spec::kOpcodeCount);

  static std::size_t hash(std::string_view word) {
    std::uint32_t h = 2166136261u;
    for (char c : word) h = (h ^ static_cast<std::uint8_t>(c)) * 16777619u;
    return h ^ (h >> 15);
  }

  void insert(const spec::OpcodeInfo& row) {
    std::size_t slot = hash(row.text());
    for (; slots_[slot % kSlots] != nullptr; ++slot)
      if (slots_[slot % kSlots]->text() == row.text()) return;
    slots_[slot % kSlots] = &row;
  }

  std::array<const spec::OpcodeInfo*, kSlots> slots_{};
};

// clang-format off
constexpr std::string_view kWords[] = {
    "after", "any", "anyref", "array", "arrayref", "assert_exception", "assert_exhaustion", "assert_invalid",
    "assert_invalid_custom", "assert_malformed", "assert_malformed_custom", "assert_return", "assert_trap",
    "assert_unlinkable", "before", "binary", "catch", "catch_all", "catch_all_ref", "catch_ref", "data", "declare",
    "definition", "delegate", "do", "either", "elem", "else", "end", "eq", "eqref", "exn", "exnref", "export", "extern",
    "externref", "f32", "f32x4", "f64", "f64x2", "field", "final", "func", "funcref", "get", "global", "i16", "i16x8", "i31",
    "i31ref", "i32", "i32x4", "i64", "i64x2", "i8", "i8x16", "if", "import", "inf", "instance", "invoke", "item", "local",
    "memory", "module", "mut", "nan", "nan:arithmetic", "nan:canonical", "noexn", "noextern", "nofunc", "none", "null",
    "nullexnref", "nullexternref", "nullfuncref", "nullref", "offset", "pagesize", "param", "quote", "rec", "ref",
    "ref.any", "ref.array", "ref.exn", "ref.extern", "ref.host", "ref.struct", "register", "result", "shared", "start",
    "struct", "structref", "sub", "table", "tag", "then", "thread", "type", "v128", "wait",
};
// clang-format on
static_assert(std::is_sorted(std::begin(kWords), std::end(kWords)));

}  // namespace

const spec::OpcodeInfo* find_instruction(std::string_view word) {
  static const InstructionTable table;
  return table.find(word);
}

bool is_known_word(std::string_view word) {
  return std::binary_search(std::begin(kWords), std::end(kWords), word) || find_instruction(word) != nullptr ||
         word.starts_with("offset=") || word.starts_with("align=") || word.starts_with("nan:0x");
}

}  // namespace heddle::text
