// Element and data segments.
// https://webassembly.github.io/spec/core/binary/modules.html#element-section
#include "binary/errors.h"
#include "binary/module_reader.h"
#include "spec/limits.h"

namespace heddle::binary {

using base::Status;
using module::SegmentMode;
using spec::Feature;

namespace {

// Bits of an element segment's kind.
constexpr std::uint32_t kNotActive = 1;
constexpr std::uint32_t kTableOrDeclarative = 2;  // active: a table index follows; otherwise: declarative
constexpr std::uint32_t kExpressions = 4;
constexpr std::uint32_t kElemFlagsEnd = 8;

// Of a data segment, in front of its contents, where bytes are read as they are needed. Chosen: an offset is mostly one
// constant. A longer one ends in zeros then, which is malformed.
constexpr std::uint64_t kNeededOfDataSegment = 256;

}  // namespace

Status ModuleReader::elements() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count,
                    reader_.vector_length(spec::kMaxElemSegments, "too many element segments"));
  // A segment is much larger than its shortest encoding (three bytes), so grow as they come.
  for (std::uint32_t i = 0; i < count; ++i) HEDDLE_TRY(element_segment(module_.elems.emplace_back()));
  return {};
}

Status ModuleReader::element_segment(module::ElemSegment& out) {
  out.offset = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint32_t flags, reader_.u32());
  const bool only_active = !has(Feature::bulk_memory) && !has(Feature::reference_types);
  if (flags >= kElemFlagsEnd || (only_active && flags != 0))
    return errors::malformed_byte(out.offset, "elements segment kind", flags);
  if ((flags & kNotActive) != 0) {
    out.mode = (flags & kTableOrDeclarative) != 0 ? SegmentMode::declarative : SegmentMode::passive;
  } else {
    out.mode = SegmentMode::active;
    if ((flags & kTableOrDeclarative) != 0) {
      HEDDLE_TRY_ASSIGN(out.table.value, reader_.u32());
    }
    HEDDLE_TRY_ASSIGN(out.table_offset, const_expr());
  }
  return element_items(out, flags);
}

Status ModuleReader::element_items(module::ElemSegment& out, std::uint32_t flags) {
  out.uses_expressions = (flags & kExpressions) != 0;
  // The two short forms have no type: funcref for expressions, (ref func) for indices.
  const bool has_type = (flags & (kNotActive | kTableOrDeclarative)) != 0;
  if (!out.uses_expressions) {
    out.type = spec::ValType::ref(spec::HeapType::func, false);
    if (has_type) {
      const std::uint64_t at = reader_.offset();
      HEDDLE_TRY_ASSIGN(const std::uint8_t kind, reader_.byte());
      if (kind != 0) return errors::malformed_byte(at, "element kind", kind);
    }
  } else if (has_type) {
    HEDDLE_TRY_ASSIGN(out.type, ref_type());
  }

  HEDDLE_TRY_ASSIGN(const std::uint32_t count,
                    reader_.vector_length(spec::kMaxTableInitialEntries, "too many table entries"));
  if (out.uses_expressions) {
    out.expressions.resize(count);
    for (module::ConstExpr& expression : out.expressions) {
      HEDDLE_TRY_ASSIGN(expression, const_expr());
    }
    return {};
  }
  out.funcs.resize(count);
  base::Error error;
  for (spec::FuncIndex& func : out.funcs) {
    if (!reader_.leb(func.value, error)) return error;
    declare(func);
  }
  return {};
}

Status ModuleReader::datas() {
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader_.vector_length(spec::kMaxDataSegments, "too many data segments"));
  if (module_.has_data_count && count != module_.data_count)
    return errors::malformed(at, "data count and data section have inconsistent lengths");
  module_.datas.resize(count);
  for (module::DataSegment& data : module_.datas) HEDDLE_TRY(data_segment(data));
  return {};
}

// https://webassembly.github.io/spec/core/binary/modules.html#data-section
Status ModuleReader::data_segment(module::DataSegment& out) {
  need(kNeededOfDataSegment);
  out.offset = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint32_t kind, reader_.u32());
  if (kind > 2 || (kind != 0 && !has(Feature::bulk_memory)))
    return errors::malformed_byte(out.offset, "data segment kind", kind);
  out.mode = kind == 1 ? SegmentMode::passive : SegmentMode::active;
  if (kind == 2) {
    HEDDLE_TRY_ASSIGN(out.memory.value, reader_.u32());
  }
  if (out.mode == SegmentMode::active) {
    HEDDLE_TRY_ASSIGN(out.memory_offset, const_expr());
  }
  HEDDLE_TRY_ASSIGN(const std::uint32_t size, reader_.length());
  out.bytes = {reader_.offset(), reader_.offset() + size};
  reader_.advance(size);
  return {};
}

}  // namespace heddle::binary
