// Calls, tail calls and host services, by abi/calling_convention.h.
#include "base/check.h"
#include "baseline/compiler.h"

namespace heddle::baseline {

using abi::Location;
using abi::ParamLocations;
using machine::kFloatScratch;
using machine::kRax;
using machine::kScratch;
using machine::kVmctx;

namespace {

constexpr std::int32_t kFuncRefSlot = offsetof(abi::VmFuncRef, slot);
constexpr std::int32_t kFuncRefVmctx = offsetof(abi::VmFuncRef, vmctx);
constexpr std::int32_t kFuncRefType = offsetof(abi::VmFuncRef, type);
static_assert(offsetof(abi::VmFuncImport, slot) == kFuncRefSlot && offsetof(abi::VmFuncImport, vmctx) == kFuncRefVmctx,
              "an import is called like a funcref");

}  // namespace

// ---- arguments and results

/// Pops the arguments into their places; everything else that a call destroys goes to the frame. `extra_from` (if
/// valid) is moved along to `extra_to`, which no argument uses.
void Compiler::marshal_args(const spec::FuncType& type, Reg extra_from, Reg extra_to) {
  const std::size_t count = type.params.size();
  const std::size_t first = height() - count;
  save_pins();
  ParamLocations locations;
  ParallelMove moves;
  struct Load {
    std::size_t index;
    Reg to;
  };
  Load loads[abi::kIntArgRegs + abi::kFloatArgRegs];
  std::size_t load_count = 0;
  bool overflow_loaded = false;
  for (std::size_t i = 0; i < count; ++i) {
    const Value& v = stack_[first + i];
    const Location at = locations.next(type.params[i]);
    if (at.kind == Location::Kind::overflow) {
      if (!overflow_loaded) load_overflow_base();
      overflow_loaded = true;
      store_overflow(at.index, v);
      continue;
    }
    const Reg to = at.kind == Location::Kind::int_reg ? machine::kIntArgs[at.index] : machine::float_arg(at.index);
    if (v.is_reg())
      moves.add(v.kind, to, v.reg);
    else if (v.where == Where::local && pin_valid_.has(pin_of(v)))
      moves.add(v.kind, to, pin_of(v));
    else
      loads[load_count++] = {first + i, to};
  }
  if (extra_from.valid()) moves.add(Kind::ref, extra_to, extra_from);
  // Values that outlive the call, before the moves overwrite their registers.
  spill_registers_below(first);
  moves.run(masm_);
  for (std::size_t i = 0; i < load_count; ++i) load_to(stack_[loads[i].index], loads[i].to);
  drop_to(first);
}

void Compiler::take_results(const spec::FuncType& type) {
  for (std::size_t i = 0; i < type.results.size(); ++i) {
    const Kind kind = type.results[i].kind();
    if (i == 0) {
      claim(result_reg(kind));
      push_reg(kind, result_reg(kind));
      continue;
    }
    if (i == 1) load_overflow_base();
    push_slot(kind);
    const Kind as = kind == Kind::v128 ? Kind::v128 : Kind::f64;
    const auto offset = static_cast<std::int32_t>((i - 1) * 16);
    masm_.load(as, kFloatScratch, Address::at(kScratch, abi::kStoreOffsetOverflow + offset));
    masm_.store(as, slot(top().slot), kFloatScratch);
  }
}

void Compiler::restore_vmctx() {
  masm_.load(Kind::i64, kVmctx, Address::at(machine::kStack, frame_.saved[3]));
}

// ---- calls

base::Status Compiler::on_call(const binary::imm::Func& imm) {
  const spec::FuncType& type = module_->type_of(imm.func);
  marshal_args(type, {}, {});
  if (!module_->is_imported(imm.func)) {
    relocations_.push_back({masm_.call_slot(), imm.func});
    record_call();
    forget_pins();
  } else {
    const std::int32_t import = layout_->func_import(imm.func);
    masm_.load(Kind::i64, kRax, Address::at(kVmctx, import + kFuncRefSlot));
    masm_.load(Kind::i64, kVmctx, Address::at(kVmctx, import + kFuncRefVmctx));
    masm_.call(Address::at(kRax, 0));
    record_call();
    forget_pins();
    restore_vmctx();
  }
  take_results(type);
  return {};
}

void Compiler::call_through(Value callee, const spec::FuncType& type) {
  marshal_args(type, to_reg(callee), kRax);
  release(callee);
  // Loaded only if it is another's (abi/calling_convention.h).
  const Label own = masm_.new_label();
  masm_.cmp(Width::w64, Src::of(kVmctx), Src::of(Address::at(kRax, kFuncRefVmctx)));
  masm_.jump(Cond::eq, own);
  masm_.load(Kind::i64, kVmctx, Address::at(kRax, kFuncRefVmctx));
  masm_.bind(own);
  masm_.load(Kind::i64, kRax, Address::at(kRax, kFuncRefSlot));
  masm_.call(Address::at(kRax, 0));
  record_call();
  forget_pins();
  restore_vmctx();
  take_results(type);
}

Value Compiler::pop_indirect_callee(const binary::imm::CallIndirect& imm) {
  Value index = pop();
  const Address entry = table_entry(imm.table, index, TrapCode::undefined_element);
  Value callee = constant(Kind::ref, 0);
  callee.where = Where::reg;
  callee.reg = alloc_int();
  masm_.load(Kind::i64, callee.reg, entry);
  release(index);
  masm_.test(Width::w64, Src::of(callee.reg), Src::of(callee.reg));
  trap_if(Cond::eq, TrapCode::uninitialized_element);
  check_signature(callee, imm.type);
  return callee;
}

/// Types are equal iff their canonical pointers are; a type that may have subtypes asks the host if they differ.
void Compiler::check_signature(Value& callee, spec::TypeIndex type) {
  const auto expected = static_cast<std::int32_t>(type.value * 8);
  const bool is_final = module_->types[type.value].final_;
  const Reg actual = machine::kIntArgs[0], wanted = machine::kIntArgs[1];  // of is_subtype
  if (is_final) {
    masm_.load(Kind::i64, kScratch, Address::at(kVmctx, abi::kOffsetTypes));
    masm_.load(Kind::i64, kScratch, Address::at(kScratch, expected));
    masm_.cmp(Width::w64, Src::of(kScratch), Src::of(Address::at(callee.reg, kFuncRefType)));
    return trap_if(Cond::ne, TrapCode::indirect_call_type_mismatch);
  }
  push(callee);
  spill_registers();
  save_pins();
  const Label same = masm_.new_label();
  masm_.load(Kind::i64, kRax, slot(top().slot));
  masm_.load(Kind::i64, actual, Address::at(kRax, kFuncRefType));
  masm_.load(Kind::i64, wanted, Address::at(kVmctx, abi::kOffsetTypes));
  masm_.load(Kind::i64, wanted, Address::at(wanted, expected));
  masm_.cmp(Width::w64, Src::of(actual), Src::of(wanted));
  masm_.jump(Cond::eq, same);
  emit_builtin_call(abi::Builtin::is_subtype);
  masm_.test(Width::w32, Src::of(kRax), Src::of(kRax));
  trap_if(Cond::eq, TrapCode::indirect_call_type_mismatch);
  masm_.bind(same);
  forget_pins();
  callee = pop();
  static_cast<void>(to_temp(callee));
}

base::Status Compiler::on_call_indirect(const binary::imm::CallIndirect& imm) {
  call_through(pop_indirect_callee(imm), module_->func_type(imm.type));
  return {};
}

Value Compiler::pop_func_ref() {
  Value v = pop();
  const Reg r = to_reg(v);
  masm_.test(Width::w64, Src::of(r), Src::of(r));
  trap_if(Cond::eq, TrapCode::null_function_reference);
  return v;
}

base::Status Compiler::on_call_ref(const binary::imm::Type& imm) {
  call_through(pop_func_ref(), module_->func_type(imm.type));
  return {};
}

// ---- tail calls

void Compiler::leave_frame() {
  restore_registers();
  frame_patches_.push_back(masm_.shrink_stack_patchable());
}

base::Status Compiler::on_return_call(const binary::imm::Func& imm) {
  const spec::FuncType& type = module_->type_of(imm.func);
  if (module_->is_imported(imm.func)) {
    const Reg r = alloc_int();
    masm_.lea(Width::w64, r, Address::at(kVmctx, layout_->func_import(imm.func)));
    Value callee = constant(Kind::ref, 0);
    callee.where = Where::reg;
    callee.reg = r;
    return_call_through(callee, type);
    return {};
  }
  marshal_args(type, {}, {});
  leave_frame();
  const std::uint32_t popped = masm_.offset();
  relocations_.push_back({masm_.jump_slot(), imm.func});
  frame_.popped.emplace_back(popped, masm_.offset());
  return {};
}

/// Our caller expects its r13 back. So only a callee with the same vmctx may take our place; another instance's or a
/// host's function is called and its results are passed on.
void Compiler::return_call_through(Value callee, const spec::FuncType& type) {
  marshal_args(type, to_reg(callee), kRax);
  release(callee);
  masm_.load(Kind::i64, kScratch, Address::at(kRax, kFuncRefVmctx));
  masm_.load(Kind::i64, kRax, Address::at(kRax, kFuncRefSlot));
  masm_.cmp(Width::w64, Src::of(kScratch), Src::of(kVmctx));
  // Out of line also because no handler of this function may catch what that call throws.
  OutOfLine& foreign = out_of_line(OutOfLine::Form::foreign_call);
  foreign.resume = controls_.front().label;
  masm_.jump(Cond::ne, foreign.entry);
  leave_frame();
  const std::uint32_t popped = masm_.offset();
  masm_.jump_to(Address::at(kRax, 0));
  frame_.popped.emplace_back(popped, masm_.offset());
}

base::Status Compiler::on_return_call_indirect(const binary::imm::CallIndirect& imm) {
  return_call_through(pop_indirect_callee(imm), module_->func_type(imm.type));
  return {};
}

base::Status Compiler::on_return_call_ref(const binary::imm::Type& imm) {
  return_call_through(pop_func_ref(), module_->func_type(imm.type));
  return {};
}

// ---- host services

/// The call itself and the test of the interrupt flag that builtins.def asks for. Arguments are in place; rax is used
/// before, kScratch after.
void Compiler::emit_builtin_call(abi::Builtin builtin) {
  masm_.load(Kind::i64, kRax, Address::at(kVmctx, abi::kOffsetStore));
  masm_.store(Kind::i64, Address::at(kRax, abi::kStoreOffsetExitSp), machine::kStack);
  masm_.load(Kind::i64, kRax, Address::at(kVmctx, abi::kOffsetBuiltins));
  masm_.call(Address::at(kRax, abi::offset_of(builtin)));
  record_call();
  masm_.load(Kind::i64, kScratch, Address::at(kVmctx, abi::kOffsetStore));
  masm_.cmp(Width::w32, Src::of(Address::at(kScratch, abi::kStoreOffsetInterrupt)), Src::of(0));
  trap_if(Cond::ne, TrapCode::interrupted);
}

void Compiler::call_builtin(abi::Builtin builtin, std::span<Value> args) {
  HEDDLE_CHECK(args.size() < machine::kIntArgs.size(), "host services take their arguments in registers");
  spill_registers();
  save_pins();
  ParallelMove moves;
  moves.add(Kind::ref, machine::kIntArgs[0], kVmctx);
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Value& v = args[i];
    if (v.is_reg())
      moves.add(v.kind, machine::kIntArgs[i + 1], v.reg);
    else if (v.where == Where::local && pin_valid_.has(pin_of(v)))
      moves.add(v.kind, machine::kIntArgs[i + 1], pin_of(v));
  }
  moves.run(masm_);
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Value& v = args[i];
    const bool moved = v.is_reg() || (v.where == Where::local && pin_valid_.has(pin_of(v)));
    if (!moved) load_to(v, machine::kIntArgs[i + 1]);
    release(v);
  }
  emit_builtin_call(builtin);
  forget_pins();
}

void Compiler::call_status_builtin(abi::Builtin builtin, std::span<Value> args) {
  call_builtin(builtin, args);
  masm_.test(Width::w32, Src::of(kRax), Src::of(kRax));
  trap_if(Cond::ne, TrapCode::none);
}

void Compiler::push_builtin_result(Kind kind) {
  claim(kRax);
  push_reg(kind, kRax);
}

void Compiler::push_result64() {
  masm_.test(Width::w64, Src::of(kRax), Src::of(kRax));
  OutOfLine& step = out_of_line(OutOfLine::Form::negated_code);
  masm_.jump(Cond::negative, step.entry);
  push_builtin_result(Kind::i32);
}

}  // namespace heddle::baseline
