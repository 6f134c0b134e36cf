// Rules outside function bodies: https://webassembly.github.io/spec/core/valid/modules.html
#include "wat.h"

namespace heddle::validate {
namespace {

using spec::Feature;
using spec::Features;

TEST(ValidateTypes, a_type_names_types_of_its_group_or_before) {
  VALID("(rec (type $a (func (param (ref $b)))) (type $b (func (param (ref $a)))))");
  INVALID("(type (func (param (ref 1)))) (type (func))", "unknown type 1");
  INVALID("(type (struct (field (ref 9))))", "unknown type 9");
}

TEST(ValidateTypes, a_subtype_extends_a_type_that_is_not_final) {
  VALID("(type $a (sub (func))) (type (sub $a (func)))");
  INVALID("(type $a (func)) (type (sub $a (func)))", "sub type");
}

TEST(ValidateTypes, a_subtype_matches_its_supertype) {
  VALID("(type $a (sub (struct (field anyref)))) (type (sub $a (struct (field eqref) (field i32))))");
  VALID("(type $a (sub (func (param eqref) (result anyref)))) (type (sub $a (func (param anyref) (result eqref))))");
  INVALID("(type $a (sub (func (param anyref)))) (type (sub $a (func (param eqref))))", "sub type");
  INVALID("(type $a (sub (struct (field i32)))) (type (sub $a (struct)))", "sub type");
  INVALID("(type $a (sub (struct (field (mut anyref))))) (type (sub $a (struct (field (mut eqref)))))", "sub type");
  INVALID("(type $a (sub (array i8))) (type (sub $a (array i16)))", "sub type");
  INVALID("(type $a (sub (array i8))) (type (sub $a (struct)))", "sub type");
}

TEST(ValidateTypes, a_supertype_comes_first) {
  INVALID("(rec (type $b (sub $a (func))) (type $a (sub (func))))", "sub type");
  INVALID("(type (sub 4 (func)))", "unknown type 4");
}

TEST(ValidateTypes, subtyping_chains_are_limited) {
  std::string chain = "(type (sub (func)))";
  for (int i = 0; i < 63; ++i) chain += "(type (sub " + std::to_string(i) + " (func)))";
  EXPECT_EQ(judge(chain), "valid");
  EXPECT_TRUE(begins(judge(chain + "(type (sub 63 (func)))"), "too many supertypes"));
}

TEST(ValidateTypes, equal_groups_are_the_same_type) {
  VALID(
      "(type $a (func (param i32))) (type $b (func (param i32))) (func (param (ref $a)) (result (ref $b)) (local.get "
      "0))");
  INVALID(
      "(rec (type $a (func)) (type (struct))) (type $b (func)) (func (param (ref $a)) (result (ref $b)) (local.get "
      "0))",
      "type mismatch");
}

TEST(ValidateModule, function_and_tag_types_exist) {
  INVALID("(func (type 3))", "unknown type 3");
  INVALID("(import \"\" \"\" (func (type 3)))", "unknown type 3");
  INVALID("(type (struct)) (func (type 0))", "non-function type");
  INVALID("(tag (result i32))", "non-empty tag result type");
  INVALID("(import \"\" \"\" (tag (result i32)))", "non-empty tag result type");
  VALID("(tag (param i32))");
}

TEST(ValidateModule, limits_are_in_order) {
  INVALID("(memory 2 1)", "size minimum must not be greater than maximum");
  INVALID("(table 2 1 funcref)", "size minimum must not be greater than maximum");
  VALID("(memory 1 1) (table 2 2 funcref)");
}

TEST(ValidateModule, memory_size_is_what_addresses_reach) {
  VALID("(memory 65536 65536)");
  INVALID("(memory 65537)", "memory size must be at most 65536 pages (4GiB)");
  INVALID("(memory 0 65537)", "memory size must be at most 65536 pages (4GiB)");
  VALID("(memory i64 0x1_0000_0000_0000)");
  INVALID("(memory i64 0x1_0000_0000_0001)", "memory size must be at most");
  INVALID("(import \"\" \"\" (memory 65537))", "memory size");
}

TEST(ValidateModule, table_size_is_what_addresses_reach) {
  VALID("(table 0 0xffff_ffff funcref)");
  INVALID("(table 0x1_0000_0000 funcref)", "table size");
  VALID("(table i64 0 0xffff_ffff_ffff_ffff funcref)");
}

TEST(ValidateModule, custom_page_size_is_1_or_64_KiB) {
  VALID("(memory 0xffff_ffff (pagesize 1))");
  INVALID("(memory 0x1_0000_0000 (pagesize 1))", "memory size must be at most");
  VALID("(memory 1 (pagesize 65536))");
  INVALID("(memory 1 (pagesize 2))", "invalid custom page size");
}

TEST(ValidateModule, shared_memory_has_a_maximum) {
  VALID("(memory 1 2 shared)");
  INVALID("(memory 1 shared)", "shared memory must have maximum");
}

TEST(ValidateModule, table_of_references_that_are_not_null_is_initialised) {
  INVALID("(table 1 (ref func))", "type mismatch");
  VALID("(func $f) (table 1 (ref func) (ref.func $f))");
  VALID("(import \"\" \"\" (table 1 (ref func)))");
  INVALID("(table 1 funcref (i32.const 0))", "type mismatch");
  INVALID("(global $g funcref (ref.null func)) (table 1 funcref (global.get $g))", "unknown global 0");
  INVALID("(table 1 (ref null 3))", "unknown type 3");
}

TEST(ValidateModule, export_names_exist_and_differ) {
  VALID("(func (export \"a\")) (memory (export \"b\") 1)");
  INVALID("(func (export \"a\") (export \"a\"))", "duplicate export name");
  INVALID("(func (export \"a\")) (memory (export \"a\") 1)", "duplicate export name");
  INVALID("(func (export \"z\") (export \"a\") (export \"z\") (export \"a\"))", "duplicate export name: z");
  INVALID("(export \"a\" (func 0))", "unknown function 0");
  INVALID("(export \"a\" (table 0))", "unknown table 0");
  INVALID("(export \"a\" (memory 0))", "unknown memory 0");
  INVALID("(export \"a\" (global 0))", "unknown global 0");
  INVALID("(export \"a\" (tag 0))", "unknown tag 0");
}

TEST(ValidateModule, start_function_takes_and_gives_nothing) {
  VALID("(func) (start 0)");
  INVALID("(func (param i32)) (start 0)", "start function");
  INVALID("(func (result i32) (i32.const 1)) (start 0)", "start function");
  INVALID("(start 0)", "unknown function 0");
}

TEST(ValidateModule, element_segment_fits_its_table) {
  VALID("(table 1 funcref) (func $f) (elem (i32.const 0) $f)");
  INVALID("(elem (i32.const 0) func)", "unknown table 0");
  INVALID("(table 1 externref) (func $f) (elem (i32.const 0) func $f)", "type mismatch");
  INVALID("(table 1 funcref) (elem (i32.const 0) func 4)", "unknown function 4");
  INVALID("(table 1 funcref) (elem (i64.const 0) func)", "type mismatch");
  VALID("(table i64 1 funcref) (elem (i64.const 0) func)");
  INVALID("(elem funcref (item (ref.null extern)))", "type mismatch");
  INVALID("(elem (ref null 6))", "unknown type 6");
}

TEST(ValidateModule, function_indices_are_references_that_are_not_null) {
  VALID("(func $f) (table 1 (ref func) (ref.func $f)) (elem (i32.const 0) func $f)");
  INVALID("(func $f) (table 1 (ref func) (ref.func $f)) (elem (i32.const 0) funcref (ref.func $f))", "type mismatch");
}

TEST(ValidateModule, data_segment_has_its_memory) {
  VALID("(memory 1) (data (i32.const 0) \"a\") (data \"b\")");
  INVALID("(data (i32.const 0) \"a\")", "unknown memory 0");
  INVALID("(memory 1) (data (memory 1) (i32.const 0) \"a\")", "unknown memory 1");
  INVALID("(memory 1) (data (i64.const 0) \"a\")", "type mismatch");
  VALID("(memory i64 1) (data (i64.const 0) \"a\")");
}

TEST(ValidateConstants, expression_is_of_constant_instructions) {
  VALID("(global i32 (i32.const 1)) (global f64 (f64.const 1)) (global v128 (v128.const i64x2 0 0))");
  INVALID("(global i32 (i32.ctz (i32.const 1)))", "constant expression required");
  INVALID("(global i32 (i32.const 1) (nop))", "constant expression required");
  INVALID("(global i32 (block (result i32) (i32.const 1)))", "constant expression required");
  INVALID("(func $f (result i32) (i32.const 1)) (global i32 (call $f))", "constant expression required");
}

TEST(ValidateConstants, expression_yields_exactly_the_type) {
  INVALID("(global i32 (i64.const 1))", "type mismatch");
  INVALID("(global i32)", "type mismatch");
  INVALID("(global i32 (i32.const 1) (i32.const 2))", "type mismatch");
  VALID("(func $f) (global funcref (ref.func $f))");
}

TEST(ValidateConstants, extended_arithmetic_is_constant) {
  VALID("(global i64 (i64.mul (i64.add (i64.const 1) (i64.const 2)) (i64.sub (i64.const 3) (i64.const 4))))");
  INVALID_WITH(Features::all().without(Feature::extended_const), "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
               "constant expression required");
}

TEST(ValidateConstants, globals_read_are_earlier_and_constant) {
  VALID("(global i32 (i32.const 1)) (global i32 (global.get 0))");
  INVALID("(global i32 (global.get 0))", "unknown global 0");
  INVALID("(global i32 (global.get 1)) (global i32 (i32.const 1))", "unknown global 1");
  INVALID("(global (mut i32) (i32.const 1)) (global i32 (global.get 0))", "constant expression required");
  VALID("(memory 1) (global i32 (i32.const 1)) (data (global.get 0) \"a\")");
  INVALID_WITH(Features::all().without(Feature::gc), "(global i32 (i32.const 1)) (global i32 (global.get 0))",
               "unknown global 0");
}

TEST(ValidateConstants, heap_objects_can_be_constant) {
  VALID("(type $s (struct (field i32))) (global (ref $s) (struct.new $s (i32.const 1)))");
  VALID("(type $a (array i8)) (global (ref $a) (array.new_fixed $a 2 (i32.const 1) (i32.const 2)))");
  VALID("(global i31ref (ref.i31 (i32.const 1))) (global externref (extern.convert_any (global.get 0)))");
  INVALID("(type $a (array i8)) (data \"a\") (global (ref $a) (array.new_data $a 0 (i32.const 0) (i32.const 1)))",
          "constant expression required");
}

TEST(ValidateFeatures, module_level_features_can_be_off) {
  INVALID_WITH(Features::all().without(Feature::multi_memory), "(memory 1) (memory 1)", "multiple memories");
  INVALID_WITH(Features::all().without(Feature::reference_types), "(table 1 funcref) (table 1 funcref)",
               "multiple tables");
  INVALID_WITH(Features::all().without(Feature::multi_value), "(type (func (result i32 i32)))", "invalid result arity");
  for (const char* fields :
       {"(memory 1 1 shared)", "(memory i64 1)", "(memory 1 (pagesize 1))", "(table i64 1 funcref)"}) {
    const Features off =
        Features::all().without(Feature::threads).without(Feature::memory64).without(Feature::custom_page_sizes);
    VALID(fields);
    EXPECT_NE(judge(fields, off), "valid") << fields;
  }
}

}  // namespace
}  // namespace heddle::validate
