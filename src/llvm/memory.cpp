// Linear memory and tables. A 32-bit memory needs no check: base + u32 + offset below 2^31 stays inside the
// reservation, and the fault is the trap. Everything else compares with the current length first.
#include "abi/guard.h"
#include "abi/prefetch.h"
#include "llvm/affine_loop.h"
#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;
using spec::AddressType;
using spec::TrapCode;

llvm::Value* IrFunction::memory_base(spec::MemIndex memory) {
  if (memory.value == 0) return memory0_base_;
  return load_invariant(ir_.getPtrTy(), vm_field(layout_.memory(memory)));
}

llvm::Value* IrFunction::memory_size_bytes(spec::MemIndex memory) {
  const std::int32_t field = layout_.memory(memory) + static_cast<std::int32_t>(offsetof(abi::VmMemoryRef, memory));
  Value* vm_memory = load_invariant(ir_.getPtrTy(), vm_field(field));
  llvm::LoadInst* size =
      ir_.CreateLoad(ir_.getInt64Ty(),
                     ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), vm_memory, offsetof(abi::VmMemory, size_bytes)));
  size->setAtomic(llvm::AtomicOrdering::Acquire);
  size->setAlignment(llvm::Align(8));
  return size;
}

std::optional<UnsharedMemory> IrFunction::unshared_memory() const {
  if (module_.memories.empty()) return std::nullopt;
  const spec::MemType& type = module_.memories[0].type;
  if (!abi::is_guarded(type) || type.shared) return std::nullopt;
  return UnsharedMemory{layout_.memory(spec::MemIndex(0u)) +
                        static_cast<std::int32_t>(offsetof(abi::VmMemoryRef, memory))};
}

void IrFunction::mark(llvm::Instruction& access, const imm::MemArg& memarg) const {
  if (memarg.memory.value == 0 && memarg.offset < abi::kGuardedOffsets && unshared_memory())
    mark_memory0_access(access, memarg.offset);
}

void IrFunction::prefetch_if_asked(Value* dropped) {
  const auto* operation = llvm::dyn_cast<llvm::BinaryOperator>(dropped);
  if (operation == nullptr || operation->getOpcode() != llvm::Instruction::Xor) return;
  const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(operation->getOperand(1));
  if (constant == nullptr || constant->getBitWidth() != 32 || !abi::can_prefetch(module_)) return;
  const auto wish = abi::prefetch_hint(static_cast<std::uint32_t>(constant->getZExtValue()));
  if (!wish) return;
  Value* address = ir_.CreateGEP(ir_.getInt8Ty(), memory_base(spec::MemIndex(0u)), zext64(operation->getOperand(0)));
  constexpr std::uint32_t kData = 1;
  ir_.CreateIntrinsic(llvm::Intrinsic::prefetch, {ir_.getPtrTy()},
                      {address, ir_.getInt32(wish->write ? 1 : 0), ir_.getInt32(wish->locality), ir_.getInt32(kData)});
}

llvm::Value* IrFunction::narrow_index(Value* value, AddressType) {
  return zext64(value);
}

llvm::Value* IrFunction::address_of(Value* index, const imm::MemArg& memarg, std::uint32_t width,
                                    bool must_be_aligned) {
  const spec::MemType& type = module_.memories[memarg.memory.value].type;
  const bool guarded = abi::is_guarded(type) && memarg.offset < abi::kGuardedOffsets;
  Value* start = zext64(index);
  if (must_be_aligned && width > 1) {
    Value* sum = ir_.CreateAdd(start, ir_.getInt64(memarg.offset));
    trap_if(ir_.CreateICmpNE(ir_.CreateAnd(sum, ir_.getInt64(width - 1)), ir_.getInt64(0)), TrapCode::unaligned_atomic);
  }
  if (!guarded) {
    // start + offset + width <= size, without wrapping: offset + width <= size, then start <= size - (offset + width).
    Value* size = memory_size_bytes(memarg.memory);
    const std::uint64_t reach = memarg.offset + width;
    if (reach < memarg.offset) {
      trap_if(ir_.getTrue(), TrapCode::memory_out_of_bounds);
    } else {
      trap_if(ir_.CreateICmpULT(size, ir_.getInt64(reach)), TrapCode::memory_out_of_bounds);
      trap_if(ir_.CreateICmpUGT(start, ir_.CreateSub(size, ir_.getInt64(reach))), TrapCode::memory_out_of_bounds);
    }
  }
  Value* at = ir_.CreateGEP(ir_.getInt8Ty(), memory_base(memarg.memory), start);
  return memarg.offset == 0 ? at : ir_.CreateGEP(ir_.getInt8Ty(), at, ir_.getInt64(memarg.offset));
}

