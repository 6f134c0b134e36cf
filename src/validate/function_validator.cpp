// The life of a FunctionValidator: construction, declarations of locals, the end; and look-ups in the module's index
// spaces (https://webassembly.github.io/spec/core/valid/conventions.html#contexts).
#include "validate/function_validator.h"

#include "spec/limits.h"
#include "validate/errors.h"
#include "validate/type_rules.h"

namespace heddle::validate {

FunctionValidator::FunctionValidator(const module::Module& m, spec::FuncIndex func, binary::BodyReader& reader)
    : module_(m), reader_(reader), func_(func), begin_offset_(reader.offset()) {
  Frame frame;
  frame.kind = FrameKind::function;
  frame.type = &m.type_of(func);
  control_.reserve(16);
  control_.push_back(frame);
}

FunctionValidator::FunctionValidator(const module::Module& m, ValType result, binary::BodyReader& reader)
    : module_(m), reader_(reader), begin_offset_(reader.offset()) {
  Frame frame;
  frame.kind = FrameKind::function;
  frame.has_value = true;
  frame.value = result;
  control_.push_back(frame);
}

// https://webassembly.github.io/spec/core/valid/modules.html#functions
base::Result<std::span<const binary::LocalRun>> FunctionValidator::begin_body() {
  const spec::FuncType& type = *control_.back().type;
  const auto params = static_cast<std::uint32_t>(type.params.size());
  HEDDLE_TRY_ASSIGN(const auto runs, reader_.local_runs(params));
  HEDDLE_TRY(declare_locals(type.params, runs));
  return runs;
}

base::Status FunctionValidator::end_body() {
  if (reader_.at_end()) return {};
  return errors::bytes_after_end(reader_.offset());
}

base::Status FunctionValidator::check_type(ValType type) const {
  return validate::check_val_type(module_, type, at());
}

base::Status FunctionValidator::check_heap_type(spec::HeapType type) const {
  return validate::check_heap_type(module_, type, at());
}

base::Status FunctionValidator::find_composite(spec::TypeIndex index, spec::CompositeKind kind,
                                               const spec::SubType*& out) const {
  if (index.value >= module_.types.size()) return errors::unknown("type", index.value, module_.types.size(), at());
  out = &module_.types[index.value];
  if (out->kind != kind) return errors::wrong_composite(kind, index.value, at());
  return {};
}

base::Status FunctionValidator::find_func_type(spec::TypeIndex index, const spec::FuncType*& out) const {
  const spec::SubType* type = nullptr;
  HEDDLE_TRY(find_composite(index, spec::CompositeKind::func, type));
  out = &type->func;
  return {};
}

base::Status FunctionValidator::find_table(spec::TableIndex index, const spec::TableType*& out) const {
  if (index.value >= module_.tables.size()) return errors::unknown("table", index.value, module_.tables.size(), at());
  out = &module_.tables[index.value].type;
  return {};
}

base::Status FunctionValidator::find_memory(spec::MemIndex index, const spec::MemType*& out) const {
  if (index.value >= module_.memories.size())
    return errors::unknown("memory", index.value, module_.memories.size(), at());
  out = &module_.memories[index.value].type;
  return {};
}

base::Status FunctionValidator::find_elem(spec::ElemIndex index, ValType& out) const {
  if (index.value >= module_.elems.size())
    return errors::unknown("elem segment", index.value, module_.elems.size(), at());
  out = elem_type(module_.elems[index.value]);
  return {};
}

// Data segments lie behind the code, so their number is announced by the data count section; the reader has refused a
// body that names one without that section.
// https://webassembly.github.io/spec/core/binary/modules.html#data-count-section
base::Status FunctionValidator::check_data(spec::DataIndex index) const {
  if (index.value >= module_.data_count) return errors::unknown("data segment", index.value, module_.data_count, at());
  return {};
}

base::Status FunctionValidator::find_tag(spec::TagIndex index, const spec::FuncType*& out) const {
  if (index.value >= module_.tags.size()) return errors::unknown("tag", index.value, module_.tags.size(), at());
  out = &module_.func_type(module_.tags[index.value].type.type);
  return {};
}

}  // namespace heddle::validate
