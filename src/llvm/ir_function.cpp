#include "llvm/ir_function.h"

#include <fmt/format.h>
#include <llvm/IR/ConstantRange.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/MDBuilder.h>

#include "llvm/affine_loop.h"

namespace heddle::llvm_tier {

using abi::Location;
using spec::TrapCode;
using spec::ValType;

namespace {

/// Chosen: a quarter of the room at most, were each instruction of IR a spilled 512-bit vector.
constexpr std::size_t kMostOfUncheckedLeaf = 250;

}  // namespace

std::string function_symbol(spec::FuncIndex func, std::optional<std::uint32_t> osr_loop) {
  return osr_loop ? fmt::format("f.{}.loop.{}", func.value, *osr_loop) : fmt::format("f.{}", func.value);
}
std::string slot_symbol(spec::FuncIndex func) {
  return fmt::format("slot.{}", func.value);
}

std::string tag_symbol(spec::TagIndex tag) {
  return fmt::format("tag.{}", tag.value);
}

IrFunction::IrFunction(llvm::Module& out, const abi::CompileRequest& request)
    : out_(out),
      checked_(request.module),
      module_(checked_.module()),
      layout_(request.layout),
      likely_calls_(request.likely_calls),
      body_{request.func, &module_.type_of(request.func)},
      ir_(out.getContext()),
      osr_loop_(request.osr_loop) {
  invariant_ = llvm::MDNode::get(out.getContext(), {});
  unlikely_ = llvm::MDBuilder(out.getContext()).createBranchWeights(1, 1 << 20);
  likely_ = llvm::MDBuilder(out.getContext()).createBranchWeights(1 << 4, 1);
  add_lines();
}

// Types and signatures.

llvm::Type* IrFunction::type_of(ValType type) const {
  llvm::LLVMContext& context = out_.getContext();
  switch (type.kind()) {
    case ValType::Kind::i32: return llvm::Type::getInt32Ty(context);
    case ValType::Kind::f32: return llvm::Type::getFloatTy(context);
    case ValType::Kind::f64: return llvm::Type::getDoubleTy(context);
    case ValType::Kind::v128: return llvm::FixedVectorType::get(llvm::Type::getInt64Ty(context), 2);
    case ValType::Kind::i64:
    case ValType::Kind::ref:
    case ValType::Kind::bottom: return llvm::Type::getInt64Ty(context);
  }
  HEDDLE_UNREACHABLE("every value type has an LLVM type");
}

// The convention wants an i32 zero-extended to 64 bits: code that takes it for an address of the guest's memory relies
// on it. LLVM's attribute zeroext promises 32 bits on x86-64, so it travels as an i64 here.
llvm::Type* IrFunction::travelling_type(ValType type) const {
  return type_of(type == spec::kI32 ? spec::kI64 : type);
}

llvm::Value* IrFunction::to_travel(Value* value) {
  return value->getType()->isIntegerTy(32) ? ir_.CreateZExt(value, ir_.getInt64Ty()) : value;
}

llvm::Value* IrFunction::arrived(Value* value, ValType type) {
  return type == spec::kI32 ? ir_.CreateTrunc(value, ir_.getInt32Ty()) : value;
}

// Register parameters in order, then the vmctx; the others are not part of the LLVM signature.
llvm::FunctionType* IrFunction::function_type(const spec::FuncType& type) const {
  std::vector<llvm::Type*> params;
  abi::ParamLocations places;
  for (ValType t : type.params)
    if (places.next(t).kind != Location::Kind::overflow) params.push_back(travelling_type(t));
  params.push_back(llvm::PointerType::get(out_.getContext(), 0));
  llvm::Type* result =
      type.results.empty() ? llvm::Type::getVoidTy(out_.getContext()) : travelling_type(type.results[0]);
  return llvm::FunctionType::get(result, params, false);
}

// What is said of an i32 that travels (its upper bits are 0) saves the receiver from clearing them again.
llvm::AttributeList IrFunction::call_attributes(const spec::FuncType& type) const {
  llvm::LLVMContext& context = out_.getContext();
  const llvm::Attribute zero_extended =
      llvm::Attribute::get(context, llvm::Attribute::Range,
                           llvm::ConstantRange(llvm::APInt(64, 0), llvm::APInt(64, std::uint64_t{1} << 32)));
  llvm::AttributeList list;
  unsigned index = 0;
  abi::ParamLocations places;
  for (ValType t : type.params) {
    if (places.next(t).kind == Location::Kind::overflow) continue;
    if (t == spec::kI32) list = list.addParamAttribute(context, {index}, zero_extended);
    ++index;
  }
  if (!type.results.empty() && type.results[0] == spec::kI32) list = list.addRetAttribute(context, zero_extended);
  return list.addParamAttribute(context, index, llvm::Attribute::SwiftSelf);
}

void IrFunction::set_convention(llvm::Function& function, const spec::FuncType& type) const {
  function.setCallingConv(llvm::CallingConv::Swift);
  function.setAttributes(call_attributes(type));
  function.setUWTableKind(llvm::UWTableKind::Async);
  function.addFnAttr("probe-stack", "inline-asm");
  function.addFnAttr(llvm::Attribute::NoRedZone);
  function.addFnAttr("no-realign-stack");  // frames have one shape (calling_convention.h): vectors spill unaligned
}

// The body's frame.

void IrFunction::begin_body(std::span<const binary::LocalRun> runs) {
  if (body_.inlined != 0) return begin_inlined(runs);
  spec::FuncType type = *body_.type;
  if (osr_loop_) type.params = {};
  llvm::FunctionType* signature = function_type(type);
  const std::string symbol = function_symbol(body_.func, osr_loop_);
  function_ = llvm::Function::Create(signature, llvm::GlobalValue::ExternalLinkage, symbol, out_);
  set_convention(*function_, type);

  llvm::DICompileUnit* unit = *out_.debug_compile_units_begin();
  llvm::DIBuilder debug(out_, true, unit);
  subprogram_ = debug.createFunction(unit->getFile(), symbol, "", unit->getFile(), 1, debug.createSubroutineType({}), 1,
                                     llvm::DINode::FlagZero, llvm::DISubprogram::SPFlagDefinition);
  function_->setSubprogram(subprogram_);
  debug.finalize();

  ir_.SetInsertPoint(new_block("entry"));
  body_offset_ = module_.body(body_.func).range.begin;
  set_debug_place();
  vmctx_ = function_->getArg(signature->getNumParams() - 1);

  for (ValType t : body_.type->params) body_.locals.push_back(ir_.CreateAlloca(type_of(t)));
  for (const binary::LocalRun& run : runs)
    for (std::uint32_t i = 0; i < run.count; ++i) body_.locals.push_back(ir_.CreateAlloca(type_of(run.type)));

  Value* sp =
      ir_.CreateCall(llvm::InlineAsm::get(llvm::FunctionType::get(ir_.getPtrTy(), false), "movq %rsp, $0", "=r", true));
  Value* limit = load_invariant(ir_.getPtrTy(), vm_field(abi::kOffsetStackLimit));
  Value* exhausted = ir_.CreateICmpULT(sp, limit);
  stack_check_ = llvm::cast<llvm::Instruction>(exhausted);
  trap_if(exhausted, TrapCode::call_stack_exhausted);

  if (!osr_loop_) receive_params();
  if (!module_.memories.empty()) {
    llvm::LoadInst* base = load_invariant(ir_.getPtrTy(), vm_field(abi::kOffsetMemory0Base));
    if (unshared_memory()) mark_memory0_base(*base);
    memory0_base_ = base;
  }

  if (osr_loop_) begin_osr();

  llvm::BasicBlock* end = new_block("return");
  Frame frame{FrameKind::function, 0, {}, body_.type->results, end, end, nullptr, {}, {}, {}};
  frame.end_phis = make_phis(end, body_.type->results);
  frames_.push_back(std::move(frame));
}

// Below the limit there is room for a host call (runtime/native_threads.h), which such a function never makes; its
// frame is at most one spilled vector for each instruction. Of a loop that is vectorised it may be several, and next to
// a loop the check costs nothing.
void IrFunction::drop_stack_check_of_leaf() {
  if (has_loop_) return;
  std::size_t instructions = 0;
  for (const llvm::Instruction& i : llvm::instructions(*function_)) {
    const auto* call = llvm::dyn_cast<llvm::CallBase>(&i);
    if (call != nullptr && !call->isInlineAsm() && !llvm::isa<llvm::IntrinsicInst>(call)) return;
    if (++instructions > kMostOfUncheckedLeaf) return;
  }
  auto* sp = llvm::cast<llvm::Instruction>(stack_check_->getOperand(0));
  stack_check_->replaceAllUsesWith(ir_.getFalse());
  stack_check_->eraseFromParent();
  sp->eraseFromParent();
}

void IrFunction::receive_params() {
  // Overflow parameters are fetched first thing: any later call may overwrite the buffer.
  abi::ParamLocations places;
  unsigned argument = 0;
  std::size_t next_local = 0;
  for (ValType t : body_.type->params) {
    const Location at = places.next(t);
    Value* value = at.kind == Location::Kind::overflow ? ir_.CreateLoad(type_of(t), overflow_slot(at.index))
                                                       : arrived(function_->getArg(argument++), t);
    ir_.CreateStore(value, body_.locals[next_local++]);
  }
  for (; next_local < body_.locals.size(); ++next_local) {
    llvm::AllocaInst* local = body_.locals[next_local];
    ir_.CreateStore(llvm::Constant::getNullValue(local->getAllocatedType()), local);
  }
}

void IrFunction::begin_instruction(std::uint64_t body_offset, bool reachable) {
  body_offset_ = body_offset;
  reachable_ = reachable;
  set_debug_place();
}

void IrFunction::set_debug_place() {
  const auto line = static_cast<unsigned>(body_offset_ - module_.body(body_.func).range.begin) + body_.first_line;
  ir_.SetCurrentDebugLocation(llvm::DILocation::get(out_.getContext(), line, 0, subprogram_));
}

void IrFunction::add_lines() {
  const base::ByteRange range = module_.body(body_.func).range;
  body_.first_line = next_line_;
  lines_.push_back({next_line_, static_cast<std::uint32_t>(range.begin), body_.inlined});
  next_line_ += static_cast<std::uint32_t>(range.size_bytes()) + 1;
}

llvm::AllocaInst* IrFunction::entry_alloca(llvm::Type* type) {
  const llvm::IRBuilderBase::InsertPointGuard guard(ir_);
  llvm::BasicBlock& entry = function_->getEntryBlock();
  ir_.SetInsertPoint(&entry, entry.begin());
  return ir_.CreateAlloca(type);
}

base::Status IrFunction::leave_to_baseline(std::string reason) {
  unsupported_ = std::move(reason);
  return base::Error{base::ErrorKind::unsupported, body_offset_, *unsupported_};
}

base::Status IrFunction::leave_to_baseline(Opcode op) {
  return leave_to_baseline(std::string(spec::opcode_info(op).text()));
}

std::vector<llvm::Value*> IrFunction::pop_n(std::size_t n) {
  std::vector<Value*> values(stack_.end() - static_cast<std::ptrdiff_t>(n), stack_.end());
  stack_.resize(stack_.size() - n);
  return values;
}

// Traps: a cold block of its own for each, so that its ud2 has this instruction's place; `nomerge` keeps it so.

void IrFunction::trap_now(Value* code) {
  auto* type = llvm::FunctionType::get(ir_.getVoidTy(), {ir_.getInt32Ty()}, false);
  llvm::CallInst* ud2 = ir_.CreateCall(llvm::InlineAsm::get(type, "ud2", "{eax}", true), {code});
  ud2->addFnAttr(llvm::Attribute::NoMerge);
  ud2->addFnAttr(llvm::Attribute::NoReturn);
  ud2->addFnAttr(llvm::Attribute::NoUnwind);
  ud2->addFnAttr(llvm::Attribute::Cold);
  ir_.CreateUnreachable();
}

void IrFunction::trap_if(Value* condition, TrapCode code) {
  llvm::BasicBlock* trap = new_block("trap");
  llvm::BasicBlock* next = new_block("next");
  ir_.CreateCondBr(condition, trap, next, unlikely_);
  ir_.SetInsertPoint(trap);
  trap_now(ir_.getInt32(static_cast<std::uint32_t>(code)));
  ir_.SetInsertPoint(next);
}

void IrFunction::trap_if_status(Value* status) {
  llvm::BasicBlock* trap = new_block("trap");
  llvm::BasicBlock* next = new_block("next");
  ir_.CreateCondBr(ir_.CreateICmpNE(status, ir_.getInt32(0)), trap, next, unlikely_);
  ir_.SetInsertPoint(trap);
  trap_now(status);
  ir_.SetInsertPoint(next);
}

llvm::Value* IrFunction::checked_result64(Value* result) {
  llvm::BasicBlock* trap = new_block("trap");
  llvm::BasicBlock* next = new_block("next");
  ir_.CreateCondBr(ir_.CreateICmpSLT(result, ir_.getInt64(0)), trap, next, unlikely_);
  ir_.SetInsertPoint(trap);
  trap_now(ir_.CreateTrunc(ir_.CreateNeg(result), ir_.getInt32Ty()));
  ir_.SetInsertPoint(next);
  return result;
}

// The vmctx.

llvm::LoadInst* IrFunction::load_invariant(llvm::Type* type, Value* address) {
  llvm::LoadInst* load = ir_.CreateLoad(type, address);
  load->setMetadata(llvm::LLVMContext::MD_invariant_load, invariant_);
  return load;
}

llvm::Value* IrFunction::store_pointer() {
  return load_invariant(ir_.getPtrTy(), vm_field(abi::kOffsetStore));
}

llvm::Value* IrFunction::overflow_slot(std::uint32_t index) {
  const std::uint64_t offset = static_cast<std::uint64_t>(abi::kStoreOffsetOverflow) + index * sizeof(abi::VmValue);
  return ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), store_pointer(), offset);
}

