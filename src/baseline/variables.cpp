// Locals, globals and references. https://webassembly.github.io/spec/core/exec/instructions.html#variable-instructions
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::kScratch;
using machine::kVmctx;

base::Status Compiler::on_local_get(const binary::imm::Local& imm) {
  push_local(imm.local.value);
  return {};
}

base::Status Compiler::on_local_set(const binary::imm::Local& imm) {
  const std::uint32_t index = imm.local.value;
  const Value v = pop();
  if (v.is_local(index)) return {};
  detach_aliases(index);
  const LocalVar& local = locals_[index];
  if (local.pin.valid()) {
    load_to(v, local.pin);
    mark_written(index);
  } else {
    store_value(v, slot(local.slot));
  }
  release(v);
  return {};
}

base::Status Compiler::on_local_tee(const binary::imm::Local& imm) {
  const std::uint32_t index = imm.local.value;
  Value v = pop();
  if (v.is_local(index)) {
    repush(v);
    return {};
  }
  detach_aliases(index);
  const LocalVar& local = locals_[index];
  if (local.pin.valid()) {
    load_to(v, local.pin);
    mark_written(index);
    if (v.is_const()) {
      repush(v);
    } else {
      release(v);
      push_local(index);
    }
    return {};
  }
  if (!v.is_const()) static_cast<void>(to_reg(v));
  store_value(v, slot(local.slot));
  repush(v);
  return {};
}

base::Status Compiler::on_global_get(const binary::imm::Global& imm) {
  const Kind kind = module_->globals[imm.global.value].type.type.kind();
  const Dest d = dest_for(kind, nullptr, nullptr, after_immediates(1));
  Address at = Address::at(kVmctx, layout_->global(imm.global));
  if (layout_->global_is_pointer(imm.global)) {
    masm_.load(Kind::i64, kScratch, at);
    at = Address::at(kScratch, 0);
  }
  masm_.load(kind, d.reg, at);
  push_dest(d, kind);
  return {};
}

base::Status Compiler::on_global_set(const binary::imm::Global& imm) {
  Value v = pop();
  const Address at = Address::at(kVmctx, layout_->global(imm.global));
  if (layout_->global_is_pointer(imm.global)) {
    const Reg r = to_reg(v);
    masm_.load(Kind::i64, kScratch, at);
    masm_.store(v.kind, Address::at(kScratch, 0), r);
  } else {
    store_value(v, at);
  }
  release(v);
  return {};
}

base::Status Compiler::on_ref_null(const binary::imm::HeapType&) {
  push_const(Kind::ref, 0);
  return {};
}

base::Status Compiler::on_ref_is_null(const None&) {
  Value v = pop();
  const Src s = source_no_imm(v);
  if (s.is_reg())
    masm_.test(Width::w64, s, s);
  else
    masm_.cmp(Width::w64, s, Src::of(0));
  release(v);
  push_flags(Cond::eq);
  return {};
}

base::Status Compiler::on_ref_func(const binary::imm::Func& imm) {
  const Dest d = dest_for(Kind::ref, nullptr, nullptr, after_immediates(1));
  masm_.load(Kind::i64, d.reg, Address::at(kVmctx, abi::kOffsetFuncRefs));
  const auto offset = static_cast<std::int32_t>(layout_->func_ref(imm.func) * sizeof(abi::VmFuncRef));
  if (offset != 0) masm_.alu(Alu::add, Width::w64, d.reg, Src::of(offset));
  push_dest(d, Kind::ref);
  return {};
}

base::Status Compiler::on_ref_eq(const None&) {
  int_compare(Cond::eq, Width::w64);
  return {};
}

base::Status Compiler::on_ref_as_non_null(const None&) {
  Value v = pop();
  const Reg r = to_reg(v);
  masm_.test(Width::w64, Src::of(r), Src::of(r));
  trap_if(Cond::eq, TrapCode::null_reference);
  repush(v);
  return {};
}

}  // namespace heddle::baseline
