// Module fields: each abbreviation means what its expansion means (core spec, Text Format, Modules).
#include "unit/text/wat_text.h"

namespace heddle::text {
namespace {

using test::Bytes;
using test::bytes_of;
using test::section_of;

TEST(WatFields, empty_modules_have_only_a_header) {
  const Bytes header = {0, 'a', 's', 'm', 1, 0, 0, 0};
  EXPECT_EQ(bytes_of("(module)"), header);
  EXPECT_EQ(bytes_of(""), header);
  EXPECT_EQ(bytes_of("  (module $name) ;; nothing"), header);
}

TEST(WatFields, fields_may_stand_without_module) {
  EXPECT_SAME_MODULE("(func) (memory 1)", "(module (func) (memory 1))");
}

TEST(WatFields, inline_exports_come_in_order_of_the_text) {
  EXPECT_SAME_MODULE("(func (export \"a\") (export \"b\")) (memory (export \"m\") 1)",
                     "(func) (export \"a\" (func 0)) (export \"b\" (func 0)) (memory 1) (export \"m\" (memory 0))");
}

TEST(WatFields, inline_imports) {
  EXPECT_SAME_MODULE("(func $f (import \"m\" \"f\") (param i32))", "(import \"m\" \"f\" (func $f (param i32)))");
  EXPECT_SAME_MODULE("(table (import \"m\" \"t\") 1 2 funcref)", "(import \"m\" \"t\" (table 1 2 funcref))");
  EXPECT_SAME_MODULE("(memory (export \"e\") (import \"m\" \"m\") 1 2 shared)",
                     "(import \"m\" \"m\" (memory 1 2 shared)) (export \"e\" (memory 0))");
  EXPECT_SAME_MODULE("(global (import \"m\" \"g\") (mut i64))", "(import \"m\" \"g\" (global (mut i64)))");
  EXPECT_SAME_MODULE("(tag (import \"m\" \"t\") (param i32))", "(import \"m\" \"t\" (tag (param i32)))");
}

TEST(WatFields, function_types_are_added_behind_the_written_ones_and_shared) {
  EXPECT_SAME_MODULE("(func (result f64) f64.const 0) (func (param i32)) (type (func (param i32)))",
                     "(type (func (param i32))) (type (func (result f64)))"
                     "(func (type 1) f64.const 0) (func (type 0))");
}

TEST(WatFields, headers_imply_types_before_bodies_do) {
  EXPECT_SAME_MODULE("(func (block (param i32) (result i32)) unreachable) (func (param i64))",
                     "(type (func)) (type (func (param i64))) (type (func (param i32) (result i32)))"
                     "(func (type 0) (block (type 2)) unreachable) (func (type 1))");
}

TEST(WatFields, types_inside_a_group_or_open_ones_are_not_shared) {
  EXPECT_EQ(section_of("(rec (type (func)) (type (func (param i32)))) (func)", 3), (Bytes{1, 2}));
  EXPECT_EQ(section_of("(type (sub (func))) (func)", 3), (Bytes{1, 1}));
  EXPECT_EQ(section_of("(rec (type (func))) (func)", 3), (Bytes{1, 0}));
}

TEST(WatFields, composite_types) {
  EXPECT_EQ(section_of("(type $a (array (mut i8))) (type (sub $b (struct (field i16 (mut (ref null $a))))))"
                       "(type $b (sub (struct)))",
                       1),
            (Bytes{3, 0x5e, 0x78, 1, 0x50, 1, 2, 0x5f, 2, 0x77, 0, 0x63, 0, 1, 0x50, 0, 0x5f, 0}));
  EXPECT_SAME_MODULE("(type (struct (field $x i32) (field $y f32)))", "(type (struct (field i32 f32)))");
  EXPECT_SAME_MODULE("(type (func (param $x i32) (param f32 f64)))", "(type (func (param i32 f32 f64)))");
}

TEST(WatFields, short_reference_types) {
  EXPECT_SAME_MODULE("(table 0 externref) (table 0 nullexternref)",
                     "(table 0 (ref null extern)) (table 0 (ref null noextern))");
}

TEST(WatFields, inline_data_makes_the_memory_as_large) {
  EXPECT_SAME_MODULE("(memory (data \"ab\" \"c\"))", "(memory 1 1) (data (i32.const 0) \"abc\")");
  EXPECT_SAME_MODULE("(memory i64 (data))", "(memory i64 0 0) (data (i64.const 0) \"\")");
  EXPECT_SAME_MODULE("(memory 0) (memory (pagesize 1) (data \"abc\"))",
                     "(memory 0) (memory 3 3 (pagesize 1)) (data (memory 1) (offset i32.const 0) \"abc\")");
}

TEST(WatFields, inline_segments_count_among_the_segments) {
  EXPECT_SAME_MODULE("(memory (data \"a\")) (data $d \"b\") (func (data.drop $d))",
                     "(memory 1 1) (data (i32.const 0) \"a\") (data \"b\") (func data.drop 1)");
  EXPECT_SAME_MODULE("(table funcref (elem)) (elem $e func) (func (elem.drop $e))",
                     "(table 0 0 funcref) (elem (i32.const 0) func) (elem func) (func elem.drop 1)");
}

TEST(WatFields, inline_elements_make_the_table_as_large) {
  EXPECT_SAME_MODULE("(table $t funcref (elem $f $f)) (func $f)",
                     "(table 2 2 funcref) (elem (i32.const 0) 0 0) (func)");
  EXPECT_SAME_MODULE("(table i64 funcref (elem (ref.func 0) (item ref.null func))) (func)",
                     "(table i64 2 2 funcref) (elem (i64.const 0) funcref (ref.func 0) (ref.null func)) (func)");
  EXPECT_SAME_MODULE(
      "(type $s (func)) (table (ref null $s) (elem $f)) (func $f (type $s))",
      "(type (func)) (table 1 1 (ref null 0)) (elem (table 0) (offset i32.const 0) (ref null 0) (ref.func 0))"
      "(func (type 0))");
}

TEST(WatFields, element_segments_use_the_shortest_form) {
  const char* tables = "(table 1 funcref) (table 1 externref) (func) ";
  auto elem = [&](std::string_view text) {
    Bytes section = section_of(std::string(tables) + std::string(text), 9);
    if (!section.empty()) section.erase(section.begin());
    return section;
  };
  EXPECT_EQ(elem("(elem (i32.const 0) 0)"), (Bytes{0, 0x41, 0, 0x0b, 1, 0}));
  EXPECT_EQ(elem("(elem (table 0) (offset i32.const 0) func 0)"), (Bytes{0, 0x41, 0, 0x0b, 1, 0}));
  EXPECT_EQ(elem("(elem 0 (i32.const 0) 0)"), (Bytes{0, 0x41, 0, 0x0b, 1, 0}));  // WebAssembly 1.0
  EXPECT_EQ(elem("(elem func 0)"), (Bytes{1, 0, 1, 0}));
  EXPECT_EQ(elem("(elem (table 1) (i32.const 0) func 0)"), (Bytes{2, 1, 0x41, 0, 0x0b, 0, 1, 0}));
  EXPECT_EQ(elem("(elem declare func 0)"), (Bytes{3, 0, 1, 0}));
  EXPECT_EQ(elem("(elem (i32.const 0) funcref (ref.func 0))"), (Bytes{4, 0x41, 0, 0x0b, 1, 0xd2, 0, 0x0b}));
  EXPECT_EQ(elem("(elem funcref (item ref.func 0))"), (Bytes{5, 0x70, 1, 0xd2, 0, 0x0b}));
  EXPECT_EQ(elem("(elem (table 1) (i32.const 0) externref)"), (Bytes{6, 1, 0x41, 0, 0x0b, 0x6f, 0}));
  EXPECT_EQ(elem("(elem declare externref)"), (Bytes{7, 0x6f, 0}));
}

TEST(WatFields, table_with_a_first_value) {
  EXPECT_EQ(section_of("(table 1 funcref (ref.null func))", 4), (Bytes{1, 0x40, 0, 0x70, 0, 1, 0xd0, 0x70, 0x0b}));
}

TEST(WatFields, limits_carry_address_type_sharing_and_page_size) {
  EXPECT_EQ(section_of("(memory 1) (memory 1 2 shared) (memory i64 1) (memory i32 1 2 (pagesize 1))", 5),
            (Bytes{4, 0, 1, 3, 1, 2, 4, 1, 9, 1, 2, 0}));
  EXPECT_EQ(section_of("(table i64 1 2 funcref)", 4), (Bytes{1, 0x70, 5, 1, 2}));
}

TEST(WatFields, limits_are_32_bit_numbers_where_memories_are) {
  const spec::Features narrow = spec::Features::all().without(spec::Feature::memory64);
  EXPECT_EQ(test::error_of("(memory 0x1_0000_0000)"), "");  // invalid, but no matter of the text
  EXPECT_EQ(test::error_of("(memory 0x1_0000_0000)", narrow), "1:9 i32 constant out of range");
}

TEST(WatFields, data_count_is_written_where_an_instruction_names_a_segment) {
  EXPECT_EQ(section_of("(memory 1) (data \"\") (func)", 12), (Bytes{}));
  EXPECT_EQ(section_of("(memory 1) (data \"\") (func (data.drop 0))", 12), (Bytes{1}));
  EXPECT_EQ(section_of("(func (data.drop 0))", 12), (Bytes{0}));
}

TEST(WatFields, names_may_be_used_before_they_are_bound) {
  EXPECT_SAME_MODULE(
      "(start $f) (export \"g\" (global $g)) (elem (table $t) (i32.const 0) func $f)"
      "(global $g i32 (i32.const 1)) (table $t 1 funcref) (func $f)",
      "(start 0) (export \"g\" (global 0)) (elem (i32.const 0) func 0)"
      "(global i32 (i32.const 1)) (table 1 funcref) (func)");
}

TEST(WatFields, names_go_to_the_name_section) {
  const auto parsed =
      parse_wat("(module $m (func $f (param $p i32) (local $l i64)) (func $\"g h\"))", spec::Features::all());
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->module_name, "m");
  const auto m = test::decode(parsed->bytes);
  const module::CustomSection* names = m->find_custom("name");
  ASSERT_NE(names, nullptr);
  const base::Bytes contents = m->bytes_of(names->contents);
  EXPECT_EQ(Bytes(contents.begin(), contents.end()), (Bytes{0, 2, 1, 'm',                                 // module
                                                            1, 9, 2, 0,   1, 'f', 1, 3,   'g', ' ', 'h',  // functions
                                                            2, 9, 1, 0,   2, 0,   1, 'p', 1,   1,   'l'}));  // locals
}

TEST(WatFields, custom_annotations_stand_where_they_say) {
  const auto parsed = parse_wat(
      "(@custom \"end\" \"1\") (func) (@custom \"first\" (before first)) (memory 1) (@custom \"mid\" (after func) "
      "\"2\" \"3\")",
      spec::Features::all());
  ASSERT_TRUE(parsed.ok());
  const auto m = test::decode(parsed->bytes);
  ASSERT_EQ(m->customs.size(), 3u);
  EXPECT_EQ(m->customs[0].name, "first");
  EXPECT_EQ(m->customs[0].contents.size_bytes(), 0u);
  EXPECT_EQ(m->customs[1].name, "mid");
  EXPECT_EQ(m->customs[1].contents.size_bytes(), 2u);
  EXPECT_LT(m->customs[1].contents.begin, m->memories[0].offset);
  EXPECT_EQ(m->customs[2].name, "end");
}

TEST(WatFields, errors_name_line_column_and_rule) {
  EXPECT_TEXT_ERROR("(module\n  (func $f)\n  (func $f))", "3:9 duplicate func $f");
  EXPECT_TEXT_ERROR("(func)\n(import \"\" \"\" (memory 1))", "2:1 import after function");
  EXPECT_TEXT_ERROR("(memory 1) (table (import \"\" \"\") 0 funcref)", "1:19 import after memory");
  EXPECT_TEXT_ERROR("(start 0) (start 1)", "1:11 multiple start sections");
  EXPECT_TEXT_ERROR("(func (call $nope))", "1:13 unknown function $nope");
  EXPECT_TEXT_ERROR("(export \"a\" (memory $m))", "1:21 unknown memory $m");
  EXPECT_TEXT_ERROR("(type (func (param i32))) (func (type 0) (param i64))", "1:33 inline function type");
  EXPECT_TEXT_ERROR("(func (type 7) (param i32))", "1:7 unknown type");
  EXPECT_TEXT_ERROR("(import \"\\ff\" \"\" (func))", "1:9 malformed UTF-8 encoding");
  EXPECT_TEXT_ERROR("(memory 1 (pagesize 3))", "1:21 invalid custom page size");
  EXPECT_TEXT_ERROR("(memory 0x1_0000_0000_0000_0000)", "1:9 i64 constant out of range");
  EXPECT_TEXT_ERROR("(global $g anyfunc (ref.null func))", "1:12 unknown operator anyfunc");
  EXPECT_TEXT_ERROR("(module) (module)", "1:10 unexpected token (");
  EXPECT_TEXT_ERROR("(module (func)", "1:15 unexpected token: end of input");
  EXPECT_TEXT_ERROR("(func))", "1:7 unexpected token )");
  EXPECT_TEXT_ERROR("(foo)", "1:2 unknown operator foo");
  EXPECT_TEXT_ERROR("(param i32)", "1:2 unexpected token param");
  EXPECT_TEXT_ERROR("(type (struct (field $x i32) (field $x i32)))", "1:37 duplicate field $x");
}

TEST(WatFields, an_error_in_a_body_comes_before_a_later_one_in_a_declaration) {
  EXPECT_TEXT_ERROR("(func (call $nope)) (export \"a\" (func $gone))", "1:13 unknown function $nope");
  EXPECT_TEXT_ERROR("(export \"a\" (func $gone)) (func (call $nope))", "1:19 unknown function $gone");
}

TEST(WatFields, every_prefix_of_a_module_is_refused_without_harm) {
  const std::string source =
      "(module $m (@name \"x\") (type $t (sub final (struct (field $a (mut i8))))) (rec (type (func)))"
      "(import \"a\" \"b\" (func $f (param $p i32))) (table $tab i64 funcref (elem (item ref.func $f) (ref.null func)))"
      "(memory (export \"m\") (data \"x\\41\")) (global $g (mut (ref null $t)) (ref.null $t)) (tag (param i32))"
      "(elem declare func $f) (data (memory 0) (offset (i32.const 1)) \"\") (start $h)"
      "(func $h (local $l v128 ) (block $b (result i32) (if (i32.const 1) (then (br $b (i32.const 2))) (else nop))"
      "(i32.load offset=1 align=1 (i32.const 0)) (try_table (catch_all 0))) drop (local.set $l (v128.const i8x16 1 2 3 "
      "4"
      " 5 6 7 8 9 10 11 12 13 14 15 16)) loop $x br_table 0 1 $x end (@metadata.code.branch_hint \"\\01\") br_if 0))";
  EXPECT_EQ(test::error_of(source), "");
  for (std::size_t n = 1; n < source.size(); ++n)
    EXPECT_NE(test::error_of(source.substr(0, n)), "") << source.substr(0, n);
}

}  // namespace
}  // namespace heddle::text
