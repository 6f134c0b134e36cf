// Around the instructions: what a function starts with, ends with, and how the artifact is put together.
#include "baseline/compiler.h"

#include <algorithm>

#include "base/check.h"
#include "binary/instruction_text.h"

namespace heddle::baseline {

using abi::Location;
using abi::ParamLocations;
using machine::kScratch;
using machine::kVmctx;

namespace {

/// Chosen: what a leaf may use without looking at the stack limit. Far below the guard that lies under it.
constexpr std::uint32_t kMaxUncheckedFrameBytes = 1024;
/// Chosen: a pin in a callee-saved register costs a store and a load in every call of the function.
constexpr std::uint32_t kMinWeightForSavedPin = 3;
constexpr std::uint32_t kMinWeightForPin = 2;

struct Candidate {
  std::uint32_t weight = 0;
  std::uint32_t local = 0;
};

/// The heaviest locals of one class, heaviest first; of equals the lower index.
class Heaviest {
 public:
  void offer(Candidate c) {
    if (count_ == kMax && c.weight <= best_[kMax - 1].weight) return;
    std::uint32_t i = count_ < kMax ? count_++ : kMax - 1;
    for (; i > 0 && best_[i - 1].weight < c.weight; --i) best_[i] = best_[i - 1];
    best_[i] = c;
  }
  const Candidate* begin() const { return best_; }
  const Candidate* end() const { return best_ + count_; }

