// Calls: direct through the jump-table slot, imported, through a table, through a reference.
#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;
using abi::Location;
using spec::TrapCode;

// Register arguments first in LLVM's signature, the vmctx last; what does not fit is stored right before the call, and
// further results are loaded right after it.
void IrFunction::call_function(const spec::FuncType& type, Value* callee, Value* callee_vmctx) {
  const std::vector<Value*> operands = pop_n(type.params.size());
  std::vector<Value*> args;
  abi::ParamLocations places;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Location at = places.next(type.params[i]);
    if (at.kind == Location::Kind::overflow)
      ir_.CreateStore(operands[i], overflow_slot(at.index));
    else
      args.push_back(operands[i]);
  }
  args.push_back(callee_vmctx);
  llvm::CallInst* call = ir_.CreateCall(function_type(type), callee, args);
  call->setCallingConv(llvm::CallingConv::Swift);
  call->setAttributes(call_attributes(type));
  for (std::uint32_t i = 0; i < type.results.size(); ++i)
    push(i == 0 ? static_cast<Value*>(call) : ir_.CreateLoad(type_of(type.results[i]), overflow_slot(i - 1)));
}

base::Status IrFunction::on_call(const imm::Func& i) {
  const spec::FuncType& type = module_.type_of(i.func);
  if (module_.is_imported(i.func)) {
    Value* import = vm_field(layout_.func_import(i.func));
    Value* slot = load_invariant(ir_.getPtrTy(), import);
    Value* vmctx = load_invariant(
        ir_.getPtrTy(), ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), import, offsetof(abi::VmFuncImport, vmctx)));
    call_function(type, ir_.CreateLoad(ir_.getPtrTy(), slot, true), vmctx);
    return {};
  }
  // Volatile, so that it is loaded at each call (and folded into it): the slot changes when better code is published.
  auto* slot = static_cast<llvm::GlobalVariable*>(out_.getOrInsertGlobal(slot_symbol(i.func), ir_.getPtrTy()));
  slot->setVisibility(llvm::GlobalValue::HiddenVisibility);
  slot->setDSOLocal(true);
  call_function(type, ir_.CreateLoad(ir_.getPtrTy(), slot, true), vmctx_);
  return {};
}

void IrFunction::call_ref_checked(const spec::FuncType& type, Value* func_ref) {
  const auto field = [this, func_ref](std::size_t offset) {
    return load_invariant(ir_.getPtrTy(), ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), func_ref, offset));
  };
  Value* slot = field(offsetof(abi::VmFuncRef, slot));
  call_function(type, ir_.CreateLoad(ir_.getPtrTy(), slot, true), field(offsetof(abi::VmFuncRef, vmctx)));
}

base::Status IrFunction::on_call_indirect(const imm::CallIndirect& i) {
  const spec::TableType& table_type = module_.tables[i.table.value].type;
  Value* index = narrow_index(pop(), table_type.address);
  Value* table = table_pointer(i.table);
  Value* size = ir_.CreateLoad(ir_.getInt64Ty(),
                               ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), table, offsetof(abi::VmTable, size)));
  trap_if(ir_.CreateICmpUGE(index, size), TrapCode::undefined_element);
  Value* elements = ir_.CreateLoad(ir_.getPtrTy(), table);
  Value* reference = ir_.CreateLoad(ir_.getPtrTy(), ir_.CreateGEP(ir_.getPtrTy(), elements, index));
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
  call_ref_checked(module_.func_type(i.type), reference);
  return {};
}

base::Status IrFunction::on_call_ref(const imm::Type& i) {
  Value* reference = ir_.CreateIntToPtr(pop(), ir_.getPtrTy());
  trap_if(ir_.CreateIsNull(reference), TrapCode::null_function_reference);
  call_ref_checked(module_.func_type(i.type), reference);
  return {};
}

}  // namespace heddle::llvm_tier
