// Calls: direct through the jump-table slot, imported, through a table, through a reference.
#include <llvm/IR/InlineAsm.h>

#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;
using abi::Location;
using spec::TrapCode;

// Register arguments first in LLVM's signature, the vmctx last; what does not fit is stored right before the call, and
// further results are loaded right after it.
std::vector<llvm::Value*> IrFunction::take_arguments(const spec::FuncType& type, Value* callee_vmctx) {
  const std::vector<Value*> operands = pop_n(type.params.size());
  std::vector<Value*> args;
  abi::ParamLocations places;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Location at = places.next(type.params[i]);
    if (at.kind == Location::Kind::overflow)
      ir_.CreateStore(operands[i], overflow_slot(at.index));
    else
      args.push_back(to_travel(operands[i]));
  }
  args.push_back(callee_vmctx);
  return args;
}

void IrFunction::call_function(const spec::FuncType& type, Value* callee, Value* callee_vmctx) {
  const std::vector<Value*> args = take_arguments(type, callee_vmctx);
  llvm::CallBase* call = call_or_invoke(function_type(type), callee, args);
  call->setCallingConv(llvm::CallingConv::Swift);
  call->setAttributes(call_attributes(type));
  for (std::uint32_t i = 0; i < type.results.size(); ++i)
    push(i == 0 ? arrived(call, type.results[0]) : ir_.CreateLoad(type_of(type.results[i]), overflow_slot(i - 1)));
}

// The slot changes when better code is published, and either code will do. A plain load, so that it folds into the
// call; it is made anew at each call, since the calls before it may write memory.
llvm::Value* IrFunction::load_code(Value* slot) {
  return ir_.CreateLoad(ir_.getPtrTy(), slot);
}

llvm::Value* IrFunction::own_slot(spec::FuncIndex func) {
  auto* slot = static_cast<llvm::GlobalVariable*>(out_.getOrInsertGlobal(slot_symbol(func), ir_.getPtrTy()));
  slot->setVisibility(llvm::GlobalValue::HiddenVisibility);
  slot->setDSOLocal(true);
  return slot;
}

/// `from` is a VmFuncImport or a VmFuncRef: both begin with slot and vmctx.
IrFunction::Callee IrFunction::callee_at(Value* from) {
  static_assert(offsetof(abi::VmFuncImport, vmctx) == offsetof(abi::VmFuncRef, vmctx));
  static_assert(offsetof(abi::VmFuncImport, slot) == 0 && offsetof(abi::VmFuncRef, slot) == 0);
  Value* vmctx = ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), from, offsetof(abi::VmFuncRef, vmctx));
  return {load_invariant(ir_.getPtrTy(), from), load_invariant(ir_.getPtrTy(), vmctx)};
}

// Our own vmctx if that is the callee's, by a branch (abi/calling_convention.h says why). The inline assembly hides
// that both ways give the same value, else the branch would be folded.
IrFunction::Callee IrFunction::predict_vmctx(Callee callee) {
  llvm::BasicBlock* own = ir_.GetInsertBlock();
  llvm::BasicBlock* foreign = new_block("foreign");
  llvm::BasicBlock* next = new_block("next");
  ir_.CreateCondBr(ir_.CreateICmpNE(callee.vmctx, vmctx_), foreign, next, unlikely_);
  ir_.SetInsertPoint(foreign);
  auto* same = llvm::FunctionType::get(ir_.getPtrTy(), {ir_.getPtrTy()}, false);
  Value* loaded = ir_.CreateCall(llvm::InlineAsm::get(same, "", "=r,0", true), {callee.vmctx});
  ir_.CreateBr(next);
  ir_.SetInsertPoint(next);
  llvm::PHINode* vmctx = ir_.CreatePHI(ir_.getPtrTy(), 2);
  vmctx->addIncoming(vmctx_, own);
  vmctx->addIncoming(loaded, foreign);
  return {callee.slot, vmctx};
}

