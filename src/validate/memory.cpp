// Loads, stores, atomics, lanes and bulk memory instructions.
// https://webassembly.github.io/spec/core/valid/instructions.html#memory-instructions
// https://webassembly.github.io/threads/core/valid/instructions.html#atomic-memory-instructions
#include <bit>

#include "validate/errors.h"
#include "validate/function_validator.h"

namespace heddle::validate {
namespace {

spec::ValType::Kind address_kind(const spec::MemType& memory) {
  return spec::val_type_of(memory.address).kind();
}

/// Lengths of copies between memories or tables have the smaller of both address types.
spec::ValType smaller(spec::AddressType a, spec::AddressType b) {
  return spec::val_type_of(a == spec::AddressType::i64 ? b : a);
}

}  // namespace

base::Error FunctionValidator::access_error(const Signature& signature, const binary::imm::MemArg& imm) const {
  if (imm.memory.value >= module_.memories.size())
    return errors::unknown("memory", imm.memory.value, module_.memories.size(), at());
  const auto natural = static_cast<std::uint32_t>(std::countr_zero(signature.memory_bytes));
  if (signature.atomic && imm.align_log2 != natural)
    return errors::atomic_alignment(at(), imm.align_log2, signature.memory_bytes);
  if (imm.align_log2 > natural) return errors::alignment_too_large(at(), imm.align_log2, signature.memory_bytes);
  return errors::offset_out_of_range(at(), imm.offset);
}

base::Status FunctionValidator::check_lane(std::uint32_t lane, std::uint32_t lanes) const {
  if (lane < lanes) return {};
  return errors::invalid_lane(at(), lane, lanes);
}

base::Status FunctionValidator::apply(const Signature& signature, const binary::imm::MemArgLane& imm) {
  if (!is_good_access(signature, imm.memarg)) return access_error(signature, imm.memarg);
  HEDDLE_TRY(check_lane(imm.lane, signature.lanes));
  return apply(signature, imm.memarg);
}

base::Status FunctionValidator::apply(const Signature& signature, const binary::imm::Memory& imm) {
  const spec::MemType* memory = nullptr;
  HEDDLE_TRY(find_memory(imm.memory, memory));
  return apply_with(signature, address_kind(*memory));
}

// https://webassembly.github.io/spec/core/valid/instructions.html#vector-instructions
base::Status FunctionValidator::apply(const Signature& signature, const binary::imm::Lane& imm) {
  HEDDLE_TRY(check_lane(imm.lane, signature.lanes));
  return apply_with(signature, ValType::Kind::bottom);
}

base::Status FunctionValidator::apply(const Signature& signature, const binary::imm::Shuffle& imm) {
  for (const std::uint8_t lane : imm.lanes) HEDDLE_TRY(check_lane(lane, 32));
  return apply_with(signature, ValType::Kind::bottom);
}

base::Status FunctionValidator::apply(const Signature& signature, const binary::imm::Data& imm) {
  HEDDLE_TRY(check_data(imm.data));
  return apply_with(signature, ValType::Kind::bottom);
}

base::Status FunctionValidator::on_memory_init(const binary::imm::MemoryInit& imm) {
  const spec::MemType* memory = nullptr;
  HEDDLE_TRY(find_memory(imm.memory, memory));
  HEDDLE_TRY(check_data(imm.data));
  const ValType operands[] = {spec::val_type_of(memory->address), spec::kI32, spec::kI32};
  return pop(operands);
}

base::Status FunctionValidator::on_memory_copy(const binary::imm::MemoryCopy& imm) {
  const spec::MemType* dst = nullptr;
  const spec::MemType* src = nullptr;
  HEDDLE_TRY(find_memory(imm.dst, dst));
  HEDDLE_TRY(find_memory(imm.src, src));
  const ValType operands[] = {spec::val_type_of(dst->address), spec::val_type_of(src->address),
                              smaller(dst->address, src->address)};
  return pop(operands);
}

// https://webassembly.github.io/spec/core/valid/instructions.html#table-instructions
base::Status FunctionValidator::on_table_get(const binary::imm::Table& imm) {
  const spec::TableType* table = nullptr;
  HEDDLE_TRY(find_table(imm.table, table));
  HEDDLE_TRY(pop(spec::val_type_of(table->address)));
  push(table->element);
  return {};
}

base::Status FunctionValidator::on_table_set(const binary::imm::Table& imm) {
  const spec::TableType* table = nullptr;
  HEDDLE_TRY(find_table(imm.table, table));
  const ValType operands[] = {spec::val_type_of(table->address), table->element};
  return pop(operands);
}

base::Status FunctionValidator::on_table_init(const binary::imm::TableInit& imm) {
  const spec::TableType* table = nullptr;
  ValType elem;
  HEDDLE_TRY(find_table(imm.table, table));
  HEDDLE_TRY(find_elem(imm.elem, elem));
  if (!fits(elem, table->element))
    return errors::types_differ(at(), "the table", Types(&table->element, 1), "the element segment", Types(&elem, 1));
  const ValType operands[] = {spec::val_type_of(table->address), spec::kI32, spec::kI32};
  return pop(operands);
}

base::Status FunctionValidator::on_elem_drop(const binary::imm::Elem& imm) {
  ValType ignored;
  return find_elem(imm.elem, ignored);
}

base::Status FunctionValidator::on_table_copy(const binary::imm::TableCopy& imm) {
  const spec::TableType* dst = nullptr;
  const spec::TableType* src = nullptr;
  HEDDLE_TRY(find_table(imm.dst, dst));
  HEDDLE_TRY(find_table(imm.src, src));
  if (!fits(src->element, dst->element))
    return errors::types_differ(at(), "the destination table", Types(&dst->element, 1), "the source",
                                Types(&src->element, 1));
  const ValType operands[] = {spec::val_type_of(dst->address), spec::val_type_of(src->address),
                              smaller(dst->address, src->address)};
  return pop(operands);
}

base::Status FunctionValidator::on_table_grow(const binary::imm::Table& imm) {
  const spec::TableType* table = nullptr;
  HEDDLE_TRY(find_table(imm.table, table));
  const ValType operands[] = {table->element, spec::val_type_of(table->address)};
  HEDDLE_TRY(pop(operands));
  push(spec::val_type_of(table->address));
  return {};
}

base::Status FunctionValidator::on_table_size(const binary::imm::Table& imm) {
  const spec::TableType* table = nullptr;
  HEDDLE_TRY(find_table(imm.table, table));
  push(spec::val_type_of(table->address));
  return {};
}

base::Status FunctionValidator::on_table_fill(const binary::imm::Table& imm) {
  const spec::TableType* table = nullptr;
  HEDDLE_TRY(find_table(imm.table, table));
  const ValType address = spec::val_type_of(table->address);
  const ValType operands[] = {address, table->element, address};
  return pop(operands);
}

}  // namespace heddle::validate
