// Exceptions: throw, try_table, and the legacy try/catch/delegate/rethrow.
// https://webassembly.github.io/spec/core/valid/instructions.html#control-instructions
// https://github.com/WebAssembly/exception-handling/blob/main/proposals/exception-handling/legacy/Exceptions.md
#include "validate/errors.h"
#include "validate/function_validator.h"

namespace heddle::validate {

base::Status FunctionValidator::on_throw_(const binary::imm::Tag& imm) {
  const spec::FuncType* tag = nullptr;
  HEDDLE_TRY(find_tag(imm.tag, tag));
  HEDDLE_TRY(pop(tag->params));
  set_unreachable();
  return {};
}

base::Status FunctionValidator::on_throw_ref(const binary::imm::None&) {
  HEDDLE_TRY(pop(spec::kExnRef));
  set_unreachable();
  return {};
}

// A clause branches to a label outside the try_table with the tag's parameters and, if asked for, the exception.
// https://webassembly.github.io/spec/core/valid/instructions.html#catch-clauses
base::Status FunctionValidator::check_catch(const binary::imm::Catch& clause) {
  using Kind = binary::imm::Catch::Kind;
  std::vector<ValType> carried;
  if (clause.kind == Kind::catch_ || clause.kind == Kind::catch_ref) {
    const spec::FuncType* tag = nullptr;
    HEDDLE_TRY(find_tag(clause.tag, tag));
    carried = tag->params;
  }
  if (clause.kind == Kind::catch_ref || clause.kind == Kind::catch_all_ref)
    carried.push_back(ValType::ref(spec::HeapType::exn, false));
  const Frame* frame = nullptr;
  HEDDLE_TRY(check_label(clause.label, frame));
  if (all_fit(carried, frame->label())) return {};
  return errors::types_differ(at(), "the label of a catch clause", frame->label(), "the clause", carried);
}

base::Status FunctionValidator::on_try_table(const binary::imm::TryTable& imm) {
  HEDDLE_TRY(check_block_type(imm.type));
  for (const binary::imm::Catch& clause : imm.catches) HEDDLE_TRY(check_catch(clause));
  return open_block(FrameKind::try_table, imm.type);
}

base::Status FunctionValidator::on_try_(const binary::imm::BlockType& imm) {
  return open_block(FrameKind::try_, imm);
}

base::Status FunctionValidator::on_catch_(const binary::imm::Tag& imm) {
  const FrameKind kind = control_.back().kind;
  if (kind != FrameKind::try_ && kind != FrameKind::catch_) return errors::misplaced(at(), "catch", "a try");
  const spec::FuncType* tag = nullptr;
  HEDDLE_TRY(find_tag(imm.tag, tag));
  HEDDLE_TRY(close_arm());
  restart_arm(FrameKind::catch_);
  return push_all(tag->params);
}

base::Status FunctionValidator::on_catch_all(const binary::imm::None&) {
  const FrameKind kind = control_.back().kind;
  if (kind != FrameKind::try_ && kind != FrameKind::catch_) return errors::misplaced(at(), "catch_all", "a try");
  HEDDLE_TRY(close_arm());
  restart_arm(FrameKind::catch_all);
  return {};
}

// The label counts from outside the try that it ends; the function's own label means "out of the function".
base::Status FunctionValidator::on_delegate(const binary::imm::Label& imm) {
  if (control_.back().kind != FrameKind::try_) return errors::misplaced(at(), "delegate", "a try without catch");
  HEDDLE_TRY(close_arm());
  const std::size_t outside = control_.size() - 1;
  if (imm.depth.value >= outside) return errors::unknown("label", imm.depth.value, outside, at());
  return pop_frame();
}

base::Status FunctionValidator::on_rethrow(const binary::imm::Label& imm) {
  const Frame* frame = nullptr;
  HEDDLE_TRY(check_label(imm.depth, frame));
  if (frame->kind != FrameKind::catch_ && frame->kind != FrameKind::catch_all)
    return errors::invalid(at(), "invalid rethrow label", "it does not name a block that is inside its catch");
  set_unreachable();
  return {};
}

}  // namespace heddle::validate
