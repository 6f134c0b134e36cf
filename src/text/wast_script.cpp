// See wast_script.h.
#include "text/wast_script.h"

#include <algorithm>
#include <fmt/format.h>

#include "text/numbers.h"
#include "text/wast_parser.h"

namespace heddle::text {
namespace {

using Kind = ScriptPattern::Kind;

struct Lanes {
  std::string_view name;
  unsigned count;
  unsigned bytes;
  bool is_float;
};

Lanes lanes_of(LaneShape shape) {
  switch (shape) {
    case LaneShape::i8x16: return {"i8x16", 16, 1, false};
    case LaneShape::i16x8: return {"i16x8", 8, 2, false};
    case LaneShape::i32x4: return {"i32x4", 4, 4, false};
    case LaneShape::i64x2: return {"i64x2", 2, 8, false};
    case LaneShape::f32x4: return {"f32x4", 4, 4, true};
    case LaneShape::f64x2: return {"f64x2", 2, 8, true};
  }
  HEDDLE_UNREACHABLE("all shapes are listed");
}

std::uint64_t read_little_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

/// Core spec, Numerics, NaN propagation: canonical has the payload's top bit alone, arithmetic at least it.
bool matches_nan(NanClass nan, std::uint64_t bits, unsigned bytes) {
  const std::uint64_t quiet = bytes == 4 ? 0x7fc0'0000u : 0x7ff8'0000'0000'0000u;
  const std::uint64_t sign = std::uint64_t{1} << (bytes * 8 - 1);
  if (nan == NanClass::canonical) return (bits & ~sign) == quiet;
  return (bits & quiet) == quiet;
}

bool matches_number(const ScriptPattern& p, std::span<const std::uint8_t> actual) {
  const bool wide = p.value.kind == ScriptValue::Kind::i64 || p.value.kind == ScriptValue::Kind::f64;
  if (actual.size() != (wide ? 8u : 4u)) return false;
  const std::uint64_t bits = read_little_endian(actual);
  if (p.nans[0] == NanClass::exact) return bits == p.value.bits;
  return matches_nan(p.nans[0], bits, wide ? 8 : 4);
}

bool matches_vector(const ScriptPattern& p, std::span<const std::uint8_t> actual) {
  if (actual.size() != 16) return false;
  const Lanes lanes = lanes_of(p.shape);
  for (unsigned i = 0; i < lanes.count; ++i) {
    const auto have = actual.subspan(std::size_t{i} * lanes.bytes, lanes.bytes);
    const auto want = std::span(p.value.vector).subspan(std::size_t{i} * lanes.bytes, lanes.bytes);
    const bool exact = !lanes.is_float || p.nans[i] == NanClass::exact;
    if (exact ? !std::equal(have.begin(), have.end(), want.begin())
              : !matches_nan(p.nans[i], read_little_endian(have), lanes.bytes))
      return false;
  }
  return true;
}

std::string float_text(std::uint64_t bits, unsigned bytes, NanClass nan) {
  if (nan == NanClass::canonical) return "nan:canonical";
  if (nan == NanClass::arithmetic) return "nan:arithmetic";
  char buffer[40];
  return std::string(bytes == 4 ? format_f32(static_cast<std::uint32_t>(bits), buffer) : format_f64(bits, buffer));
}

std::string vector_text(const ScriptPattern& p) {
  const Lanes lanes = lanes_of(p.shape);
  std::string text = fmt::format("(v128.const {}", lanes.name);
  for (unsigned i = 0; i < lanes.count; ++i) {
    const std::uint64_t bits =
        read_little_endian(std::span(p.value.vector).subspan(std::size_t{i} * lanes.bytes, lanes.bytes));
    text += ' ';
    text += lanes.is_float ? float_text(bits, lanes.bytes, p.nans[i]) : fmt::format("0x{:x}", bits);
  }
  return text + ")";
}

std::string value_text(const ScriptValue& v, NanClass nan) {
  switch (v.kind) {
    case ScriptValue::Kind::i32: return fmt::format("(i32.const {})", static_cast<std::int32_t>(v.bits));
    case ScriptValue::Kind::i64: return fmt::format("(i64.const {})", static_cast<std::int64_t>(v.bits));
    case ScriptValue::Kind::f32: return fmt::format("(f32.const {})", float_text(v.bits, 4, nan));
    case ScriptValue::Kind::f64: return fmt::format("(f64.const {})", float_text(v.bits, 8, nan));
    case ScriptValue::Kind::v128: {
      ScriptPattern p;
      p.value = v;
      p.shape = LaneShape::i32x4;
      return vector_text(p);
    }
    case ScriptValue::Kind::ref_null: return fmt::format("(ref.null {})", spec::to_string(v.heap));
    case ScriptValue::Kind::ref_extern: return fmt::format("(ref.extern {})", v.bits);
    case ScriptValue::Kind::ref_host: return fmt::format("(ref.host {})", v.bits);
  }
  HEDDLE_UNREACHABLE("all kinds are listed");
}

constexpr std::string_view kFieldWords[] = {"type",   "rec",    "import", "func", "table", "memory",
                                            "global", "export", "elem",   "data", "tag",   "start"};

void set_places(std::string_view source, std::vector<ScriptCommand>& commands, std::size_t& at, SourcePlace& place) {
  for (ScriptCommand& command : commands) {
    for (; at < command.offset; ++at) {
      ++place.column;
      if (source[at] == '\n') place = {place.line + 1, 1};
    }
    command.place = place;
    set_places(source, command.commands, at, place);
  }
}

}  // namespace

bool matches_bits(const ScriptPattern& pattern, std::span<const std::uint8_t> actual) {
  switch (pattern.kind) {
    case Kind::number: return matches_number(pattern, actual);
    case Kind::vector: return matches_vector(pattern, actual);
    case Kind::either:
      return std::any_of(pattern.alternatives.begin(), pattern.alternatives.end(),
                         [&](const ScriptPattern& p) { return matches_bits(p, actual); });
    case Kind::ref_null:
    case Kind::ref_type:
    case Kind::ref_value: return false;
  }
  HEDDLE_UNREACHABLE("all kinds are listed");
}

std::string to_string(const ScriptPattern& p) {
  switch (p.kind) {
    case Kind::number: return value_text(p.value, p.nans[0]);
    case Kind::ref_value: return value_text(p.value, NanClass::exact);
    case Kind::vector: return vector_text(p);
    case Kind::ref_null: return p.any_null ? "(ref.null)" : value_text(p.value, NanClass::exact);
    case Kind::ref_type: return fmt::format("(ref.{})", spec::to_string(p.value.heap));
    case Kind::either: {
      std::string text = "(either";
      for (const ScriptPattern& alternative : p.alternatives) text += " " + to_string(alternative);
      return text + ")";
    }
  }
  HEDDLE_UNREACHABLE("all kinds are listed");
}

std::string to_string(const ScriptValue& value) {
  return value_text(value, NanClass::exact);
}

std::string_view command_name(ScriptCommand::Kind kind) {
  using K = ScriptCommand::Kind;
  switch (kind) {
    case K::module: return "module";
    case K::module_definition: return "module definition";
    case K::module_instance: return "module instance";
    case K::register_: return "register";
    case K::action: return "action";
    case K::assert_return: return "assert_return";
    case K::assert_trap: return "assert_trap";
    case K::assert_exhaustion: return "assert_exhaustion";
    case K::assert_exception: return "assert_exception";
    case K::assert_malformed: return "assert_malformed";
    case K::assert_invalid: return "assert_invalid";
    case K::assert_unlinkable: return "assert_unlinkable";
    case K::assert_malformed_custom: return "assert_malformed_custom";
    case K::assert_invalid_custom: return "assert_invalid_custom";
    case K::thread: return "thread";
    case K::wait: return "wait";
  }
  HEDDLE_UNREACHABLE("all kinds are listed");
}

base::Result<std::vector<ScriptCommand>> parse_wast(std::string_view source, spec::Features features) {
  HEDDLE_TRY_ASSIGN(const TokenStream stream, tokenize(source));
  IdPool ids;
  Cursor cursor(stream, ids);
  WastParser parser(cursor, features);
  for (std::string_view word : kFieldWords)
    if (cursor.at_open(word)) return parser.inline_module();
  std::vector<ScriptCommand> commands = parser.commands();
  if (!cursor.at(TokenKind::end)) cursor.unexpected("a command");
  if (cursor.failed()) return cursor.error();
  std::size_t at = 0;
  SourcePlace place;
  set_places(source, commands, at, place);
  return commands;
}

}  // namespace heddle::text
