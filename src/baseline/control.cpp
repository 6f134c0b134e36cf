// Blocks, branches, and where values must be when control flow meets (compiler.h says where).
// https://webassembly.github.io/spec/core/exec/instructions.html#control-instructions
#include "base/check.h"
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::kFloatScratch;
using machine::kScratch;
using machine::kVmctx;

namespace {

/// Chosen: up to this many targets a chain of compares is shorter than the jump table's code.
constexpr std::size_t kMaxCompareChain = 3;

}  // namespace

// ---- opening blocks

void Compiler::open_block(Control::Form form, const binary::imm::BlockType& type) {
  using BlockForm = binary::imm::BlockType::Form;
  Control c;
  c.form = form;
  c.label = masm_.new_label();
  if (type.form == BlockForm::value) c.single = type.value;
  if (type.form == BlockForm::type_index) c.type = &module_->func_type(type.type);
  c.height = static_cast<std::uint32_t>(height() - c.params().size());
  c.base_slot = operand_base_;
  if (c.height > 0) c.base_slot = stack_[c.height - 1].slot + size_of(stack_[c.height - 1].kind);
  controls_.push_back(c);
}

base::Status Compiler::on_block(const binary::imm::BlockType& type) {
  flush();
  open_block(Control::Form::block, type);
  return {};
}

base::Status Compiler::on_loop(const binary::imm::BlockType& type) {
  open_block(Control::Form::loop, type);
  flush(controls_.back().height);
  load_pins();
  while (next_loop_ < prescan_.loops.size() && prescan_.loops[next_loop_].body_offset < body_offset_) ++next_loop_;
  if (next_loop_ < prescan_.loops.size()) {
    const std::uint64_t sets = prescan_.loops[next_loop_].sets;
    for (RegSet pins = caller_pins_; !pins.empty();) {
      const Reg r = pins.take_first();
      if ((sets & loop_set_bit(pin_local_[r.id])) != 0) slot_valid_.remove(r);
    }
  }
  masm_.align_code(8);
  masm_.bind(controls_.back().label);
  add_osr_point();
  return {};
}

base::Status Compiler::on_if_(const binary::imm::BlockType& type) {
  const Cond cond = pop_condition();
  open_block(Control::Form::if_, type);
  Control& c = controls_.back();
  flush(c.height);
  load_pins();
  c.else_label = masm_.new_label();
  c.else_slots = slot_valid_;
  masm_.jump(inverted(cond), c.else_label);
  masm_.keep_flags(false);
  return {};
}

// ---- closing blocks

base::Status Compiler::on_else_(const None&) {
  Control& c = controls_.back();
  if (reachable_) {
    arrange_results(c);
    merge_into(c);
    masm_.jump(c.label);
  }
  masm_.bind(c.else_label);
  reset_to_block(c);
  all_pins_loaded(c.else_slots);
  c.form = Control::Form::else_;
  return {};
}

base::Status Compiler::on_end(const None&) {
  Control& c = controls_.back();
  switch (c.form) {
    case Control::Form::func: end_function(); break;
    case Control::Form::if_: end_if_without_else(c); break;
    case Control::Form::loop:
      osr_points_[c.osr_point].end_offset = masm_.offset();
      end_block(c);
      break;
    case Control::Form::block:
    case Control::Form::else_:
    case Control::Form::try_:
    case Control::Form::catch_: end_block(c); break;
    case Control::Form::try_table: {
      HEDDLE_TRY(end_try_table(c));
      end_block(c);
      break;
    }
  }
  controls_.pop_back();
  return {};
}

void Compiler::end_block(Control& c) {
  const bool merges = c.branched && c.form != Control::Form::loop;
  if (!merges) {
    if (reachable_) return;  // falls through only: everything stays where it is
    drop_to(c.height);       // what follows is never executed, but is compiled
    push_results(c);
    return all_pins_loaded(RegSet());
  }
  if (reachable_) {
    arrange_results(c);
    if (!results_in_place(c)) copy_results_down(c);  // a catch has its exception below them
    merge_into(c);
  }
  masm_.bind(c.label);
  drop_to(c.height);
  push_results(c);
  all_pins_loaded(c.merged_slots);
}

/// The missing else hands the parameters on as results.
void Compiler::end_if_without_else(Control& c) {
  const bool has_results = !c.results().empty();
  if (reachable_) {
    arrange_results(c);
    merge_into(c);
    if (has_results) masm_.jump(c.label);
  }
  masm_.bind(c.else_label);
  if (has_results) {
    reset_to_block(c);
    all_pins_loaded(c.else_slots);
    arrange_results(c);
  }
  c.merged_slots &= c.else_slots;
  masm_.bind(c.label);
  drop_to(c.height);
  push_results(c);
  all_pins_loaded(c.merged_slots);
}

void Compiler::end_function() {
  Control& c = controls_.back();
  if (reachable_) arrange_results(c);
  masm_.bind(c.label);
  emit_epilogue();
  emit_landings();
  emit_out_of_line();
  emit_jump_tables();
  if (osr_loop_ && osr_met_) emit_osr_stub();
  masm_.finish();
}