base::Status IrFunction::on_call(const imm::Func& i) {
  const spec::FuncType& type = module_.type_of(i.func);
  if (module_.is_imported(i.func)) {
    const Callee callee = callee_at(vm_field(layout_.func_import(i.func)));
    call_function(type, load_code(callee.slot), callee.vmctx);
    return {};
  }
  return call_own(i.func, seen_callee() == i.func);
}

base::Status IrFunction::call_own(spec::FuncIndex func, bool likely) {
  if (may_inline(func, likely)) return inline_call(func);
  call_function(module_.type_of(func), load_code(own_slot(func)), vmctx_);
  return {};
}

llvm::Value* IrFunction::pop_element(const imm::CallIndirect& i) {
  const spec::TableType& table_type = module_.tables[i.table.value].type;
  Value* index = narrow_index(pop(), table_type.address);
  Value* table = table_pointer(i.table);
  Value* size = ir_.CreateLoad(ir_.getInt64Ty(),
                               ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), table, offsetof(abi::VmTable, size)));
  trap_if(ir_.CreateICmpUGE(index, size), TrapCode::undefined_element);
  Value* elements = ir_.CreateLoad(ir_.getPtrTy(), table);
  return ir_.CreateLoad(ir_.getPtrTy(), ir_.CreateGEP(ir_.getPtrTy(), elements, index));
}

void IrFunction::check_element(Value* reference, const imm::CallIndirect& i) {
  trap_if(ir_.CreateIsNull(reference), TrapCode::uninitialized_element);
  Value* actual = load_invariant(
      ir_.getPtrTy(), ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), reference, offsetof(abi::VmFuncRef, type)));
  Value* types = load_invariant(ir_.getPtrTy(), vm_field(abi::kOffsetTypes));
  Value* expected = load_invariant(ir_.getPtrTy(), ir_.CreateConstInBoundsGEP1_64(ir_.getPtrTy(), types, i.type.value));
  Value* same = ir_.CreateICmpEQ(actual, expected);
  if (module_.types[i.type.value].final_) {
    trap_if(ir_.CreateNot(same), TrapCode::indirect_call_type_mismatch);
  } else {
    llvm::BasicBlock* other = new_block("subtype");
    llvm::BasicBlock* next = new_block("next");
    ir_.CreateCondBr(same, next, other);
    ir_.SetInsertPoint(other);
    Value* fits = builtin_call(abi::Builtin::is_subtype, ir_.getInt32Ty(), {actual, expected});
    trap_if(ir_.CreateICmpEQ(fits, ir_.getInt32(0)), TrapCode::indirect_call_type_mismatch);
    ir_.CreateBr(next);
    ir_.SetInsertPoint(next);
  }
}

void IrFunction::check_func_ref(Value* reference) {
  trap_if(ir_.CreateIsNull(reference), TrapCode::null_function_reference);
}

std::optional<spec::FuncIndex> IrFunction::seen_callee() const {
  const auto at =
      std::lower_bound(likely_calls_.begin(), likely_calls_.end(), body_offset_,
                       [](const abi::LikelyCall& call, std::uint64_t offset) { return call.body_offset < offset; });
  if (at == likely_calls_.end() || at->body_offset != body_offset_) return std::nullopt;
  return at->func;
}

std::optional<spec::FuncIndex> IrFunction::likely_callee(spec::TypeIndex type) const {
  const std::optional<spec::FuncIndex> func = seen_callee();
  if (!func || func->value >= module_.functions.size() || module_.is_imported(*func)) return std::nullopt;
  if (!layout_.has_func_ref(*func)) return std::nullopt;  // nobody can refer to it
  if (module_.canonical_of(*func) != module_.canonical.by_index[type.value]) return std::nullopt;
  return func;
}

llvm::Value* IrFunction::own_func_ref(spec::FuncIndex func) {
  Value* table = load_invariant(ir_.getPtrTy(), vm_field(abi::kOffsetFuncRefs));
  return ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), table, layout_.func_ref(func) * sizeof(abi::VmFuncRef));
}

