// Tables. https://webassembly.github.io/spec/core/exec/instructions.html#table-instructions
// Only the thread that owns the instance uses its tables, so size and elements may be read one after the other.
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::kScratch;
using machine::kVmctx;

namespace {

constexpr std::int32_t kTableElements = offsetof(abi::VmTable, elements);
constexpr std::int32_t kTableSize = offsetof(abi::VmTable, size);

}  // namespace

/// Uses kScratch for an imported table.
Address Compiler::table_field(spec::TableIndex table, std::int32_t field) {
  const std::int32_t offset = layout_->table(table);
  if (!layout_->table_is_pointer(table)) return Address::at(kVmctx, offset + field);
  masm_.load(Kind::i64, kScratch, Address::at(kVmctx, offset));
  return Address::at(kScratch, field);
}

Address Compiler::table_entry(spec::TableIndex table, Value& index, TrapCode code) {
  const Reg r = to_reg(index);
  masm_.cmp(Width::w64, Src::of(r), Src::of(table_field(table, kTableSize)));
  trap_if(Cond::ge_u, code);
  masm_.load(Kind::i64, kScratch, table_field(table, kTableElements));
  return Address{kScratch, r, 3, 0, {}};
}

base::Status Compiler::on_table_get(const binary::imm::Table& imm) {
  Value index = pop();
  static_cast<void>(to_reg(index));
  const Dest d = dest_for(Kind::ref, &index, nullptr, after_immediates(1));
  const Address entry = table_entry(imm.table, index, TrapCode::table_out_of_bounds);
  masm_.load(Kind::ref, d.reg, entry);
  finish(d, Kind::ref, index);
  return {};
}

base::Status Compiler::on_table_set(const binary::imm::Table& imm) {
  Value v = pop(), index = pop();
  const Reg r = to_reg(v);
  const Address entry = table_entry(imm.table, index, TrapCode::table_out_of_bounds);
  masm_.store(Kind::ref, entry, r);
  release(index);
  release(v);
  return {};
}

base::Status Compiler::on_table_size(const binary::imm::Table& imm) {
  const bool is_64 = module_->tables[imm.table.value].type.address == spec::AddressType::i64;
  const Kind kind = is_64 ? Kind::i64 : Kind::i32;
  const Dest d = dest_for(kind, nullptr, nullptr, after_immediates(2));
  masm_.load(kind, d.reg, table_field(imm.table, kTableSize));
  push_dest(d, kind);
  return {};
}

base::Status Compiler::on_table_grow(const binary::imm::Table& imm) {
  const Value delta = pop(), init = pop();
  Value args[] = {constant(Kind::i32, imm.table.value), delta, init};
  call_builtin(abi::Builtin::table_grow, args);
  push_grow_result(module_->tables[imm.table.value].type.address);
  return {};
}

base::Status Compiler::on_table_fill(const binary::imm::Table& imm) {
  const Value count = pop(), value = pop(), start = pop();
  Value args[] = {constant(Kind::i32, imm.table.value), start, value, count};
  call_status_builtin(abi::Builtin::table_fill, args);
  return {};
}

base::Status Compiler::on_table_copy(const binary::imm::TableCopy& imm) {
  const Value count = pop(), src = pop(), dst = pop();
  const std::uint64_t tables = imm.dst.value | std::uint64_t{imm.src.value} << 32;
  Value args[] = {constant(Kind::i64, tables), dst, src, count};
  call_status_builtin(abi::Builtin::table_copy, args);
  return {};
}

base::Status Compiler::on_table_init(const binary::imm::TableInit& imm) {
  const Value count = pop(), src = pop(), dst = pop();
  Value args[] = {constant(Kind::i32, imm.table.value), constant(Kind::i32, imm.elem.value), dst, src, count};
  call_status_builtin(abi::Builtin::table_init, args);
  return {};
}

base::Status Compiler::on_elem_drop(const binary::imm::Elem& imm) {
  Value args[] = {constant(Kind::i32, imm.elem.value)};
  call_builtin(abi::Builtin::elem_drop, args);
  return {};
}

}  // namespace heddle::baseline
