// The registry of recursion groups: structure -> group, for all modules of the process.
//
// A group's key spells out its structure; references inside the group are relative, references to earlier groups are
// the canonical pointers of the types they name. So equal keys mean equal types (core spec, Type Equivalence, in its
// iso-recursive reading), and a key is linear in the size of the group.
//
// An entry is in one of these states, told apart under the registry's lock:
//   live     its weak pointer can be locked; a lookup shares the group.
//   expired  the last owner is gone; its thread is on the way to release() and has not taken the lock yet. A lookup
//            that comes first puts a new group in its place, and release() then leaves the entry alone, because it
//            removes an entry only if that is (still) expired.
// Keys of expired entries may hold pointers to types that are gone, even reused; they never lead to a group, since an
// expired entry is never shared.
#include "module/canonical_type.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"

namespace heddle::module {
namespace {

struct RegisteredGroup : RecGroup {
  std::string key;
};

class Registry {
 public:
  /// The live group of this key, or the one that `build` makes.
  template <class Build>
  std::shared_ptr<const RecGroup> find_or_register(std::string key, Build&& build);

  /// Takes an expired group out of the map.
  void remove_expired(const std::string& key) {
    const base::MutexLock lock(mutex_);
    const auto entry = groups_.find(key);
    if (entry != groups_.end() && entry->second.expired()) groups_.erase(entry);
  }

 private:
  base::Mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<const RecGroup>> groups_ HEDDLE_GUARDED_BY(mutex_);
};

// Never destroyed: the last module may go away after static destructors have run.
Registry& registry() {
  static Registry* const the_registry = new Registry;
  return *the_registry;
}

// Deletes groups one after the other, not one inside the other: groups that use each other in a line may be a million
// long, and the stack is not. The registry's lock is not held while groups are deleted.
void release(const RegisteredGroup* group) {
  thread_local std::vector<const RegisteredGroup*>* pending = nullptr;
  if (pending != nullptr) return pending->push_back(group);
  std::vector<const RegisteredGroup*> list{group};
  pending = &list;
  while (!list.empty()) {
    const RegisteredGroup* next = list.back();
    list.pop_back();
    registry().remove_expired(next->key);
    delete next;  // drops what it uses: may push to the list
  }
  pending = nullptr;
}

template <class Build>
std::shared_ptr<const RecGroup> Registry::find_or_register(std::string key, Build&& build) {
  // Nothing in here drops the last owner of a group, which would come back for the lock.
  const base::MutexLock lock(mutex_);
  std::weak_ptr<const RecGroup>& entry = groups_[key];
  if (std::shared_ptr<const RecGroup> live = entry.lock()) return live;
  std::unique_ptr<RegisteredGroup> group = build();
  group->key = std::move(key);
  std::shared_ptr<const RecGroup> shared(group.release(), release);
  entry = shared;
  return shared;
}

/// Where the concrete references of a group lead: types of the group itself, or canonical types of earlier groups.
struct Scope {
  RecGroupRange range;
  const std::vector<const CanonicalType*>* earlier = nullptr;  // by type index, below range.begin

  bool in_group(spec::TypeIndex t) const { return t.value >= range.begin && t.value < range.end; }
  /// False if the type does not exist, or belongs to a group without identity.
  bool exists(spec::TypeIndex t) const {
    return in_group(t) || (t.value < range.begin && (*earlier)[t.value] != nullptr);
  }
};

template <class F>
void for_each_type(const spec::SubType& type, F&& visit) {
  for (spec::ValType t : type.func.params) visit(t);
  for (spec::ValType t : type.func.results) visit(t);
  for (const spec::FieldType& field : type.fields) visit(field.type);
}

class KeyWriter {
 public:
  explicit KeyWriter(const Scope& scope) : scope_(scope) {}

  void write(const spec::SubType& type) {
    number(static_cast<std::uint64_t>(type.kind));
    number(type.final_ ? 1 : 0);
    number(type.supertypes.size());
    for (spec::TypeIndex super : type.supertypes) reference(super);
    number(type.func.params.size());
    number(type.func.results.size());
    number(type.fields.size());
    for (const spec::FieldType& field : type.fields)
      number((field.mutable_ ? 1u : 0u) | static_cast<unsigned>(field.packed) << 1);
    for_each_type(type, [this](spec::ValType t) { val_type(t); });
  }
  std::string take() { return std::move(key_); }

 private:
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      key_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    key_.push_back(static_cast<char>(value));
  }
  void val_type(spec::ValType type) {
    number(static_cast<std::uint64_t>(type.kind()) << 1 | (type.nullable() ? 1u : 0u));
    if (!type.is_ref()) return;
    if (type.heap().is_concrete()) return reference(type.heap().index());
    number(type.heap().code());
  }
  // Codes of abstract heap types are below 0x100, so 0x100 and 0x101 tell the two kinds of references from them.
  void reference(spec::TypeIndex index) {
    if (scope_.in_group(index)) {
      number(0x100);
      number(index.value - scope_.range.begin);
    } else {
      number(0x101);
      number(reinterpret_cast<std::uintptr_t>((*scope_.earlier)[index.value]));
    }
  }