 private:
  static constexpr std::uint32_t kMax = 12;
  Candidate best_[kMax];
  std::uint32_t count_ = 0;
};

}  // namespace

void Compiler::begin(const abi::CompileRequest& request, bool big_frame) {
  module_ = &request.module.module();
  layout_ = &request.layout;
  func_ = request.func;
  type_ = &module_->type_of(func_);
  bytes_ = module_->bytes().data();
  const base::ByteRange range = module_->body(func_).range;
  body_end_ = bytes_ + range.end;
  ip_ = bytes_ + range.begin;
  body_offset_ = static_cast<std::uint32_t>(range.begin);
  big_frame_ = big_frame;
  unsupported_ = nullptr;
  next_loop_ = 0;
  controls_.clear();
  steps_.clear();
  jump_tables_.clear();
  jump_targets_.clear();
  frame_patches_.clear();
  sites_.clear();
  relocations_.clear();
  handlers_.clear();
  catches_.clear();
  landings_.clear();
  delegates_.clear();
  osr_points_.clear();
  osr_loop_ = request.osr_loop;
  osr_met_ = false;
  frame_ = abi::FrameInfo{};
  reset_operands();
  masm_.begin(request.want_listing);
}

base::Status Compiler::not_supported(const char* what) {
  unsupported_ = what;
  unsupported_offset_ = body_offset_;
  return base::Error{base::ErrorKind::unsupported, body_offset_, what};
}

void Compiler::note_instruction() {
  masm_.note(binary::instruction_text(*module_, func_, body_offset_));
}

void Compiler::begin_body(std::span<const binary::LocalRun> runs) {
  if (masm_.is_listing()) note_instruction();
  declare_locals(runs);
  choose_pins();
  lay_out_frame();
  emit_prologue();
  Control func;
  func.form = Control::Form::func;
  func.label = masm_.new_label();
  func.type = type_;
  func.base_slot = operand_base_;
  controls_.push_back(func);
}

// ---- locals and frame

void Compiler::declare_locals(std::span<const binary::LocalRun> runs) {
  for (const spec::ValType type : type_->params) locals_.push_back({type.kind(), {}, 0, Value::kNone});
  for (const binary::LocalRun& run : runs)
    locals_.insert(locals_.end(), run.count, {run.type.kind(), {}, 0, Value::kNone});
  prescan_.locals.resize(locals_.size());  // shorter only if the body is broken
}

void Compiler::choose_pins() {
  Heaviest ints, floats;
  for (std::uint32_t i = 0; i < locals_.size(); ++i) {
    const LocalUse& use = prescan_.locals[i];
    if (use.used) (is_float_class(locals_[i].kind) ? floats : ints).offer({use.weight, i});
  }
  const bool leaf = !prescan_.has_calls;
  RegSet callee = machine::kCalleePins;
  if (!prescan_.uses_memory0) callee.add(machine::kMemoryBase);
  RegSet caller = machine::kCallerIntPins;
  const auto pin = [this](std::uint32_t local, Reg r, bool caller_saved) {
    locals_[local].pin = r;
    pin_local_[r.id] = local;
    if (caller_saved) {
      caller_pins_.add(r);
      temps_.remove(r);
    } else {
      saved_.add(r);
    }
    pin_valid_.add(r);
  };
  // A pin that calls destroy pays with a store and a load around each of them.
  const std::uint32_t caller_cost = 2 * prescan_.call_weight;

  ParamLocations params;
  Reg arrival[64] = {};
  for (std::uint32_t i = 0; i < type_->params.size() && i < 64; ++i) {
    const Location at = params.next(type_->params[i]);
    if (at.kind == Location::Kind::int_reg) arrival[i] = machine::kIntArgs[at.index];
  }
  saved_ = RegSet();
  for (const Candidate& c : ints) {
    const bool is_param = c.local < type_->params.size();
    if (!leaf && c.weight >= kMinWeightForSavedPin && !callee.empty()) {
      pin(c.local, callee.take_first(), false);
    } else if (c.weight > caller_cost && c.weight >= (leaf && is_param ? 1 : kMinWeightForPin) && !caller.empty()) {
      const Reg home = is_param && c.local < 64 ? arrival[c.local] : Reg{};
      const Reg r = home.valid() && caller.has(home) ? home : caller.last();
      caller.remove(r);
      pin(c.local, r, true);
    } else if (c.weight >= kMinWeightForSavedPin && !callee.empty()) {
      pin(c.local, callee.take_first(), false);
    }
  }
  RegSet float_pins = machine::kCallerFloatPins;
  for (const Candidate& c : floats) {
    if (c.weight <= caller_cost || c.weight < kMinWeightForPin || float_pins.empty()) continue;
    const Reg r = float_pins.last();
    float_pins.remove(r);
    pin(c.local, r, true);
  }
  free_ = temps_;
  if (prescan_.uses_memory0) saved_.add(machine::kMemoryBase);
  if (prescan_.changes_vmctx) saved_.add(kVmctx);
}

void Compiler::lay_out_frame() {
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < machine::kCalleeSaved.size(); ++i) {
    if (!saved_.has(machine::kCalleeSaved[i])) continue;
    frame_.saved[i] = static_cast<std::int32_t>(next);
    next += 8;
  }
  for (std::uint32_t i = 0; i < locals_.size(); ++i) {
    LocalVar& local = locals_[i];
    if (!prescan_.locals[i].used || (local.pin.valid() && !caller_pins_.has(local.pin))) continue;
    if (local.kind == Kind::v128) next = (next + 15) & ~15u;
    local.slot = next;
    next += size_of(local.kind);
  }
  operand_base_ = operand_end_ = next;
}

void Compiler::emit_prologue() {
  frame_patches_.push_back(masm_.grow_stack_patchable());
  frame_.prologue_end = masm_.offset();
  stack_checked_ = prescan_.has_calls || big_frame_;
  if (stack_checked_) {
    masm_.cmp(Width::w64, Src::of(machine::kStack), Src::of(Address::at(kVmctx, abi::kOffsetStackLimit)));
    trap_if(Cond::lt_u, TrapCode::call_stack_exhausted);
  }
  for (std::size_t i = 0; i < machine::kCalleeSaved.size(); ++i)
    if (frame_.saved[i] >= 0)
      masm_.store(Kind::i64, Address::at(machine::kStack, frame_.saved[i]), machine::kCalleeSaved[i]);
  receive_params();
  zero_locals();
  if (prescan_.uses_memory0) masm_.load(Kind::i64, machine::kMemoryBase, Address::at(kVmctx, abi::kOffsetMemory0Base));
}