base::Status IrFunction::on_Load(Opcode op, const imm::MemArg& memarg) {
  const spec::OpcodeInfo& info = spec::opcode_info(op);
  const unsigned bits = info.memory_bytes * 8u;
  Value* address = address_of(pop(), memarg, info.memory_bytes, false);
  const auto load = [&](llvm::Type* type) {
    llvm::LoadInst* made = ir_.CreateAlignedLoad(type, address, llvm::Align(1), true);
    mark(*made, memarg);
    return made;
  };
  switch (op) {
    case Opcode::f32_load: push(load(ir_.getFloatTy())); return {};
    case Opcode::f64_load: push(load(ir_.getDoubleTy())); return {};
    default: break;
  }
  llvm::Type* result = info.signature().back() == 'I' ? ir_.getInt64Ty() : ir_.getInt32Ty();
  Value* value = load(ir_.getIntNTy(bits));
  if (bits < result->getIntegerBitWidth()) {
    const bool is_signed = info.text().ends_with("_s");
    value = is_signed ? ir_.CreateSExt(value, result) : ir_.CreateZExt(value, result);
  }
  push(value);
  return {};
}

base::Status IrFunction::on_Store(Opcode op, const imm::MemArg& memarg) {
  const spec::OpcodeInfo& info = spec::opcode_info(op);
  Value* value = pop();
  Value* address = address_of(pop(), memarg, info.memory_bytes, false);
  if (value->getType()->isIntegerTy()) value = ir_.CreateTrunc(value, ir_.getIntNTy(info.memory_bytes * 8u));
  mark(*ir_.CreateAlignedStore(value, address, llvm::Align(1), true), memarg);
  return {};
}

base::Status IrFunction::on_memory_size(const imm::Memory& i) {
  const spec::MemType& type = module_.memories[i.memory.value].type;
  Value* pages = ir_.CreateLShr(memory_size_bytes(i.memory), type.page_log2);
  push(type.address == AddressType::i32 ? ir_.CreateTrunc(pages, ir_.getInt32Ty()) : pages);
  return {};
}

base::Status IrFunction::on_memory_grow(const imm::Memory& i) {
  const spec::MemType& type = module_.memories[i.memory.value].type;
  Value* old =
      builtin_call(abi::Builtin::memory_grow, ir_.getInt64Ty(), {vmctx_, ir_.getInt32(i.memory.value), zext64(pop())});
  push(type.address == AddressType::i32 ? ir_.CreateTrunc(old, ir_.getInt32Ty()) : old);
  return {};
}

base::Status IrFunction::on_memory_fill(const imm::Memory& i) {
  Value* size = zext64(pop());
  Value* value = pop();
  Value* to = zext64(pop());
  trap_if_status(builtin_call(abi::Builtin::memory_fill, ir_.getInt32Ty(),
                              {vmctx_, ir_.getInt32(i.memory.value), to, value, size}));
  return {};
}

base::Status IrFunction::on_memory_copy(const imm::MemoryCopy& i) {
  Value* size = zext64(pop());
  Value* from = zext64(pop());
  Value* to = zext64(pop());
  const std::uint64_t memories = i.dst.value | (std::uint64_t{i.src.value} << 32);
  trap_if_status(
      builtin_call(abi::Builtin::memory_copy, ir_.getInt32Ty(), {vmctx_, ir_.getInt64(memories), to, from, size}));
  return {};
}

