// What an instruction of the machine can take: a register, an immediate, a place in memory. Named by the compiler,
// turned into encodings by <isa>/macro_assembler.
#pragma once

#include <cstdint>

#include "baseline/registers.h"
#include "spec/types.h"

namespace heddle::baseline {

using Kind = spec::ValType::Kind;

/// References are 64-bit words.
inline constexpr bool is_float_class(Kind kind) {
  return kind == Kind::f32 || kind == Kind::f64 || kind == Kind::v128;
}
inline constexpr std::uint32_t size_of(Kind kind) {
  return kind == Kind::v128 ? 16 : 8;
}

enum class Width : std::uint8_t { w32, w64 };
inline constexpr Width width_of(Kind kind) {
  return kind == Kind::i32 || kind == Kind::f32 ? Width::w32 : Width::w64;
}

struct Label {
  static constexpr std::uint32_t kNone = 0xffffffffu;
  std::uint32_t id = kNone;
  constexpr bool valid() const { return id != kNone; }
};

/// [base + index * 2^scale_log2 + disp], or [label + disp] if label is valid (data behind the function).
struct Address {
  Reg base;
  Reg index;
  std::uint8_t scale_log2 = 0;
  std::int32_t disp = 0;
  Label label;

  static constexpr Address at(Reg base, std::int32_t disp) { return Address{base, Reg{}, 0, disp, Label{}}; }
  constexpr Address plus(std::int32_t more) const {
    Address a = *this;
    a.disp += more;
    return a;
  }
};

/// Source of an instruction that reads one of three things.
struct Src {
  enum class Form : std::uint8_t { reg, imm, mem } form = Form::reg;
  Reg reg;
  std::int32_t imm = 0;  ///< sign-extended to the instruction's width
  Address mem;

  static constexpr Src of(Reg r) { return Src{Form::reg, r, 0, {}}; }
  static constexpr Src of(std::int32_t value) { return Src{Form::imm, {}, value, {}}; }
  static constexpr Src of(const Address& a) { return Src{Form::mem, {}, 0, a}; }
  constexpr bool is_reg() const { return form == Form::reg; }
  constexpr bool is_imm() const { return form == Form::imm; }
  constexpr bool is_mem() const { return form == Form::mem; }
};

/// Outcome of a compare. Pairs differ in the lowest bit, so that inversion is one xor. Float `<` and `>` use the
/// unsigned ones (operands swapped for `<`), so that "unordered" is false; float == and != need two flags.
enum class Cond : std::uint8_t {
  eq,
  ne,
  lt_s,
  ge_s,
  gt_s,
  le_s,
  lt_u,
  ge_u,
  gt_u,
  le_u,
  float_eq,
  float_ne,
  negative,
  not_negative,
  overflow,
  no_overflow,
  unordered,
  ordered,
};
inline constexpr Cond inverted(Cond c) {
  return static_cast<Cond>(static_cast<std::uint8_t>(c) ^ 1);
}
/// The condition after the operands of the compare were swapped.
inline constexpr Cond swapped(Cond c) {
  switch (c) {
    case Cond::lt_s: return Cond::gt_s;
    case Cond::gt_s: return Cond::lt_s;
    case Cond::ge_s: return Cond::le_s;
    case Cond::le_s: return Cond::ge_s;
    case Cond::lt_u: return Cond::gt_u;
    case Cond::gt_u: return Cond::lt_u;
    case Cond::ge_u: return Cond::le_u;
    case Cond::le_u: return Cond::ge_u;
    case Cond::eq:
    case Cond::ne:
    case Cond::float_eq:
    case Cond::float_ne:
    case Cond::negative:
    case Cond::not_negative:
    case Cond::overflow:
    case Cond::no_overflow:
    case Cond::unordered:
    case Cond::ordered: return c;
  }
  return c;
}

}  // namespace heddle::baseline
