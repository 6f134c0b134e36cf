// How the printer refers to things: an identifier where the name section has a usable one, else the index.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "module/module.h"
#include "text/name_section.h"

namespace heddle::text {

/// `"..."` with what is not printable as \hh; `escape_wide`: also bytes beyond ASCII (data that is no text).
void append_quoted(std::string_view bytes, bool escape_wide, std::string& out);

/// Identifiers ("$name" or $"na me") of one index space. A name that occurs twice counts once.
class Identifiers {
 public:
  Identifiers() = default;
  explicit Identifiers(const NameMap& names);

  /// Empty if the index has none.
  std::string_view id(std::uint32_t index) const {
    const auto found = by_index_.find(index);
    return found == by_index_.end() ? std::string_view() : std::string_view(found->second);
  }
  /// To mention it: identifier or number.
  std::string ref(std::uint32_t index) const;

 private:
  std::unordered_map<std::uint32_t, std::string> by_index_;
};

/// All identifiers of a module, and types written with them.
class PrinterNames {
 public:
  explicit PrinterNames(const module::Module& m);

  const NameSection& section() const { return section_; }
  Identifiers functions, types, tables, memories, globals, elems, datas, tags;

  /// Identifiers of a function's parameters and locals (made anew each time); of a struct type's fields.
  Identifiers locals_of(std::uint32_t func) const;
  const Identifiers& fields_of(std::uint32_t type) const;

  std::string type(spec::ValType type) const;
  std::string type(spec::HeapType type) const;
  std::string type(const spec::TableType& type) const;
  std::string type(const spec::MemType& type) const;
  std::string type(const spec::GlobalType& type) const;
  /// " (param ...) (result ...)", with the parameters' identifiers if given; empty if the type has neither.
  std::string signature(const spec::FuncType& type, const Identifiers* params) const;
  /// "(type x)" and the signature behind it, as far as x is a function type.
  std::string type_use(spec::TypeIndex type, const Identifiers* params) const;

 private:
  const module::Module& module_;
  NameSection section_;
  std::unordered_map<std::uint32_t, Identifiers> fields_;
  Identifiers none_;
};

}  // namespace heddle::text