base::Status IrFunction::on_memory_init(const imm::MemoryInit& i) {
  Value* size = pop();
  Value* from = pop();
  Value* to = zext64(pop());
  trap_if_status(builtin_call(abi::Builtin::memory_init, ir_.getInt32Ty(),
                              {vmctx_, ir_.getInt32(i.memory.value), ir_.getInt32(i.data.value), to, from, size}));
  return {};
}

base::Status IrFunction::on_data_drop(const imm::Data& i) {
  builtin_call(abi::Builtin::data_drop, ir_.getVoidTy(), {vmctx_, ir_.getInt32(i.data.value)});
  return {};
}

llvm::Value* IrFunction::checked_element(spec::TableIndex table, Value* index) {
  Value* vm_table = table_pointer(table);
  Value* size = ir_.CreateLoad(ir_.getInt64Ty(),
                               ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), vm_table, offsetof(abi::VmTable, size)));
  trap_if(ir_.CreateICmpUGE(index, size), TrapCode::table_out_of_bounds);
  return ir_.CreateGEP(ir_.getInt64Ty(), ir_.CreateLoad(ir_.getPtrTy(), vm_table), index);
}

base::Status IrFunction::on_table_get(const imm::Table& i) {
  push(ir_.CreateLoad(ir_.getInt64Ty(), checked_element(i.table, zext64(pop()))));
  return {};
}

base::Status IrFunction::on_table_set(const imm::Table& i) {
  Value* value = pop();
  ir_.CreateStore(value, checked_element(i.table, zext64(pop())), true);
  return {};
}

base::Status IrFunction::on_table_size(const imm::Table& i) {
  Value* size = ir_.CreateLoad(ir_.getInt64Ty(), ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), table_pointer(i.table),
                                                                                offsetof(abi::VmTable, size)));
  const bool is_32 = module_.tables[i.table.value].type.address == AddressType::i32;
  push(is_32 ? ir_.CreateTrunc(size, ir_.getInt32Ty()) : size);
  return {};
}

base::Status IrFunction::on_table_grow(const imm::Table& i) {
  Value* delta = zext64(pop());
  Value* init = pop();
  Value* old =
      builtin_call(abi::Builtin::table_grow, ir_.getInt64Ty(), {vmctx_, ir_.getInt32(i.table.value), delta, init});
  const bool is_32 = module_.tables[i.table.value].type.address == AddressType::i32;
  push(is_32 ? ir_.CreateTrunc(old, ir_.getInt32Ty()) : old);
  return {};
}

base::Status IrFunction::on_table_fill(const imm::Table& i) {
  Value* count = zext64(pop());
  Value* value = pop();
  Value* start = zext64(pop());
  trap_if_status(builtin_call(abi::Builtin::table_fill, ir_.getInt32Ty(),
                              {vmctx_, ir_.getInt32(i.table.value), start, value, count}));
  return {};
}

base::Status IrFunction::on_table_copy(const imm::TableCopy& i) {
  Value* count = zext64(pop());
  Value* from = zext64(pop());
  Value* to = zext64(pop());
  const std::uint64_t tables = i.dst.value | (std::uint64_t{i.src.value} << 32);
  trap_if_status(
      builtin_call(abi::Builtin::table_copy, ir_.getInt32Ty(), {vmctx_, ir_.getInt64(tables), to, from, count}));
  return {};
}

base::Status IrFunction::on_table_init(const imm::TableInit& i) {
  Value* count = pop();
  Value* from = pop();
  Value* to = zext64(pop());
  trap_if_status(builtin_call(abi::Builtin::table_init, ir_.getInt32Ty(),
                              {vmctx_, ir_.getInt32(i.table.value), ir_.getInt32(i.elem.value), to, from, count}));
  return {};
}

base::Status IrFunction::on_elem_drop(const imm::Elem& i) {
  builtin_call(abi::Builtin::elem_drop, ir_.getVoidTy(), {vmctx_, ir_.getInt32(i.elem.value)});
  return {};
}

}  // namespace heddle::llvm_tier