llvm::Value* IrFunction::table_pointer(spec::TableIndex table) {
  Value* field = vm_field(layout_.table(table));
  return layout_.table_is_pointer(table) ? load_invariant(ir_.getPtrTy(), field) : field;
}

llvm::Value* IrFunction::global_pointer(spec::GlobalIndex global) {
  Value* field = vm_field(layout_.global(global));
  return layout_.global_is_pointer(global) ? load_invariant(ir_.getPtrTy(), field) : field;
}

// rsp is constant between prologue and epilogue (no dynamic allocas, no pushed arguments), so reading it just before
// the call gives what VmStore::exit_sp wants. Afterwards the interrupt flag is tested (builtins.def).
void IrFunction::note_exit() {
  Value* sp =
      ir_.CreateCall(llvm::InlineAsm::get(llvm::FunctionType::get(ir_.getPtrTy(), false), "movq %rsp, $0", "=r", true));
  ir_.CreateStore(sp, ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), store_pointer(), abi::kStoreOffsetExitSp), true);
}

llvm::Value* IrFunction::builtin_address(abi::Builtin builtin) {
  Value* table = load_invariant(ir_.getPtrTy(), vm_field(abi::kOffsetBuiltins));
  return load_invariant(
      ir_.getPtrTy(),
      ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), table, static_cast<std::uint64_t>(abi::offset_of(builtin))));
}

llvm::Value* IrFunction::builtin_call(abi::Builtin builtin, llvm::Type* result, std::initializer_list<Value*> args) {
  std::vector<llvm::Type*> types;
  for (Value* arg : args) types.push_back(arg->getType());
  Value* callee = builtin_address(builtin);
  note_exit();
  llvm::CallInst* call =
      ir_.CreateCall(llvm::FunctionType::get(result, types, false), callee, std::vector<Value*>(args));
  call->addFnAttr(llvm::Attribute::NoUnwind);
  Value* field = ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), store_pointer(), abi::kStoreOffsetInterrupt);
  Value* flag = ir_.CreateLoad(ir_.getInt32Ty(), field, true);
  trap_if(ir_.CreateICmpNE(flag, ir_.getInt32(0)), TrapCode::interrupted);
  return call;
}

}  // namespace heddle::llvm_tier
