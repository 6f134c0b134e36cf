// Lets the FunctionValidator check types, and looks first whether the instruction is one of the constant ones.
// https://webassembly.github.io/spec/core/valid/instructions.html#constant-expressions
#include "validate/const_expr.h"

#include "validate/errors.h"
#include "validate/function_validator.h"

namespace heddle::validate {
namespace {

using spec::Opcode;

enum class Constness : std::uint8_t { never, always, extended };

constexpr Constness constness_of(Opcode opcode) {
  switch (opcode) {
    case Opcode::i32_const:
    case Opcode::i64_const:
    case Opcode::f32_const:
    case Opcode::f64_const:
    case Opcode::v128_const:
    case Opcode::global_get:
    case Opcode::ref_null:
    case Opcode::ref_func:
    case Opcode::ref_i31:
    case Opcode::struct_new:
    case Opcode::struct_new_default:
    case Opcode::array_new:
    case Opcode::array_new_default:
    case Opcode::array_new_fixed:
    case Opcode::any_convert_extern:
    case Opcode::extern_convert_any:
    case Opcode::end: return Constness::always;
    case Opcode::i32_add:
    case Opcode::i32_sub:
    case Opcode::i32_mul:
    case Opcode::i64_add:
    case Opcode::i64_sub:
    case Opcode::i64_mul: return Constness::extended;
    default: return Constness::never;
  }
}

class ConstWalker {
 public:
  ConstWalker(const module::Module& m, const module::ConstExpr& expr, spec::ValType expected,
              std::uint32_t visible_globals)
      : reader_(m, expr.range), validator_(m, expected, reader_), visible_globals_(visible_globals) {
    reader_.in_constant_expression();
  }

  base::Status run() {
    while (!validator_.done()) HEDDLE_TRY(binary::walk_instruction(reader_, *this));
    return validator_.end_body();
  }

#define OP(name, code, text, imm, signature, memory, family, feature)              \
  base::Status on_##name(const binary::imm_by_kind::imm& immediate) {              \
    constexpr Constness kConstness = constness_of(Opcode::name);                   \
    if constexpr (kConstness == Constness::never) {                                \
      return not_constant();                                                       \
    } else {                                                                       \
      if (kConstness == Constness::extended && !extended()) return not_constant(); \
      HEDDLE_TRY(check(immediate));                                                \
      return validator_.on_##name(immediate);                                      \
    }                                                                              \
  }
#include "spec/opcodes.def"

 private:
  bool extended() const { return reader_.module().features.has(spec::Feature::extended_const); }

  base::Error not_constant() const {
    const std::uint64_t at = reader_.instruction_offset();
    return errors::constant_expression_required(at, errors::instruction_text(reader_.module().bytes(), at));
  }

  template <class Imm>
  base::Status check(const Imm&) const {
    return {};
  }
  /// Only globals that have their value already and keep it.
  base::Status check(const binary::imm::Global& imm) const {
    if (imm.global.value >= visible_globals_)
      return errors::unknown("global", imm.global.value, visible_globals_, reader_.instruction_offset());
    if (reader_.module().globals[imm.global.value].type.mutable_) return not_constant();
    return {};
  }

  binary::BodyReader reader_;
  FunctionValidator validator_;
  std::uint32_t visible_globals_;
};

}  // namespace

base::Status check_const_expr(const module::Module& m, const module::ConstExpr& expr, spec::ValType expected,
                              std::uint32_t visible_globals) {
  return ConstWalker(m, expr, expected, visible_globals).run();
}

}  // namespace heddle::validate
