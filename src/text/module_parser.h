// The fields of a module (core spec, Text Format, Modules) -> sections. Three passes over the tokens:
//   1. names: every field's identifier and index, so that anything may be named before it is defined; "import after
//   ..."
//   2. declarations in order of the text (types first); each function's type is settled here
//   3. function bodies
// Types that function headers imply are therefore numbered before those of block types, as in the specification's
// interpreter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "text/cursor.h"
#include "text/module_context.h"
#include "text/wat_instructions.h"
#include "text/wat_parser.h"
#include "text/wat_types.h"

namespace heddle::text {

class ModuleParser {
 public:
  /// Fields begin at token `first` and end before token `last` (a closing parenthesis or the end of the source).
  ModuleParser(Cursor& cursor, spec::Features features, std::uint32_t first, std::uint32_t last)
      : cursor_(cursor),
        first_(first),
        last_(last),
        module_(features, Annotations(cursor.stream(), first, last)),
        instructions_(cursor, module_) {}

  /// `id`: the module's. On failure the cursor holds the error; else it stands at token `last`.
  Parsed parse(std::string_view id);

 private:
  struct PendingBody {
    std::uint32_t token = 0;  ///< of the type use
    std::uint32_t func = 0;
    std::uint32_t type = 0;
    std::uint32_t offset = 0;  ///< of the field, in the source
  };
  struct InlineImport {
    std::string module;
    std::string name;
  };

  // Pass 1.
  void bind_fields();
  void bind_field();
  void bind_types();
  void bind_import();
  void bind_definition(IndexSpace& space, const char* defined);
  void bind_inline_segment(std::uint32_t close);
  void bind_id(IndexSpace& space);
  void check_import_order(std::uint32_t offset);
  bool skip_to_inline_import();

  // Pass 2.
  void parse_types();
  void parse_declarations();
  void parse_declaration();
  void parse_import(std::uint32_t offset);
  void parse_import_desc(const InlineImport& names, spec::ExternKind kind, std::uint32_t offset);
  std::optional<InlineImport> parse_inline_names(spec::ExternKind kind, std::uint32_t index, std::uint32_t offset);
  void parse_func(std::uint32_t offset);
  void parse_table(std::uint32_t offset);
  void parse_inline_elems(std::uint32_t table, spec::AddressType address, std::uint32_t offset);
  void parse_memory(std::uint32_t offset);
  void parse_inline_data(std::uint32_t memory, spec::AddressType address, std::uint32_t offset);
  void parse_global(std::uint32_t offset);
  void parse_tag(std::uint32_t offset);
  void parse_export(std::uint32_t offset);
  void parse_start(std::uint32_t offset);
  void parse_elem(std::uint32_t offset);
  void parse_data(std::uint32_t offset);

  void skip_id();
  void write_export(std::string_view name, spec::ExternKind kind, std::uint32_t index, std::uint32_t offset);
  std::optional<spec::ExternKind> take_open_kind();
  IndexSpace& space_of(spec::ExternKind kind);
  void parse_offset(CodeBuffer& out);
  std::string parse_strings();

  // Element lists (module_elems.cpp).
  struct ElemList;
  void parse_elem_list(bool bare_indices, ElemList& list);
  void parse_elem_indices(ElemList& list);
  void parse_elem_exprs(ElemList& list);

  // Pass 3.
  void parse_bodies();
  void parse_body(const PendingBody& pending);
  void parse_locals(std::uint32_t func, IndexNames names, std::uint32_t param_count, binary::Encoder& out);
  void write_hints();

  Cursor& cursor_;
  std::uint32_t first_;
  std::uint32_t last_;
  ModuleContext module_;
  InstructionParser instructions_;

  const char* defined_ = nullptr;  ///< pass 1: latest definition, behind which no import may stand
  struct Counters {
    std::uint32_t funcs = 0, tables = 0, memories = 0, globals = 0, tags = 0, elems = 0, datas = 0;
  } next_;  ///< pass 2: next index of each space
  std::vector<PendingBody> bodies_;
  CodeBuffer body_;  ///< reused
  struct FunctionHints {
    std::uint32_t func;
    std::vector<BranchHint> hints;
  };
  std::vector<FunctionHints> hints_;
};

}  // namespace heddle::text
