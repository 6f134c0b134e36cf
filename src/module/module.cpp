#include "module/module.h"

#include "base/check.h"

namespace heddle::module {

const Export* Module::find_export(std::string_view name) const {
  for (const Export& e : exports)
    if (e.name == name) return &e;
  return nullptr;
}

const CustomSection* Module::find_custom(std::string_view name) const {
  for (const CustomSection& section : customs)
    if (section.name == name) return &section;
  return nullptr;
}

namespace {

using spec::HeapType;

HeapType::Code top_of(spec::CompositeKind kind) {
  switch (kind) {
    case spec::CompositeKind::func: return HeapType::func;
    case spec::CompositeKind::struct_: return HeapType::struct_;
    case spec::CompositeKind::array: return HeapType::array;
  }
  HEDDLE_UNREACHABLE("every composite kind has an abstract heap type");
}

/// a <= b for abstract heap types. https://webassembly.github.io/spec/core/valid/matching.html#heap-types
bool abstract_matches(HeapType::Code a, HeapType::Code b) {
  if (a == b) return true;
  switch (a) {
    case HeapType::i31:
    case HeapType::struct_:
    case HeapType::array: return b == HeapType::eq || b == HeapType::any;
    case HeapType::eq: return b == HeapType::any;
    case HeapType::none:
      return b == HeapType::i31 || b == HeapType::struct_ || b == HeapType::array || b == HeapType::eq ||
             b == HeapType::any;
    case HeapType::nofunc: return b == HeapType::func;
    case HeapType::noextern: return b == HeapType::extern_;
    case HeapType::noexn: return b == HeapType::exn;
    case HeapType::func:
    case HeapType::extern_:
    case HeapType::any:
    case HeapType::exn: return false;
  }
  HEDDLE_UNREACHABLE("every abstract heap type has its place in the hierarchy");
}

/// The bottom type of a hierarchy matches every concrete type in it.
bool is_bottom_of(HeapType::Code a, HeapType::Code kind_of_b) {
  return (a == HeapType::none || a == HeapType::nofunc) && abstract_matches(a, kind_of_b);
}

bool heap_matches(const Module& ma, HeapType a, const Module& mb, HeapType b) {
  if (!a.is_concrete() && !b.is_concrete()) return abstract_matches(a.code(), b.code());
  if (!b.is_concrete()) return abstract_matches(top_of(ma.types[a.index().value].kind), b.code());
  if (!a.is_concrete()) return is_bottom_of(a.code(), top_of(mb.types[b.index().value].kind));
  if (&ma == &mb && a == b) return true;
  const CanonicalType* ca = ma.canonical.by_index[a.index().value];
  const CanonicalType* cb = mb.canonical.by_index[b.index().value];
  return ca != nullptr && cb != nullptr && is_subtype(ca, cb);
}

}  // namespace

bool matches(const Module& m, spec::HeapType a, spec::HeapType b) {
  return heap_matches(m, a, m, b);
}

bool matches(const Module& m, spec::ValType a, spec::ValType b) {
  return matches(m, a, m, b);
}

// https://webassembly.github.io/spec/core/valid/matching.html#reference-types
bool matches(const Module& ma, spec::ValType a, const Module& mb, spec::ValType b) {
  if (a.kind() == spec::ValType::Kind::bottom) return true;
  if (!a.is_ref() || !b.is_ref()) return a.kind() == b.kind();
  if (a.nullable() && !b.nullable()) return false;
  return heap_matches(ma, a.heap(), mb, b.heap());
}

}  // namespace heddle::module
