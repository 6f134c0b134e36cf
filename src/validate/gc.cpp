// Structures and arrays.
// https://webassembly.github.io/spec/core/valid/instructions.html#aggregate-reference-instructions
#include <algorithm>

#include "spec/limits.h"
#include "validate/errors.h"
#include "validate/function_validator.h"

namespace heddle::validate {
namespace {

spec::ValType nullable_ref(spec::TypeIndex index) {
  return spec::ValType::ref(spec::HeapType(index), true);
}

spec::ValType new_ref(spec::TypeIndex index) {
  return spec::ValType::ref(spec::HeapType(index), false);
}

}  // namespace

base::Status FunctionValidator::check_packed_access(const spec::FieldType& field, bool extends) const {
  const bool packed = field.packed != spec::PackedType::none;
  if (packed == extends) return {};
  return errors::type_mismatch(
      at(), packed ? "a packed field needs _s or _u to be read" : "only a packed field is read with _s or _u");
}

base::Status FunctionValidator::check_default(const spec::FieldType& field) const {
  if (field.type.is_defaultable()) return {};
  return errors::type_mismatch(at(), "the field's type has no default value");
}

base::Status FunctionValidator::find_field(const binary::imm::TypeField& imm, const spec::FieldType*& out) const {
  const spec::SubType* type = nullptr;
  HEDDLE_TRY(find_composite(imm.type, spec::CompositeKind::struct_, type));
  if (imm.field.value >= type->fields.size())
    return errors::unknown("field", imm.field.value, type->fields.size(), at());
  out = &type->fields[imm.field.value];
  return {};
}

// Costs no more than the operands that are there: in unreachable code a few bytes could else ask for 10,000 types.
template <class TypeAt>
base::Status FunctionValidator::pop_fields(std::size_t count, TypeAt&& type_at) {
  const std::size_t present = std::min(available(), count);
  bool fit = present == count || is_unreachable();
  for (std::size_t depth = 0; fit && depth < present; ++depth)
    fit = fits(operands_.peek(depth), type_at(count - 1 - depth));
  if (fit) {
    operands_.pop(present);
    return {};
  }
  std::vector<ValType> expected;
  for (std::size_t i = 0; i < count; ++i) expected.push_back(type_at(i));
  return operand_error(expected);
}

base::Status FunctionValidator::on_struct_new(const binary::imm::Type& imm) {
  const spec::SubType* type = nullptr;
  HEDDLE_TRY(find_composite(imm.type, spec::CompositeKind::struct_, type));
  HEDDLE_TRY(pop_fields(type->fields.size(), [type](std::size_t i) { return type->fields[i].type; }));
  push(new_ref(imm.type));
  return {};
}

base::Status FunctionValidator::on_struct_new_default(const binary::imm::Type& imm) {
  const spec::SubType* type = nullptr;
  HEDDLE_TRY(find_composite(imm.type, spec::CompositeKind::struct_, type));
  for (const spec::FieldType& field : type->fields) HEDDLE_TRY(check_default(field));
  push(new_ref(imm.type));
  return {};
}

base::Status FunctionValidator::get_field(const binary::imm::TypeField& imm, bool extends) {
  const spec::FieldType* field = nullptr;
  HEDDLE_TRY(find_field(imm, field));
  HEDDLE_TRY(check_packed_access(*field, extends));
  HEDDLE_TRY(pop(nullable_ref(imm.type)));
  push(field->type);
  return {};
}

base::Status FunctionValidator::on_struct_get(const binary::imm::TypeField& imm) {
  return get_field(imm, false);
}

base::Status FunctionValidator::on_struct_get_s(const binary::imm::TypeField& imm) {
  return get_field(imm, true);
}

base::Status FunctionValidator::on_struct_get_u(const binary::imm::TypeField& imm) {
  return get_field(imm, true);
}

base::Status FunctionValidator::on_struct_set(const binary::imm::TypeField& imm) {
  const spec::FieldType* field = nullptr;
  HEDDLE_TRY(find_field(imm, field));
  if (!field->mutable_) return errors::invalid(at(), "immutable field", "struct.set of a constant field");
  const ValType operands[] = {nullable_ref(imm.type), field->type};
  return pop(operands);
}

base::Status FunctionValidator::find_element(spec::TypeIndex index, const spec::FieldType*& out) const {
  const spec::SubType* type = nullptr;
  HEDDLE_TRY(find_composite(index, spec::CompositeKind::array, type));
  out = &type->fields.front();
  return {};
}

base::Status FunctionValidator::find_mutable_element(spec::TypeIndex index, const spec::FieldType*& out) const {
  HEDDLE_TRY(find_element(index, out));
  if (!out->mutable_) return errors::invalid(at(), "immutable array", "its elements can't be written");
  return {};
}

base::Status FunctionValidator::on_array_new(const binary::imm::Type& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_element(imm.type, element));
  const ValType operands[] = {element->type, spec::kI32};
  HEDDLE_TRY(pop(operands));
  push(new_ref(imm.type));
  return {};
}

