// The operand stack's rules: what may be popped where, and the cold paths of the plain rows.
// https://webassembly.github.io/spec/core/appendix/algorithm.html#validation-of-opcode-sequences
#include <algorithm>

#include "spec/limits.h"
#include "validate/errors.h"
#include "validate/function_validator.h"

namespace heddle::validate {

void OperandStack::grow(std::size_t more) {
  std::size_t wanted = capacity_ < 32 ? 64 : capacity_ * 2;
  if (wanted < size_ + more) wanted = size_ + more;
  auto larger = std::make_unique<spec::ValType[]>(wanted);
  for (std::size_t i = 0; i < size_; ++i) larger[i] = data_[i];
  data_ = std::move(larger);
  capacity_ = wanted;
}

// https://webassembly.github.io/spec/core/valid/matching.html#value-types
bool FunctionValidator::fits_by_subtyping(ValType actual, ValType expected) const {
  if (actual.kind() == ValType::Kind::bottom) return true;
  if (!actual.is_ref() || !expected.is_ref()) return actual.kind() == expected.kind() && !actual.is_ref();
  if (actual.heap() == kBottomHeap) return !actual.nullable() || expected.nullable();
  return module::matches(module_, actual, expected);
}

bool FunctionValidator::all_fit(Types actual, Types expected) const {
  if (actual.size() != expected.size()) return false;
  for (std::size_t i = 0; i < actual.size(); ++i)
    if (!fits(actual[i], expected[i])) return false;
  return true;
}

base::Error FunctionValidator::operand_error(Types expected) const {
  const Types above = operands_.above(height_);
  return errors::operands(module_.bytes(), at(), expected, above.last(std::min(above.size(), expected.size())));
}

base::Error FunctionValidator::operand_class_error(const char* required) const {
  const Types above = operands_.above(height_);
  return errors::operand_class(module_.bytes(), at(), required, above.last(std::min<std::size_t>(above.size(), 1)));
}

base::Status FunctionValidator::check_top(Types expected) {
  const std::size_t present = std::min(available(), expected.size());
  if (present < expected.size() && !is_unreachable()) return operand_error(expected);
  for (std::size_t depth = 0; depth < present; ++depth)
    if (!fits(operands_.peek(depth), expected[expected.size() - 1 - depth])) return operand_error(expected);
  return {};
}

base::Status FunctionValidator::pop(Types expected) {
  HEDDLE_TRY(check_top(expected));
  operands_.pop(std::min(available(), expected.size()));
  return {};
}

base::Status FunctionValidator::pop_any(ValType& out) {
  if (available() == 0) {
    if (!is_unreachable()) return operand_class_error("[any]");
    out = spec::kBottom;
    return {};
  }
  out = operands_.peek(0);
  operands_.pop(1);
  return {};
}

base::Status FunctionValidator::pop_ref(ValType& out) {
  if (available() > 0 && operands_.peek(0).is_num()) return operand_class_error("a reference");
  if (available() > 0 && operands_.peek(0).is_vec()) return operand_class_error("a reference");
  HEDDLE_TRY(pop_any(out));
  if (out.kind() == ValType::Kind::bottom) out = ValType::ref(kBottomHeap, false);
  return {};
}

base::Status FunctionValidator::push_all(Types types) {
  if (operands_.size() + types.size() > spec::kMaxOperands)
    return errors::limit(at(), "too many operands", operands_.size() + types.size(), spec::kMaxOperands);
  operands_.push_all(types);
  return {};
}

base::Status FunctionValidator::apply_types(Types operands, Types results) {
  HEDDLE_TRY(pop(operands));
  return push_all(results);
}

base::Status FunctionValidator::apply_slow(const Signature& signature, ValType::Kind address) {
  const auto type_of = [address](ValType::Kind letter) {
    return ValType::of(letter == ValType::Kind::bottom ? address : letter);
  };
  ValType operands[Signature::kMaxOperands];
  for (std::size_t i = 0; i < signature.operand_count; ++i) operands[i] = type_of(signature.operands[i]);
  HEDDLE_TRY(pop(Types(operands, signature.operand_count)));
  for (std::size_t i = 0; i < signature.result_count; ++i) push(type_of(signature.results[i]));
  return {};
}

}  // namespace heddle::validate
