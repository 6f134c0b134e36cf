#include "baseline/value_stack.h"

#include "base/check.h"

namespace heddle::baseline {

using machine::kFloatScratch;
using machine::kScratch;

void OperandState::reset_operands() {
  stack_.clear();
  locals_.clear();
  v128_consts_.clear();
  caller_pins_ = pin_valid_ = slot_valid_ = RegSet();
  temps_ = free_ = machine::kTemps;
  operand_base_ = operand_end_ = 0;
  flags_wait_ = false;
  exhausted_ = false;
  flushed_ = 0;
}

// ---- registers

Reg OperandState::alloc(RegSet from) {
  const RegSet candidates = free_ & from;
  if (!candidates.empty()) {
    const Reg r = candidates.first();
    free_.remove(r);
    owner_[r.id] = kHeld;
    return r;
  }
  // The deepest value is needed last.
  Reg victim;
  for (RegSet busy = (temps_ & from) - free_; !busy.empty();) {
    const Reg r = busy.take_first();
    if (owner_[r.id] != kHeld && (!victim.valid() || owner_[r.id] < owner_[victim.id])) victim = r;
  }
  if (!victim.valid()) {
    HEDDLE_DCHECK(victim.valid(), "an operation never holds all temporaries");
    exhausted_ = true;
    return (temps_ & from).first();
  }
  spill(owner_[victim.id]);
  free_.remove(victim);
  owner_[victim.id] = kHeld;
  return victim;
}

void OperandState::claim(Reg r) {
  if (free_.has(r)) {
    free_.remove(r);
    owner_[r.id] = kHeld;
    return;
  }
  if (!temps_.has(r) || owner_[r.id] == kHeld) {
    HEDDLE_DCHECK(false, "a claimed register is not held by the same operation");
    exhausted_ = true;
    return;
  }
  Value& v = stack_[owner_[r.id]];
  const RegSet others = free_ & (r.is_float() ? RegSet::all_floats() : RegSet::all_ints());
  if (others.empty()) {
    spill(owner_[r.id]);
    free_.remove(r);
  } else {
    const Reg other = others.first();
    masm_.mov(v.kind, other, r);
    free_.remove(other);
    owner_[other.id] = owner_[r.id];
    v.reg = other;
  }
  owner_[r.id] = kHeld;
}

// ---- the stack

std::uint32_t OperandState::next_slot(Kind kind) const {
  std::uint32_t end = stack_.empty() ? operand_base_ : stack_.back().slot + size_of(stack_.back().kind);
  if (kind == Kind::v128) end = (end + 15) & ~15u;
  return end;
}

void OperandState::push(Value v) {
  v.slot = next_slot(v.kind);
  if (v.where == Where::reg) owner_[v.reg.id] = static_cast<std::uint32_t>(stack_.size());
  stack_.push_back(v);
}

void OperandState::push_const(Kind kind, std::uint64_t bits) {
  Value v;
  v.kind = kind;
  v.bits = bits;
  push(v);
}

void OperandState::push_reg(Kind kind, Reg r) {
  Value v;
  v.kind = kind;
  v.where = Where::reg;
  v.reg = r;
  push(v);
}

void OperandState::push_slot(Kind kind) {
  Value v;
  v.kind = kind;
  v.where = Where::slot;
  push(v);
  touch(stack_.back());
}

void OperandState::push_local(std::uint32_t local, Kind kind) {
  Value v;
  v.kind = kind;
  v.where = Where::local;
  v.local = local;
  v.next_alias = locals_[local].alias_head;
  locals_[local].alias_head = static_cast<std::uint32_t>(stack_.size());
  push(v);
}

void OperandState::push_flags(Cond c) {
  Value v;
  v.where = Where::flags;
  v.cond = c;
  push(v);
  flags_wait_ = true;
  masm_.keep_flags(true);
}

void OperandState::push_dest(const Dest& d, Kind kind) {
  if (d.local == Dest::kNoLocal) return push_reg(kind, d.reg);
  mark_written(d.local);
  push_local(d.local, kind);
}

void OperandState::repush(const Value& v) {
  if (v.where == Where::local) return push_local(v.local, v.kind);
  push(v);
}

Value OperandState::pop() {
  const Value v = stack_.back();
  stack_.pop_back();
  if (v.where == Where::local) locals_[v.local].alias_head = v.next_alias;
  if (v.where == Where::reg) owner_[v.reg.id] = kHeld;
  if (v.where == Where::flags) flags_wait_ = false;
  if (flushed_ > stack_.size()) flushed_ = stack_.size();
  return v;
}

void OperandState::drop_to(std::size_t height) {
  while (stack_.size() > height) release(pop());
}

// ---- one popped value

Reg OperandState::to_reg(Value& v, RegSet avoid) {
  if (v.where == Where::reg && !avoid.has(v.reg)) return v.reg;
  if (v.where == Where::local && locals_[v.local].pin.valid()) return pinned(v.local);
  return to_temp(v, avoid);
}

Reg OperandState::to_temp(Value& v, RegSet avoid) {
  if (v.where == Where::reg && !avoid.has(v.reg)) return v.reg;
  const Reg r = alloc_for(v.kind, avoid);
  load_to(v, r);
  release(v);
  v.where = Where::reg;
  v.reg = r;
  return r;
}

void OperandState::load_to(const Value& v, Reg dst) {
  switch (v.where) {
    case Where::constant:
      if (v.kind == Kind::v128)
        masm_.load_float_const(v.kind, dst, v128_consts_[v.bits].lo, v128_consts_[v.bits].hi);
      else if (is_float_class(v.kind))
        masm_.load_float_const(v.kind, dst, v.bits);
      else
        masm_.mov_imm(dst, v.bits);
      return;
    case Where::reg: masm_.mov(v.kind, dst, v.reg); return;
    case Where::slot: masm_.load(v.kind, dst, slot(v.slot)); return;
    case Where::local: {
      const LocalVar& local = locals_[v.local];
      if (local.pin.valid() && pin_valid_.has(local.pin))
        masm_.mov(local.kind, dst, local.pin);
      else
        masm_.load(local.kind, dst, slot(local.slot));
      return;
    }
    case Where::flags: masm_.set_cond(v.cond, dst); return;
  }
}

Src OperandState::source(Value& v) {
  switch (v.where) {
    case Where::constant: {
      const auto value = static_cast<std::int64_t>(v.bits);
      if (v.kind == Kind::i32) return Src::of(static_cast<std::int32_t>(v.bits));
      if (value == static_cast<std::int32_t>(value)) return Src::of(static_cast<std::int32_t>(value));
      masm_.mov_imm(kScratch, v.bits);
      return Src::of(kScratch);
    }
    case Where::reg: return Src::of(v.reg);
    case Where::slot: return Src::of(slot(v.slot));
    case Where::local: {
      const LocalVar& local = locals_[v.local];
      if (local.pin.valid()) return Src::of(pinned(v.local));
      // A local read at another width (i64.extend_i32_u) must go through a register.
      if (local.kind == v.kind) return Src::of(slot(local.slot));
      return Src::of(to_temp(v));
    }
    case Where::flags: return Src::of(to_temp(v));
  }
  HEDDLE_UNREACHABLE("a value is somewhere");
}

Src OperandState::source_no_imm(Value& v) {
  if (v.is_const()) return Src::of(to_temp(v));
  return source(v);
}

Src OperandState::float_source(Value& v) {
  if (!v.is_const()) return source(v);
  if (v.kind == Kind::v128) {
    const V128Const& c = v128_consts_[v.bits];
    return Src::of(masm_.pool(c.lo, c.hi));
  }
  return Src::of(masm_.pool(v.bits, 0));
}

// ---- values on the stack

void OperandState::store_value(const Value& v, const Address& to) {
  switch (v.where) {
    case Where::reg: masm_.store(v.kind, to, v.reg); return;
    case Where::constant: {
      const auto value = static_cast<std::int64_t>(v.bits);
      if (v.kind == Kind::v128) break;
      if (width_of(v.kind) == Width::w32) return masm_.store_imm(to, static_cast<std::int32_t>(v.bits), 4);
      if (value == static_cast<std::int32_t>(value)) return masm_.store_imm(to, static_cast<std::int32_t>(value), 8);
      masm_.mov_imm(kScratch, v.bits);
      return masm_.store(Kind::i64, to, kScratch);
    }
    case Where::local:
      if (const Reg pin = locals_[v.local].pin; pin.valid() && pin_valid_.has(pin)) return masm_.store(v.kind, to, pin);
      break;
    case Where::slot:
    case Where::flags: break;
  }
  const Reg via = is_float_class(v.kind) ? kFloatScratch : kScratch;
  load_to(v, via);
  masm_.store(v.kind, to, via);
}

void OperandState::store_to_slot(Value& v) {
  touch(v);
  if (v.where == Where::slot) return;
  store_value(v, slot(v.slot));
  if (v.where == Where::reg) free_.add(v.reg);
  if (v.where == Where::local) locals_[v.local].alias_head = Value::kNone;  // flush() detaches all of them
  v.where = Where::slot;
}

void OperandState::flush(std::size_t constants_from) {
  for (std::size_t i = flushed_; i < stack_.size(); ++i)
    if (!stack_[i].is_const()) store_to_slot(stack_[i]);
  for (std::size_t i = constants_from; i < stack_.size(); ++i) store_to_slot(stack_[i]);
  flushed_ = stack_.size();
}

void OperandState::spill(std::size_t index) {
  HEDDLE_DCHECK(stack_[index].is_reg(), "only values in registers are spilled");
  store_to_slot(stack_[index]);
}

void OperandState::spill_registers_below(std::size_t height) {
  for (RegSet busy = temps_ - free_; !busy.empty();) {
    const Reg r = busy.take_first();
    if (owner_[r.id] < height) spill(owner_[r.id]);  // kHeld is above every height
  }
}

void OperandState::settle_flags() {
  Value v = pop();
  const Reg r = alloc_int();
  masm_.set_cond(v.cond, r);
  masm_.keep_flags(false);
  push_reg(Kind::i32, r);
}

void OperandState::place(std::size_t index, Reg r) {
  Value& v = stack_[index];
  if (v.is_reg() && v.reg == r) return;
  claim(r);
  if (v.where == Where::local) {
    HEDDLE_CHECK(locals_[v.local].alias_head == index, "only the latest alias of a local is placed");
    load_to(v, r);
    locals_[v.local].alias_head = v.next_alias;
  } else {
    load_to(v, r);
    release(v);
  }
  v.where = Where::reg;
  v.reg = r;
  owner_[r.id] = static_cast<std::uint32_t>(index);
  if (flushed_ > index) flushed_ = index;
}

void OperandState::copy_slot(Kind kind, std::uint32_t from, std::uint32_t to) {
  if (from == to) return;
  const Reg via = kind == Kind::v128 ? kFloatScratch : kScratch;
  const Kind as = kind == Kind::v128 ? kind : Kind::i64;
  masm_.load(as, via, slot(from));
  masm_.store(as, slot(to), via);
}

// ---- locals

Reg OperandState::pinned(std::uint32_t local) {
  const LocalVar& l = locals_[local];
  if (!pin_valid_.has(l.pin)) {
    masm_.load(l.kind, l.pin, slot(l.slot));
    pin_valid_.add(l.pin);
    slot_valid_.add(l.pin);
  }
  return l.pin;
}

void OperandState::mark_written(std::uint32_t local) {
  const LocalVar& l = locals_[local];
  if (!l.pin.valid()) return;
  pin_valid_.add(l.pin);
  slot_valid_.remove(l.pin);
}

void OperandState::detach_aliases(std::uint32_t local) {
  std::uint32_t i = locals_[local].alias_head;
  locals_[local].alias_head = Value::kNone;
  while (i != Value::kNone) {
    Value& v = stack_[i];
    const std::uint32_t next = v.next_alias;
    const RegSet available = free_ & (is_float_class(v.kind) ? RegSet::all_floats() : RegSet::all_ints());
    if (available.empty()) {
      store_to_slot(v);
    } else {
      const Reg r = available.first();
      free_.remove(r);
      load_to(v, r);
      v.where = Where::reg;
      v.reg = r;
      owner_[r.id] = i;
    }
    i = next;
  }
}

void OperandState::save_pins() {
  for (RegSet dirty = (caller_pins_ & pin_valid_) - slot_valid_; !dirty.empty();) {
    const Reg r = dirty.take_first();
    const LocalVar& local = locals_[pin_local_[r.id]];
    masm_.store(local.kind, slot(local.slot), r);
  }
  slot_valid_ |= caller_pins_ & pin_valid_;
}

void OperandState::load_pins() {
  for (RegSet missing = caller_pins_ - pin_valid_; !missing.empty();)
    static_cast<void>(pinned(pin_local_[missing.take_first().id]));
}

}  // namespace heddle::baseline
