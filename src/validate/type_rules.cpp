// Types: https://webassembly.github.io/spec/core/valid/types.html and
// https://webassembly.github.io/spec/core/valid/matching.html (subtyping of definitions).
// Whether the binary may spell a type at all with the features that are on is the decoder's.
#include "validate/type_rules.h"

#include <algorithm>
#include <fmt/format.h>

#include "spec/limits.h"
#include "validate/errors.h"

namespace heddle::validate {
namespace {

using module::Module;
using spec::CompositeKind;
using spec::FieldType;
using spec::SubType;
using spec::ValType;

/// Calls `visit` for every value type of a definition until it returns an error.
template <class F>
base::Status for_each_type(const SubType& type, F&& visit) {
  for (ValType t : type.func.params) HEDDLE_TRY(visit(t));
  for (ValType t : type.func.results) HEDDLE_TRY(visit(t));
  for (const FieldType& field : type.fields) HEDDLE_TRY(visit(field.type));
  return {};
}

// https://webassembly.github.io/spec/core/valid/matching.html#field-types
bool field_fits(const Module& m, const FieldType& sub, const FieldType& super) {
  if (sub.mutable_ != super.mutable_ || sub.packed != super.packed) return false;
  if (!module::matches(m, sub.type, super.type)) return false;
  return !sub.mutable_ || module::matches(m, super.type, sub.type);
}

bool all_fit(const Module& m, const spec::ResultType& sub, const spec::ResultType& super) {
  if (sub.size() != super.size()) return false;
  for (std::size_t i = 0; i < sub.size(); ++i)
    if (!module::matches(m, sub[i], super[i])) return false;
  return true;
}

// https://webassembly.github.io/spec/core/valid/matching.html#composite-types
bool definition_fits(const Module& m, const SubType& sub, const SubType& super) {
  if (sub.kind != super.kind) return false;
  switch (sub.kind) {
    case CompositeKind::func:
      return all_fit(m, super.func.params, sub.func.params) && all_fit(m, sub.func.results, super.func.results);
    case CompositeKind::struct_:
      if (sub.fields.size() < super.fields.size()) return false;
      for (std::size_t i = 0; i < super.fields.size(); ++i)
        if (!field_fits(m, sub.fields[i], super.fields[i])) return false;
      return true;
    case CompositeKind::array: return field_fits(m, sub.fields.front(), super.fields.front());
  }
  HEDDLE_UNREACHABLE("every composite kind is compared");
}

/// Before the multi-value proposal a function had one result at most.
base::Status check_result_count(const Module& m, const SubType& type) {
  if (type.func.results.size() <= 1 || m.features.has(spec::Feature::multi_value)) return {};
  return errors::feature_off(type.offset, "invalid result arity", spec::feature_name(spec::Feature::multi_value));
}

/// Every type that `type` names exists: it lies in its own group, which ends at `group_end`, or before.
base::Status check_names(const SubType& type, std::uint32_t index, std::uint32_t group_end) {
  if (type.supertypes.size() > 1)
    return errors::invalid(type.offset, "sub type", fmt::format("type {} declares more than one supertype", index));
  for (spec::TypeIndex super : type.supertypes) {
    if (super.value >= group_end) return errors::unknown("type", super.value, group_end, type.offset);
    if (super.value >= index)
      return errors::invalid(type.offset, "sub type",
                             fmt::format("type {} comes before its supertype {}", index, super.value));
  }
  return for_each_type(type, [&](ValType t) -> base::Status {
    if (!t.is_ref() || !t.heap().is_concrete() || t.heap().index().value < group_end) return {};
    return errors::unknown("type", t.heap().index().value, group_end, type.offset);
  });
}

base::Status check_subtyping(const Module& m, const SubType& type, std::uint32_t index) {
  for (spec::TypeIndex super_index : type.supertypes) {
    const SubType& super = m.types[super_index.value];
    if (super.final_)
      return errors::invalid(type.offset, "sub type",
                             fmt::format("type {} extends type {}, which is final", index, super_index.value));
    if (!definition_fits(m, type, super))
      return errors::invalid(type.offset, "sub type",
                             fmt::format("type {} does not match its supertype {}", index, super_index.value));
  }
  return {};
}

}  // namespace

base::Status check_heap_type(const Module& m, spec::HeapType type, std::uint64_t at) {
  if (!type.is_concrete() || type.index().value < m.types.size()) return {};
  return errors::unknown("type", type.index().value, m.types.size(), at);
}

base::Status check_reference_type(const Module& m, ValType type, std::uint64_t at) {
  return type.is_ref() ? check_heap_type(m, type.heap(), at) : base::Status();
}

// https://webassembly.github.io/spec/core/valid/types.html#recursive-types
base::Status check_type_section(const Module& m) {
  for (const module::RecGroupRange group : m.rec_groups) {
    for (std::uint32_t i = group.begin; i < group.end; ++i) {
      HEDDLE_TRY(check_result_count(m, m.types[i]));
      HEDDLE_TRY(check_names(m.types[i], i, group.end));
    }
    // Only now does every name of the group lead somewhere, as matching needs.
    for (std::uint32_t i = group.begin; i < group.end; ++i) HEDDLE_TRY(check_subtyping(m, m.types[i], i));
  }
  return {};
}

namespace {

/// The largest number of pages that addresses reach: 2^32 or 2^64 bytes, at most what a limit can say.
std::uint64_t max_pages(const spec::MemType& type) {
  const unsigned bits = type.address == spec::AddressType::i32 ? 32 : 64;
  if (type.page_log2 > 0) return std::uint64_t{1} << (bits - type.page_log2);
  return bits == 64 ? ~std::uint64_t{0} : 0xffff'ffffu;
}

base::Status check_order(const spec::Limits& limits, std::uint64_t at) {
  if (!limits.max || limits.min <= *limits.max) return {};
  return errors::invalid(at, "size minimum must not be greater than maximum",
                         fmt::format("{} and {}", limits.min, *limits.max));
}

}  // namespace

// https://webassembly.github.io/spec/core/valid/types.html#memory-types
// https://webassembly.github.io/threads/core/valid/types.html#memory-types
// https://github.com/WebAssembly/custom-page-sizes/blob/main/proposals/custom-page-sizes/Overview.md
base::Status check_mem_type(const spec::MemType& type, std::uint64_t at) {
  if (type.page_log2 != 16 && type.page_log2 != 0)
    return errors::invalid(at, "invalid custom page size", fmt::format("2^{} is neither 1 nor 65536", type.page_log2));
  const std::uint64_t most = max_pages(type);
  if (type.limits.min > most || type.limits.max.value_or(0) > most) {
    const std::uint64_t pages = type.limits.min > most ? type.limits.min : *type.limits.max;
    if (most == spec::kMaxMemory32Pages)
      return errors::invalid(at, "memory size must be at most 65536 pages (4GiB)", fmt::format("{} pages", pages));
    return errors::invalid(at, fmt::format("memory size must be at most {} pages", most), fmt::format("{}", pages));
  }
  HEDDLE_TRY(check_order(type.limits, at));
  if (type.shared && !type.limits.max)
    return errors::invalid(at, "shared memory must have maximum", "it can't be moved when it grows");
  return {};
}

// https://webassembly.github.io/spec/core/valid/types.html#table-types
base::Status check_table_type(const Module& m, const spec::TableType& type, std::uint64_t at) {
  HEDDLE_TRY(check_val_type(m, type.element, at));
  const std::uint64_t most = type.address == spec::AddressType::i32 ? 0xffff'ffffu : ~std::uint64_t{0};
  if (type.limits.min > most || type.limits.max.value_or(0) > most)
    return errors::invalid(at, "table size must be at most 2^32-1",
                           fmt::format("{} entries", std::max(type.limits.min, type.limits.max.value_or(0))));
  return check_order(type.limits, at);
}

// https://webassembly.github.io/spec/core/valid/types.html#tag-types
base::Status check_tag_type(const Module& m, const spec::TagType& type, std::uint64_t at) {
  HEDDLE_TRY(check_func_type_index(m, type.type, at));
  const spec::FuncType& func = m.func_type(type.type);
  if (func.results.empty()) return {};
  return errors::invalid(at, "non-empty tag result type", spec::to_string(func));
}

base::Status check_func_type_index(const Module& m, spec::TypeIndex type, std::uint64_t at) {
  if (type.value >= m.types.size()) return errors::unknown("type", type.value, m.types.size(), at);
  if (m.types[type.value].kind != CompositeKind::func)
    return errors::wrong_composite(CompositeKind::func, type.value, at);
  return {};
}

}  // namespace heddle::validate
