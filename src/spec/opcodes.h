// The opcode table as data: opcodes.def read into an enum and a constexpr array, with its rules checked at compile
// time. Facts of the specification only; how to validate or emit an opcode is said by its readers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "spec/features.h"

namespace heddle::spec {

/// Plain opcodes are their byte; prefixed ones are prefix * 0x10000 + sub-opcode (so 0xfc 8 is 0xfc0008).
enum class Opcode : std::uint32_t {
#define OP(name, code, text, imm, signature, memory, family, feature) name = code,
#include "spec/opcodes.def"
};

/// What follows the opcode in the binary format. One reader each in binary/body_reader.h.
enum class ImmKind : std::uint8_t {
  none,
  block_type,
  label,
  br_table,
  func,
  call_indirect,
  type,
  local,
  global,
  table,
  table_copy,
  table_init,
  elem,
  data,
  memory,
  memory_copy,
  memory_init,
  memarg,
  memarg_lane,
  lane,
  shuffle,
  v128_const,
  i32_const,
  i64_const,
  f32_const,
  f64_const,
  heap_type,
  select_types,
  tag,
  try_table,
  fence,
  type_field,
  type_len,
  type_data,
  type_elem,
  type_type,
  br_on_cast,
};

enum class Family : std::uint8_t {
  Control,
  Parametric,
  Variable,
  Const,
  Unary,
  Binary,
  Test,
  Compare,
  Convert,
  Load,
  Store,
  Memory,
  Table,
  Reference,
  Exception,
  AtomicLoad,
  AtomicStore,
  AtomicRmw,
  AtomicCmpxchg,
  AtomicWait,
  AtomicNotify,
  AtomicFence,
  Wide,
  Gc,
  SimdLoad,
  SimdStore,
  SimdLoadLane,
  SimdStoreLane,
  SimdConst,
  SimdShuffle,
  SimdSplat,
  SimdExtractLane,
  SimdReplaceLane,
  SimdUnary,
  SimdBinary,
  SimdTernary,
  SimdShift,
  SimdTest,
};

/// A constant text within the table itself: a table of pointers would be written to, page by page, whenever the program
/// is loaded.
template <std::size_t N>
class ShortText {
 public:
  template <std::size_t Size>
    requires(Size <= N + 1)
  consteval ShortText(const char (&text)[Size]) : size_(Size - 1) {
    std::copy(text, text + Size - 1, text_);
  }
  constexpr std::string_view view() const { return {text_, size_}; }

 private:
  char text_[N] = {};
  std::uint8_t size_;
};

struct OpcodeInfo {
  Opcode opcode;
  ShortText<35> text_stored;
  ImmKind imm;
  ShortText<7> signature_stored;
  std::uint8_t memory_bytes;  ///< width of the access, 0 if none; the natural alignment
  Family family;
  Feature feature;

  /// As the text format spells it.
  constexpr std::string_view text() const { return text_stored.view(); }
  /// "ins:outs" in letters i I f F v r p, or "special".
  constexpr std::string_view signature() const { return signature_stored.view(); }
};

inline constexpr OpcodeInfo kOpcodes[] = {
#define OP(name, code, text, imm, signature, memory, family, feature) \
  {Opcode::name, text, ImmKind::imm, signature, memory, Family::family, Feature::feature},
#include "spec/opcodes.def"
};
inline constexpr std::size_t kOpcodeCount = sizeof(kOpcodes) / sizeof(kOpcodes[0]);

/// Row of an opcode read from a module, or nullptr if there is none. O(log n) for prefixed, O(1) for plain ones.
const OpcodeInfo* find_opcode(std::uint32_t code);

/// Row number (0 .. kOpcodeCount - 1) of a known opcode.
std::size_t opcode_row(Opcode opcode);

inline const OpcodeInfo& opcode_info(Opcode opcode) {
  return kOpcodes[opcode_row(opcode)];
}

namespace detail {

consteval bool codes_are_sorted_and_unique() {
  for (std::size_t i = 1; i < kOpcodeCount; ++i)
    if (kOpcodes[i - 1].opcode >= kOpcodes[i].opcode) return false;
  return true;
}

consteval bool signatures_are_known() {
  for (const OpcodeInfo& op : kOpcodes) {
    if (op.signature() == "special") continue;
    int colons = 0;
    for (char c : op.signature()) {
      if (c == ':')
        ++colons;
      else if (std::string_view("iIfFvrp").find(c) == std::string_view::npos)
        return false;
    }
    if (colons != 1) return false;
  }
  return true;
}

consteval bool widths_are_powers_of_two() {
  for (const OpcodeInfo& op : kOpcodes)
    if ((op.memory_bytes & (op.memory_bytes - 1)) != 0 || op.memory_bytes > 16) return false;
  return true;
}

}  // namespace detail

static_assert(detail::codes_are_sorted_and_unique(), "opcodes.def is sorted by code, each code once");
static_assert(detail::signatures_are_known(), "a signature is letters of iIfFvrp with one colon, or special");
static_assert(detail::widths_are_powers_of_two(), "an access is 1, 2, 4, 8 or 16 bytes wide");

}  // namespace heddle::spec