base::Status FunctionValidator::on_array_new_default(const binary::imm::Type& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_element(imm.type, element));
  HEDDLE_TRY(check_default(*element));
  HEDDLE_TRY(pop(spec::kI32));
  push(new_ref(imm.type));
  return {};
}

base::Status FunctionValidator::on_array_new_fixed(const binary::imm::TypeLen& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_element(imm.type, element));
  if (imm.length > spec::kMaxArrayNewFixed)
    return errors::limit(at(), "too many operands", imm.length, spec::kMaxArrayNewFixed);
  HEDDLE_TRY(pop_fields(imm.length, [element](std::size_t) { return element->type; }));
  push(new_ref(imm.type));
  return {};
}

base::Status FunctionValidator::check_data_element(const spec::FieldType& element, spec::DataIndex data) const {
  if (element.type.is_ref()) return errors::invalid(at(), "array type is not numeric or vector", "bytes can't fill it");
  return check_data(data);
}

base::Status FunctionValidator::check_elem_element(const spec::FieldType& element, spec::ElemIndex elem) const {
  ValType type;
  HEDDLE_TRY(find_elem(elem, type));
  if (element.packed == spec::PackedType::none && fits(type, element.type)) return {};
  return errors::types_differ(at(), "the array", Types(&element.type, 1), "the element segment", Types(&type, 1));
}

base::Status FunctionValidator::on_array_new_data(const binary::imm::TypeData& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_element(imm.type, element));
  HEDDLE_TRY(check_data_element(*element, imm.data));
  const ValType operands[] = {spec::kI32, spec::kI32};
  HEDDLE_TRY(pop(operands));
  push(new_ref(imm.type));
  return {};
}

base::Status FunctionValidator::on_array_new_elem(const binary::imm::TypeElem& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_element(imm.type, element));
  HEDDLE_TRY(check_elem_element(*element, imm.elem));
  const ValType operands[] = {spec::kI32, spec::kI32};
  HEDDLE_TRY(pop(operands));
  push(new_ref(imm.type));
  return {};
}

base::Status FunctionValidator::get_element(spec::TypeIndex index, bool extends) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_element(index, element));
  HEDDLE_TRY(check_packed_access(*element, extends));
  const ValType operands[] = {nullable_ref(index), spec::kI32};
  HEDDLE_TRY(pop(operands));
  push(element->type);
  return {};
}

base::Status FunctionValidator::on_array_get(const binary::imm::Type& imm) {
  return get_element(imm.type, false);
}

base::Status FunctionValidator::on_array_get_s(const binary::imm::Type& imm) {
  return get_element(imm.type, true);
}

base::Status FunctionValidator::on_array_get_u(const binary::imm::Type& imm) {
  return get_element(imm.type, true);
}

base::Status FunctionValidator::on_array_set(const binary::imm::Type& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_mutable_element(imm.type, element));
  const ValType operands[] = {nullable_ref(imm.type), spec::kI32, element->type};
  return pop(operands);
}

base::Status FunctionValidator::on_array_len(const binary::imm::None&) {
  HEDDLE_TRY(pop(ValType::ref(spec::HeapType::array, true)));
  push(spec::kI32);
  return {};
}

base::Status FunctionValidator::on_array_fill(const binary::imm::Type& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_mutable_element(imm.type, element));
  const ValType operands[] = {nullable_ref(imm.type), spec::kI32, element->type, spec::kI32};
  return pop(operands);
}

base::Status FunctionValidator::on_array_copy(const binary::imm::TypeType& imm) {
  const spec::FieldType* dst = nullptr;
  const spec::FieldType* src = nullptr;
  HEDDLE_TRY(find_mutable_element(imm.dst, dst));
  HEDDLE_TRY(find_element(imm.src, src));
  if (dst->packed != src->packed || !fits(src->type, dst->type)) {
    return errors::invalid(at(), "array types do not match", "the source's elements do not fit the destination");
  }
  const ValType operands[] = {nullable_ref(imm.dst), spec::kI32, nullable_ref(imm.src), spec::kI32, spec::kI32};
  return pop(operands);
}

base::Status FunctionValidator::on_array_init_data(const binary::imm::TypeData& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_mutable_element(imm.type, element));
  HEDDLE_TRY(check_data_element(*element, imm.data));
  const ValType operands[] = {nullable_ref(imm.type), spec::kI32, spec::kI32, spec::kI32};
  return pop(operands);
}

base::Status FunctionValidator::on_array_init_elem(const binary::imm::TypeElem& imm) {
  const spec::FieldType* element = nullptr;
  HEDDLE_TRY(find_mutable_element(imm.type, element));
  HEDDLE_TRY(check_elem_element(*element, imm.elem));
  const ValType operands[] = {nullable_ref(imm.type), spec::kI32, spec::kI32, spec::kI32};
  return pop(operands);
}

}  // namespace heddle::validate
