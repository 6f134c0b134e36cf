// References: null, func, tests, casts and the branches on them.
// https://webassembly.github.io/spec/core/valid/instructions.html#reference-instructions
#include "validate/errors.h"
#include "validate/function_validator.h"

namespace heddle::validate {
namespace {

/// The highest type of a heap type's hierarchy: what an operand of a cast may be.
spec::HeapType top_of(const module::Module& m, spec::HeapType heap) {
  if (heap.is_concrete())
    return m.types[heap.index().value].kind == spec::CompositeKind::func ? spec::HeapType::func : spec::HeapType::any;
  switch (heap.code()) {
    case spec::HeapType::func:
    case spec::HeapType::nofunc: return spec::HeapType::func;
    case spec::HeapType::extern_:
    case spec::HeapType::noextern: return spec::HeapType::extern_;
    case spec::HeapType::exn:
    case spec::HeapType::noexn: return spec::HeapType::exn;
    case spec::HeapType::any:
    case spec::HeapType::eq:
    case spec::HeapType::i31:
    case spec::HeapType::struct_:
    case spec::HeapType::array:
    case spec::HeapType::none: return spec::HeapType::any;
  }
  HEDDLE_UNREACHABLE("every heap type has a top");
}

}  // namespace

base::Status FunctionValidator::on_ref_null(const binary::imm::HeapType& imm) {
  HEDDLE_TRY(check_heap_type(imm.heap));
  push(ValType::ref(imm.heap, true));
  return {};
}

base::Status FunctionValidator::on_ref_is_null(const binary::imm::None&) {
  ValType ignored;
  HEDDLE_TRY(pop_ref(ignored));
  push(spec::kI32);
  return {};
}

// The function must be declared somewhere outside bodies, so that tools see which functions are used as values.
base::Status FunctionValidator::on_ref_func(const binary::imm::Func& imm) {
  if (imm.func.value >= module_.functions.size())
    return errors::unknown("function", imm.func.value, module_.functions.size(), at());
  if (!module_.declared_funcs[imm.func.value]) return errors::undeclared_function(at(), imm.func.value);
  push(ValType::ref(spec::HeapType(module_.functions[imm.func.value].type), false));
  return {};
}

base::Status FunctionValidator::on_ref_eq(const binary::imm::None&) {
  constexpr ValType kEqRef = ValType::ref(spec::HeapType::eq, true);
  const ValType operands[] = {kEqRef, kEqRef};
  HEDDLE_TRY(pop(operands));
  push(spec::kI32);
  return {};
}

base::Status FunctionValidator::on_ref_as_non_null(const binary::imm::None&) {
  ValType type;
  HEDDLE_TRY(pop_ref(type));
  push(type.as_nullable(false));
  return {};
}

// [t* (ref null ht)] -> [t* (ref ht)], the label takes t*
base::Status FunctionValidator::on_br_on_null(const binary::imm::Label& imm) {
  const Frame* frame = nullptr;
  HEDDLE_TRY(check_label(imm.depth, frame));
  ValType type;
  HEDDLE_TRY(pop_ref(type));
  HEDDLE_TRY(apply_types(frame->label(), frame->label()));
  push(type.as_nullable(false));
  return {};
}

// [t* (ref null ht)] -> [t*], the label takes t* (ref ht)
base::Status FunctionValidator::on_br_on_non_null(const binary::imm::Label& imm) {
  const Frame* frame = nullptr;
  HEDDLE_TRY(check_label(imm.depth, frame));
  const Types label = frame->label();
  ValType type;
  HEDDLE_TRY(pop_ref(type));
  const ValType taken = type.as_nullable(false);
  if (label.empty() || !fits(taken, label.back()))
    return errors::types_differ(at(), "the label", label, "a reference that is not null", Types(&taken, 1));
  const Types rest = label.first(label.size() - 1);
  return apply_types(rest, rest);
}

base::Status FunctionValidator::test_reference(spec::HeapType heap, ValType result) {
  HEDDLE_TRY(check_heap_type(heap));
  HEDDLE_TRY(pop(ValType::ref(top_of(module_, heap), true)));
  push(result);
  return {};
}

base::Status FunctionValidator::on_ref_test(const binary::imm::HeapType& imm) {
  return test_reference(imm.heap, spec::kI32);
}

base::Status FunctionValidator::on_ref_test_null(const binary::imm::HeapType& imm) {
  return test_reference(imm.heap, spec::kI32);
}

base::Status FunctionValidator::on_ref_cast(const binary::imm::HeapType& imm) {
  return test_reference(imm.heap, ValType::ref(imm.heap, false));
}

base::Status FunctionValidator::on_ref_cast_null(const binary::imm::HeapType& imm) {
  return test_reference(imm.heap, ValType::ref(imm.heap, true));
}

// [t* rt1] -> [t* not_taken], the label takes t* taken
base::Status FunctionValidator::branch_on_cast(const binary::imm::BrOnCast& imm, ValType taken, ValType not_taken) {
  const Frame* frame = nullptr;
  HEDDLE_TRY(check_label(imm.depth, frame));
  if (!fits(imm.to, imm.from))
    return errors::types_differ(at(), "a cast", Types(&imm.from, 1), "its target", Types(&imm.to, 1));
  const Types label = frame->label();
  if (label.empty() || !fits(taken, label.back()))
    return errors::types_differ(at(), "the label", label, "the reference", Types(&taken, 1));
  HEDDLE_TRY(pop(imm.from));
  const Types rest = label.first(label.size() - 1);
  HEDDLE_TRY(apply_types(rest, rest));
  push(not_taken);
  return {};
}

namespace {

/// What is left of `from` when a cast to `to` has failed (core spec, Valid, Conventions, Auxiliary: diff).
spec::ValType difference(spec::ValType from, spec::ValType to) {
  return to.nullable() ? from.as_nullable(false) : from;
}

}  // namespace

base::Status FunctionValidator::on_br_on_cast(const binary::imm::BrOnCast& imm) {
  HEDDLE_TRY(check_heap_type(imm.from.heap()));
  HEDDLE_TRY(check_heap_type(imm.to.heap()));
  return branch_on_cast(imm, imm.to, difference(imm.from, imm.to));
}

base::Status FunctionValidator::on_br_on_cast_fail(const binary::imm::BrOnCast& imm) {
  HEDDLE_TRY(check_heap_type(imm.from.heap()));
  HEDDLE_TRY(check_heap_type(imm.to.heap()));
  return branch_on_cast(imm, difference(imm.from, imm.to), imm.to);
}

// https://webassembly.github.io/spec/core/valid/instructions.html#external-reference-instructions
base::Status FunctionValidator::on_any_convert_extern(const binary::imm::None&) {
  const bool nullable = available() > 0 && operands_.peek(0).nullable();
  HEDDLE_TRY(pop(spec::kExternRef));
  push(ValType::ref(spec::HeapType::any, nullable));
  return {};
}

base::Status FunctionValidator::on_extern_convert_any(const binary::imm::None&) {
  const bool nullable = available() > 0 && operands_.peek(0).nullable();
  HEDDLE_TRY(pop(ValType::ref(spec::HeapType::any, true)));
  push(ValType::ref(spec::HeapType::extern_, nullable));
  return {};
}

// https://webassembly.github.io/spec/core/valid/instructions.html#scalar-reference-instructions
base::Status FunctionValidator::on_ref_i31(const binary::imm::None&) {
  HEDDLE_TRY(pop(spec::kI32));
  push(ValType::ref(spec::HeapType::i31, false));
  return {};
}

base::Status FunctionValidator::on_i31_get_s(const binary::imm::None&) {
  HEDDLE_TRY(pop(ValType::ref(spec::HeapType::i31, true)));
  push(spec::kI32);
  return {};
}

base::Status FunctionValidator::on_i31_get_u(const binary::imm::None& imm) {
  return on_i31_get_s(imm);
}

}  // namespace heddle::validate
