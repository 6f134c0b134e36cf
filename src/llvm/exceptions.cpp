// Exceptions: throw, try_table, and the legacy try/catch/delegate/rethrow.
// https://webassembly.github.io/spec/core/exec/instructions.html#control-instructions
// https://github.com/WebAssembly/exception-handling/blob/main/proposals/exception-handling/legacy/Exceptions.md
//
// A guarded call is an `invoke`. Its landing pad names the tags that anything around it catches, innermost first; the
// object reader makes abi::ExceptionHandler rows of that, so that runtime/exceptions.cpp lands only where a clause
// fits. The pad then compares tags once more, to choose the clause. The personality routine is a name that nobody
// calls.
#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using namespace binary;
using spec::TrapCode;

namespace {

constexpr const char* kPersonality = "heddle_personality";

using ClauseKind = imm::Catch::Kind;

bool has_tag(ClauseKind kind) {
  return kind == ClauseKind::catch_ || kind == ClauseKind::catch_ref;
}
bool has_reference(ClauseKind kind) {
  return kind == ClauseKind::catch_ref || kind == ClauseKind::catch_all_ref;
}

}  // namespace

// Guards.

/// The guard that an exception meets which leaves frames_[frame], or comes from a branch target's level.
std::optional<std::size_t> IrFunction::guard_outside(std::size_t frame) const {
  for (std::size_t i = frame; i > 0; --i)
    if (frames_[i - 1].guard) return frames_[i - 1].guard;
  return std::nullopt;
}

std::size_t IrFunction::add_guard() {
  Guard guard;
  guard.outer = guard_outside(frames_.size());
  guard.line = ir_.getCurrentDebugLocation().getLine();
  guards_.push_back(std::move(guard));
  return guards_.size() - 1;
}

llvm::CallBase* IrFunction::call_or_invoke(llvm::FunctionType* type, Value* callee, llvm::ArrayRef<Value*> args) {
  const std::optional<std::size_t> at = guard_outside(frames_.size());
  if (!at) return ir_.CreateCall(type, callee, args);
  Guard& guard = guards_[*at];
  if (guard.pad == nullptr) guard.pad = new_block("landing");
  llvm::BasicBlock* next = new_block("next");
  llvm::InvokeInst* invoke = ir_.CreateInvoke(type, callee, next, guard.pad, args);
  ir_.SetInsertPoint(next);
  return invoke;
}

// Throwing.

void IrFunction::throw_exception(Value* exception) {
  Value* callee = builtin_address(abi::Builtin::exception_throw);
  note_exit();
  auto* type = llvm::FunctionType::get(ir_.getVoidTy(), {ir_.getPtrTy(), ir_.getPtrTy()}, false);
  llvm::CallBase* call = call_or_invoke(type, callee, {vmctx_, exception});
  call->addFnAttr(llvm::Attribute::NoReturn);
  call->addFnAttr(llvm::Attribute::Cold);
  ir_.CreateUnreachable();
}

base::Status IrFunction::on_throw_(const imm::Tag& imm) {
  const spec::FuncType& type = module_.func_type(module_.tags[imm.tag.value].type.type);
  const std::vector<Value*> values = pop_n(type.params.size());
  Value* exception = builtin_call(abi::Builtin::exception_new, ir_.getPtrTy(), {vmctx_, ir_.getInt32(imm.tag.value)});
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t offset = abi::kExceptionOffsetValues + i * sizeof(abi::VmValue);
    ir_.CreateStore(values[i], ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), exception, offset));
  }
  throw_exception(exception);
  return {};
}

base::Status IrFunction::on_throw_ref(const imm::None&) {
  Value* exception = ir_.CreateIntToPtr(pop(), ir_.getPtrTy());
  trap_if(ir_.CreateIsNull(exception), TrapCode::null_exception_reference);
  throw_exception(exception);
  return {};
}

base::Status IrFunction::on_rethrow(const imm::Label& imm) {
  throw_exception(caught_exception(frame_at(imm.depth)));
  return {};
}

// Catching.

IrFunction::Clause IrFunction::make_clause(bool catches_all, spec::TagIndex tag) {
  Clause clause{catches_all, tag, new_block("catch"), nullptr};
  const llvm::IRBuilderBase::InsertPointGuard guard(ir_);
  ir_.SetInsertPoint(clause.block);
  clause.exception = ir_.CreatePHI(ir_.getPtrTy(), 2);
  return clause;
}

void IrFunction::push_values(spec::TagIndex tag, Value* exception) {
  const spec::FuncType& type = module_.func_type(module_.tags[tag.value].type.type);
  for (std::size_t i = 0; i < type.params.size(); ++i) {
    const std::uint64_t offset = abi::kExceptionOffsetValues + i * sizeof(abi::VmValue);
    push(ir_.CreateLoad(type_of(type.params[i]), ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), exception, offset)));
  }
}

base::Status IrFunction::on_try_table(const imm::TryTable& imm) {
  const std::size_t guard = add_guard();
  llvm::BasicBlock* before = ir_.GetInsertBlock();
  for (const imm::Catch& c : imm.catches) {
    const Clause clause = make_clause(!has_tag(c.kind), c.tag);
    ir_.SetInsertPoint(clause.block);
    const std::vector<Value*> operands = stack_;
    if (has_tag(c.kind)) push_values(c.tag, clause.exception);
    if (has_reference(c.kind)) push(ir_.CreatePtrToInt(clause.exception, ir_.getInt64Ty()));
    Frame& target = frame_at(c.label);
    pass_operands(target);
    ir_.CreateBr(target.label);
    stack_ = operands;
    guards_[guard].clauses.push_back(clause);
  }
  ir_.SetInsertPoint(before);
  llvm::BasicBlock* end = new_block("end");
  enter_frame(FrameKind::try_table, signature_of(imm.type), end, end);
  frames_.back().guard = guard;
  return {};
}

