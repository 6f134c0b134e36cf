// See printer_body.h. The walk of binary/body_reader.h calls one handler an opcode; here they all lead to
// instruction(), which takes the word from the table, and to operands() of their kind of immediate.
#include "text/printer_body.h"

#include <bit>
#include <fmt/format.h>

#include "binary/body_reader.h"
#include "text/numbers.h"

namespace heddle::text {
namespace {

namespace imm = binary::imm;
using spec::Opcode;

class BodyPrinter {
 public:
  enum class Style : std::uint8_t { lines, flat };

  BodyPrinter(const PrinterNames& names, const Identifiers& locals, Style style, std::string& out)
      : names_(names), locals_(locals), style_(style), out_(out) {}

#define OP(name, code, text, imm_kind, signature, memory, family, feature) \
  base::Status on_##name(const binary::imm_by_kind::imm_kind& immediate) { \
    return instruction(spec::opcode_info(Opcode::name), immediate);        \
  }
#include "spec/opcodes.def"

  base::Status run(binary::BodyReader& reader) {
    while (!reader.at_end() && !ended_) HEDDLE_TRY(binary::walk_instruction(reader, *this));
    if (ended_ && reader.at_end()) return {};
    return base::Error{base::ErrorKind::malformed, reader.offset(), "END opcode expected"};
  }

 private:
  template <class Imm>
  base::Status instruction(const spec::OpcodeInfo& row, const Imm& immediate) {
    const Opcode op = row.opcode;
    const bool closes = op == Opcode::end || op == Opcode::delegate;
    const bool divides = op == Opcode::else_ || op == Opcode::catch_ || op == Opcode::catch_all;
    if (op == Opcode::end && depth_ == 0) {  // the one that ends the body
      ended_ = true;
      return {};
    }
    if ((closes || divides) && depth_ != 0) --depth_;
    const bool opens =
        op == Opcode::block || op == Opcode::loop || op == Opcode::if_ || op == Opcode::try_ || op == Opcode::try_table;
    const bool parenthesis = style_ == Style::flat && !closes && !divides && !opens;
    begin_instruction();
    if (parenthesis) out_ += '(';
    out_ += row.text();
    row_ = &row;
    operands(immediate);
    if (parenthesis) out_ += ')';
    if (opens || divides) ++depth_;
    if (opens && style_ == Style::lines) out_ += fmt::format("  ;; @{}", depth_);
    return {};
  }

  void begin_instruction() {
    if (style_ == Style::flat) {
      if (!first_) out_ += ' ';
      first_ = false;
      return;
    }
    out_ += '\n';
    // Chosen: deeper nesting is not made visible, or n levels would cost n^2 spaces.
    out_.append(4 + 2 * std::size_t{std::min(depth_, kMaxIndent)}, ' ');
  }

  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  void add_ref(const Identifiers& ids, std::uint32_t index) {
    const std::string_view id = ids.id(index);
    if (id.empty())
      add(" {}", index);
    else
      add(" {}", id);
  }
  /// Index 0 is what is meant when nothing stands there.
  void add_optional(const Identifiers& ids, std::uint32_t index) {
    if (index != 0) add_ref(ids, index);
  }
  void add_label(std::uint32_t depth) {
    add(" {}", depth);
    if (style_ == Style::lines && depth < depth_) add(" (;@{};)", depth_ - depth);
  }
  void add_block_type(const imm::BlockType& type) {
    switch (type.form) {
      case imm::BlockType::Form::empty: return;
      case imm::BlockType::Form::value: add(" (result {})", names_.type(type.value)); return;
      case imm::BlockType::Form::type_index: add(" {}", names_.type_use(type.type, nullptr)); return;
    }
  }
  void add_memarg(const imm::MemArg& memarg) {
    add_optional(names_.memories, memarg.memory.value);
    if (memarg.offset != 0) add(" offset={}", memarg.offset);
    const std::uint32_t natural = static_cast<std::uint32_t>(std::countr_zero(unsigned{row_->memory_bytes}));
    if (memarg.align_log2 != natural) add(" align={}", std::uint64_t{1} << (memarg.align_log2 & 63));
  }

