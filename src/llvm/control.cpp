// Structured control as basic blocks and phis.
#include "llvm/ir_function.h"

namespace heddle::llvm_tier {

using binary::imm::BlockType;
using binary::imm::BrTable;
using binary::imm::Label;
using binary::imm::None;
using spec::TrapCode;

IrFunction::BlockSignature IrFunction::signature_of(const BlockType& type) const {
  switch (type.form) {
    case BlockType::Form::empty: return {};
    case BlockType::Form::value: return {{}, {type.value}};
    case BlockType::Form::type_index: {
      const spec::FuncType& f = module_.func_type(type.type);
      return {f.params, f.results};
    }
  }
  HEDDLE_UNREACHABLE("a block type has one of three forms");
}

llvm::BasicBlock* IrFunction::new_block(const char* name) {
  return llvm::BasicBlock::Create(ir_.getContext(), name, function_);
}

std::vector<llvm::PHINode*> IrFunction::make_phis(llvm::BasicBlock* block, const spec::ResultType& types) {
  std::vector<llvm::PHINode*> phis;
  const llvm::IRBuilderBase::InsertPointGuard guard(ir_);
  ir_.SetInsertPoint(block, block->begin());
  for (spec::ValType type : types) phis.push_back(ir_.CreatePHI(type_of(type), 2));
  return phis;
}

void IrFunction::enter_frame(FrameKind kind, const BlockSignature& signature, llvm::BasicBlock* label,
                             llvm::BasicBlock* end) {
  Frame frame{kind, stack_.size() - signature.params.size(), signature.params, signature.results, label, end};
  frame.end_phis = make_phis(end, signature.results);
  spill_below(frame.height);
  frames_.push_back(std::move(frame));
}

void IrFunction::pass_operands(Frame& target) {
  const auto& phis = target.branch_phis();
  llvm::BasicBlock* from = ir_.GetInsertBlock();
  for (std::size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(stack_[stack_.size() - phis.size() + i], from);
}

base::Status IrFunction::on_unreachable(const None&) {
  trap_now(ir_.getInt32(static_cast<std::uint32_t>(TrapCode::unreachable)));
  return {};
}

base::Status IrFunction::on_block(const BlockType& imm) {
  llvm::BasicBlock* end = new_block("end");
  enter_frame(FrameKind::block, signature_of(imm), end, end);
  return {};
}

base::Status IrFunction::on_loop(const BlockType& imm) {
  const BlockSignature signature = signature_of(imm);
  has_loop_ = true;
  llvm::BasicBlock* header = new_block("loop");
  enter_frame(FrameKind::loop, signature, header, new_block("end"));
  Frame& frame = frames_.back();
  frame.label_phis = make_phis(header, signature.params);
  pass_operands(frame);
  ir_.CreateBr(header);
  if (osr_loop_ == body_offset_) enter_at_loop(frame);
  ir_.SetInsertPoint(header);
  stack_.resize(frame.height);
  reload_below(frame.height);
  stack_.insert(stack_.end(), frame.label_phis.begin(), frame.label_phis.end());
  return {};
}

base::Status IrFunction::on_if_(const BlockType& imm) {
  Value* condition = pop_condition();
  enter_if(condition, signature_of(imm));
  return {};
}

void IrFunction::enter_if(Value* condition, const BlockSignature& signature, llvm::MDNode* weights) {
  llvm::BasicBlock* end = new_block("end");
  enter_frame(FrameKind::if_, signature, end, end);
  Frame& frame = frames_.back();
  frame.else_block = new_block("else");
  frame.else_params.assign(stack_.end() - static_cast<std::ptrdiff_t>(signature.params.size()), stack_.end());
  llvm::BasicBlock* then = new_block("then");
  ir_.CreateCondBr(condition, then, frame.else_block, weights);
  ir_.SetInsertPoint(then);
}

base::Status IrFunction::on_else_(const None&) {
  Frame& frame = frames_.back();
  if (reachable_) {
    pass_operands(frame);
    ir_.CreateBr(frame.end);
  }
  frame.kind = FrameKind::else_;
  ir_.SetInsertPoint(frame.else_block);
  stack_.resize(frame.height);
  reload_below(frame.height);
  stack_.insert(stack_.end(), frame.else_params.begin(), frame.else_params.end());
  return {};
}

base::Status IrFunction::on_end(const None&) {
  Frame& frame = frames_.back();
  if (reachable_) {
    llvm::BasicBlock* from = ir_.GetInsertBlock();
    for (std::size_t i = 0; i < frame.end_phis.size(); ++i)
      frame.end_phis[i]->addIncoming(stack_[stack_.size() - frame.end_phis.size() + i], from);
    ir_.CreateBr(frame.end);
  }
  if (frame.kind == FrameKind::if_) {  // no else: its parameters are its results
    ir_.SetInsertPoint(frame.else_block);
    for (std::size_t i = 0; i < frame.end_phis.size(); ++i)
      frame.end_phis[i]->addIncoming(frame.else_params[i], frame.else_block);
    ir_.CreateBr(frame.end);
  }
  finish_frame();
  return {};
}

void IrFunction::finish_frame() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  stack_.resize(frame.height);
  ir_.SetInsertPoint(frame.end);
  if (!llvm::pred_empty(frame.end)) reload_below(frame.height);
  const bool dead = llvm::pred_empty(frame.end);
  for (llvm::PHINode* phi : frame.end_phis) {
    if (!dead) {
      push(phi);
      continue;
    }
    push(llvm::PoisonValue::get(phi->getType()));
    phi->eraseFromParent();
  }
  if (frames_.empty()) {
    if (dead)
      ir_.CreateUnreachable();
    else
      emit_return();
    emit_landings();
    drop_stack_check_of_leaf();
  }
}

void IrFunction::emit_return() {
  const std::vector<Value*> results = pop_n(body_.type->results.size());
  for (std::uint32_t i = 1; i < results.size(); ++i) ir_.CreateStore(results[i], overflow_slot(i - 1));
  if (results.empty())
    ir_.CreateRetVoid();
  else
    ir_.CreateRet(to_travel(results[0]));
}

base::Status IrFunction::on_br(const Label& imm) {
  Frame& target = frame_at(imm.depth);
  pass_operands(target);
  ir_.CreateBr(target.label);
  return {};
}

base::Status IrFunction::on_br_if(const Label& imm) {
  Value* condition = pop_condition();
  Frame& target = frame_at(imm.depth);
  pass_operands(target);
  llvm::BasicBlock* next = new_block("next");
  ir_.CreateCondBr(condition, target.label, next);
  ir_.SetInsertPoint(next);
  return {};
}

base::Status IrFunction::on_br_table(const BrTable& imm) {
  Value* index = pop();
  Frame& fallback = frame_at(imm.default_target);
  pass_operands(fallback);
  auto* table = ir_.CreateSwitch(index, fallback.label, static_cast<unsigned>(imm.targets.size()));
  for (std::size_t i = 0; i < imm.targets.size(); ++i) {
    Frame& target = frame_at(spec::LabelDepth(imm.targets[i]));
    if (target.label == fallback.label) continue;  // the default serves it
    pass_operands(target);                         // one phi entry for each edge of the switch
    table->addCase(ir_.getInt32(static_cast<std::uint32_t>(i)), target.label);
  }
  return {};
}

base::Status IrFunction::on_br_on_null(const Label& imm) {
  Value* reference = pop();
  Frame& target = frame_at(imm.depth);
  pass_operands(target);
  llvm::BasicBlock* next = new_block("next");
  ir_.CreateCondBr(ir_.CreateICmpEQ(reference, ir_.getInt64(0)), target.label, next);
  ir_.SetInsertPoint(next);
  push(reference);
  return {};
}

base::Status IrFunction::on_br_on_non_null(const Label& imm) {
  Value* reference = stack_.back();
  Frame& target = frame_at(imm.depth);
  pass_operands(target);
  llvm::BasicBlock* next = new_block("next");
  ir_.CreateCondBr(ir_.CreateICmpNE(reference, ir_.getInt64(0)), target.label, next);
  ir_.SetInsertPoint(next);
  pop();
  return {};
}

base::Status IrFunction::on_return_(const None&) {
  if (body_.inlined != 0) {
    Frame& own = frames_[body_.first_frame];
    pass_operands(own);
    ir_.CreateBr(own.end);
  } else {
    emit_return();
  }
  return {};
}

}  // namespace heddle::llvm_tier
