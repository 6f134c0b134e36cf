// Exceptions: throw, try_table, and the legacy try/catch/delegate/rethrow that deployed modules still use.
// https://webassembly.github.io/spec/core/exec/instructions.html#control-instructions
// https://github.com/WebAssembly/exception-handling/blob/main/proposals/exception-handling/legacy/Exceptions.md
//
// Code that does not throw pays nothing: a handler is a range of the function's code (abi::ExceptionHandler) that the
// host's unwinder finds by the return address of the call inside it. Control lands with the exception in rax, the
// callee-saved registers as they were at that call, and every other pinned local in its frame slot, since save_pins()
// runs before each call. Values below the guarded block are in their slots, as at any merge.
#include "base/check.h"
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::kFloatScratch;
using machine::kRax;
using machine::kScratch;

namespace {

/// Chosen: each delegate splits the ranges around it; what real code has stays in the hundreds.
constexpr std::size_t kMaxHandlers = 1'000'000;

Address exception_value(Reg exception, std::size_t i) {
  return Address::at(exception, abi::kExceptionOffsetValues + static_cast<std::int32_t>(i * sizeof(abi::VmValue)));
}

using ClauseKind = binary::imm::Catch::Kind;

bool has_tag(ClauseKind kind) {
  return kind == ClauseKind::catch_ || kind == ClauseKind::catch_ref;
}
bool has_reference(ClauseKind kind) {
  return kind == ClauseKind::catch_ref || kind == ClauseKind::catch_all_ref;
}

}  // namespace

// ---- throwing

void Compiler::throw_exception(Value exception) {
  call_builtin(abi::Builtin::exception_throw, std::span(&exception, 1));
  trap_now(TrapCode::unreachable);  // never comes back
}

base::Status Compiler::on_throw_(const binary::imm::Tag& imm) {
  const spec::FuncType& type = module_->func_type(module_->tags[imm.tag.value].type.type);
  Value tag = constant(Kind::i32, imm.tag.value);
  call_builtin(abi::Builtin::exception_new, std::span(&tag, 1));
  claim(kRax);
  const std::size_t first = height() - type.params.size();
  for (std::size_t i = 0; i < type.params.size(); ++i) store_vm_value(exception_value(kRax, i), stack_[first + i]);
  Value exception = constant(Kind::ref, 0);
  exception.where = Where::reg;
  exception.reg = kRax;
  throw_exception(exception);
  return {};
}

base::Status Compiler::on_throw_ref(const None&) {
  Value v = pop();
  const Reg r = to_reg(v);
  masm_.test(Width::w64, Src::of(r), Src::of(r));
  trap_if(Cond::eq, TrapCode::null_exception_reference);
  throw_exception(v);
  return {};
}

// ---- handlers

/// Calls in [c.code_begin, end) land at landing_offset, but for those that a delegate sends further out.
base::Status Compiler::add_handlers(const Control& c, std::uint32_t end, std::uint32_t landing_offset, bool catches_all,
                                    spec::TagIndex tag) {
  const auto own = static_cast<std::uint32_t>(&c - controls_.data());
  const auto add = [&](std::uint32_t begin, std::uint32_t to) {
    if (to > begin) handlers_.push_back({begin, to, landing_offset, catches_all, tag});
  };
  // From the end backwards an outer delegate comes before those inside it.
  for (std::size_t i = delegates_.size(); i > c.first_delegate; --i) {
    const Delegate& d = delegates_[i - 1];
    if (d.target >= own || d.begin >= end) continue;
    add(d.end, end);
    end = d.begin;
  }
  add(c.code_begin, end);
  if (handlers_.size() > kMaxHandlers) return not_supported("too many exception handlers");
  return {};
}

base::Status Compiler::on_try_table(const binary::imm::TryTable& imm) {
  flush();
  const auto first = static_cast<std::uint32_t>(catches_.size());
  for (const binary::imm::Catch& clause : imm.catches) {
    Control& c = target(clause.label);
    c.branched = true;  // with everything in the frame: no slot of a pinned local is out of date there
    catches_.push_back({clause, static_cast<std::uint32_t>(&c - controls_.data())});
  }
  open_block(Control::Form::try_table, imm.type);
  Control& c = controls_.back();
  c.first_catch = first;
  c.first_delegate = static_cast<std::uint32_t>(delegates_.size());
  c.code_begin = masm_.offset();
  return {};
}

base::Status Compiler::end_try_table(Control& c) {
  const std::uint32_t end = masm_.offset();
  for (std::size_t i = c.first_catch; i < catches_.size(); ++i) {
    const auto first = static_cast<std::uint32_t>(handlers_.size());
    const binary::imm::Catch clause = catches_[i].clause;
    HEDDLE_TRY(add_handlers(c, end, 0, !has_tag(clause.kind), clause.tag));
    const auto count = static_cast<std::uint32_t>(handlers_.size()) - first;
    landings_.push_back({controls_[catches_[i].target], clause, body_offset_, first, count});
  }
  catches_.resize(c.first_catch);
  return {};
}