void Compiler::receive_params() {
  ParamLocations params;
  ParallelMove moves;
  bool any_overflow = false;
  for (std::uint32_t i = 0; i < type_->params.size(); ++i) {
    const Location at = params.next(type_->params[i]);
    const LocalVar& local = locals_[i];
    if (at.kind == Location::Kind::overflow) any_overflow = true;
    if (at.kind == Location::Kind::overflow || !prescan_.locals[i].used) continue;
    const Reg from = at.kind == Location::Kind::int_reg ? machine::kIntArgs[at.index] : machine::float_arg(at.index);
    if (local.pin.valid())
      moves.add(local.kind, local.pin, from);
    else
      masm_.store(local.kind, slot(local.slot), from);
  }
  moves.run(masm_);
  if (!any_overflow) return;

  masm_.load(Kind::i64, kScratch, Address::at(kVmctx, abi::kOffsetStore));
  ParamLocations again;
  for (std::uint32_t i = 0; i < type_->params.size(); ++i) {
    const Location at = again.next(type_->params[i]);
    const LocalVar& local = locals_[i];
    if (at.kind != Location::Kind::overflow || !prescan_.locals[i].used) continue;
    const Address from = Address::at(kScratch, abi::kStoreOffsetOverflow + static_cast<std::int32_t>(at.index * 16));
    if (local.pin.valid()) {
      masm_.load(local.kind, local.pin, from);
    } else {
      const Kind as = local.kind == Kind::v128 ? Kind::v128 : Kind::f64;
      masm_.load(as, machine::kFloatScratch, from);
      masm_.store(as, slot(local.slot), machine::kFloatScratch);
    }
  }
}

void Compiler::zero_locals() {
  std::uint32_t begin = 0, end = 0;  // of the run of slots collected so far
  for (auto i = static_cast<std::uint32_t>(type_->params.size()); i < locals_.size(); ++i) {
    if (!prescan_.locals[i].needs_zero) continue;
    const LocalVar& local = locals_[i];
    if (local.pin.valid()) {
      if (local.pin.is_float())
        masm_.float_zero(local.pin);
      else
        masm_.mov_imm(local.pin, 0);
      continue;
    }
    if (local.slot != end) {
      zero_slots(begin, end);
      begin = local.slot;
    }
    end = local.slot + size_of(local.kind);
  }
  zero_slots(begin, end);
}

void Compiler::zero_slots(std::uint32_t begin, std::uint32_t end) {
  constexpr std::uint32_t kMaxUnrolledBytes = 128;
  if (begin == end) return;
  if ((end - begin) % 16 != 0) {
    masm_.store_imm(slot(begin), 0, 8);
    begin += 8;
  }
  if (begin == end) return;
  masm_.float_zero(machine::kFloatScratch);
  if (end - begin <= kMaxUnrolledBytes) {
    for (; begin < end; begin += 16) masm_.store(Kind::v128, slot(begin), machine::kFloatScratch);
    return;
  }
  const Label loop = masm_.new_label();
  masm_.mov_imm(kScratch, std::uint64_t{0} - (end - begin));
  masm_.bind(loop);
  Address at = slot(end);
  at.index = kScratch;
  masm_.store(Kind::v128, at, machine::kFloatScratch);
  masm_.alu(Alu::add, Width::w64, kScratch, Src::of(16));
  masm_.jump(Cond::ne, loop);
}

void Compiler::restore_registers() {
  for (std::size_t i = 0; i < machine::kCalleeSaved.size(); ++i)
    if (frame_.saved[i] >= 0 && machine::kCalleeSaved[i] != kVmctx)  // r13 is restored after each call
      masm_.load(Kind::i64, machine::kCalleeSaved[i], Address::at(machine::kStack, frame_.saved[i]));
}

