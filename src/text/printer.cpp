// See printer.h. Fields come in the order of the binary format, so that indices count the same.
#include "text/printer.h"

#include <fmt/format.h>

#include "text/printer_body.h"
#include "text/printer_names.h"

namespace heddle::text {
namespace {

using module::Module;
using spec::ExternKind;

class Printer {
 public:
  explicit Printer(const Module& m) : m_(m), names_(m) {}

  base::Result<std::string> run(const PrintOptions& options) {
    out_ = "(module";
    if (!names_.section().module.empty()) out_ += " " + Identifiers({{0, names_.section().module}}).ref(0);
    types();
    imports();
    HEDDLE_TRY(tables());
    for (std::uint32_t i = m_.imported_memories; i < m_.memories.size(); ++i)
      add("\n  (memory{} {})", head(names_.memories, i), names_.type(m_.memories[i].type));
    for (std::uint32_t i = m_.imported_tags; i < m_.tags.size(); ++i)
      add("\n  (tag{} {})", head(names_.tags, i), names_.type_use(m_.tags[i].type.type, nullptr));
    HEDDLE_TRY(globals());
    exports();
    if (m_.has_start) add("\n  (start {})", names_.functions.ref(m_.start.value));
    HEDDLE_TRY(elems());
    HEDDLE_TRY(functions());
    HEDDLE_TRY(datas());
    if (options.custom_sections) customs();
    out_ += ")\n";
    return std::move(out_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  /// " $name (;3;)"
  static std::string head(const Identifiers& ids, std::uint32_t index) {
    const std::string_view id = ids.id(index);
    return fmt::format("{}{} (;{};)", id.empty() ? "" : " ", id, index);
  }

  base::Status expression(module::ConstExpr expr) { return print_expression(m_, names_, expr, out_); }

  std::string field_type(const spec::FieldType& field) const {
    std::string text = names_.type(field.type);
    if (field.packed != spec::PackedType::none) text = field.packed == spec::PackedType::i8 ? "i8" : "i16";
    return field.mutable_ ? "(mut " + text + ")" : text;
  }

  std::string composite(const spec::SubType& type, std::uint32_t index) const {
    switch (type.kind) {
      case spec::CompositeKind::func: return "(func" + names_.signature(type.func, nullptr) + ")";
      case spec::CompositeKind::array: return "(array " + field_type(type.fields.front()) + ")";
      case spec::CompositeKind::struct_: break;
    }
    const Identifiers& ids = names_.fields_of(index);
    std::string text = "(struct";
    for (std::uint32_t i = 0; i < type.fields.size(); ++i) {
      const std::string_view id = ids.id(i);
      text += fmt::format(" (field{}{} {})", id.empty() ? "" : " ", id, field_type(type.fields[i]));
    }
    return text + ")";
  }

  void type(std::uint32_t index, std::string_view indent) {
    const spec::SubType& type = m_.types[index];
    add("\n{}(type{} ", indent, head(names_.types, index));
    const bool plain = type.final_ && type.supertypes.empty();
    if (!plain) {
      add("(sub {}", type.final_ ? "final " : "");
      for (spec::TypeIndex super : type.supertypes) add("{} ", names_.types.ref(super.value));
    }
    out_ += composite(type, index);
    out_ += plain ? ")" : "))";
  }

  void types() {
    for (const module::RecGroupRange& group : m_.rec_groups) {
      const bool alone = group.end - group.begin == 1;
      if (!alone) out_ += "\n  (rec";
      for (std::uint32_t i = group.begin; i < group.end; ++i) type(i, alone ? "  " : "    ");
      if (!alone) out_ += ")";
    }
  }

  void imports() {
    for (const module::Import& import : m_.imports) {
      out_ += "\n  (import ";
      append_quoted(import.module, false, out_);
      out_ += ' ';
      append_quoted(import.name, false, out_);
      add(" ({}{})", spec::extern_kind_name(import.kind), import_type(import.kind, import.index));
      out_ += ')';
    }
  }

  std::string import_type(ExternKind kind, std::uint32_t i) const {
    switch (kind) {
      case ExternKind::func: {
        const Identifiers params = names_.locals_of(i);
        return head(names_.functions, i) + " " + names_.type_use(m_.functions[i].type, &params);
      }
      case ExternKind::table: return head(names_.tables, i) + " " + names_.type(m_.tables[i].type);
      case ExternKind::memory: return head(names_.memories, i) + " " + names_.type(m_.memories[i].type);
      case ExternKind::global: return head(names_.globals, i) + " " + names_.type(m_.globals[i].type);
      case ExternKind::tag: return head(names_.tags, i) + " " + names_.type_use(m_.tags[i].type.type, nullptr);
    }
    HEDDLE_UNREACHABLE("all kinds are listed");
  }

  base::Status tables() {
    for (std::uint32_t i = m_.imported_tables; i < m_.tables.size(); ++i) {
      add("\n  (table{} {}", head(names_.tables, i), names_.type(m_.tables[i].type));
      if (m_.tables[i].has_init) {
        out_ += ' ';
        HEDDLE_TRY(expression(m_.tables[i].init));
      }
      out_ += ')';
    }
    return {};
  }

  base::Status globals() {
    for (std::uint32_t i = m_.imported_globals; i < m_.globals.size(); ++i) {
      add("\n  (global{} {} ", head(names_.globals, i), names_.type(m_.globals[i].type));
      HEDDLE_TRY(expression(m_.globals[i].init));
      out_ += ')';
    }
    return {};
  }

  std::string ref(ExternKind kind, std::uint32_t index) const {
    switch (kind) {
      case ExternKind::func: return names_.functions.ref(index);
      case ExternKind::table: return names_.tables.ref(index);
      case ExternKind::memory: return names_.memories.ref(index);
      case ExternKind::global: return names_.globals.ref(index);
      case ExternKind::tag: return names_.tags.ref(index);
    }
    HEDDLE_UNREACHABLE("all kinds are listed");
  }

  void exports() {
    for (const module::Export& e : m_.exports) {
      out_ += "\n  (export ";
      append_quoted(e.name, false, out_);
      add(" ({} {}))", spec::extern_kind_name(e.kind), ref(e.kind, e.index));
    }
  }

  base::Status elem_items(const module::ElemSegment& elem) {
    if (!elem.uses_expressions) {
      out_ += " func";
      for (spec::FuncIndex func : elem.funcs) add(" {}", names_.functions.ref(func.value));
      return {};
    }
    add(" {}", names_.type(elem.type));
    for (const module::ConstExpr& item : elem.expressions) {
      out_ += " (item ";
      HEDDLE_TRY(expression(item));
      out_ += ')';
    }
    return {};
  }

  base::Status elems() {
    for (std::uint32_t i = 0; i < m_.elems.size(); ++i) {
      const module::ElemSegment& elem = m_.elems[i];
      add("\n  (elem{}", head(names_.elems, i));
      if (elem.mode == module::SegmentMode::declarative) out_ += " declare";
      if (elem.mode == module::SegmentMode::active) {
        if (elem.table.value != 0) add(" (table {})", names_.tables.ref(elem.table.value));
        out_ += " (offset ";
        HEDDLE_TRY(expression(elem.table_offset));
        out_ += ')';
      }
      HEDDLE_TRY(elem_items(elem));
      out_ += ')';
    }
    return {};
  }

  base::Status functions() {
    for (std::uint32_t i = m_.imported_functions; i < m_.functions.size(); ++i) {
      const Identifiers locals = names_.locals_of(i);
      add("\n  (func{} {}", head(names_.functions, i), names_.type_use(m_.functions[i].type, &locals));
      HEDDLE_TRY(print_body(m_, names_, spec::FuncIndex(i), locals, out_));
      out_ += ')';
    }
    return {};
  }

  /// A line for each run of bytes, so that large segments stay readable.
  void bytes(base::Bytes all) {
    const std::string_view text(reinterpret_cast<const char*>(all.data()), all.size());
    constexpr std::size_t kBytesPerLine = 64;
    if (text.size() <= kBytesPerLine) {
      out_ += ' ';
      return append_quoted(text, true, out_);
    }
    for (std::size_t at = 0; at < text.size(); at += kBytesPerLine) {
      out_ += "\n    ";
      append_quoted(text.substr(at, kBytesPerLine), true, out_);
    }
  }

  base::Status datas() {
    for (std::uint32_t i = 0; i < m_.datas.size(); ++i) {
      const module::DataSegment& data = m_.datas[i];
      add("\n  (data{}", head(names_.datas, i));
      if (data.mode == module::SegmentMode::active) {
        if (data.memory.value != 0) add(" (memory {})", names_.memories.ref(data.memory.value));
        out_ += " (offset ";
        HEDDLE_TRY(expression(data.memory_offset));
        out_ += ')';
      }
      bytes(m_.bytes_of(data.bytes));
      out_ += ')';
    }
    return {};
  }

  void customs() {
    for (const module::CustomSection& custom : m_.customs) {
      if (custom.name == "name") continue;  // printed as identifiers
      out_ += "\n  (@custom ";
      append_quoted(custom.name, false, out_);
      bytes(m_.bytes_of(custom.contents));
      out_ += ')';
    }
  }

  const Module& m_;
  PrinterNames names_;
  std::string out_;
};

}  // namespace

base::Result<std::string> print_wat(const Module& m, const PrintOptions& options) {
  return Printer(m).run(options);
}

}  // namespace heddle::text