void Compiler::reset_to_block(const Control& c) {
  drop_to(c.height);
  for (const spec::ValType type : c.params()) push_slot(type.kind());
}

void Compiler::push_results(const Control& c) {
  const Types results = c.results();
  if (c.one_in_register()) {
    const Reg r = result_reg(results[0].kind());
    claim(r);
    return push_reg(results[0].kind(), r);
  }
  for (const spec::ValType type : results) push_slot(type.kind());
}

// ---- values at a label

/// The top values go where the label expects them, as long as that can be done without hurting the values below;
/// copy_results_down() does the rest.
void Compiler::arrange_results(Control& c) {
  const Types types = c.label_types();
  if (types.empty()) return;
  const std::size_t first = height() - types.size();
  if (c.one_in_register()) return place(first, result_reg(types[0].kind()));
  flush(first);
  if (c.form == Control::Form::func) {
    return_values(first);
    place(first, result_reg(types[0].kind()));
  }
}

/// Results beyond the first one to the overflow buffer; all values are in slots.
void Compiler::return_values(std::size_t first) {
  load_overflow_base();
  for (std::size_t i = first + 1; i < height(); ++i)
    store_overflow(static_cast<std::uint32_t>(i - first - 1), stack_[i]);
}

/// Only if not results_in_place(): the values are in their own slots, above others that the label drops.
void Compiler::copy_results_down(const Control& c) {
  const Types types = c.label_types();
  std::uint32_t to = c.base_slot;
  std::size_t i = height() - types.size();
  // Ascending, and never upwards: no copy destroys a value that is still to be copied.
  for (const spec::ValType type : types) {
    if (type.kind() == Kind::v128) to = (to + 15) & ~15u;
    copy_slot(type.kind(), stack_[i++].slot, to);
    to += size_of(type.kind());
  }
  if (to > operand_end_) operand_end_ = to;
}

void Compiler::load_overflow_base() {
  masm_.load(Kind::i64, kScratch, Address::at(kVmctx, abi::kOffsetStore));
}

/// Needs load_overflow_base().
void Compiler::store_overflow(std::uint32_t index, const Value& v) {
  store_vm_value(Address::at(kScratch, abi::kStoreOffsetOverflow + static_cast<std::int32_t>(index * 16)), v);
}

void Compiler::store_vm_value(const Address& to, const Value& v) {
  if (v.is_const() && v.kind != Kind::v128) {
    masm_.store_imm(to, static_cast<std::int32_t>(v.bits), 4);
    return masm_.store_imm(to.plus(4), static_cast<std::int32_t>(v.bits >> 32), 4);
  }
  Reg r = v.where == Where::reg ? v.reg : Reg{};
  if (v.where == Where::local && pin_valid_.has(pin_of(v))) r = pin_of(v);
  if (r.valid()) return masm_.store(r.is_float() ? v.kind : Kind::i64, to, r);
  if (v.is_const()) {
    load_to(v, kFloatScratch);
  } else {
    // A 32-bit load zero-extends.
    const Kind kind = v.where == Where::local ? locals_[v.local].kind : v.kind;
    const Address from = slot(v.where == Where::local ? locals_[v.local].slot : v.slot);
    masm_.load(kind == Kind::v128 ? kind : width_of(kind) == Width::w32 ? Kind::f32 : Kind::f64, kFloatScratch, from);
  }
  masm_.store(v.kind == Kind::v128 ? Kind::v128 : Kind::f64, to, kFloatScratch);
}

void Compiler::merge_into(Control& c) {
  c.branched = true;
  if (c.form == Control::Form::func) return;
  load_pins();
  c.merged_slots &= slot_valid_;
}

// ---- branches

base::Status Compiler::on_unreachable(const None&) {
  trap_now(TrapCode::unreachable);
  return {};
}

/// The condition's flags are set, and kept by all moves until keep_flags(false).
Cond Compiler::pop_condition() {
  Value v = pop();
  if (v.where == Where::flags) return v.cond;
  const Src s = source_no_imm(v);
  if (s.is_reg())
    masm_.test(Width::w32, s, s);
  else
    masm_.cmp(Width::w32, s, Src::of(0));
  release(v);
  masm_.keep_flags(true);
  return Cond::ne;
}

void Compiler::branch_to(Control& c) {
  arrange_results(c);
  if (!results_in_place(c)) copy_results_down(c);
  merge_into(c);
  masm_.jump(c.label);
}

/// Flags are set; the values stay as they are for the code that follows.
void Compiler::branch_if(Cond cond, Control& c) {
  if (results_in_place(c)) {
    arrange_results(c);
    merge_into(c);
    masm_.jump(cond, c.label);
    return masm_.keep_flags(false);
  }
  arrange_results(c);
  merge_into(c);
  const Label stay = masm_.new_label();
  masm_.jump(inverted(cond), stay);
  masm_.keep_flags(false);
  copy_results_down(c);
  masm_.jump(c.label);
  masm_.bind(stay);
}

