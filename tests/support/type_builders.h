// Type sections by hand, for tests of types.
#pragma once

#include <utility>
#include <vector>

#include "module/canonical_type.h"
#include "module/module.h"

namespace heddle::test {

inline spec::ValType ref(std::uint32_t index) {
  return spec::ValType::ref(spec::HeapType(spec::TypeIndex(index)), false);
}
inline spec::ValType ref_null(std::uint32_t index) {
  return ref(index).as_nullable(true);
}

inline spec::SubType func(spec::ResultType params, spec::ResultType results = {}) {
  spec::SubType type;
  type.func = {std::move(params), std::move(results)};
  return type;
}
inline spec::SubType structure(std::vector<spec::FieldType> fields) {
  spec::SubType type;
  type.kind = spec::CompositeKind::struct_;
  type.fields = std::move(fields);
  return type;
}
inline spec::SubType array(spec::FieldType field) {
  spec::SubType type;
  type.kind = spec::CompositeKind::array;
  type.fields = {field};
  return type;
}
inline spec::FieldType field(spec::ValType type, bool mutable_ = false) {
  return {type, spec::PackedType::none, mutable_};
}
/// Not final, so that others may extend it.
inline spec::SubType open(spec::SubType type) {
  type.final_ = false;
  return type;
}
inline spec::SubType extending(std::uint32_t super, spec::SubType type) {
  type.supertypes = {spec::TypeIndex(super)};
  return open(std::move(type));
}

/// A type section: each inner list is a recursion group.
struct TypeSection {
  std::vector<spec::SubType> types;
  std::vector<module::RecGroupRange> groups;

  TypeSection& group(std::vector<spec::SubType> members) {
    const auto begin = static_cast<std::uint32_t>(types.size());
    for (spec::SubType& type : members) types.push_back(std::move(type));
    groups.push_back({begin, static_cast<std::uint32_t>(types.size())});
    return *this;
  }
  TypeSection& type(spec::SubType only) { return group({std::move(only)}); }

  module::CanonicalTypes canonical() const { return module::canonicalize(types, groups); }
  /// A module that has only types.
  module::Module module() const {
    module::Module m;
    m.types = types;
    m.rec_groups = groups;
    m.canonical = canonical();
    return m;
  }
};

}  // namespace heddle::test