void Compiler::emit_epilogue() {
  restore_registers();
  frame_patches_.push_back(masm_.shrink_stack_patchable());
  const std::uint32_t popped = masm_.offset();
  masm_.ret();
  frame_.popped.emplace_back(popped, masm_.offset());
}

bool Compiler::needs_big_frame() const {
  return !stack_checked_ && operand_end_ + 16 > kMaxUncheckedFrameBytes;
}

abi::CodeArtifact Compiler::take_artifact(module::ValidatedBody body) {
  // The return address makes it a multiple of 16 together with the frame.
  frame_.size_bytes = ((operand_end_ + 7) & ~15u) + 8;
  for (const std::uint32_t at : frame_patches_) masm_.patch_u32(at, frame_.size_bytes);
  HEDDLE_CHECK(masm_.ok(), "the assembler takes every instruction we ask for");
  if (osr_loop_) return take_osr_stub(body);
  abi::CodeArtifact artifact(body);
  artifact.improvable = true;
  artifact.osr_points = osr_points_;
  artifact.code = masm_.take_code();
  artifact.sites = sites_;
  artifact.relocations = relocations_;
  artifact.handlers = handlers_;
  artifact.frame = frame_;
  artifact.listing = masm_.listing();
  return artifact;
}

void Compiler::trim() {
  constexpr std::size_t kKeptBytes = 1 << 20;
  const auto trim_vector = [](auto& v) {
    using Vector = std::remove_reference_t<decltype(v)>;
    if (v.capacity() * sizeof(typename Vector::value_type) > kKeptBytes) Vector().swap(v);
  };
  trim_vector(stack_);
  trim_vector(locals_);
  trim_vector(prescan_.locals);
  trim_vector(controls_);
  trim_vector(steps_);
  trim_vector(jump_targets_);
  sites_.trim(kKeptBytes);
  trim_vector(osr_points_);
  trim_vector(osr_stack_);
  trim_vector(relocations_);
  trim_vector(handlers_);
  masm_.trim();
}

// ---- results

std::uint32_t Compiler::hinted_local(Kind kind, const std::uint8_t* next) const {
  constexpr std::uint8_t kLocalSet = 0x21, kLocalTee = 0x22;
  if (next >= body_end_ || (*next != kLocalSet && *next != kLocalTee)) return Dest::kNoLocal;
  std::uint32_t index = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (++next >= body_end_) return Dest::kNoLocal;
    index |= static_cast<std::uint32_t>(*next & 0x7f) << shift;
    if ((*next & 0x80) == 0) break;
  }
  if (index >= locals_.size() || !locals_[index].pin.valid() || locals_[index].kind != kind) return Dest::kNoLocal;
  return index;
}

const std::uint8_t* Compiler::after_immediates(unsigned count) const {
  const std::uint8_t* p = ip_ + 1;
  for (; count > 0; --count) {
    while (p < body_end_ && (*p & 0x80) != 0) ++p;
    ++p;
  }
  return p;
}

Dest Compiler::dest_for(Kind kind, const Value* lhs, const Value* rhs, const std::uint8_t* next) {
  const std::uint32_t local = hinted_local(kind, next);
  if (local != Dest::kNoLocal && !(rhs != nullptr && rhs->is_local(local))) {
    detach_aliases(local);
    // If lhs is this local, its value must be in the register before the operation.
    if (lhs != nullptr && lhs->is_local(local)) static_cast<void>(pinned(local));
    return {locals_[local].pin, local};
  }
  if (lhs != nullptr && lhs->is_reg() && lhs->reg.is_float() == is_float_class(kind)) return {lhs->reg, Dest::kNoLocal};
  return {alloc_for(kind), Dest::kNoLocal};
}