  const Scope& scope_;
  std::string key_;
};

/// True if every reference of the group can be resolved and the subtyping chain can be built. Whether supertypes fit is
/// validation's.
bool has_identity(const std::vector<spec::SubType>& types, const Scope& scope) {
  for (std::uint32_t i = scope.range.begin; i < scope.range.end; ++i) {
    const spec::SubType& type = types[i];
    if (type.supertypes.size() > 1) return false;
    // https://webassembly.github.io/spec/core/valid/types.html#sub-types: a supertype comes before its subtypes.
    for (spec::TypeIndex super : type.supertypes)
      if (super.value >= i || !scope.exists(super)) return false;
    bool known = true;
    for_each_type(type, [&](spec::ValType t) {
      if (t.is_ref() && t.heap().is_concrete() && !scope.exists(t.heap().index())) known = false;
    });
    if (!known) return false;
  }
  return true;
}

class GroupBuilder {
 public:
  GroupBuilder(const std::vector<spec::SubType>& types, const Scope& scope)
      : types_(types), scope_(scope), group_(std::make_unique<RegisteredGroup>()) {}

  std::unique_ptr<RegisteredGroup> build() {
    const std::uint32_t count = scope_.range.end - scope_.range.begin;
    group_->types.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) group_->types.push_back(std::make_unique<CanonicalType>());
    for (std::uint32_t i = 0; i < count; ++i) fill(*group_->types[i], types_[scope_.range.begin + i]);
    keep_used_groups_alive();
    return std::move(group_);
  }

 private:
  const CanonicalType* resolve(spec::TypeIndex index) {
    if (scope_.in_group(index)) return group_->types[index.value - scope_.range.begin].get();
    const CanonicalType* outside = (*scope_.earlier)[index.value];
    used_.push_back(outside->group);
    return outside;
  }

  void fill(CanonicalType& out, const spec::SubType& type) {
    out.kind = type.kind;
    out.final_ = type.final_;
    out.func = type.func;
    out.fields = type.fields;
    out.group = group_.get();
    if (!type.supertypes.empty()) out.chain = resolve(type.supertypes.front())->chain;
    out.chain.push_back(&out);
    for_each_type(type, [&](spec::ValType t) {
      if (t.is_ref() && t.heap().is_concrete()) out.refs.push_back(resolve(t.heap().index()));
    });
  }

  void keep_used_groups_alive() {
    std::sort(used_.begin(), used_.end());
    used_.erase(std::unique(used_.begin(), used_.end()), used_.end());
    group_->uses.reserve(used_.size());
    for (const RecGroup* used : used_) group_->uses.push_back(used->shared_from_this());
  }

  const std::vector<spec::SubType>& types_;
  const Scope& scope_;
  std::unique_ptr<RegisteredGroup> group_;
  std::vector<const RecGroup*> used_;
};

std::shared_ptr<const RecGroup> register_group(const std::vector<spec::SubType>& types, const Scope& scope) {
  KeyWriter key(scope);
  for (std::uint32_t i = scope.range.begin; i < scope.range.end; ++i) key.write(types[i]);
  return registry().find_or_register(key.take(), [&] { return GroupBuilder(types, scope).build(); });
}

}  // namespace

CanonicalTypes canonicalize(const std::vector<spec::SubType>& types, const std::vector<RecGroupRange>& groups) {
  CanonicalTypes out;
  out.groups.reserve(groups.size());
  out.by_index.reserve(types.size());
  for (const RecGroupRange range : groups) {
    HEDDLE_CHECK(range.begin == out.by_index.size() && range.end <= types.size(), "groups cover the types in order");
    const Scope scope{range, &out.by_index};
    if (!has_identity(types, scope)) {
      out.by_index.resize(range.end, nullptr);
      continue;
    }
    std::shared_ptr<const RecGroup> group = register_group(types, scope);
    for (const auto& type : group->types) out.by_index.push_back(type.get());
    out.groups.push_back(std::move(group));
  }
  return out;
}

std::shared_ptr<const RecGroup> canonicalize(const spec::FuncType& type) {
  std::vector<spec::SubType> types(1);
  types.front().func = type;
  const std::vector<const CanonicalType*> none;
  const Scope scope{{0, 1}, &none};
  for_each_type(types.front(), [](spec::ValType t) {
    HEDDLE_CHECK(!t.is_ref() || !t.heap().is_concrete(), "a host function's type mentions no concrete heap type");
  });
  return register_group(types, scope);
}

}  // namespace heddle::module
