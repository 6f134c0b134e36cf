// See wast_parser.h. Grammar: the interpreter's README ("Scripts") and, for thread and wait, that of the threads
// proposal's interpreter.
#include "text/wast_parser.h"

#include <fmt/core.h>

#include "base/utf8.h"
#include "text/module_parser.h"

namespace heddle::text {

using Kind = ScriptCommand::Kind;

namespace {

/// Chosen: threads inside threads and either inside either; scripts nest two or three deep.
constexpr unsigned kMaxDepth = 100;

}  // namespace

std::string WastParser::optional_name() {
  return std::string(cursor_.take_id());
}

/// Any bytes: names in actions need not be UTF-8 to be compared.
std::string WastParser::expect_string() {
  std::string text;
  if (!cursor_.take_string(text)) cursor_.unexpected("a string");
  return text;
}

std::vector<ScriptCommand> WastParser::commands() {
  std::vector<ScriptCommand> all;
  if (++depth_ > kMaxDepth) cursor_.fail(cursor_.offset(), "threads are nested too deeply");
  while (!cursor_.failed() && !cursor_.at(TokenKind::close) && !cursor_.at(TokenKind::end)) all.push_back(command());
  --depth_;
  return all;
}

std::vector<ScriptCommand> WastParser::inline_module() {
  std::vector<ScriptCommand> all(1);
  ScriptCommand& only = all.front();
  only.has_module = true;
  ModuleParser parser(cursor_, features_, 0, static_cast<std::uint32_t>(cursor_.stream().tokens.size() - 1));
  Parsed parsed = parser.parse({});
  if (cursor_.failed()) {
    only.module.error = cursor_.error();
    return all;
  }
  only.module.bytes = std::move(parsed.bytes);
  only.module.map = std::move(parsed.map);
  return all;
}

ScriptCommand WastParser::command() {
  ScriptCommand c;
  c.offset = cursor_.offset();
  auto is = [&](std::string_view word, Kind kind) {
    if (!cursor_.at_open(word)) return false;
    c.kind = kind;
    return true;
  };
  if (is("module", Kind::module)) {
    module_command(c);
    return c;
  }
  if (is("invoke", Kind::action) || is("get", Kind::action)) {
    action(c.action);
    return c;
  }
  const bool takes_module = is("assert_malformed", Kind::assert_malformed) ||
                            is("assert_invalid", Kind::assert_invalid) ||
                            is("assert_unlinkable", Kind::assert_unlinkable) ||
                            is("assert_malformed_custom", Kind::assert_malformed_custom) ||
                            is("assert_invalid_custom", Kind::assert_invalid_custom);
  const bool takes_either = is("assert_trap", Kind::assert_trap);
  const bool takes_action = is("assert_exhaustion", Kind::assert_exhaustion);
  if (!takes_module && !takes_either && !takes_action && !is("assert_return", Kind::assert_return) &&
      !is("assert_exception", Kind::assert_exception) && !is("register", Kind::register_) &&
      !is("thread", Kind::thread) && !is("wait", Kind::wait)) {
    cursor_.expect_open();
    cursor_.unexpected("a command");
    return c;
  }
  cursor_.advance();
  cursor_.advance();
  if (takes_module) expect_module(c);
  if (takes_either) action_or_module(c);
  if (takes_action || c.kind == Kind::assert_return || c.kind == Kind::assert_exception) action(c.action);
  if (c.kind == Kind::assert_return)
    while (cursor_.at(TokenKind::open)) c.expected.push_back(pattern());
  if (takes_module || takes_either || takes_action) c.text = expect_string();
  if (c.kind == Kind::register_) {
    c.text = expect_string();
    c.of_name = optional_name();
  }
  if (c.kind == Kind::thread) thread(c);
  if (c.kind == Kind::wait) c.of_name = optional_name();
  cursor_.expect_close();
  return c;
}

/// (thread $T (shared (module $M)*)? command*)
void WastParser::thread(ScriptCommand& c) {
  c.name = optional_name();
  while (cursor_.take_open("shared")) {
    while (cursor_.take_open("module")) {
      c.shared.push_back(optional_name());
      cursor_.expect_close();
    }
    cursor_.expect_close();
  }
  c.commands = commands();
}

// ---- Modules
// ---------------------------------------------------------------------------------------------------------

void WastParser::module_command(ScriptCommand& c) {
  const std::uint32_t close = cursor_.token().match;
  cursor_.take_open("module");
  if (cursor_.take_keyword("instance")) {
    c.kind = Kind::module_instance;
    c.name = optional_name();
    c.of_name = optional_name();
    // One name alone is the definition's.
    if (c.of_name.empty()) std::swap(c.name, c.of_name);
    return cursor_.expect_close();
  }
  if (cursor_.take_keyword("definition")) c.kind = Kind::module_definition;
  c.has_module = true;
  module_body(c.module, close);
}

void WastParser::expect_module(ScriptCommand& c) {
  const std::uint32_t close = cursor_.token().match;
  cursor_.expect_open("module");
  cursor_.take_keyword("definition");
  c.has_module = true;
  module_body(c.module, close);
}

/// Behind "(module" or "(module definition".
void WastParser::module_body(ScriptModule& m, std::uint32_t close) {
  m.name = optional_name();
  if (cursor_.take_keyword("binary")) {
    m.form = ScriptModule::Form::binary;
    std::string bytes;
    while (cursor_.take_string(bytes)) {
    }
    m.bytes.assign(bytes.begin(), bytes.end());
    return cursor_.expect_close();
  }
  if (cursor_.take_keyword("quote")) {
    m.form = ScriptModule::Form::quote;
    while (cursor_.take_string(m.quoted)) {
    }
    base::Result<Parsed> parsed = parse_wat(m.quoted, features_);
    if (parsed.ok()) {
      m.bytes = std::move(parsed->bytes);
      m.map = std::move(parsed->map);
    } else {
      m.error = parsed.error();
    }
    return cursor_.expect_close();
  }
  if (cursor_.failed()) return;
  ModuleParser parser(cursor_, features_, cursor_.index(), close);
  Parsed parsed = parser.parse(m.name);
  if (cursor_.failed()) {
    m.error = cursor_.take_error(close);
  } else {
    m.bytes = std::move(parsed.bytes);
    m.map = std::move(parsed.map);
  }
  cursor_.expect_close();
}

// ---- Actions
// ---------------------------------------------------------------------------------------------------------

void WastParser::action(ScriptAction& a) {
  a.kind = cursor_.at_open("get") ? ScriptAction::Kind::get : ScriptAction::Kind::invoke;
  if (!cursor_.take_open("get")) cursor_.expect_open("invoke");
  a.module_name = optional_name();
  a.name = expect_string();
  while (a.kind == ScriptAction::Kind::invoke && cursor_.at(TokenKind::open)) a.args.push_back(value());
  cursor_.expect_close();
}

void WastParser::action_or_module(ScriptCommand& c) {
  if (cursor_.at_open("module")) return expect_module(c);
  action(c.action);
}

// ---- Values and patterns
// ---------------------------------------------------------------------------------------------

/// A number, or a class of NaNs where those are allowed (`nan` not null).
std::uint64_t WastParser::lane(unsigned bits, bool is_float, NanClass* nan) {
  if (nan != nullptr && is_float) {
    if (cursor_.take_keyword("nan:canonical")) {
      *nan = NanClass::canonical;
      return 0;
    }
    if (cursor_.take_keyword("nan:arithmetic")) {
      *nan = NanClass::arithmetic;
      return 0;
    }
  }
  return parse_number(cursor_, bits, is_float);
}

bool WastParser::number(std::string_view word, ScriptValue& v, ScriptPattern* p) {
  struct Row {
    std::string_view word;
    ScriptValue::Kind kind;
    unsigned bits;
    bool is_float;
  };
  static constexpr Row kRows[] = {{"i32.const", ScriptValue::Kind::i32, 32, false},
                                  {"i64.const", ScriptValue::Kind::i64, 64, false},
                                  {"f32.const", ScriptValue::Kind::f32, 32, true},
                                  {"f64.const", ScriptValue::Kind::f64, 64, true}};
  for (const Row& row : kRows) {
    if (row.word != word) continue;
    cursor_.advance();
    v.kind = row.kind;
    v.bits = lane(row.bits, row.is_float, p != nullptr ? &p->nans[0] : nullptr);
    return true;
  }
  return false;
}

void WastParser::vector(ScriptValue& v, ScriptPattern* p) {
  static constexpr std::string_view kNames[] = {"i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2"};
  cursor_.advance();
  const VectorShape* shape = cursor_.at(TokenKind::keyword) ? find_vector_shape(cursor_.text()) : nullptr;
  if (shape == nullptr) return cursor_.unexpected("a vector shape");
  cursor_.advance();
  v.kind = ScriptValue::Kind::v128;
  if (p != nullptr) {
    p->kind = ScriptPattern::Kind::vector;
    for (unsigned i = 0; i < 6; ++i)
      if (kNames[i] == shape->word) p->shape = static_cast<LaneShape>(i);
  }
  const unsigned bytes = shape->lane_bits / 8u;
  for (unsigned i = 0; i < shape->lanes; ++i) {
    const std::uint64_t bits = lane(shape->lane_bits, shape->is_float, p != nullptr && i < 4 ? &p->nans[i] : nullptr);
    for (unsigned b = 0; b < bytes; ++b) v.vector[i * bytes + b] = static_cast<std::uint8_t>(bits >> (8 * b));
  }
}

bool WastParser::reference(std::string_view word, ScriptValue& v, ScriptPattern* p) {
  struct Row {
    std::string_view word;
    spec::HeapType::Code heap;
  };
  static constexpr Row kRows[] = {
      {"ref.func", spec::HeapType::func},      {"ref.extern", spec::HeapType::extern_},
      {"ref.host", spec::HeapType::any},       {"ref.any", spec::HeapType::any},
      {"ref.eq", spec::HeapType::eq},          {"ref.i31", spec::HeapType::i31},
      {"ref.struct", spec::HeapType::struct_}, {"ref.array", spec::HeapType::array},
      {"ref.exn", spec::HeapType::exn},
  };
  if (word == "ref.null") {
    cursor_.advance();
    v.kind = ScriptValue::Kind::ref_null;
    const bool any = p != nullptr && cursor_.at(TokenKind::close);
    if (p != nullptr) {
      p->kind = ScriptPattern::Kind::ref_null;
      p->any_null = any;
    }
    if (!any) v.heap = parse_abstract_heap_type(cursor_);
    return true;
  }
  for (const Row& row : kRows) {
    if (row.word != word) continue;
    const bool numbered = word == "ref.extern" || word == "ref.host";
    if (p == nullptr && !numbered) return false;
    cursor_.advance();
    v.heap = row.heap;
    if (numbered && (p == nullptr || cursor_.at(TokenKind::natural))) {
      v.kind = word == "ref.extern" ? ScriptValue::Kind::ref_extern : ScriptValue::Kind::ref_host;
      v.bits = cursor_.expect_natural(32, "i32 constant out of range");
      if (p != nullptr) p->kind = ScriptPattern::Kind::ref_value;
    } else {
      v.kind = ScriptValue::Kind::ref_null;  // its heap type counts, not the kind
      p->kind = ScriptPattern::Kind::ref_type;
    }
    return true;
  }
  return false;
}

ScriptValue WastParser::value() {
  ScriptValue v;
  cursor_.expect_open();
  const std::string_view word = cursor_.at(TokenKind::keyword) ? cursor_.text() : std::string_view();
  if (word == "v128.const")
    vector(v, nullptr);
  else if (!number(word, v, nullptr) && !reference(word, v, nullptr))
    cursor_.unexpected("a constant");
  cursor_.expect_close();
  return v;
}

ScriptPattern WastParser::pattern() {
  ScriptPattern p;
  cursor_.expect_open();
  const std::string_view word = cursor_.at(TokenKind::keyword) ? cursor_.text() : std::string_view();
  if (word == "either") {
    cursor_.advance();
    p.kind = ScriptPattern::Kind::either;
    if (++depth_ > kMaxDepth) cursor_.fail(cursor_.offset(), "either is nested too deeply");
    while (cursor_.at(TokenKind::open)) p.alternatives.push_back(pattern());
    --depth_;
  } else if (word == "v128.const") {
    vector(p.value, &p);
  } else if (!number(word, p.value, &p) && !reference(word, p.value, &p)) {
    cursor_.unexpected("an expected value");
  }
  cursor_.expect_close();
  return p;
}

}  // namespace heddle::text
