// Instructions: immediates, folding, labels, branch hints, and nesting without end.
#include "unit/text/wat_text.h"

namespace heddle::text {
namespace {

using test::body_of;
using test::Bytes;

/// Body of a function that holds `text`, without locals and the final end.
Bytes code(std::string_view text, std::string_view around = "") {
  Bytes body = body_of("(func " + std::string(text) + ")" + std::string(around));
  if (body.size() < 2) return {};
  return Bytes(body.begin() + 1, body.end() - 1);
}

void expect_same(std::string_view a, std::string_view b, std::string_view around = "") {
  EXPECT_EQ(code(a, around), code(b, around)) << a;
}

TEST(WatInstructions, operands_of_folded_instructions_come_first) {
  EXPECT_EQ(code("(i32.add (i32.const 1) (i32.mul (i32.const 2) (i32.const 3)))"),
            (Bytes{0x41, 1, 0x41, 2, 0x41, 3, 0x6c, 0x6a}));
  expect_same("(drop (i32.const 1)) nop (nop)", "i32.const 1 drop nop nop");
}

TEST(WatInstructions, folded_blocks) {
  expect_same("(block $a (result i32) (loop (br $a (i32.const 1))) unreachable)",
              "block (result i32) loop i32.const 1 br 1 end unreachable end");
  expect_same("(if $l (result i32) (i32.const 1) (then (i32.const 2)) (else (i32.const 3) (br $l)))",
              "i32.const 1 if (result i32) i32.const 2 else i32.const 3 br 0 end");
  expect_same("(if (i32.const 1) (i32.eqz) (then))", "i32.const 1 i32.eqz if end");
}

TEST(WatInstructions, block_types_are_as_short_as_they_can_be) {
  EXPECT_EQ(code("block end"), (Bytes{2, 0x40, 0x0b}));
  EXPECT_EQ(code("block (result (ref null func)) end"), (Bytes{2, 0x70, 0x0b}));
  EXPECT_EQ(code("block (param i32) end"), (Bytes{2, 1, 0x0b}));
  EXPECT_EQ(code("block (type 0) end"), (Bytes{2, 0, 0x0b}));
}

TEST(WatInstructions, labels_may_be_repeated_and_shadowed) {
  expect_same("block $a block $a br $a end $a br $a end $a", "block block br 0 end br 0 end");
  expect_same("i32.const 0 if $x else $x end $x", "i32.const 0 if else end");
  EXPECT_TEXT_ERROR("(func block $a end $b)", "1:20 mismatching label $b");
  EXPECT_TEXT_ERROR("(func block end $a)", "1:17 mismatching label $a");
  EXPECT_TEXT_ERROR("(func block $a end br $a)", "1:23 unknown label $a");
  EXPECT_TEXT_ERROR("(func (block $a) (br $a))", "1:22 unknown label $a");
}

TEST(WatInstructions, catches_count_from_outside_their_try_table) {
  expect_same("(block $o (try_table $t (catch $e $o) (catch_all_ref 1) (br $t)))",
              "block try_table (catch 0 0) (catch_all_ref 1) br 0 end end", "(tag $e)");
  EXPECT_EQ(code("try_table (result i32) (catch_ref 0 0) (catch_all 0) end", "(tag)"),
            (Bytes{0x1f, 0x7f, 2, 1, 0, 0, 2, 0, 0x0b}));
}

TEST(WatInstructions, legacy_try) {
  expect_same("(try $t (result i32) (do (i32.const 1)) (catch $e (rethrow $t)) (catch_all (i32.const 2)))",
              "try (result i32) i32.const 1 catch 0 rethrow 0 catch_all i32.const 2 end", "(tag $e)");
  // delegate counts from outside its try.
  expect_same("(block $b (try $t (do nop) (delegate $b)))", "block try nop delegate 0 end");
  EXPECT_EQ(code("try nop delegate 0"), (Bytes{6, 0x40, 1, 0x18, 0}));
  EXPECT_TEXT_ERROR("(func (try (catch_all)))", "1:13 unexpected token catch_all");
  EXPECT_TEXT_ERROR("(func (try (do) (catch_all) (catch 0)))", "1:30 unexpected token catch");
  EXPECT_TEXT_ERROR("(func try catch_all catch_all end)", "1:21 unexpected token catch_all");
}

TEST(WatInstructions, memory_arguments) {
  const char* memories = "(memory 1) (memory $m 1)";
  EXPECT_EQ(code("i32.load"), (Bytes{0x28, 2, 0}));
  EXPECT_EQ(code("i32.load offset=0x10 align=1"), (Bytes{0x28, 0, 0x10}));
  EXPECT_EQ(code("i32.load $m offset=1", memories), (Bytes{0x28, 0x42, 1, 1}));
  EXPECT_EQ(code("v128.load8_lane 3"), (Bytes{0xfd, 0x54, 0, 0, 3}));
  EXPECT_EQ(code("v128.load8_lane 1 3", memories), (Bytes{0xfd, 0x54, 0x40, 1, 0, 3}));
  EXPECT_EQ(code("v128.load8_lane $m offset=5 3", memories), (Bytes{0xfd, 0x54, 0x40, 1, 5, 3}));
  EXPECT_EQ(code("i64.load offset=0x1_0000_0000"), (Bytes{0x29, 3, 0x80, 0x80, 0x80, 0x80, 0x10}));
  EXPECT_TEXT_ERROR("(func i32.load align=3)", "1:16 alignment must be a power of two");
  EXPECT_TEXT_ERROR("(func i32.load align=0)", "1:16 alignment must be a power of two");
  EXPECT_TEXT_ERROR("(func i32.load offset=)", "1:16 unknown operator offset=");
  EXPECT_TEXT_ERROR("(func i32.load align=1 offset=1)", "1:24 unexpected token offset=1");
  EXPECT_TEXT_ERROR("(func i32.load offset=18446744073709551616)", "1:16 i64 constant out of range");
}

TEST(WatInstructions, optional_indices_come_in_the_order_of_the_binary) {
  const char* around =
      "(memory 1) (memory 1) (table 0 funcref) (table 0 funcref) (elem func) (elem func) (data \"\") (data \"\")";
  EXPECT_EQ(code("memory.init 1", around), (Bytes{0xfc, 8, 1, 0}));
  EXPECT_EQ(code("memory.init 1 0", around), (Bytes{0xfc, 8, 0, 1}));  // memory, then segment
  EXPECT_EQ(code("table.init 1 0", around), (Bytes{0xfc, 12, 0, 1}));
  EXPECT_EQ(code("table.init 1", around), (Bytes{0xfc, 12, 1, 0}));
  EXPECT_EQ(code("memory.copy", around), (Bytes{0xfc, 10, 0, 0}));
  EXPECT_EQ(code("memory.copy 1 0", around), (Bytes{0xfc, 10, 1, 0}));
  EXPECT_EQ(code("table.copy 0 1", around), (Bytes{0xfc, 14, 0, 1}));
  EXPECT_EQ(code("table.get 1 table.size memory.grow 1", around), (Bytes{0x25, 1, 0xfc, 16, 0, 0x40, 1}));
  EXPECT_EQ(code("call_indirect 1 (param i32)", around), (Bytes{0x11, 1, 1}));
  EXPECT_EQ(code("call_indirect (type 0)", around), (Bytes{0x11, 0, 0}));
}

TEST(WatInstructions, what_follows_decides_between_opcodes_of_one_word) {
  EXPECT_EQ(code("select"), (Bytes{0x1b}));
  EXPECT_EQ(code("select (result i32)"), (Bytes{0x1c, 1, 0x7f}));
  EXPECT_EQ(code("select (result) (result)"), (Bytes{0x1c, 0}));
  EXPECT_EQ(code("ref.test (ref any)"), (Bytes{0xfb, 0x14, 0x6e}));
  EXPECT_EQ(code("ref.test anyref"), (Bytes{0xfb, 0x15, 0x6e}));
  EXPECT_EQ(code("ref.cast (ref null 0)"), (Bytes{0xfb, 0x17, 0}));
  EXPECT_EQ(code("br_on_cast 0 anyref (ref i31)"), (Bytes{0xfb, 0x18, 1, 0, 0x6e, 0x6c}));
  EXPECT_EQ(code("br_on_cast_fail 0 (ref any) (ref null i31)"), (Bytes{0xfb, 0x19, 2, 0, 0x6e, 0x6c}));
}

TEST(WatInstructions, branches_and_fields) {
  EXPECT_EQ(code("block $a br_table $a 1 $a end"), (Bytes{2, 0x40, 0x0e, 2, 0, 1, 0, 0x0b}));
  EXPECT_EQ(code("struct.get $s $y", "(type $s (struct (field $x i32) (field $y i32)))"), (Bytes{0xfb, 2, 0, 1}));
  EXPECT_TEXT_ERROR("(type (struct (field $x i32))) (func struct.get 0 $y)", "1:51 unknown field $y");
  EXPECT_EQ(code("atomic.fence"), (Bytes{0xfe, 3, 0}));
}

TEST(WatInstructions, constants) {
  EXPECT_EQ(code("i32.const -1 i64.const 0x8000_0000_0000_0000"),
            (Bytes{0x41, 0x7f, 0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f}));
  EXPECT_EQ(code("f32.const nan:0x1"), (Bytes{0x43, 1, 0, 0x80, 0x7f}));
  EXPECT_EQ(code("v128.const i16x8 -1 1 2 3 4 5 6 65535"),
            (Bytes{0xfd, 12, 0xff, 0xff, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0xff, 0xff}));
  EXPECT_EQ(code("v128.const f64x2 1 -0x0p0"),
            (Bytes{0xfd, 12, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x80}));
  EXPECT_TEXT_ERROR("(func i32.const 0x1_0000_0000)", "1:17 constant out of range");
  EXPECT_TEXT_ERROR("(func i32.const 1.0)", "1:17 unexpected token 1.0");
  EXPECT_TEXT_ERROR("(func f32.const 1e39)", "1:17 constant out of range");
  EXPECT_TEXT_ERROR("(func f32.const nan:canonical)", "1:17 unexpected token nan:canonical");
  EXPECT_TEXT_ERROR("(func v128.const i32x4 1 2 3 drop)", "1:30 unexpected token drop");
  EXPECT_TEXT_ERROR("(func (v128.const i32x4 1 2 3) drop)", "1:25 wrong number of lane literals");
  EXPECT_TEXT_ERROR("(func v128.const i8x16 256 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0)", "1:24 constant out of range");
  EXPECT_TEXT_ERROR("(func i8x16.shuffle 0 1 2)", "1:26 invalid lane length");
  EXPECT_TEXT_ERROR("(func i8x16.extract_lane_s 256)", "1:28 i8 constant out of range");
}

TEST(WatInstructions, locals_have_names_and_runs) {
  EXPECT_EQ(body_of("(func (param $a i32) (local i32 i32) (local $b i32) (local f32) (local.get $a) (local.set $b))"),
            (Bytes{2, 3, 0x7f, 1, 0x7d, 0x20, 0, 0x21, 3, 0x0b}));
  // Parameters that only the type names still count.
  EXPECT_EQ(body_of("(type $t (func (param i32 i32))) (func (type $t) (local $l i32) local.get $l)"),
            (Bytes{1, 1, 0x7f, 0x20, 2, 0x0b}));
  EXPECT_TEXT_ERROR("(func (param $x i32) (local $x i32))", "1:29 duplicate local $x");
  EXPECT_TEXT_ERROR("(func (local.get $y))", "1:18 unknown local $y");
  EXPECT_TEXT_ERROR("(func nop (local i32))", "1:12 unexpected token local");
}

TEST(WatInstructions, misplaced_parts_are_unexpected_tokens) {
  EXPECT_TEXT_ERROR("(func (i32.add nop))", "1:16 unexpected token nop");
  EXPECT_TEXT_ERROR("(func block)", "1:12 unexpected token )");
  EXPECT_TEXT_ERROR("(func (block end))", "1:14 unexpected token end");
  EXPECT_TEXT_ERROR("(func end)", "1:7 unexpected token end");
  EXPECT_TEXT_ERROR("(func else)", "1:7 unexpected token else");
  EXPECT_TEXT_ERROR("(func (else))", "1:8 unexpected token else");
  EXPECT_TEXT_ERROR("(func (if (i32.const 1)))", "1:24 unexpected token )");
  EXPECT_TEXT_ERROR("(func (if (then) (else) (else)))", "1:25 unexpected token (");
  EXPECT_TEXT_ERROR("(func i32.wrap/i64)", "1:7 unknown operator i32.wrap/i64");
  EXPECT_TEXT_ERROR("(global i32 i32.const)", "1:22 unexpected token )");
}

TEST(WatInstructions, instructions_of_a_feature_that_is_off_are_unknown) {
  const spec::Features without = spec::Features::all().without(spec::Feature::wide_arithmetic);
  EXPECT_EQ(test::error_of("(func i64.add128)"), "");
  EXPECT_TRUE(test::error_of("(func i64.add128)", without).starts_with("1:7 unknown operator i64.add128"));
}

TEST(WatInstructions, branch_hints_go_to_their_section) {
  const auto parsed = parse_wat(
      "(func (local i32) (@metadata.code.branch_hint \"\\00\") (if (i32.const 1) (then))"
      " i32.const 1 (@metadata.code.branch_hint \"\\01\") br_if 0)",
      spec::Features::all());
  ASSERT_TRUE(parsed.ok());
  const auto m = test::decode(parsed->bytes);
  const module::CustomSection* hints = m->find_custom("metadata.code.branch_hint");
  ASSERT_NE(hints, nullptr);
  const base::Bytes contents = m->bytes_of(hints->contents);
  EXPECT_EQ(Bytes(contents.begin(), contents.end()), (Bytes{1, 0, 2, 5, 1, 0, 10, 1, 1}));
  const base::Bytes body = m->bytes_of(m->bodies[0].range);
  EXPECT_EQ(body[5], 0x04);   // if
  EXPECT_EQ(body[10], 0x0d);  // br_if
  EXPECT_TEXT_ERROR("(func (@metadata.code.branch_hint \"\\00\") nop)",
                    "1:42 @metadata.code.branch_hint annotation: invalid target");
}

TEST(WatInstructions, the_map_leads_from_bytes_to_the_instruction) {
  const std::string source = "(module\n  (func (result i32)\n    (i32.add (i32.const 1)\n      (local.get 5))))";
  const auto parsed = parse_wat(source, spec::Features::all());
  ASSERT_TRUE(parsed.ok());
  const auto m = test::decode(parsed->bytes);
  const std::uint64_t body = m->bodies[0].range.begin;
  auto place = [&](std::uint64_t offset) { return place_of(source, parsed->map.source_offset(offset)); };
  EXPECT_EQ(place(body + 1), (SourcePlace{3, 15}));  // i32.const
  EXPECT_EQ(place(body + 3), (SourcePlace{4, 8}));   // local.get
  EXPECT_EQ(place(body + 5), (SourcePlace{3, 6}));   // i32.add
  EXPECT_EQ(place(body + 6), (SourcePlace{4, 21}));  // the parenthesis that ends the function
}

TEST(WatInstructions, nesting_is_bounded_by_memory_only) {
  const std::size_t depth = 200'000;
  std::string folded = "(func ";
  std::string blocks = "(func ";
  std::string plain = "(func ";
  for (std::size_t i = 0; i < depth; ++i) {
    folded += "(i32.eqz ";
    blocks += "(block $l ";
    plain += "block $l br $l ";
  }
  const std::string open = blocks;
  for (std::size_t i = 0; i < depth; ++i) {
    folded += ")";
    blocks += ")";
    plain += "end ";
  }
  EXPECT_EQ(body_of(folded + ")").size(), depth + 2);
  EXPECT_EQ(body_of(blocks + ")").size(), 3 * depth + 2);
  EXPECT_EQ(body_of(plain + ")").size(), 5 * depth + 2);
  EXPECT_NE(test::error_of(open), "");
}

}  // namespace
}  // namespace heddle::text
