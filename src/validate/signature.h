// The signature column of opcodes.def, parsed at compile time into something the hot path can compare: the kinds of the
// operands, of the results, the width of a memory access and the number of lanes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "binary/body_reader.h"
#include "spec/opcodes.h"
#include "spec/types.h"

namespace heddle::validate {

/// One non-special row. A letter `p` (the memory's address type) is stored as kind `bottom` and filled in when the
/// memory is known.
struct Signature {
  static constexpr std::size_t kMaxOperands = 4;
  static constexpr std::size_t kMaxResults = 2;
  std::array<spec::ValType::Kind, kMaxOperands> operands{};
  std::array<spec::ValType::Kind, kMaxResults> results{};
  std::uint8_t operand_count = 0;
  std::uint8_t result_count = 0;
  std::uint8_t memory_bytes = 0;  ///< natural alignment, 0 if no access
  std::uint8_t lanes = 0;         ///< lane immediates are below this, 0 if there are none
  bool atomic = false;            ///< the alignment must be exactly natural
};

namespace detail {

constexpr spec::ValType::Kind kind_of_letter(char letter) {
  switch (letter) {
    case 'i': return spec::ValType::Kind::i32;
    case 'I': return spec::ValType::Kind::i64;
    case 'f': return spec::ValType::Kind::f32;
    case 'F': return spec::ValType::Kind::f64;
    case 'v': return spec::ValType::Kind::v128;
    default: return spec::ValType::Kind::bottom;  // p
  }
}

/// "i16x8.extract_lane_s" has 8 lanes.
constexpr std::uint8_t lanes_of_shape(std::string_view text) {
  std::uint8_t lanes = 0;
  bool counting = false;
  for (char c : text) {
    if (c == '.') return lanes;
    if (counting) lanes = static_cast<std::uint8_t>(lanes * 10 + (c - '0'));
    if (c == 'x') counting = true;
  }
  return 0;
}

}  // namespace detail

constexpr Signature parse_signature(std::string_view text, std::string_view signature, spec::ImmKind imm,
                                    std::uint8_t memory_bytes, spec::Family family) {
  Signature result;
  result.memory_bytes = memory_bytes;
  result.atomic = family >= spec::Family::AtomicLoad && family <= spec::Family::AtomicFence;
  if (imm == spec::ImmKind::lane) result.lanes = detail::lanes_of_shape(text);
  if (imm == spec::ImmKind::memarg_lane) result.lanes = static_cast<std::uint8_t>(16 / memory_bytes);
  if (signature == "special") return result;
  bool in_results = false;
  for (char letter : signature) {
    if (letter == ':')
      in_results = true;
    else if (in_results)
      result.results[result.result_count++] = detail::kind_of_letter(letter);
    else
      result.operands[result.operand_count++] = detail::kind_of_letter(letter);
  }
  return result;
}

namespace detail {

consteval bool signatures_fit() {
  for (const spec::OpcodeInfo& op : spec::kOpcodes) {
    const std::string_view signature = op.signature();
    if (signature == "special") continue;
    const std::size_t colon = signature.find(':');
    if (colon > Signature::kMaxOperands || signature.size() - colon - 1 > Signature::kMaxResults) return false;
    if (signature.find('r') != std::string_view::npos) return false;  // references need a rule of their own
  }
  return true;
}

}  // namespace detail

static_assert(detail::signatures_fit(), "a plain row has at most 4 operands, 2 results and no references");

/// Supplies every on_<name> of a plain row by handing its Signature to self().apply(signature, immediate). A special
/// row must be defined by Self, which hides the one here.
template <class Self>
class SignatureRules {
 public:
#define OP(name, code, text, imm, signature, memory, family, feature)                                           \
  base::Status on_##name(const binary::imm_by_kind::imm& immediate) {                                           \
    static constexpr Signature kSignature =                                                                     \
        parse_signature(text, signature, spec::ImmKind::imm, memory, spec::Family::family);                     \
    static_assert(sizeof(Self) == 0 || std::string_view(signature) != "special", "a special row needs a rule"); \
    return static_cast<Self*>(this)->apply(kSignature, immediate);                                              \
  }
#include "spec/opcodes.def"
};

}  // namespace heddle::validate
