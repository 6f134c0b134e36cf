// Blocks, branches and the parametric instructions.
// https://webassembly.github.io/spec/core/valid/instructions.html#control-instructions
// https://webassembly.github.io/spec/core/appendix/algorithm.html#validation-of-opcode-sequences
#include "spec/limits.h"
#include "validate/errors.h"
#include "validate/function_validator.h"

namespace heddle::validate {

// https://webassembly.github.io/spec/core/valid/instructions.html#block-types
base::Status FunctionValidator::check_block_type(const binary::imm::BlockType& type) {
  if (type.form == binary::imm::BlockType::Form::value) return check_type(type.value);
  if (type.form == binary::imm::BlockType::Form::empty) return {};
  const spec::FuncType* func_type = nullptr;
  return find_func_type(type.type, func_type);
}

base::Status FunctionValidator::push_frame(FrameKind kind, const binary::imm::BlockType& type) {
  if (control_.size() >= spec::kMaxControlNesting)
    return errors::limit(at(), "nesting too deep", control_.size() + 1, spec::kMaxControlNesting);
  Frame frame;
  frame.kind = kind;
  frame.visited = visiting_;
  frame.has_value = type.form == binary::imm::BlockType::Form::value;
  frame.value = type.value;
  if (type.form == binary::imm::BlockType::Form::type_index) frame.type = &module_.func_type(type.type);
  frame.height = operands_.size();
  frame.init_height = init_stack_.size();
  height_ = frame.height;
  control_.push_back(frame);
  return {};
}

base::Status FunctionValidator::open_block(FrameKind kind, const binary::imm::BlockType& type) {
  HEDDLE_TRY(check_block_type(type));
  if (type.form != binary::imm::BlockType::Form::type_index) return push_frame(kind, type);
  const Types params = module_.func_type(type.type).params;
  HEDDLE_TRY(pop(params));
  HEDDLE_TRY(push_frame(kind, type));
  return push_all(params);
}

base::Status FunctionValidator::close_arm() {
  const Types results = control_.back().results();
  HEDDLE_TRY(pop(results));
  if (available() != 0) {
    HEDDLE_TRY(push_all(results));
    return errors::block_leaves(at(), results, operands_.above(height_));
  }
  return {};
}

void FunctionValidator::restart_arm(FrameKind kind) {
  Frame& frame = control_.back();
  frame.kind = kind;
  frame.unreachable = false;
  visiting_ = frame.visited;
  reset_locals(frame.init_height);
}

base::Status FunctionValidator::pop_frame() {
  const Frame closed = control_.back();
  reset_locals(closed.init_height);
  control_.pop_back();
  if (control_.empty()) return {};
  height_ = control_.back().height;
  visiting_ = control_.back().visited && !control_.back().unreachable;
  return push_all(closed.results());
}

void FunctionValidator::set_unreachable() {
  operands_.truncate(height_);
  control_.back().unreachable = true;
  visiting_ = false;
}

base::Status FunctionValidator::check_label(spec::LabelDepth depth, const Frame*& out) {
  if (depth.value >= control_.size()) return errors::unknown("label", depth.value, control_.size(), at());
  out = &control_[control_.size() - 1 - depth.value];
  return {};
}

base::Status FunctionValidator::on_unreachable(const binary::imm::None&) {
  set_unreachable();
  return {};
}

base::Status FunctionValidator::on_block(const binary::imm::BlockType& imm) {
  return open_block(FrameKind::block, imm);
}

base::Status FunctionValidator::on_loop(const binary::imm::BlockType& imm) {
  return open_block(FrameKind::loop, imm);
}

base::Status FunctionValidator::on_if_(const binary::imm::BlockType& imm) {
  HEDDLE_TRY(check_block_type(imm));
  HEDDLE_TRY(pop(spec::kI32));
  return open_block(FrameKind::if_, imm);
}

base::Status FunctionValidator::on_else_(const binary::imm::None&) {
  if (control_.back().kind != FrameKind::if_) return errors::misplaced(at(), "else", "an if");
  HEDDLE_TRY(close_arm());
  restart_arm(FrameKind::else_);
  return push_all(control_.back().params());
}

base::Status FunctionValidator::on_end(const binary::imm::None&) {
  HEDDLE_TRY(close_arm());
  if (control_.back().kind == FrameKind::if_) {  // no else: as if it were there and empty
    restart_arm(FrameKind::else_);
    HEDDLE_TRY(push_all(control_.back().params()));
    HEDDLE_TRY(close_arm());
  }
  return pop_frame();
}

base::Status FunctionValidator::on_br(const binary::imm::Label& imm) {
  const Frame* frame = nullptr;
  HEDDLE_TRY(check_label(imm.depth, frame));
  HEDDLE_TRY(check_top(frame->label()));
  set_unreachable();
  return {};
}

base::Status FunctionValidator::on_br_if(const binary::imm::Label& imm) {
  const Frame* frame = nullptr;
  HEDDLE_TRY(check_label(imm.depth, frame));
  HEDDLE_TRY(pop(spec::kI32));
  return apply_types(frame->label(), frame->label());
}

// Each label is checked once, however many entries name it, so that a table costs its length, not length * arity.
base::Status FunctionValidator::on_br_table(const binary::imm::BrTable& imm) {
  const Frame* fallback = nullptr;
  HEDDLE_TRY(check_label(imm.default_target, fallback));
  HEDDLE_TRY(pop(spec::kI32));
  const std::size_t arity = fallback->label().size();
  const std::uint64_t number = ++br_table_number_;
  const ValType* checked = nullptr;  // types of the label that was checked last
  for (const std::uint32_t depth : imm.targets) {
    const Frame* frame = nullptr;
    HEDDLE_TRY(check_label(spec::LabelDepth(depth), frame));
    if (frame->br_table_mark == number) continue;
    control_[control_.size() - 1 - depth].br_table_mark = number;
    const Types label = frame->label();
    if (label.size() != arity)
      return errors::types_differ(at(), "br_table's default label", fallback->label(), "another label", label);
    if (label.data() != checked) HEDDLE_TRY(check_top(label));
    checked = label.data();
  }
  HEDDLE_TRY(check_top(fallback->label()));
  set_unreachable();
  return {};
}

base::Status FunctionValidator::on_return_(const binary::imm::None&) {
  HEDDLE_TRY(check_top(control_.front().results()));
  set_unreachable();
  return {};
}

// https://webassembly.github.io/spec/core/valid/instructions.html#parametric-instructions
base::Status FunctionValidator::on_drop(const binary::imm::None&) {
  ValType ignored;
  return pop_any(ignored);
}

base::Status FunctionValidator::on_select(const binary::imm::None&) {
  HEDDLE_TRY(pop(spec::kI32));
  ValType second;
  ValType first;
  HEDDLE_TRY(pop_any(second));
  HEDDLE_TRY(pop_any(first));
  if (first.is_ref() || second.is_ref())
    return errors::type_mismatch(at(), "select without a type takes numbers or vectors, not references");
  const bool first_unknown = first.kind() == ValType::Kind::bottom;
  if (!first_unknown && second.kind() != ValType::Kind::bottom && first != second)
    return errors::types_differ(at(), "select's first operand", Types(&first, 1), "its second", Types(&second, 1));
  push(first_unknown ? second : first);
  return {};
}

base::Status FunctionValidator::on_select_t(const binary::imm::SelectTypes& imm) {
  if (imm.types.size() != 1) return errors::invalid_result_arity(at(), imm.types.size());
  const ValType type = imm.types.front();
  HEDDLE_TRY(check_type(type));
  const ValType operands[] = {type, type, spec::kI32};
  return apply_types(operands, imm.types);
}

}  // namespace heddle::validate