base::Status IrFunction::on_try_(const imm::BlockType& imm) {
  const std::size_t guard = add_guard();
  llvm::BasicBlock* end = new_block("end");
  enter_frame(FrameKind::try_, signature_of(imm), end, end);
  frames_.back().guard = guard;
  frames_.back().clauses_of = guard;
  return {};
}

/// Ends the guarded code, or the clause before, and begins a clause.
void IrFunction::begin_catch(bool catches_all, spec::TagIndex tag) {
  Frame& frame = frames_.back();
  if (reachable_) {
    pass_operands(frame);
    ir_.CreateBr(frame.end);
  }
  frame.kind = FrameKind::catch_;
  frame.guard.reset();  // clauses guard nothing
  const Clause clause = make_clause(catches_all, tag);
  guards_[frame.clauses_of].clauses.push_back(clause);
  frame.exception = clause.exception;
  stack_.resize(frame.height);
  ir_.SetInsertPoint(clause.block);
  reload_below(frame.height);
  keep_exception(frame);
  if (!catches_all) push_values(tag, clause.exception);
}

base::Status IrFunction::on_catch_(const imm::Tag& imm) {
  begin_catch(false, imm.tag);
  return {};
}

base::Status IrFunction::on_catch_all(const imm::None&) {
  begin_catch(true, {});
  return {};
}

/// The label is counted from outside the try; what is meant is the innermost guard from there on outwards.
base::Status IrFunction::on_delegate(const imm::Label& imm) {
  const std::size_t target = frames_.size() - 2 - imm.depth.value;
  guards_[frames_.back().clauses_of].outer = guard_outside(target + 1);
  return on_end({});
}

// Landing pads: when all clauses are known.

llvm::BasicBlock* IrFunction::dispatch_of(Guard& guard) {
  if (guard.dispatch == nullptr) {
    guard.dispatch = new_block("dispatch");
    const llvm::IRBuilderBase::InsertPointGuard restore(ir_);
    ir_.SetInsertPoint(guard.dispatch);
    guard.exception = ir_.CreatePHI(ir_.getPtrTy(), 2);
  }
  return guard.dispatch;
}

void IrFunction::emit_pad(const Guard& guard) {
  ir_.SetInsertPoint(guard.pad);
  auto* type = llvm::StructType::get(ir_.getContext(), {ir_.getPtrTy(), ir_.getInt32Ty()});
  llvm::LandingPadInst* pad = ir_.CreateLandingPad(type, 4);
  bool complete = false;
  for (const Guard* g = &guard; g != nullptr && !complete; g = g->outer ? &guards_[*g->outer] : nullptr) {
    for (const Clause& clause : g->clauses) {
      complete = clause.catches_all;
      pad->addClause(complete ? static_cast<llvm::Constant*>(llvm::ConstantPointerNull::get(ir_.getPtrTy()))
                              : out_.getOrInsertGlobal(tag_symbol(clause.tag), ir_.getInt8Ty()));
      if (complete) break;
    }
  }
  pad->setCleanup(pad->getNumClauses() == 0);
  guard.exception->addIncoming(ir_.CreateExtractValue(pad, 0), guard.pad);
  ir_.CreateBr(guard.dispatch);
}

/// Only what fits one of the clauses comes here, so nothing is left after the last.
void IrFunction::emit_dispatch(const Guard& guard) {
  ir_.SetInsertPoint(guard.dispatch);
  Value* thrown = nullptr;
  for (const Clause& clause : guard.clauses) {
    clause.exception->addIncoming(guard.exception, ir_.GetInsertBlock());
    if (clause.catches_all) {
      ir_.CreateBr(clause.block);
      return;
    }
    if (thrown == nullptr) thrown = ir_.CreateLoad(ir_.getPtrTy(), guard.exception);
    Value* tag = load_invariant(ir_.getPtrTy(), vm_field(layout_.tag(clause.tag)));
    llvm::BasicBlock* next = new_block("next");
    ir_.CreateCondBr(ir_.CreateICmpEQ(thrown, tag), clause.block, next);
    ir_.SetInsertPoint(next);
  }
  if (!guard.outer) {
    ir_.CreateUnreachable();
    return;
  }
  Guard& outer = guards_[*guard.outer];
  llvm::BasicBlock* to = dispatch_of(outer);
  outer.exception->addIncoming(guard.exception, ir_.GetInsertBlock());
  ir_.CreateBr(to);
}

void IrFunction::emit_landings() {
  bool lands = false;
  for (std::size_t i = guards_.size(); i > 0; --i) {  // those inside first
    Guard& guard = guards_[i - 1];
    ir_.SetCurrentDebugLocation(llvm::DILocation::get(ir_.getContext(), guard.line, 0, subprogram_));
    if (guard.pad != nullptr) {
      dispatch_of(guard);
      emit_pad(guard);
      lands = true;
    }
    if (guard.dispatch != nullptr) emit_dispatch(guard);
    for (const Clause& clause : guard.clauses) {
      if (!llvm::pred_empty(clause.block)) continue;
      clause.exception->replaceAllUsesWith(llvm::PoisonValue::get(ir_.getPtrTy()));
      clause.exception->eraseFromParent();
    }
  }
  if (!lands) return;
  auto* type = llvm::FunctionType::get(ir_.getInt32Ty(), true);
  function_->setPersonalityFn(llvm::cast<llvm::Constant>(out_.getOrInsertFunction(kPersonality, type).getCallee()));
}

}  // namespace heddle::llvm_tier
