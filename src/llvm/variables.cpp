// Locals, globals, references, drop and select.
#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;

base::Status IrFunction::on_drop(const imm::None&) {
  prefetch_if_asked(pop());
  return {};
}

base::Status IrFunction::on_select(const imm::None&) {
  Value* condition = pop_condition();
  Value* otherwise = pop();
  Value* chosen = pop();
  push(ir_.CreateSelect(condition, chosen, otherwise));
  return {};
}

base::Status IrFunction::on_local_get(const imm::Local& i) {
  llvm::AllocaInst* local = body_.locals[i.local.value];
  push(ir_.CreateLoad(local->getAllocatedType(), local));
  return {};
}

base::Status IrFunction::on_local_set(const imm::Local& i) {
  ir_.CreateStore(pop(), body_.locals[i.local.value]);
  return {};
}

base::Status IrFunction::on_local_tee(const imm::Local& i) {
  ir_.CreateStore(stack_.back(), body_.locals[i.local.value]);
  return {};
}

base::Status IrFunction::on_global_get(const imm::Global& i) {
  const spec::GlobalType& type = module_.globals[i.global.value].type;
  Value* address = global_pointer(i.global);
  push(type.mutable_ ? ir_.CreateLoad(type_of(type.type), address) : load_invariant(type_of(type.type), address));
  return {};
}

// Volatile: a trap behind it must not make the store disappear, since the embedder can still read the global.
base::Status IrFunction::on_global_set(const imm::Global& i) {
  ir_.CreateStore(pop(), global_pointer(i.global), true);
  return {};
}

base::Status IrFunction::on_ref_null(const imm::HeapType&) {
  push(ir_.getInt64(0));
  return {};
}

base::Status IrFunction::on_ref_is_null(const imm::None&) {
  push_bool(ir_.CreateICmpEQ(pop(), ir_.getInt64(0)));
  return {};
}

base::Status IrFunction::on_ref_func(const imm::Func& i) {
  push(ir_.CreatePtrToInt(own_func_ref(i.func), ir_.getInt64Ty()));
  return {};
}

base::Status IrFunction::on_ref_as_non_null(const imm::None&) {
  trap_if(ir_.CreateICmpEQ(stack_.back(), ir_.getInt64(0)), spec::TrapCode::null_reference);
  return {};
}

base::Status IrFunction::on_ref_eq(const imm::None&) {
  Value* b = pop();
  push_bool(ir_.CreateICmpEQ(pop(), b));
  return {};
}

}  // namespace heddle::llvm_tier