base::Status Compiler::on_br(const binary::imm::Label& imm) {
  branch_to(target(imm.depth));
  return {};
}

base::Status Compiler::on_return_(const None&) {
  branch_to(controls_.front());
  return {};
}

base::Status Compiler::on_br_if(const binary::imm::Label& imm) {
  const Cond cond = pop_condition();
  branch_if(cond, target(imm.depth));
  return {};
}

base::Status Compiler::on_br_on_null(const binary::imm::Label& imm) {
  Control& c = target(imm.depth);
  Value v = pop();
  const Reg r = to_reg(v, c.one_in_register() ? RegSet::of(machine::kIntResult) : RegSet());
  masm_.test(Width::w64, Src::of(r), Src::of(r));
  masm_.keep_flags(true);
  branch_if(Cond::eq, c);
  repush(v);
  return {};
}

base::Status Compiler::on_br_on_non_null(const binary::imm::Label& imm) {
  Value v = pop();
  const Reg r = to_reg(v);
  masm_.test(Width::w64, Src::of(r), Src::of(r));
  masm_.keep_flags(true);
  repush(v);
  branch_if(Cond::ne, target(imm.depth));
  release(pop());
  return {};
}

base::Status Compiler::on_br_table(const binary::imm::BrTable& table) {
  Value index = pop();
  static_cast<void>(to_reg(index));
  const std::size_t arity = target(table.default_target).label_types().size();
  if (arity > 0) flush(height() - arity);
  load_pins();
  stub_labels_.assign(arity > 0 ? controls_.size() : 0, Label{});
  dispatch(index, table);
  // Values to their places, one stub for each label that is met.
  for (std::size_t i = 0; i < stub_labels_.size(); ++i) {
    if (!stub_labels_[i].valid()) continue;
    Control& c = controls_[i];
    masm_.bind(stub_labels_[i]);
    const std::size_t first = height() - arity;
    if (c.form == Control::Form::func && arity > 1) return_values(first);
    if (c.one_in_register() || c.form == Control::Form::func)
      load_to(stack_[first], result_reg(stack_[first].kind));
    else
      copy_results_down(c);
    masm_.jump(c.label);
  }
  return {};
}

/// Where br_table goes for this label: straight there, or to a stub that moves the values first.
Label Compiler::branch_stub(Control& c) {
  merge_into(c);
  if (stub_labels_.empty()) return c.label;
  Label& stub = stub_labels_[static_cast<std::size_t>(&c - controls_.data())];
  if (!stub.valid()) stub = masm_.new_label();
  return stub;
}

void Compiler::dispatch(Value index, const binary::imm::BrTable& table) {
  const Reg r = to_reg(index);
  const std::size_t count = table.targets.size();
  if (count <= kMaxCompareChain) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<std::int32_t>(i);
      if (i == 0)
        masm_.test(Width::w32, Src::of(r), Src::of(r));
      else
        masm_.cmp(Width::w32, Src::of(r), Src::of(value));
      masm_.jump(Cond::eq, branch_stub(target(spec::LabelDepth(table.targets[i]))));
    }
    masm_.jump(branch_stub(target(table.default_target)));
    return release(index);
  }
  JumpTable jump_table;
  jump_table.table = masm_.new_label();
  jump_table.first = static_cast<std::uint32_t>(jump_targets_.size());
  jump_table.count = static_cast<std::uint32_t>(count);
  for (const std::uint32_t depth : table.targets) jump_targets_.push_back(branch_stub(target(spec::LabelDepth(depth))));
  jump_tables_.push_back(jump_table);

  const Reg to = alloc_int();
  masm_.cmp(Width::w32, Src::of(r), Src::of(static_cast<std::int32_t>(count)));
  masm_.jump(Cond::ge_u, branch_stub(target(table.default_target)));
  masm_.lea(kScratch, jump_table.table);
  masm_.load_int(to, Address{kScratch, r, 2, 0, {}}, 4, true, Width::w64);
  masm_.alu(Alu::add, Width::w64, to, Src::of(kScratch));
  masm_.jump_to(to);
  free_reg(to);
  release(index);
}

// ---- parametric

base::Status Compiler::on_drop(const None&) {
  release(pop());
  return {};
}

base::Status Compiler::on_select(const None&) {
  const Cond cond = pop_condition();
  Value b = pop(), a = pop();
  const Kind kind = a.kind;
  const Dest d = dest_for(kind, &a, &b, ip_ + 1);
  if (!(a.is_reg() && a.reg == d.reg)) load_to(a, d.reg);
  if (is_float_class(kind)) {
    const Label keep = masm_.new_label();
    masm_.jump_near(cond, keep);
    load_to(b, d.reg);
    masm_.bind(keep);
  } else {
    masm_.move_if(inverted(cond), width_of(kind), d.reg, source_no_imm(b));
  }
  masm_.keep_flags(false);
  finish(d, kind, a, b);
  return {};
}

}  // namespace heddle::baseline
