// The printer: what it writes is readable, keeps names, and parses back to the same module.
#include "text/printer.h"

#include "unit/text/wat_text.h"

namespace heddle::text {
namespace {

std::string printed(std::string_view source, const PrintOptions& options = {}) {
  const auto parsed = parse_wat(source, spec::Features::all());
  if (!parsed.ok()) {
    ADD_FAILURE() << parsed.error().message;
    return "";
  }
  const auto text = print_wat(*test::decode(parsed->bytes), options);
  EXPECT_TRUE(text.ok());
  return text.ok() ? *text : "";
}

/// Bytes with custom sections: names survive too.
void expect_round_trip(std::string_view source) {
  const auto first = parse_wat(source, spec::Features::all());
  ASSERT_TRUE(first.ok()) << first.error().message;
  const std::string text = printed(source);
  const auto second = parse_wat(text, spec::Features::all());
  ASSERT_TRUE(second.ok()) << second.error().message << "\n" << text;
  EXPECT_EQ(first->bytes, second->bytes) << text;
}

TEST(Printer, modules_read_as_one_would_write_them) {
  EXPECT_EQ(printed("(module $m (import \"a\" \"b\" (func $f (param $x i32)))"
                    "(memory $mem 1 2 shared) (global $g (mut i32) (i32.const 7))"
                    "(func $h (export \"h\") (param i32) (result i32) (local $t i64) (local f32 f32)"
                    "  (block $out (result i32) (br_if $out (local.get 0) (i32.const 1))))"
                    "(data (i32.const 8) \"hi\\00\\ff\\\"\"))"),
            R"((module $m
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (import "a" "b" (func $f (;0;) (type 0) (param $x i32)))
  (memory $mem (;0;) 1 2 shared)
  (global $g (;0;) (mut i32) (i32.const 7))
  (export "h" (func $h))
  (func $h (;1;) (type 1) (param i32) (result i32)
    (local $t i64)
    (local f32 f32)
    block (result i32)  ;; @1
      local.get 0
      i32.const 1
      br_if 0 (;@1;)
    end)
  (data (;0;) (offset (i32.const 8)) "hi\00\ff\22"))
)");
}

TEST(Printer, everything_parses_back_to_the_same_bytes) {
  expect_round_trip("(module)");
  expect_round_trip(
      "(module $\"odd name\" (type $s (sub (struct (field $a (mut i8)) (field i64)))) (rec (type $x (func (param (ref "
      "$y))))"
      "(type $y (sub final $s (struct (field i16 i64))))) (rec) (type (array (mut f32)))"
      "(func $f (param $a i32) (param i32) (local $b i32) (struct.get_s $s $a (ref.null $s)) drop)"
      "(table $t 1 funcref (ref.func $f)) (table i64 0 5 externref) (elem $e (table $t) (i32.const 0) func $f)"
      "(elem declare func $f) (elem (ref null $x) (item (ref.null $x))) (start $st) (func $st)"
      "(tag $tag (type $v)) (type $v (func)) (data $d \"long long long long long long long long long long long long "
      "long\")"
      "(memory (data \"\\u{e9}\")) (memory i64 1 (pagesize 1)) (export \"\\u{e9}\\n\\\"\" (tag $tag)))");
  expect_round_trip(
      "(tag) (memory 1) (memory 1) (func (result f32) (if (result f32) (i32.const -1) (then (f32.const nan:0x12345)) "
      "(else"
      "(f32.const -0x1.8p-140))) (drop (f64.const 0.1)) (drop (i64.const -9223372036854775808))"
      "(try_table (catch_all 0) (v128.store16_lane 1 offset=3 align=1 5 (i32.const 0) (v128.const i8x16 0 1 2 3 4 5 6 "
      "7 8 9"
      " 10 11 12 13 14 15))) (try (do) (catch 0 (rethrow 0)) (catch_all)) (try (do) (delegate 0))"
      "(drop (select (result i32) (i32.const 1) (i32.const 2) (i32.const 3))) (memory.init 1 0) (memory.copy 1 0)"
      "(br_table 0 0 0 (f32.const 1) (i32.const 0)) (br_on_cast 0 anyref (ref null i31)) (ref.test (ref null eq)))"
      "(data \"\")");
}

TEST(Printer, of_two_equal_names_the_first_keeps_it) {
  // Only the binary format can say this.
  auto parsed = parse_wat("(func $aa) (func $ab) (func (call $aa) (call $ab))", spec::Features::all());
  ASSERT_TRUE(parsed.ok());
  std::vector<std::uint8_t> bytes = parsed->bytes;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i)
    if (bytes[i] == 'a' && bytes[i + 1] == 'b') bytes[i + 1] = 'a';
  const auto text = print_wat(*test::decode(bytes));
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->find("call $aa"), std::string::npos) << *text;
  EXPECT_NE(text->find("call 1"), std::string::npos) << *text;
  EXPECT_EQ(test::bytes_of(*text), test::bytes_of("(func) (func) (func (call 0) (call 1))"));
}

TEST(Printer, custom_sections_are_printed_on_demand) {
  const char* source = "(module (@custom \"x\" \"\\00y\"))";
  EXPECT_EQ(printed(source).find("@custom"), std::string::npos);
  EXPECT_NE(printed(source, {.custom_sections = true}).find("(@custom \"x\" \"\\00y\")"), std::string::npos);
}

TEST(Printer, a_body_that_is_cut_off_is_an_error) {
  auto parsed = parse_wat("(func block end)", spec::Features::all());
  ASSERT_TRUE(parsed.ok());
  std::vector<std::uint8_t> bytes = parsed->bytes;
  ASSERT_EQ(bytes.back(), 0x0b);
  bytes.back() = 0x01;  // nop
  const auto decoded = binary::decode_module(std::make_shared<module::OwnedBytes>(bytes), spec::Features::all());
  if (!decoded.ok()) return;  // refused even earlier
  EXPECT_FALSE(print_wat(**decoded).ok());
}

}  // namespace
}  // namespace heddle::text