void Compiler::finish(const Dest& d, Kind kind, const Value& lhs) {
  if (!(lhs.is_reg() && lhs.reg == d.reg)) release(lhs);
  push_dest(d, kind);
}

void Compiler::finish(const Dest& d, Kind kind, const Value& lhs, const Value& rhs) {
  release(rhs);
  finish(d, kind, lhs);
}

// ---- traps and code out of line

void Compiler::trap_now(TrapCode code) {
  trap_site(code);
  masm_.trap();
}

Compiler::OutOfLine& Compiler::out_of_line(OutOfLine::Form form) {
  OutOfLine step;
  step.form = form;
  step.entry = masm_.new_label();
  step.body_offset = body_offset_;
  steps_.push_back(step);
  return steps_.back();
}

void Compiler::trap_if(Cond c, TrapCode code) {
  OutOfLine& step = out_of_line(OutOfLine::Form::trap);
  step.code = code;
  masm_.jump(c, step.entry);
}

void Compiler::emit_out_of_line() {
  for (const OutOfLine& step : steps_) {
    body_offset_ = step.body_offset;
    if (masm_.is_listing()) note_instruction();
    masm_.bind(step.entry);
    emit_step(step);
  }
}

void Compiler::emit_step(const OutOfLine& step) {
  using Form = OutOfLine::Form;
  const auto float_trap = [&] {
    const Label invalid = masm_.new_label();
    masm_.float_compare(step.kind, step.x, Src::of(step.x));
    masm_.jump_near(Cond::unordered, invalid);
    trap_now(TrapCode::integer_overflow);
    masm_.bind(invalid);
    trap_now(TrapCode::invalid_conversion_to_integer);
  };
  switch (step.form) {
    case Form::trap: trap_now(step.code); return;
    case Form::float_trap: float_trap(); return;
    case Form::saturate:
      masm_.mov_imm(step.dst, 0);
      masm_.float_zero(machine::kFloatScratch);
      masm_.float_compare(step.kind, step.x, Src::of(machine::kFloatScratch));
      masm_.jump(Cond::unordered, step.resume);
      masm_.keep_flags(true);
      masm_.mov_imm(step.dst, step.high);
      masm_.jump(Cond::gt_u, step.resume);
      masm_.mov_imm(step.dst, step.low);
      masm_.keep_flags(false);
      masm_.jump(step.resume);
      return;
    case Form::exact_min: {
      const Label bad = masm_.new_label();
      masm_.load_float_const(step.kind, machine::kFloatScratch, step.low);
      masm_.float_compare(step.kind, step.x, Src::of(machine::kFloatScratch));
      masm_.jump_near(Cond::float_ne, bad);
      masm_.jump(step.resume);
      masm_.bind(bad);
      float_trap();
      return;
    }
    case Form::divide_overflow:
      // Only the lowest integer minus one overflows.
      masm_.cmp(step.width, Src::of(machine::kRax), Src::of(1));
      masm_.jump(Cond::no_overflow, step.resume);
      trap_now(TrapCode::integer_overflow);
      return;
    case Form::remainder_zero:
      masm_.mov_imm(machine::kRdx, 0);
      masm_.jump(step.resume);
      return;
    case Form::foreign_call:
      masm_.mov(Width::w64, kVmctx, kScratch);
      masm_.call(Address::at(machine::kRax, 0));
      record_call();
      restore_vmctx();
      masm_.jump(step.resume);
      return;
    case Form::negated_code:
      masm_.neg(Width::w64, machine::kRax);
      trap_now(TrapCode::none);
      return;
  }
}

void Compiler::emit_jump_tables() {
  for (const JumpTable& table : jump_tables_) {
    if (masm_.is_listing()) masm_.note("jump table");
    masm_.bind(table.table);
    for (std::uint32_t i = 0; i < table.count; ++i) masm_.embed_distance(jump_targets_[table.first + i], table.table);
  }
}

}  // namespace heddle::baseline
