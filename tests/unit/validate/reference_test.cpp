// References, casts, structures, arrays.
#include "wat.h"

namespace heddle::validate {
namespace {

TEST(ValidateReferences, ref_func_names_a_declared_function) {
  VALID("(func $f) (elem declare func $f) (func (drop (ref.func $f)))");
  VALID("(func $f (export \"f\")) (func (drop (ref.func $f)))");
  VALID("(func $f) (global funcref (ref.func $f)) (func (drop (ref.func $f)))");
  INVALID("(func $f) (func (drop (ref.func $f)))", "undeclared function reference");
  INVALID("(func (drop (ref.func 7)))", "unknown function 7");
}

TEST(ValidateReferences, ref_func_has_the_functions_own_type) {
  VALID("(type $t (func)) (func $f (type $t)) (elem declare func $f) (func (result (ref $t)) (ref.func $f))");
  INVALID("(type $u (func (param i32))) (func $f) (elem declare func $f) (func (result (ref $u)) (ref.func $f))",
          "type mismatch");
}

TEST(ValidateReferences, ref_is_null_takes_any_reference_and_nothing_else) {
  VALID("(func (param externref) (result i32) (ref.is_null (local.get 0)))");
  INVALID("(func (result i32) (ref.is_null (i32.const 0)))", "type mismatch");
  INVALID("(func (result i32) (ref.is_null))", "type mismatch");
  VALID("(func (result i32) (unreachable) (ref.is_null))");
}

TEST(ValidateReferences, ref_null_names_an_existing_type) {
  INVALID("(func (drop (ref.null 5)))", "unknown type 5");
  VALID("(func (result (ref null noextern)) (ref.null noextern))");
}

TEST(ValidateReferences, ref_as_non_null_keeps_the_heap_type) {
  VALID("(type $t (func)) (func (param (ref null $t)) (result (ref $t)) (ref.as_non_null (local.get 0)))");
  INVALID("(func (param externref) (result (ref func)) (ref.as_non_null (local.get 0)))", "type mismatch");
  VALID("(func (result (ref extern)) (unreachable) (ref.as_non_null))");
  INVALID("(func (result i32) (unreachable) (ref.as_non_null))", "type mismatch");
}

TEST(ValidateReferences, br_on_null_leaves_a_reference_that_is_not_null) {
  VALID(
      "(type $t (func)) (func (param (ref null $t)) (result (ref $t)) (block (return (br_on_null 0 (local.get 0)))) "
      "(unreachable))");
  INVALID("(func (param i32) (block (drop (br_on_null 0 (local.get 0)))))", "type mismatch");
}

TEST(ValidateReferences, br_on_non_null_carries_the_reference) {
  VALID(
      "(type $t (func)) (func (param (ref null $t)) (result (ref $t)) (block (result (ref $t)) (br_on_non_null 0 "
      "(local.get 0)) (unreachable)))");
  INVALID("(func (param externref) (block (br_on_non_null 0 (local.get 0))))", "type mismatch");
  INVALID(
      "(func (param externref) (result (ref func)) (block (result (ref func)) (br_on_non_null 0 (local.get 0)) "
      "(unreachable)))",
      "type mismatch");
}

TEST(ValidateReferences, casts_stay_within_their_hierarchy) {
  VALID("(func (param anyref) (result i32) (ref.test (ref i31) (local.get 0)))");
  VALID("(func (param anyref) (result (ref i31)) (ref.cast (ref i31) (local.get 0)))");
  VALID("(type $s (struct)) (func (param eqref) (result (ref null $s)) (ref.cast (ref null $s) (local.get 0)))");
  INVALID("(func (param anyref) (result i32) (ref.test (ref func) (local.get 0)))", "type mismatch");
  INVALID("(func (param externref) (drop (ref.cast anyref (local.get 0))))", "type mismatch");
}

TEST(ValidateReferences, br_on_cast_sends_the_target_type_and_keeps_the_rest) {
  VALID(
      "(func (param anyref) (result (ref i31)) (block (result (ref i31)) (br_on_cast 0 anyref (ref i31) (local.get 0)) "
      "(unreachable)))");
  VALID(
      "(func (param anyref) (result (ref any)) (block (result i31ref) (br_on_cast 0 anyref i31ref (local.get 0)) "
      "(return)) (unreachable))");
  INVALID(
      "(func (param i31ref) (block (result (ref any)) (br_on_cast 0 i31ref (ref any) (local.get 0)) (unreachable)) "
      "(drop))",
      "type mismatch");
  VALID(
      "(func (param anyref) (result anyref) (block (result anyref) (br_on_cast_fail 0 anyref (ref i31) (local.get "
      "0))))");
  INVALID(
      "(func (param anyref) (result (ref i31)) (block (result (ref i31)) (br_on_cast_fail 0 anyref (ref i31) "
      "(local.get 0))))",
      "type mismatch");
}

TEST(ValidateReferences, eq_i31_and_conversions) {
  VALID("(func (param eqref i31ref) (result i32) (ref.eq (local.get 0) (local.get 1)))");
  INVALID("(func (param anyref) (result i32) (ref.eq (local.get 0) (local.get 0)))", "type mismatch");
  VALID("(func (result i32) (i31.get_s (ref.i31 (i32.const 1))))");
  INVALID("(func (param anyref) (result i32) (i31.get_u (local.get 0)))", "type mismatch");
  VALID("(func (param (ref extern)) (result (ref any)) (any.convert_extern (local.get 0)))");
  INVALID("(func (param externref) (result (ref any)) (any.convert_extern (local.get 0)))", "type mismatch");
  VALID("(func (param anyref) (result externref) (extern.convert_any (local.get 0)))");
}

TEST(ValidateStructs, new_takes_the_fields_or_their_defaults) {
  VALID(
      "(type $s (struct (field i32) (field i8))) (func (result (ref $s)) (struct.new $s (i32.const 1) (i32.const 2)))");
  INVALID("(type $s (struct (field i32) (field i64))) (func (drop (struct.new $s (i64.const 1) (i32.const 2))))",
          "type mismatch: instruction requires [i32 i64] but stack has [i64 i32]");
  VALID("(type $s (struct (field i32))) (func (drop (struct.new_default $s)))");
  INVALID("(type $s (struct (field (ref any)))) (func (drop (struct.new_default $s)))", "type mismatch");
  INVALID("(type $a (array i32)) (func (drop (struct.new $a)))", "non-structure type");
}

TEST(ValidateStructs, get_and_set_name_an_existing_field) {
  VALID(
      "(type $s (struct (field (mut i32)))) (func (param (ref null $s)) (struct.set $s 0 (local.get 0) (struct.get $s "
      "0 "
      "(local.get 0))))");
  INVALID("(type $s (struct (field i32))) (func (param (ref $s)) (drop (struct.get $s 1 (local.get 0))))",
          "unknown field 1");
  INVALID("(type $s (struct (field i32))) (func (param (ref $s)) (struct.set $s 0 (local.get 0) (i32.const 1)))",
          "immutable field");
}

TEST(ValidateStructs, packed_fields_are_read_with_a_sign) {
  VALID("(type $s (struct (field i8))) (func (param (ref $s)) (result i32) (struct.get_s $s 0 (local.get 0)))");
  INVALID("(type $s (struct (field i8))) (func (param (ref $s)) (result i32) (struct.get $s 0 (local.get 0)))",
          "type mismatch");
  INVALID("(type $s (struct (field i32))) (func (param (ref $s)) (result i32) (struct.get_u $s 0 (local.get 0)))",
          "type mismatch");
}

TEST(ValidateArrays, new_in_its_five_forms) {
  const std::string a = "(type $a (array (mut i32)))";
  EXPECT_EQ(judge(a + "(func (result (ref $a)) (array.new $a (i32.const 7) (i32.const 3)))"), "valid");
  EXPECT_EQ(judge(a + "(func (result (ref $a)) (array.new_default $a (i32.const 3)))"), "valid");
  EXPECT_EQ(judge(a + "(func (result (ref $a)) (array.new_fixed $a 2 (i32.const 3) (i32.const 4)))"), "valid");
  EXPECT_TRUE(begins(judge(a + "(func (drop (array.new_fixed $a 2 (i32.const 3))))"), "type mismatch"));
  EXPECT_EQ(judge(a + "(data \"abcd\") (func (result (ref $a)) (array.new_data $a 0 (i32.const 0) (i32.const 1)))"),
            "valid");
  VALID(
      "(type $a (array funcref)) (elem func) (func (result (ref $a)) (array.new_elem $a 0 (i32.const 0) (i32.const "
      "0)))");
  INVALID("(type $a (array (ref any))) (func (drop (array.new_default $a (i32.const 3))))", "type mismatch");
  INVALID("(type $a (array externref)) (elem func) (func (drop (array.new_elem $a 0 (i32.const 0) (i32.const 0))))",
          "type mismatch");
}

TEST(ValidateArrays, elements_from_data_are_numbers_or_vectors) {
  INVALID(
      "(type $a (array (mut anyref))) (data \"a\") (func (param (ref $a)) (array.init_data $a 0 (local.get 0) "
      "(i32.const "
      "0) (i32.const 0) (i32.const 0)))",
      "array type is not numeric or vector");
  INVALID(
      "(type $a (array (mut i8))) (data \"a\") (func (param (ref $a)) (array.init_data $a 1 (local.get 0) (i32.const "
      "0) "
      "(i32.const 0) (i32.const 0)))",
      "unknown data segment 1");
}

TEST(ValidateArrays, writing_needs_a_mutable_array) {
  const std::string fixed = "(type $a (array i32)) (data \"a\") (elem func) (func (param (ref $a)) ";
  for (const char* write : {"(array.set $a (local.get 0) (i32.const 0) (i32.const 0))",
                            "(array.fill $a (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0))",
                            "(array.copy $a $a (local.get 0) (i32.const 0) (local.get 0) (i32.const 0) (i32.const 0))",
                            "(array.init_data $a 0 (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0))",
                            "(array.init_elem $a 0 (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0))"})
    EXPECT_TRUE(begins(judge(fixed + write + ")"), "immutable array")) << write;
}

TEST(ValidateArrays, copy_needs_elements_that_fit) {
  VALID(
      "(type $a (array (mut anyref))) (type $b (array eqref)) (func (param (ref $a) (ref $b)) (array.copy $a $b "
      "(local.get 0) (i32.const 0) (local.get 1) (i32.const 0) (i32.const 0)))");
  INVALID(
      "(type $a (array (mut eqref))) (type $b (array anyref)) (func (param (ref $a) (ref $b)) (array.copy $a $b "
      "(local.get 0) (i32.const 0) (local.get 1) (i32.const 0) (i32.const 0)))",
      "array types do not match");
  INVALID(
      "(type $a (array (mut i8))) (type $b (array i16)) (func (param (ref $a) (ref $b)) (array.copy $a $b (local.get "
      "0) "
      "(i32.const 0) (local.get 1) (i32.const 0) (i32.const 0)))",
      "array types do not match");
}

TEST(ValidateArrays, get_len_and_set_have_their_types) {
  VALID(
      "(type $a (array (mut i16))) (func (param (ref $a)) (array.set $a (local.get 0) (i32.const 0) (array.get_u $a "
      "(local.get 0) (array.len (local.get 0)))))");
  INVALID("(type $a (array i16)) (func (param (ref $a)) (drop (array.get $a (local.get 0) (i32.const 0))))",
          "type mismatch");
  INVALID("(type $s (struct)) (func (param (ref $s)) (drop (array.len (local.get 0))))", "type mismatch");
}

}  // namespace
}  // namespace heddle::validate
