// The type section, and the types of tables, memories, globals and tags.
// https://webassembly.github.io/spec/core/binary/types.html
#include "binary/errors.h"
#include "binary/module_reader.h"
#include "binary/type_reader.h"
#include "spec/limits.h"

namespace heddle::binary {
namespace {

using base::Error;
using base::Status;
using spec::Feature;

constexpr std::uint8_t kRecGroup = 0x4e;
constexpr std::uint8_t kSub = 0x50;
constexpr std::uint8_t kSubFinal = 0x4f;
constexpr std::uint8_t kFunc = 0x60;
constexpr std::uint8_t kStruct = 0x5f;
constexpr std::uint8_t kArray = 0x5e;
constexpr std::uint8_t kPackedI8 = 0x78;
constexpr std::uint8_t kPackedI16 = 0x77;

// Flags of limits.
constexpr std::uint8_t kHasMax = 1;
constexpr std::uint8_t kShared = 2;
constexpr std::uint8_t kAddress64 = 4;
constexpr std::uint8_t kHasPageSize = 8;

}  // namespace

base::Result<spec::ValType> ModuleReader::val_type() {
  spec::ValType type;
  Error error;
  if (!read_val_type(reader_, module_.features, type, error)) return error;
  return type;
}

base::Result<spec::ValType> ModuleReader::ref_type() {
  spec::ValType type;
  Error error;
  if (!read_ref_type(reader_, module_.features, type, error)) return error;
  return type;
}

Status ModuleReader::types() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader_.vector_length(spec::kMaxRecGroups, "too many types"));
  // A type is much larger than its shortest encoding (two bytes), so grow as they come.
  for (std::uint32_t i = 0; i < count; ++i) HEDDLE_TRY(rec_group());
  return bound_subtyping_depth();
}

Status ModuleReader::rec_group() {
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint8_t form, reader_.peek());
  std::uint32_t count = 1;
  if (form == kRecGroup && has(Feature::gc)) {
    reader_.advance(1);
    HEDDLE_TRY_ASSIGN(count, reader_.vector_length(spec::kMaxTypes, "too many types"));
  }
  const std::size_t begin = module_.types.size();
  const std::size_t end = begin + count;
  if (end > spec::kMaxTypes) return errors::limit(at, "too many types", end, spec::kMaxTypes);
  for (std::uint32_t i = 0; i < count; ++i) HEDDLE_TRY(sub_type());
  module_.rec_groups.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
  return {};
}

Status ModuleReader::sub_type() {
  spec::SubType type;
  type.offset = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint8_t form, reader_.peek());
  if ((form == kSub || form == kSubFinal) && has(Feature::gc)) {
    reader_.advance(1);
    type.final_ = form == kSubFinal;
    HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader_.vector_length(spec::kMaxTypes, "too many supertypes"));
    for (std::uint32_t i = 0; i < count; ++i) {
      HEDDLE_TRY_ASSIGN(const std::uint32_t super, reader_.u32());
      type.supertypes.emplace_back(super);
    }
  }
  HEDDLE_TRY(composite_type(type));
  module_.types.push_back(std::move(type));
  return {};
}

Status ModuleReader::composite_type(spec::SubType& out) {
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint8_t form, reader_.byte());
  // The form is a signed LEB128 number of seven bits.
  if ((form & 0x80) != 0) return errors::malformed(at, "integer representation too long");
  if (form == kFunc) {
    out.kind = spec::CompositeKind::func;
    HEDDLE_TRY(result_type(out.func.params, spec::kMaxParams, "too many parameters"));
    return result_type(out.func.results, spec::kMaxResults, "too many results");
  }
  if (form != kStruct && form != kArray) return errors::malformed_byte(at, "definition type", form);
  if (!has(Feature::gc)) return errors::type_switched_off(at, "definition type", Feature::gc);
  out.kind = form == kStruct ? spec::CompositeKind::struct_ : spec::CompositeKind::array;
  std::uint32_t count = 1;
  if (form == kStruct) {
    HEDDLE_TRY_ASSIGN(count, reader_.vector_length(spec::kMaxStructFields, "too many fields"));
  }
  out.fields.resize(count);
  for (spec::FieldType& field : out.fields) HEDDLE_TRY(field_type(field));
  return {};
}

