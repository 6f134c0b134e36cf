// Scripts: every command, values and patterns, and errors inside modules.
#include "text/wast_script.h"

#include <cstring>
#include <gtest/gtest.h>

namespace heddle::text {
namespace {

using Kind = ScriptCommand::Kind;

std::vector<ScriptCommand> parse(std::string_view source) {
  auto commands = parse_wast(source, spec::Features::all());
  if (!commands.ok()) {
    ADD_FAILURE() << commands.error().message;
    return {};
  }
  return std::move(commands).value();
}

ScriptCommand one(std::string_view source) {
  auto commands = parse(source);
  EXPECT_EQ(commands.size(), 1u);
  return commands.empty() ? ScriptCommand{} : std::move(commands.front());
}

std::string error_of(std::string_view source) {
  const auto commands = parse_wast(source, spec::Features::all());
  return commands.ok() ? "" : std::to_string(commands.error().offset) + " " + commands.error().message;
}

template <class T>
bool matches(const ScriptPattern& pattern, T value) {
  std::uint8_t bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  return matches_bits(pattern, bytes);
}

ScriptPattern pattern(std::string_view text) {
  ScriptCommand c = one("(assert_return (invoke \"f\") " + std::string(text) + ")");
  EXPECT_EQ(c.expected.size(), 1u);
  return c.expected.empty() ? ScriptPattern{} : c.expected.front();
}

TEST(WastScript, modules_in_all_forms) {
  EXPECT_EQ(one("(module $m (func))").module.name, "m");
  EXPECT_EQ(one("(module binary \"\\00asm\" \"\\01\\00\\00\\00\")").module.bytes.size(), 8u);
  EXPECT_EQ(one("(module $q quote \"(func)\" \"(memory 1)\")").module.quoted, "(func)(memory 1)");
  EXPECT_EQ(one("(module definition $d (memory 1))").kind, Kind::module_definition);
  const ScriptCommand instance = one("(module instance $i $d)");
  EXPECT_EQ(instance.kind, Kind::module_instance);
  EXPECT_EQ(instance.name, "i");
  EXPECT_EQ(instance.of_name, "d");
  EXPECT_EQ(one("(module instance $d)").of_name, "d");
  EXPECT_EQ(one("(func) (memory 0)").kind, Kind::module);  // fields alone
}

TEST(WastScript, actions_and_assertions) {
  const ScriptCommand c =
      one("(assert_return (invoke $m \"f\" (i32.const -1) (ref.null extern) (ref.extern 7)) (i64.const 2))");
  EXPECT_EQ(c.kind, Kind::assert_return);
  EXPECT_EQ(c.action.module_name, "m");
  EXPECT_EQ(c.action.name, "f");
  ASSERT_EQ(c.action.args.size(), 3u);
  EXPECT_EQ(c.action.args[0].bits, 0xffff'ffffu);
  EXPECT_EQ(c.action.args[1].kind, ScriptValue::Kind::ref_null);
  EXPECT_EQ(c.action.args[1].heap, spec::HeapType(spec::HeapType::extern_));
  EXPECT_EQ(c.action.args[2].bits, 7u);
  EXPECT_EQ(one("(get \"g\")").action.kind, ScriptAction::Kind::get);
  EXPECT_EQ(one("(assert_trap (invoke \"f\") \"unreachable\")").text, "unreachable");
  EXPECT_TRUE(one("(assert_trap (module (func)) \"x\")").has_module);
  EXPECT_EQ(one("(assert_exhaustion (invoke \"f\") \"call stack\")").kind, Kind::assert_exhaustion);
  EXPECT_EQ(one("(assert_exception (invoke \"f\"))").kind, Kind::assert_exception);
  EXPECT_EQ(one("(assert_unlinkable (module (import \"a\" \"b\" (func))) \"unknown\")").text, "unknown");
  EXPECT_EQ(one("(assert_malformed_custom (module quote \"(@custom)\") \"x\")").kind, Kind::assert_malformed_custom);
  EXPECT_EQ(one("(register \"n\" $m)").of_name, "m");
}

TEST(WastScript, threads_nest) {
  const ScriptCommand c =
      one("(thread $t (shared (module $a) (module $b)) (register \"m\" $a) (thread $u (invoke \"f\")) (wait $u))");
  EXPECT_EQ(c.kind, Kind::thread);
  EXPECT_EQ(c.name, "t");
  EXPECT_EQ(c.shared, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(c.commands.size(), 3u);
  EXPECT_EQ(c.commands[1].commands[0].kind, Kind::action);
  EXPECT_EQ(c.commands[2].of_name, "u");
}

TEST(WastScript, patterns_of_numbers) {
  EXPECT_TRUE(matches(pattern("(i32.const 3)"), std::uint32_t{3}));
  EXPECT_FALSE(matches(pattern("(i32.const 3)"), std::uint64_t{3}));
  EXPECT_FALSE(matches(pattern("(f32.const 0)"), std::uint32_t{0x8000'0000}));  // -0
  const ScriptPattern canonical = pattern("(f32.const nan:canonical)");
  EXPECT_TRUE(matches(canonical, std::uint32_t{0xffc0'0000}));
  EXPECT_FALSE(matches(canonical, std::uint32_t{0x7fc0'0001}));
  const ScriptPattern arithmetic = pattern("(f64.const nan:arithmetic)");
  EXPECT_TRUE(matches(arithmetic, std::uint64_t{0x7ff8'0000'0000'0001}));
  EXPECT_FALSE(matches(arithmetic, std::uint64_t{0x7ff0'0000'0000'0001}));
  const ScriptPattern either = pattern("(either (i32.const 1) (i32.const 2))");
  EXPECT_TRUE(matches(either, std::uint32_t{2}));
  EXPECT_FALSE(matches(either, std::uint32_t{3}));
}

TEST(WastScript, patterns_of_vectors_go_lane_by_lane) {
  const ScriptPattern p = pattern("(v128.const f32x4 1 nan:canonical nan:arithmetic -0)");
  std::array<std::uint32_t, 4> lanes = {0x3f80'0000, 0x7fc0'0000, 0xffc1'2345, 0x8000'0000};
  EXPECT_TRUE(matches(p, lanes));
  lanes[1] = 0x7fc0'0001;
  EXPECT_FALSE(matches(p, lanes));
  EXPECT_EQ(to_string(p), "(v128.const f32x4 0x1p+0 nan:canonical nan:arithmetic -0x0p+0)");
}

TEST(WastScript, patterns_of_references) {
  EXPECT_TRUE(pattern("(ref.null)").any_null);
  EXPECT_EQ(pattern("(ref.null func)").value.heap, spec::HeapType(spec::HeapType::func));
  EXPECT_EQ(pattern("(ref.func)").kind, ScriptPattern::Kind::ref_type);
  EXPECT_EQ(pattern("(ref.extern)").kind, ScriptPattern::Kind::ref_type);
  EXPECT_EQ(pattern("(ref.extern 4)").kind, ScriptPattern::Kind::ref_value);
  EXPECT_EQ(to_string(pattern("(ref.host 4)")), "(ref.host 4)");
  EXPECT_EQ(to_string(pattern("(ref.i31)")), "(ref.i31)");
}

TEST(WastScript, an_error_in_a_module_stays_with_it) {
  const std::string source = "(module (func (bad)))\n(assert_malformed (module quote \"(func\") \"x\")\n (get \"g\")";
  const auto commands = parse(source);
  ASSERT_EQ(commands.size(), 3u);
  ASSERT_TRUE(commands[0].module.error.has_value());
  EXPECT_EQ(commands[0].module.error->offset, source.find("bad"));
  ASSERT_TRUE(commands[1].module.error.has_value());
  EXPECT_EQ(commands[1].module.error->offset, 5u);  // in the quoted text
  EXPECT_EQ(commands[2].place, (SourcePlace{3, 2}));
}

TEST(WastScript, errors_of_the_script_end_it) {
  EXPECT_TRUE(error_of("(assert_return (invoke \"f\") (i32.const))").starts_with("38 unexpected token )"));
  EXPECT_TRUE(error_of("(assert_nothing)").starts_with("1 unknown operator assert_nothing"));
  EXPECT_TRUE(error_of("(invoke \"f\") )").starts_with("13 unexpected token )"));
  EXPECT_TRUE(error_of("(invoke \"f\" (f32.const nan:canonical))").starts_with("23 unexpected token"));
}

TEST(WastScript, threads_without_end_are_refused) {
  std::string source;
  for (int i = 0; i < 5000; ++i) source += "(thread $t ";
  EXPECT_NE(error_of(source).find("nested too deeply"), std::string::npos);
}

}  // namespace
}  // namespace heddle::text