void Compiler::emit_landings() {
  for (const Landing& landing : landings_) {
    for (std::uint32_t i = 0; i < landing.handler_count; ++i)
      handlers_[landing.first_handler + i].landing_offset = masm_.offset();
    body_offset_ = landing.body_offset;
    if (masm_.is_listing()) note_instruction();
    emit_landing(landing);
  }
}

/// rax holds the exception: its values, and itself if the clause asks for it, go where the label wants them.
void Compiler::emit_landing(const Landing& landing) {
  const Control& c = landing.target;
  const Types types = c.label_types();
  const std::size_t values = types.size() - (has_reference(landing.clause.kind) ? 1 : 0);
  pin_valid_ = pin_valid_ - caller_pins_;
  load_pins();
  const bool is_func = c.form == Control::Form::func;
  std::uint32_t to = c.base_slot;
  if (is_func && types.size() > 1) load_overflow_base();
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Kind kind = types[i].kind();
    if (i == 0 && (c.one_in_register() || is_func)) continue;
    Address place = slot(0);
    if (is_func) {
      place = Address::at(kScratch, abi::kStoreOffsetOverflow + static_cast<std::int32_t>((i - 1) * 16));
    } else {
      if (kind == Kind::v128) to = (to + 15) & ~15u;
      place = slot(to);
      to += size_of(kind);
    }
    const Kind as = kind == Kind::v128 ? Kind::v128 : Kind::f64;
    if (i < values) {
      masm_.load(as, kFloatScratch, exception_value(kRax, i));
      masm_.store(as, place, kFloatScratch);
    } else {
      masm_.store(Kind::i64, place, kRax);
    }
  }
  if (to > operand_end_) operand_end_ = to;
  // The first result last, since it may take rax's place.
  if (!types.empty() && (c.one_in_register() || is_func) && values > 0)
    masm_.load(types[0].kind(), result_reg(types[0].kind()), exception_value(kRax, 0));
  masm_.jump(c.label);
}

// ---- legacy: a catch clause is a block of its own, entered only by landing there

base::Status Compiler::on_try_(const binary::imm::BlockType& type) {
  flush();
  open_block(Control::Form::try_, type);
  Control& c = controls_.back();
  c.first_delegate = static_cast<std::uint32_t>(delegates_.size());
  c.code_begin = masm_.offset();
  return {};
}

/// Ends the guarded code, or the clause before, and registers the clause that begins here.
base::Status Compiler::close_guarded(bool catches_all, spec::TagIndex tag) {
  Control& c = controls_.back();
  if (c.form == Control::Form::try_) {
    c.code_end = masm_.offset();
    c.form = Control::Form::catch_;
  }
  if (reachable_) {
    arrange_results(c);
    if (!results_in_place(c)) copy_results_down(c);
    merge_into(c);
    masm_.jump(c.label);
  }
  c.branched = true;  // the end is a merge: a clause has its exception below the results
  return add_handlers(c, c.code_end, masm_.offset(), catches_all, tag);
}

void Compiler::begin_catch(const spec::FuncType* type) {
  drop_to(controls_.back().height);
  forget_pins();
  slot_valid_ |= caller_pins_;
  claim(kRax);
  push_reg(Kind::ref, kRax);  // for rethrow; the validator does not know of it
  if (type == nullptr) return;
  const std::size_t exception = height() - 1;
  for (std::size_t i = 0; i < type->params.size(); ++i) {
    const Kind kind = type->params[i].kind();
    const Reg r = alloc_for(kind);
    Reg from = kRax;
    if (!stack_[exception].is_reg()) {  // so many values that it was spilled
      masm_.load(Kind::i64, kScratch, slot(stack_[exception].slot));
      from = kScratch;
    }
    masm_.load(kind, r, exception_value(from, i));
    push_reg(kind, r);
  }
}

base::Status Compiler::on_catch_(const binary::imm::Tag& imm) {
  HEDDLE_TRY(close_guarded(false, imm.tag));
  begin_catch(&module_->func_type(module_->tags[imm.tag.value].type.type));
  return {};
}

base::Status Compiler::on_catch_all(const None&) {
  HEDDLE_TRY(close_guarded(true, {}));
  begin_catch(nullptr);
  return {};
}

base::Status Compiler::on_delegate(const binary::imm::Label& imm) {
  Control& c = controls_.back();
  // The label is counted from outside the try.
  const std::size_t outer = controls_.size() - 1;
  const std::size_t target_index = outer - 1 - imm.depth.value;
  delegates_.push_back({c.code_begin, masm_.offset(), static_cast<std::uint32_t>(target_index)});
  end_block(c);
  controls_.pop_back();
  return {};
}

base::Status Compiler::on_rethrow(const binary::imm::Label& imm) {
  Value v = stack_[target(imm.depth).height];
  if (v.is_reg()) {  // stays on the stack too: take a copy
    const Reg r = alloc_int();
    if (stack_[target(imm.depth).height].is_reg())
      masm_.mov(Width::w64, r, v.reg);
    else
      masm_.load(Kind::i64, r, slot(v.slot));
    v.where = Where::reg;
    v.reg = r;
  }
  throw_exception(v);
  return {};
}

}  // namespace heddle::baseline