  void operands(const imm::None&) {}
  void operands(const imm::BlockType& i) { add_block_type(i); }
  void operands(const imm::Label& i) { add_label(i.depth.value); }
  void operands(const imm::BrTable& i) {
    for (std::uint32_t target : i.targets) add_label(target);
    add_label(i.default_target.value);
  }
  void operands(const imm::Func& i) { add_ref(names_.functions, i.func.value); }
  void operands(const imm::CallIndirect& i) {
    add_optional(names_.tables, i.table.value);
    add(" {}", names_.type_use(i.type, nullptr));
  }
  void operands(const imm::Type& i) { add_ref(names_.types, i.type.value); }
  void operands(const imm::Local& i) { add_ref(locals_, i.local.value); }
  void operands(const imm::Global& i) { add_ref(names_.globals, i.global.value); }
  void operands(const imm::Table& i) { add_optional(names_.tables, i.table.value); }
  void operands(const imm::TableCopy& i) {
    if (i.dst.value == 0 && i.src.value == 0) return;
    add_ref(names_.tables, i.dst.value);
    add_ref(names_.tables, i.src.value);
  }
  void operands(const imm::TableInit& i) {
    add_optional(names_.tables, i.table.value);
    add_ref(names_.elems, i.elem.value);
  }
  void operands(const imm::Elem& i) { add_ref(names_.elems, i.elem.value); }
  void operands(const imm::Data& i) { add_ref(names_.datas, i.data.value); }
  void operands(const imm::Memory& i) { add_optional(names_.memories, i.memory.value); }
  void operands(const imm::MemoryCopy& i) {
    if (i.dst.value == 0 && i.src.value == 0) return;
    add_ref(names_.memories, i.dst.value);
    add_ref(names_.memories, i.src.value);
  }
  void operands(const imm::MemoryInit& i) {
    add_optional(names_.memories, i.memory.value);
    add_ref(names_.datas, i.data.value);
  }
  void operands(const imm::MemArg& i) { add_memarg(i); }
  void operands(const imm::MemArgLane& i) {
    add_memarg(i.memarg);
    add(" {}", i.lane);
  }
  void operands(const imm::Lane& i) { add(" {}", i.lane); }
  void operands(const imm::Shuffle& i) {
    for (std::uint8_t lane : i.lanes) add(" {}", lane);
  }
  void operands(const imm::V128Const& i) {
    out_ += " i32x4";
    for (std::size_t lane = 0; lane < 16; lane += 4) {
      const std::uint32_t bits = std::uint32_t{i.bytes[lane]} | std::uint32_t{i.bytes[lane + 1]} << 8 |
                                 std::uint32_t{i.bytes[lane + 2]} << 16 | std::uint32_t{i.bytes[lane + 3]} << 24;
      add(" {:#010x}", bits);
    }
  }
  void operands(const imm::I32Const& i) { add(" {}", i.value); }
  void operands(const imm::I64Const& i) { add(" {}", i.value); }
  void operands(const imm::F32Const& i) {
    char buffer[40];
    add(" {} (;={};)", format_f32(i.bits, buffer), std::bit_cast<float>(i.bits));
  }
  void operands(const imm::F64Const& i) {
    char buffer[40];
    add(" {} (;={};)", format_f64(i.bits, buffer), std::bit_cast<double>(i.bits));
  }
  void operands(const imm::HeapType& i) {
    const Opcode op = row_->opcode;
    if (op == Opcode::ref_null) return add(" {}", names_.type(i.heap));
    const bool nullable = op == Opcode::ref_test_null || op == Opcode::ref_cast_null;
    add(" {}", names_.type(spec::ValType::ref(i.heap, nullable)));
  }
  void operands(const imm::SelectTypes& i) {
    out_ += " (result";
    for (spec::ValType type : i.types) add(" {}", names_.type(type));
    out_ += ')';
  }
  void operands(const imm::Tag& i) { add_ref(names_.tags, i.tag.value); }
  void operands(const imm::TryTable& i) {
    add_block_type(i.type);
    static constexpr std::string_view kWords[] = {"catch", "catch_ref", "catch_all", "catch_all_ref"};
    for (const imm::Catch& c : i.catches) {
      add(" ({}", kWords[static_cast<std::size_t>(c.kind)]);
      if (c.kind == imm::Catch::Kind::catch_ || c.kind == imm::Catch::Kind::catch_ref)
        add_ref(names_.tags, c.tag.value);
      add_label(c.label.value);
      out_ += ')';
    }
  }
  void operands(const imm::Fence&) {}
  void operands(const imm::TypeField& i) {
    add_ref(names_.types, i.type.value);
    add_ref(names_.fields_of(i.type.value), i.field.value);
  }
  void operands(const imm::TypeLen& i) {
    add_ref(names_.types, i.type.value);
    add(" {}", i.length);
  }
  void operands(const imm::TypeData& i) {
    add_ref(names_.types, i.type.value);
    add_ref(names_.datas, i.data.value);
  }
  void operands(const imm::TypeElem& i) {
    add_ref(names_.types, i.type.value);
    add_ref(names_.elems, i.elem.value);
  }
  void operands(const imm::TypeType& i) {
    add_ref(names_.types, i.dst.value);
    add_ref(names_.types, i.src.value);
  }
  void operands(const imm::BrOnCast& i) {
    add_label(i.depth.value);
    add(" {} {}", names_.type(i.from), names_.type(i.to));
  }

  static constexpr std::uint32_t kMaxIndent = 60;

  const PrinterNames& names_;
  const Identifiers& locals_;
  Style style_;
  std::string& out_;
  std::uint32_t depth_ = 0;
  bool first_ = true;
  bool ended_ = false;
  const spec::OpcodeInfo* row_ = nullptr;
};

}  // namespace

base::Status print_body(const module::Module& m, const PrinterNames& names, spec::FuncIndex func,
                        const Identifiers& locals, std::string& out) {
  binary::BodyReader reader(m, m.body(func).range);
  const spec::TypeIndex type = m.functions[func.value].type;
  const bool known = type.value < m.types.size() && m.types[type.value].kind == spec::CompositeKind::func;
  std::uint32_t next = known ? static_cast<std::uint32_t>(m.func_type(type).params.size()) : 0;
  HEDDLE_TRY_ASSIGN(const auto runs, reader.local_runs(next));
  bool open = false;
  for (const binary::LocalRun& run : runs) {
    for (std::uint32_t i = 0; i < run.count; ++i, ++next) {
      const std::string_view id = locals.id(next);
      if (open && !id.empty()) out += ')';
      open = open && id.empty();
      if (!open) out += "\n    (local";
      out += ' ';
      if (!id.empty()) out.append(id) += ' ';
      out += names.type(run.type);
      open = id.empty();
      if (!open) out += ')';
    }
  }
  if (open) out += ')';
  return BodyPrinter(names, locals, BodyPrinter::Style::lines, out).run(reader);
}

base::Status print_expression(const module::Module& m, const PrinterNames& names, module::ConstExpr expr,
                              std::string& out) {
  binary::BodyReader reader(m, expr.range);
  const Identifiers no_locals;
  return BodyPrinter(names, no_locals, BodyPrinter::Style::flat, out).run(reader);
}

}  // namespace heddle::text
