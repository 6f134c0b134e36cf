// Calls and tail calls.
// https://webassembly.github.io/spec/core/valid/instructions.html#control-instructions
#include "validate/errors.h"
#include "validate/function_validator.h"

namespace heddle::validate {

base::Status FunctionValidator::find_callee(spec::FuncIndex index, const spec::FuncType*& out) const {
  if (index.value >= module_.functions.size())
    return errors::unknown("function", index.value, module_.functions.size(), at());
  out = &module_.type_of(index);
  return {};
}

/// The table holds functions; the callee is named by type.
base::Status FunctionValidator::find_indirect(const binary::imm::CallIndirect& imm, const spec::FuncType*& callee,
                                              ValType& address) const {
  const spec::TableType* table = nullptr;
  HEDDLE_TRY(find_table(imm.table, table));
  if (!fits(table->element, spec::kFuncRef))
    return errors::types_differ(at(), "an indirect call", Types(&spec::kFuncRef, 1), "the table",
                                Types(&table->element, 1));
  address = spec::val_type_of(table->address);
  return find_func_type(imm.type, callee);
}

base::Status FunctionValidator::check_tail_results(const spec::FuncType& callee) const {
  const Types wanted = control_.front().results();
  if (all_fit(callee.results, wanted)) return {};
  return errors::types_differ(at(), "current function", wanted, "the tail-called one", callee.results);
}

base::Status FunctionValidator::on_call(const binary::imm::Func& imm) {
  const spec::FuncType* callee = nullptr;
  HEDDLE_TRY(find_callee(imm.func, callee));
  return apply_types(callee->params, callee->results);
}

base::Status FunctionValidator::on_call_indirect(const binary::imm::CallIndirect& imm) {
  const spec::FuncType* callee = nullptr;
  ValType address;
  HEDDLE_TRY(find_indirect(imm, callee, address));
  HEDDLE_TRY(pop(address));
  return apply_types(callee->params, callee->results);
}

base::Status FunctionValidator::on_call_ref(const binary::imm::Type& imm) {
  const spec::FuncType* callee = nullptr;
  HEDDLE_TRY(find_func_type(imm.type, callee));
  HEDDLE_TRY(pop(ValType::ref(spec::HeapType(imm.type), true)));
  return apply_types(callee->params, callee->results);
}

base::Status FunctionValidator::on_return_call(const binary::imm::Func& imm) {
  const spec::FuncType* callee = nullptr;
  HEDDLE_TRY(find_callee(imm.func, callee));
  HEDDLE_TRY(check_tail_results(*callee));
  HEDDLE_TRY(pop(callee->params));
  set_unreachable();
  return {};
}

base::Status FunctionValidator::on_return_call_indirect(const binary::imm::CallIndirect& imm) {
  const spec::FuncType* callee = nullptr;
  ValType address;
  HEDDLE_TRY(find_indirect(imm, callee, address));
  HEDDLE_TRY(check_tail_results(*callee));
  HEDDLE_TRY(pop(address));
  HEDDLE_TRY(pop(callee->params));
  set_unreachable();
  return {};
}

base::Status FunctionValidator::on_return_call_ref(const binary::imm::Type& imm) {
  const spec::FuncType* callee = nullptr;
  HEDDLE_TRY(find_func_type(imm.type, callee));
  HEDDLE_TRY(check_tail_results(*callee));
  HEDDLE_TRY(pop(ValType::ref(spec::HeapType(imm.type), true)));
  HEDDLE_TRY(pop(callee->params));
  set_unreachable();
  return {};
}

}  // namespace heddle::validate