// A reference to the likely callee of this instance is one compare, which stands for all checks (bounds aside): no
// null, this type, this vmctx. What then follows is a direct call, or the callee's body.
base::Status IrFunction::call_reference(Value* reference, spec::TypeIndex type, llvm::function_ref<void()> check) {
  const spec::FuncType& called = module_.func_type(type);
  const auto call_any = [&] {
    check();
    const Callee callee = predict_vmctx(callee_at(reference));
    call_function(called, load_code(callee.slot), callee.vmctx);
  };
  const std::optional<spec::FuncIndex> likely = likely_callee(type);
  if (!likely) {
    call_any();
    return {};
  }
  enter_if(ir_.CreateICmpEQ(reference, own_func_ref(*likely)), {called.params, called.results}, likely_);
  HEDDLE_TRY(call_own(*likely, true));
  HEDDLE_TRY(on_else_({}));
  call_any();
  return on_end({});
}

base::Status IrFunction::on_call_indirect(const imm::CallIndirect& i) {
  Value* reference = pop_element(i);
  return call_reference(reference, i.type, [&] { check_element(reference, i); });
}

base::Status IrFunction::on_call_ref(const imm::Type& i) {
  Value* reference = pop_func_ref();
  return call_reference(reference, i.type, [&] { check_func_ref(reference); });
}

// Tail calls. LLVM promises them for equal prototypes; on x86-64 it needs only what ours have in common: no argument on
// the stack, the same vmctx in the same register, and a result in the same place.

void IrFunction::tail_call(const spec::FuncType& type, Value* callee) {
  const std::vector<Value*> args = take_arguments(type, vmctx_);
  llvm::CallInst* call = ir_.CreateCall(function_type(type), callee, args);
  call->setCallingConv(llvm::CallingConv::Swift);
  call->setAttributes(call_attributes(type));
  call->setTailCallKind(llvm::CallInst::TCK_MustTail);
  if (type.results.empty())
    ir_.CreateRetVoid();
  else
    ir_.CreateRet(call);
}

// Our caller expects its r13 back. So only a callee with the same vmctx may take our place; another instance's or a
// host's function is called and its results are passed on. No handler of ours may catch what it throws.
void IrFunction::tail_call_through(const spec::FuncType& type, Value* slot, Value* callee_vmctx) {
  llvm::BasicBlock* own = new_block("own");
  llvm::BasicBlock* foreign = new_block("foreign");
  ir_.CreateCondBr(ir_.CreateICmpEQ(callee_vmctx, vmctx_), own, foreign);
  const std::vector<Value*> operands = stack_;
  ir_.SetInsertPoint(foreign);
  llvm::CallInst* call = ir_.CreateCall(function_type(type), load_code(slot), take_arguments(type, callee_vmctx));
  call->setCallingConv(llvm::CallingConv::Swift);
  call->setAttributes(call_attributes(type));
  if (type.results.empty())  // further results are in place already
    ir_.CreateRetVoid();
  else
    ir_.CreateRet(call);
  stack_ = operands;
  ir_.SetInsertPoint(own);
  tail_call(type, load_code(slot));
}

base::Status IrFunction::on_return_call(const imm::Func& i) {
  const spec::FuncType& type = module_.type_of(i.func);
  if (module_.is_imported(i.func)) {
    const Callee callee = callee_at(vm_field(layout_.func_import(i.func)));
    tail_call_through(type, callee.slot, callee.vmctx);
  } else {
    tail_call(type, load_code(own_slot(i.func)));
  }
  return {};
}

base::Status IrFunction::on_return_call_indirect(const imm::CallIndirect& i) {
  Value* reference = pop_element(i);
  check_element(reference, i);
  const Callee callee = callee_at(reference);
  tail_call_through(module_.func_type(i.type), callee.slot, callee.vmctx);
  return {};
}

base::Status IrFunction::on_return_call_ref(const imm::Type& i) {
  Value* reference = pop_func_ref();
  check_func_ref(reference);
  const Callee callee = callee_at(reference);
  tail_call_through(module_.func_type(i.type), callee.slot, callee.vmctx);
  return {};
}

}  // namespace heddle::llvm_tier
