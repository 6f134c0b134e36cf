// See wat_immediates.h.
#include "text/wat_immediates.h"

#include <bit>
#include <fmt/core.h>
#include <optional>

#include "text/numbers.h"
#include "text/wat_types.h"

namespace heddle::text {
namespace {

using spec::ImmKind;
using spec::Opcode;
using spec::ValType;

constexpr VectorShape kShapes[] = {
    {"i8x16", 16, 8, false}, {"i16x8", 8, 16, false}, {"i32x4", 4, 32, false},
    {"i64x2", 2, 64, false}, {"f32x4", 4, 32, true},  {"f64x2", 2, 64, true},
};

bool is_number(const Cursor& cursor, const Token& token) {
  const TokenKind kind = token.kind;
  if (kind == TokenKind::natural || kind == TokenKind::integer || kind == TokenKind::floating) return true;
  if (kind != TokenKind::keyword) return false;
  const std::string_view word = cursor.stream().text(token);
  if (word == "inf" || word == "nan") return true;
  if (!word.starts_with("nan:0x") || word.size() == 6) return false;
  return word.find_first_not_of("0123456789abcdefABCDEF_", 6) == std::string_view::npos;
}

bool at_number(const Cursor& cursor) {
  return is_number(cursor, cursor.token());
}

void write_little_endian(std::uint64_t value, unsigned bytes, binary::Encoder& out) {
  for (unsigned i = 0; i < bytes; ++i) out.byte(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace

const VectorShape* find_vector_shape(std::string_view word) {
  for (const VectorShape& shape : kShapes)
    if (shape.word == word) return &shape;
  return nullptr;
}

std::uint64_t parse_number(Cursor& cursor, unsigned bits, bool is_float) {
  if (!at_number(cursor)) {
    cursor.unexpected("a number");
    return 0;
  }
  const bool is_integer = cursor.at(TokenKind::natural) || cursor.at(TokenKind::integer);
  std::optional<std::uint64_t> value;
  if (!is_float && is_integer)
    value = parse_integer(cursor.text(), bits);
  else if (is_float && bits == 32)
    value = parse_f32(cursor.text());
  else if (is_float)
    value = parse_f64(cursor.text());
  else
    cursor.unexpected("an integer");
  if (!value) cursor.fail(cursor.offset(), fmt::format("constant out of range: {}", cursor.text().substr(0, 60)));
  cursor.advance();
  return value.value_or(0);
}

void Immediates::write(const spec::OpcodeInfo& row, binary::Encoder& out) {
  switch (row.imm) {
    // These choose among opcodes by what follows.
    case ImmKind::select_types: return write_select(out);
    case ImmKind::heap_type:
      if (row.opcode == Opcode::ref_test || row.opcode == Opcode::ref_cast) return write_ref_test(row, out);
      break;
    case ImmKind::none:
      if (row.opcode == Opcode::select) return write_select(out);
      out.op(row.opcode);
      return;
    default: break;
  }
  out.op(row.opcode);
  switch (row.imm) {
    case ImmKind::none:
    case ImmKind::select_types: return;
    case ImmKind::block_type: return write_block_type(out);
    case ImmKind::label: out.u32(parse_label()); return;
    case ImmKind::br_table: return write_br_table(out);
    case ImmKind::func: out.u32(parse_index(cursor_, module_.funcs)); return;
    case ImmKind::call_indirect: return write_call_indirect(out);
    case ImmKind::type: out.u32(parse_index(cursor_, module_.types)); return;
    case ImmKind::local: out.u32(parse_local()); return;
    case ImmKind::global: out.u32(parse_index(cursor_, module_.globals)); return;
    case ImmKind::table: out.u32(parse_optional_index(cursor_, module_.tables)); return;
    case ImmKind::table_copy: return write_pair(module_.tables, module_.tables, out);
    case ImmKind::table_init: return write_init(module_.elems, module_.tables, out);
    case ImmKind::elem: out.u32(parse_index(cursor_, module_.elems)); return;
    case ImmKind::data: out.u32(parse_data()); return;
    case ImmKind::memory: out.u32(parse_optional_index(cursor_, module_.memories)); return;
    case ImmKind::memory_copy: return write_pair(module_.memories, module_.memories, out);
    case ImmKind::memory_init: module_.needs_data_count = true; return write_init(module_.datas, module_.memories, out);
    case ImmKind::memarg: return write_memarg(row, false, out);
    case ImmKind::memarg_lane: return write_memarg(row, true, out);
    case ImmKind::lane: out.byte(parse_lane()); return;
    case ImmKind::shuffle: return write_shuffle(out);
    case ImmKind::v128_const: return write_vector(out);
    case ImmKind::i32_const: out.s32(static_cast<std::int32_t>(parse_number(cursor_, 32, false))); return;
    case ImmKind::i64_const: out.s64(static_cast<std::int64_t>(parse_number(cursor_, 64, false))); return;
    case ImmKind::f32_const: out.fixed_u32(static_cast<std::uint32_t>(parse_number(cursor_, 32, true))); return;
    case ImmKind::f64_const: out.fixed_u64(parse_number(cursor_, 64, true)); return;
    case ImmKind::heap_type: out.heap_type(parse_heap_type(cursor_, module_)); return;
    case ImmKind::tag: out.u32(parse_tag()); return;
    case ImmKind::try_table: write_block_type(out); return write_catches(out);
    case ImmKind::fence: out.byte(0); return;
    case ImmKind::type_field: {
      const std::uint32_t type = parse_index(cursor_, module_.types);
      out.u32(type).u32(parse_field(type));
      return;
    }
    case ImmKind::type_len:
      out.u32(parse_index(cursor_, module_.types));
      out.u32(static_cast<std::uint32_t>(cursor_.expect_natural(32, "i32 constant out of range")));
      return;
    case ImmKind::type_data:
      out.u32(parse_index(cursor_, module_.types));
      out.u32(parse_data());
      return;
    case ImmKind::type_elem:
      out.u32(parse_index(cursor_, module_.types));
      out.u32(parse_index(cursor_, module_.elems));
      return;
    case ImmKind::type_type:
      out.u32(parse_index(cursor_, module_.types));
      out.u32(parse_index(cursor_, module_.types));
      return;
    case ImmKind::br_on_cast: return write_br_on_cast(out);
  }
}

void Immediates::write_block_type(binary::Encoder& out) {
  const TypeUse use = parse_type_use(cursor_, module_, nullptr);
  const spec::FuncType& type = use.inline_type;
  if (use.index || !type.params.empty() || type.results.size() > 1) {
    out.s33(resolve_type_use(cursor_, module_, use));
  } else if (type.results.empty()) {
    out.byte(0x40);
  } else {
    out.val_type(type.results.front());
  }
}

std::uint32_t Immediates::parse_label() {
  if (!cursor_.at(TokenKind::id)) {
    if (cursor_.at(TokenKind::natural))
      return static_cast<std::uint32_t>(cursor_.expect_natural(32, "i32 constant out of range"));
    cursor_.unexpected("a label");
    return 0;
  }
  const std::uint32_t offset = cursor_.offset();
  const std::string_view name = cursor_.take_id();
  const std::optional<std::uint32_t> depth = labels_.find(name);
  if (!depth) cursor_.fail(offset, fmt::format("unknown label ${}", name));
  return depth.value_or(0);
}

std::uint32_t Immediates::parse_local() {
  if (!cursor_.at(TokenKind::id)) {
    if (cursor_.at(TokenKind::natural))
      return static_cast<std::uint32_t>(cursor_.expect_natural(32, "i32 constant out of range"));
    cursor_.unexpected("a local");
    return 0;
  }
  const std::uint32_t offset = cursor_.offset();
  const std::string_view name = cursor_.take_id();
  const std::optional<std::uint32_t> local = locals_.find(name);
  if (!local) cursor_.fail(offset, fmt::format("unknown local ${}", name));
  return local.value_or(0);
}

std::uint32_t Immediates::parse_field(std::uint32_t type) {
  if (!cursor_.at(TokenKind::id))
    return static_cast<std::uint32_t>(cursor_.expect_natural(32, "i32 constant out of range"));
  const std::uint32_t offset = cursor_.offset();
  const std::string_view name = cursor_.take_id();
  const auto fields = module_.fields.find(type);
  const std::optional<std::uint32_t> field = fields == module_.fields.end() ? std::nullopt : fields->second.find(name);
  if (!field) cursor_.fail(offset, fmt::format("unknown field ${}", name));
  return field.value_or(0);
}

std::uint32_t Immediates::parse_tag() {
  return parse_index(cursor_, module_.tags);
}

std::uint32_t Immediates::parse_data() {
  module_.needs_data_count = true;
  return parse_index(cursor_, module_.datas);
}

std::uint8_t Immediates::parse_lane() {
  if (!cursor_.at(TokenKind::natural)) {
    cursor_.unexpected("a lane");
    return 0;
  }
  return static_cast<std::uint8_t>(cursor_.expect_natural(8, "i8 constant out of range"));
}

void Immediates::write_call_indirect(binary::Encoder& out) {
  const std::uint32_t table = parse_optional_index(cursor_, module_.tables);
  const TypeUse use = parse_type_use(cursor_, module_, nullptr);
  out.u32(resolve_type_use(cursor_, module_, use)).u32(table);
}

void Immediates::write_br_table(binary::Encoder& out) {
  std::vector<std::uint32_t> targets{parse_label()};
  while (cursor_.at_index()) targets.push_back(parse_label());
  out.u32(static_cast<std::uint32_t>(targets.size() - 1));
  for (std::uint32_t target : targets) out.u32(target);
}

void Immediates::write_select(binary::Encoder& out) {
  if (!cursor_.at_open("result")) {
    out.op(Opcode::select);
    return;
  }
  const TypeUse use = parse_type_use(cursor_, module_, nullptr);
  out.op(Opcode::select_t).u32(static_cast<std::uint32_t>(use.inline_type.results.size()));
  for (ValType type : use.inline_type.results) out.val_type(type);
}

void Immediates::write_ref_test(const spec::OpcodeInfo& row, binary::Encoder& out) {
  const ValType type = parse_ref_type(cursor_, module_);
  if (row.opcode == Opcode::ref_test)
    out.op(type.nullable() ? Opcode::ref_test_null : Opcode::ref_test);
  else
    out.op(type.nullable() ? Opcode::ref_cast_null : Opcode::ref_cast);
  out.heap_type(type.heap());
}

void Immediates::write_br_on_cast(binary::Encoder& out) {
  const std::uint32_t label = parse_label();
  const ValType from = parse_ref_type(cursor_, module_);
  const ValType to = parse_ref_type(cursor_, module_);
  out.byte(static_cast<std::uint8_t>((from.nullable() ? 1 : 0) | (to.nullable() ? 2 : 0)));
  out.u32(label).heap_type(from.heap()).heap_type(to.heap());
}

/// Two indices or none.
void Immediates::write_pair(const IndexSpace& first, const IndexSpace& second, binary::Encoder& out) {
  const bool given = cursor_.at_index();
  out.u32(given ? parse_index(cursor_, first) : 0);
  out.u32(given ? parse_index(cursor_, second) : 0);
}

/// x.init space? segment; the binary format has the segment first.
void Immediates::write_init(const IndexSpace& segments, const IndexSpace& spaces, binary::Encoder& out) {
  const bool both = Cursor::is_index(cursor_.token()) && Cursor::is_index(cursor_.ahead(1));
  const std::uint32_t space = both ? parse_index(cursor_, spaces) : 0;
  out.u32(parse_index(cursor_, segments)).u32(space);
}

void Immediates::write_memarg(const spec::OpcodeInfo& row, bool has_lane, binary::Encoder& out) {
  auto prefixed = [&](std::string_view prefix) {
    return cursor_.at(TokenKind::keyword) && cursor_.text().starts_with(prefix);
  };
  auto value = [&](std::string_view prefix) -> std::uint64_t {
    const std::string_view digits = cursor_.text().substr(prefix.size());
    const bool hex = digits.starts_with("0x");
    const bool plain = !digits.empty() && digits.find_first_not_of(hex ? "0123456789abcdefABCDEF_" : "0123456789_",
                                                                   hex ? 2 : 0) == std::string_view::npos;
    if (!plain || digits == "0x") {
      cursor_.fail(cursor_.offset(), fmt::format("unknown operator {}", cursor_.text()));
      return 0;
    }
    const std::optional<std::uint64_t> number = parse_natural(digits, 64);
    if (!number) cursor_.fail(cursor_.offset(), "i64 constant out of range");
    cursor_.advance();
    return number.value_or(0);
  };
  // A number alone is the lane where there is one.
  const Token& next = cursor_.ahead(1);
  const bool more = Cursor::is_index(next) ||
                    (next.kind == TokenKind::keyword && (cursor_.stream().text(next).starts_with("offset=") ||
                                                         cursor_.stream().text(next).starts_with("align=")));
  const bool has_memory = cursor_.at_index() && (!has_lane || cursor_.at(TokenKind::id) || more);
  const std::uint32_t memory = has_memory ? parse_index(cursor_, module_.memories) : 0;
  const std::uint64_t offset = prefixed("offset=") ? value("offset=") : 0;
  std::uint64_t align = row.memory_bytes;
  if (prefixed("align=")) {
    const std::uint32_t place = cursor_.offset();
    align = value("align=");
    if (!std::has_single_bit(align)) cursor_.fail(place, "alignment must be a power of two");
  }
  const std::uint32_t log2 = static_cast<std::uint32_t>(std::countr_zero(align)) & 0x3f;
  if (memory == 0)
    out.u32(log2);
  else
    out.u32(log2 | 0x40).u32(memory);
  out.u64(offset);
  if (has_lane) out.byte(parse_lane());
}

void Immediates::write_vector(binary::Encoder& out) {
  const VectorShape* shape = cursor_.at(TokenKind::keyword) ? find_vector_shape(cursor_.text()) : nullptr;
  if (shape == nullptr) return cursor_.unexpected("a vector shape");
  cursor_.advance();
  // Their number comes before their range.
  unsigned lanes = 0;
  while (lanes <= shape->lanes && is_number(cursor_, cursor_.ahead(lanes))) ++lanes;
  const TokenKind behind = cursor_.ahead(lanes).kind;
  if (lanes > shape->lanes || (lanes < shape->lanes && (behind == TokenKind::open || behind == TokenKind::close)))
    return cursor_.fail(cursor_.offset(), "wrong number of lane literals");
  for (unsigned lane = 0; lane < shape->lanes && !cursor_.failed(); ++lane)
    write_little_endian(parse_number(cursor_, shape->lane_bits, shape->is_float), shape->lane_bits / 8u, out);
}

void Immediates::write_shuffle(binary::Encoder& out) {
  unsigned lanes = 0;
  for (; at_number(cursor_) && !cursor_.failed(); ++lanes) {
    const std::optional<std::uint64_t> lane =
        cursor_.at(TokenKind::natural) ? parse_natural(cursor_.text(), 8) : std::nullopt;
    if (!lane) return cursor_.fail(cursor_.offset(), "i8 constant out of range");
    out.byte(static_cast<std::uint8_t>(*lane));
    cursor_.advance();
  }
  if (lanes != 16) cursor_.fail(cursor_.offset(), "invalid lane length");
}

}  // namespace heddle::text