Status ModuleReader::result_type(spec::ResultType& out, std::uint32_t limit, const char* rule) {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader_.vector_length(limit, rule));
  out.resize(count);
  Error error;
  for (spec::ValType& type : out)
    if (!read_val_type(reader_, module_.features, type, error)) return error;
  return {};
}

Status ModuleReader::field_type(spec::FieldType& out) {
  HEDDLE_TRY_ASSIGN(const std::uint8_t form, reader_.peek());
  if (form == kPackedI8 || form == kPackedI16) {
    reader_.advance(1);
    out.packed = form == kPackedI8 ? spec::PackedType::i8 : spec::PackedType::i16;
    out.type = spec::kI32;
  } else {
    HEDDLE_TRY_ASSIGN(out.type, val_type());
  }
  return mutability(out.mutable_);
}

// Bounds CanonicalType::chain. Supertypes that do not come before their subtypes are validation's.
Status ModuleReader::bound_subtyping_depth() {
  std::vector<std::uint8_t> depths(module_.types.size(), 0);
  for (std::size_t i = 0; i < depths.size(); ++i) {
    for (const spec::TypeIndex super : module_.types[i].supertypes) {
      if (super.value >= i) continue;
      const unsigned depth = depths[super.value] + 1u;
      if (depth > spec::kMaxSubtypingDepth)
        return errors::limit(module_.types[i].offset, "too many supertypes", depth, spec::kMaxSubtypingDepth);
      if (depth > depths[i]) depths[i] = static_cast<std::uint8_t>(depth);
    }
  }
  return {};
}

Status ModuleReader::mutability(bool& out) {
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint8_t flag, reader_.byte());
  if (flag > 1) return errors::malformed_byte(at, "mutability", flag);
  out = flag == 1;
  return {};
}

// https://webassembly.github.io/spec/core/binary/types.html#limits
Status ModuleReader::limits(std::uint8_t allowed_flags, std::uint8_t& flags, spec::Limits& out,
                            spec::AddressType& address) {
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(flags, reader_.byte());
  if ((flags & ~allowed_flags) != 0) return errors::malformed_byte(at, "limits flags", flags);
  address = (flags & kAddress64) != 0 ? spec::AddressType::i64 : spec::AddressType::i32;
  // With 64-bit memories in the language all limits are 64-bit numbers; validation knows the address type's range.
  const auto number = [this]() -> base::Result<std::uint64_t> {
    if (has(Feature::memory64)) return reader_.u64();
    HEDDLE_TRY_ASSIGN(const std::uint32_t value, reader_.u32());
    return std::uint64_t{value};
  };
  HEDDLE_TRY_ASSIGN(out.min, number());
  if ((flags & kHasMax) != 0) {
    HEDDLE_TRY_ASSIGN(out.max, number());
  }
  return {};
}

Status ModuleReader::table_type(spec::TableType& out) {
  HEDDLE_TRY_ASSIGN(out.element, ref_type());
  std::uint8_t flags = 0;
  const auto allowed = static_cast<std::uint8_t>(kHasMax | (has(Feature::memory64) ? kAddress64 : 0));
  return limits(allowed, flags, out.limits, out.address);
}

Status ModuleReader::mem_type(spec::MemType& out) {
  std::uint8_t flags = 0;
  const auto allowed = static_cast<std::uint8_t>(kHasMax | (has(Feature::threads) ? kShared : 0) |
                                                 (has(Feature::memory64) ? kAddress64 : 0) |
                                                 (has(Feature::custom_page_sizes) ? kHasPageSize : 0));
  HEDDLE_TRY(limits(allowed, flags, out.limits, out.address));
  out.shared = (flags & kShared) != 0;
  if ((flags & kHasPageSize) == 0) return {};
  // https://github.com/WebAssembly/custom-page-sizes: which powers are allowed is a rule of validation.
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint32_t log2, reader_.u32());
  if (log2 >= 64) return errors::malformed(at, "invalid custom page size");
  out.page_log2 = static_cast<std::uint8_t>(log2);
  return {};
}

Status ModuleReader::global_type(spec::GlobalType& out) {
  HEDDLE_TRY_ASSIGN(out.type, val_type());
  return mutability(out.mutable_);
}

Status ModuleReader::tag_type(spec::TagType& out) {
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint8_t attribute, reader_.byte());
  if (attribute != 0) return errors::malformed_byte(at, "tag attribute", attribute);
  HEDDLE_TRY_ASSIGN(out.type.value, reader_.u32());
  return {};
}

}  // namespace heddle::binary
