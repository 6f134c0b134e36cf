// Identity of types across modules: two type definitions are the same type iff they have the same CanonicalType pointer
// (core spec, Type Equivalence: rolled-up recursion groups are compared). Subtyping walks the declared supertypes.
// One registry for the whole process; entries live as long as some Module holds their group.
#pragma once

#include <memory>
#include <vector>

#include "base/span.h"
#include "spec/types.h"

namespace heddle::module {

struct RecGroup;

/// One defined type of a registered recursion group. Immutable once registered; any thread may read it.
struct CanonicalType {
  spec::CompositeKind kind = spec::CompositeKind::func;
  bool final_ = true;
  /// Supertypes from the root down, this type last: `a` is a subtype of `b` iff b->depth() <= a->depth() and
  /// a->chain[b->depth()] == b. Constant time, at most kMaxSubtypingDepth + 1 long.
  std::vector<const CanonicalType*> chain;
  /// The function type; concrete heap types inside are indices of the *first* module that registered the group and mean
  /// nothing elsewhere: use `refs`. Kinds, counts and number types are the same in every module.
  spec::FuncType func;
  std::vector<spec::FieldType> fields;
  /// Canonical identity of every concrete heap type met in `func` (params, then results) or `fields`, in order.
  std::vector<const CanonicalType*> refs;
  const RecGroup* group = nullptr;

  std::size_t depth() const { return chain.size() - 1; }
};

inline bool is_subtype(const CanonicalType* a, const CanonicalType* b) {
  return a == b || (b->depth() < a->depth() && a->chain[b->depth()] == b);
}

/// A closed group: its types, and the groups it refers to (kept alive).
struct RecGroup : std::enable_shared_from_this<RecGroup> {
  std::vector<std::unique_ptr<CanonicalType>> types;
  std::vector<std::shared_ptr<const RecGroup>> uses;
};

/// The groups of one module's type section, in order, and for each type index its canonical type.
/// An entry is nullptr if the group refers to types that do not exist, or declares supertypes that do not come before
/// their subtypes, or more than one (validation reports it), or refers to such a group.
struct CanonicalTypes {
  std::vector<std::shared_ptr<const RecGroup>> groups;
  std::vector<const CanonicalType*> by_index;
};

/// [begin, end) of type indices.
struct RecGroupRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// Registers the groups of a type section, sharing equal ones with all modules alive. Any thread; takes the registry's
/// lock once for each group. Cost: linear in the size of the types (each group is hashed once) and in the depth of
/// their supertypes, which the decoder has bounded.
CanonicalTypes canonicalize(const std::vector<spec::SubType>& types, const std::vector<RecGroupRange>& groups);

/// Registers one function type that mentions no concrete heap type (host functions). Any thread.
std::shared_ptr<const RecGroup> canonicalize(const spec::FuncType& type);

}  // namespace heddle::module
