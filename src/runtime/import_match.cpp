#include "runtime/import_match.h"

#include "module/canonical_type.h"

namespace heddle::runtime {
namespace {

using module::Import;
using module::Module;

/// Core spec, Matching, Limits: `given` describes the object as it is now (min = current size).
bool matches(const spec::Limits& given, const spec::Limits& wanted) {
  if (given.min < wanted.min) return false;
  if (!wanted.max) return true;
  return given.max && *given.max <= *wanted.max;
}

bool equal(const Module& a_of, spec::ValType a, const Module& b_of, spec::ValType b) {
  return module::matches(a_of, a, b_of, b) && module::matches(b_of, b, a_of, a);
}

bool matches(const Module& m, const spec::TableType& wanted, const TableInstance& given) {
  const Module& given_of = given.types_of != nullptr ? *given.types_of : m;
  spec::Limits limits = given.type.limits;
  limits.min = given.vm->size;
  return given.type.address == wanted.address && matches(limits, wanted.limits) &&
         equal(given_of, given.type.element, m, wanted.element);
}

bool matches(const spec::MemType& wanted, const Memory& given) {
  const spec::MemType type = given.current_type();
  return type.address == wanted.address && type.shared == wanted.shared && type.page_log2 == wanted.page_log2 &&
         matches(type.limits, wanted.limits);
}

bool matches(const Module& m, const spec::GlobalType& wanted, const GlobalInstance& given) {
  const Module& given_of = given.types_of != nullptr ? *given.types_of : m;
  if (given.type.mutable_ != wanted.mutable_) return false;
  return wanted.mutable_ ? equal(given_of, given.type.type, m, wanted.type)
                         : module::matches(given_of, given.type.type, m, wanted.type);
}

bool matches(const Module& m, const Import& import, const Extern& given) {
  if (given.kind() != import.kind) return false;
  switch (import.kind) {
    case spec::ExternKind::func:
      return module::is_subtype((*std::get_if<0>(&given.item))->type, m.canonical_of(spec::FuncIndex(import.index)));
    case spec::ExternKind::table: return matches(m, m.tables[import.index].type, **std::get_if<1>(&given.item));
    case spec::ExternKind::memory: return matches(m.memories[import.index].type, **std::get_if<2>(&given.item));
    case spec::ExternKind::global: return matches(m, m.globals[import.index].type, **std::get_if<3>(&given.item));
    case spec::ExternKind::tag:
      return (*std::get_if<4>(&given.item))->type == m.canonical.by_index[m.tags[import.index].type.type.value];
  }
  return false;
}

std::string found_text(const Import& import, const Extern& given) {
  if (given.kind() != import.kind) return std::string("a ") + spec::extern_kind_name(given.kind());
  switch (import.kind) {
    // Concrete types inside are another module's indices; the kinds are still what a reader wants to see.
    case spec::ExternKind::func: return "(func " + spec::to_string((*std::get_if<0>(&given.item))->type->func) + ")";
    case spec::ExternKind::table: {
      const TableInstance& table = **std::get_if<1>(&given.item);
      spec::TableType type = table.type;
      type.limits.min = table.vm->size;
      return "(table " + spec::to_string(type) + ")";
    }
    case spec::ExternKind::memory:
      return "(memory " + spec::to_string((*std::get_if<2>(&given.item))->current_type()) + ")";
    case spec::ExternKind::global: return "(global " + spec::to_string((*std::get_if<3>(&given.item))->type) + ")";
    case spec::ExternKind::tag: return "(tag " + spec::to_string((*std::get_if<4>(&given.item))->type->func) + ")";
  }
  return {};
}

base::Error incompatible(const Module& m, const Import& import, const std::string& found) {
  return {base::ErrorKind::unlinkable, import.offset,
          "incompatible import type for " + import_name_text(import) + ": the module wants " +
              import_type_text(m, import) + ", given is " + found};
}

}  // namespace

std::string import_name_text(const Import& import) {
  return '"' + std::string(import.module) + "\" \"" + std::string(import.name) + '"';
}

std::string import_type_text(const Module& m, const Import& import) {
  const auto with = [&import](const std::string& type) {
    return std::string("(") + spec::extern_kind_name(import.kind) + (type.empty() ? "" : " ") + type + ")";
  };
  switch (import.kind) {
    case spec::ExternKind::func: return with(spec::to_string(m.type_of(spec::FuncIndex(import.index))));
    case spec::ExternKind::table: return with(spec::to_string(m.tables[import.index].type));
    case spec::ExternKind::memory: return with(spec::to_string(m.memories[import.index].type));
    case spec::ExternKind::global: return with(spec::to_string(m.globals[import.index].type));
    case spec::ExternKind::tag: return with(spec::to_string(m.func_type(m.tags[import.index].type.type)));
  }
  return {};
}

base::Status match_import(const Module& m, const Import& import, const Extern& given) {
  if (matches(m, import, given)) return {};
  return incompatible(m, import, found_text(import, given));
}

base::Status match_import(const Module& m, const Import& import, const HostFunction& given) {
  if (import.kind == spec::ExternKind::func &&
      module::is_subtype(given.canonical(), m.canonical_of(spec::FuncIndex(import.index))))
    return {};
  return incompatible(m, import, "(func " + spec::to_string(given.type()) + ")");
}

base::Status match_import(const Module& m, const Import& import, const Memory& given) {
  if (import.kind == spec::ExternKind::memory && matches(m.memories[import.index].type, given)) return {};
  return incompatible(m, import, "(memory " + spec::to_string(given.current_type()) + ")");
}

}  // namespace heddle::runtime
