// See type_store.h.
#include "text/type_store.h"

namespace heddle::text {
namespace {

using spec::CompositeKind;
using spec::FuncType;
using spec::SubType;
using spec::ValType;

bool mentions(const FuncType& type, std::uint32_t index) {
  auto any = [&](const spec::ResultType& types) {
    for (ValType t : types)
      if (t.is_ref() && t.heap().is_concrete() && t.heap().index().value == index) return true;
    return false;
  };
  return any(type.params) || any(type.results);
}

void write_field(binary::Encoder& enc, const spec::FieldType& field) {
  switch (field.packed) {
    case spec::PackedType::none: enc.val_type(field.type); break;
    case spec::PackedType::i8: enc.byte(0x78); break;
    case spec::PackedType::i16: enc.byte(0x77); break;
  }
  enc.byte(field.mutable_ ? 1 : 0);
}

void write_composite(binary::Encoder& enc, const SubType& type) {
  switch (type.kind) {
    case CompositeKind::func: enc.func_type(type.func); return;
    case CompositeKind::struct_:
      enc.byte(0x5f).u32(static_cast<std::uint32_t>(type.fields.size()));
      for (const spec::FieldType& field : type.fields) write_field(enc, field);
      return;
    case CompositeKind::array:
      enc.byte(0x5e);
      write_field(enc, type.fields.front());
      return;
  }
}

void write_sub_type(binary::Encoder& enc, const SubType& type) {
  if (!type.final_ || !type.supertypes.empty()) {
    enc.byte(type.final_ ? 0x4f : 0x50).u32(static_cast<std::uint32_t>(type.supertypes.size()));
    for (spec::TypeIndex super : type.supertypes) enc.u32(super.value);
  }
  write_composite(enc, type);
}

}  // namespace

void TypeStore::begin_group(bool explicit_rec, std::uint32_t source_offset) {
  groups_.push_back({size(), 0, explicit_rec, source_offset});
}

void TypeStore::end_group() {
  Group& group = groups_.back();
  group.count = size() - group.first;
  if (group.count != 1) return;
  const SubType& type = types_.back();
  if (type.kind == CompositeKind::func && type.final_ && type.supertypes.empty() && !mentions(type.func, group.first))
    by_encoding_.emplace(encoding_of(type.func), group.first);
}

std::string TypeStore::encoding_of(const FuncType& type) {
  scratch_.bytes().clear();
  scratch_.func_type(type);
  return std::string(scratch_.bytes().begin(), scratch_.bytes().end());
}

std::uint32_t TypeStore::index_of(const FuncType& type, std::uint32_t source_offset) {
  const auto [found, is_new] = by_encoding_.emplace(encoding_of(type), size());
  if (is_new) {
    groups_.push_back({size(), 1, false, source_offset});
    SubType sub;
    sub.func = type;
    types_.push_back(std::move(sub));
  }
  return found->second;
}

void TypeStore::write(SectionBuffer& section) const {
  for (const Group& group : groups_) {
    binary::Encoder& enc = section.entry(group.source_offset);
    if (group.explicit_rec && group.count != 1) enc.byte(0x4e).u32(group.count);
    for (std::uint32_t i = 0; i < group.count; ++i) write_sub_type(enc, types_[group.first + i]);
  }
}

}  // namespace heddle::text
