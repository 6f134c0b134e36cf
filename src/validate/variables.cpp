// Locals and globals. https://webassembly.github.io/spec/core/valid/instructions.html#variable-instructions
// Locals without a default value must be set before they are read; what was set inside a block counts only there.
//
// Locals are announced in runs (5 bytes may announce 50,000), so only as many as the body's own size pays for are laid
// out flat; the rest is found by bisection. A module of many tiny bodies thus costs no more than its bytes.
#include <algorithm>

#include "validate/errors.h"
#include "validate/function_validator.h"
#include "validate/type_rules.h"

namespace heddle::validate {

base::Status FunctionValidator::declare_locals(Types params, std::span<const binary::LocalRun> runs) {
  const std::size_t flat_limit = module_.body(func_).range.size_bytes() + 64;
  locals_.assign(params.begin(), params.end());
  std::uint32_t end = static_cast<std::uint32_t>(params.size());
  bool all_default = true;
  for (const binary::LocalRun& run : runs) {
    HEDDLE_TRY(validate::check_val_type(module_, run.type, begin_offset_));
    all_default = all_default && (run.count == 0 || run.type.is_defaultable());
    end += run.count;
    run_ends_.push_back({end, run.type});
    const std::size_t flat = std::min<std::size_t>(end, flat_limit);
    if (locals_.size() < flat) locals_.resize(flat, run.type);
  }
  local_count_ = end;
  tracks_locals_ = !all_default;
  if (tracks_locals_) mark_defaults_set(static_cast<std::uint32_t>(params.size()), runs);
  return {};
}

namespace {

/// Clears the bits [begin, end), word by word.
void clear_bits(std::vector<std::uint64_t>& words, std::uint32_t begin, std::uint32_t end) {
  while (begin < end) {
    const std::uint32_t first = begin % 64;
    const std::uint32_t count = std::min(64 - first, end - begin);
    const std::uint64_t ones = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
    words[begin / 64] &= ~(ones << first);
    begin += count;
  }
}

}  // namespace

void FunctionValidator::mark_defaults_set(std::uint32_t params, std::span<const binary::LocalRun> runs) {
  set_locals_.assign(local_count_ / 64 + 1, ~std::uint64_t{0});
  std::uint32_t begin = params;
  for (const binary::LocalRun& run : runs) {
    if (!run.type.is_defaultable()) clear_bits(set_locals_, begin, begin + run.count);
    begin += run.count;
  }
}

base::Error FunctionValidator::local_error(spec::LocalIndex index) const {
  ValType type;
  if (!find_local(index, type)) return errors::unknown("local", index.value, local_count_, at());
  return errors::uninitialized_local(at(), index.value, type);
}

void FunctionValidator::set_local(std::uint32_t local) {
  if (is_local_set(local)) return;
  set_locals_[local / 64] |= std::uint64_t{1} << (local % 64);
  init_stack_.push_back(local);
}

void FunctionValidator::reset_locals(std::size_t init_height) {
  while (init_stack_.size() > init_height) {
    const std::uint32_t local = init_stack_.back();
    init_stack_.pop_back();
    set_locals_[local / 64] &= ~(std::uint64_t{1} << (local % 64));
  }
}

base::Status FunctionValidator::on_global_get(const binary::imm::Global& imm) {
  if (imm.global.value >= module_.globals.size())
    return errors::unknown("global", imm.global.value, module_.globals.size(), at());
  push(module_.globals[imm.global.value].type.type);
  return {};
}

base::Status FunctionValidator::on_global_set(const binary::imm::Global& imm) {
  if (imm.global.value >= module_.globals.size())
    return errors::unknown("global", imm.global.value, module_.globals.size(), at());
  const spec::GlobalType& type = module_.globals[imm.global.value].type;
  if (!type.mutable_) return errors::invalid(at(), "immutable global", "global.set of a constant");
  return pop(type.type);
}

}  // namespace heddle::validate
