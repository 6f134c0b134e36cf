// Blocks, branches, select, calls: https://webassembly.github.io/spec/core/valid/instructions.html
#include "wat.h"

namespace heddle::validate {
namespace {

TEST(ValidateControl, block_result_type_mismatch) {
  VALID("(func (result i32) (block (result i32) (i32.const 1)))");
  INVALID("(func (result i32) (block (result i32) (i64.const 1)))",
          "type mismatch: instruction requires [i32] but stack has [i64]");
  INVALID("(func (result i32) (block (result i32)))", "type mismatch: instruction requires [i32] but stack has []");
}

TEST(ValidateControl, block_leaves_nothing_but_its_results) {
  VALID("(func (block (drop (i32.const 1))))");
  INVALID("(func (block (i32.const 1)))", "type mismatch: block requires [] but stack has [i32]");
  INVALID("(func (result i32) (i32.const 1) (i32.const 2))",
          "type mismatch: block requires [i32] but stack has [i32 i32]");
}

TEST(ValidateControl, block_sees_only_its_parameters) {
  VALID("(func (i32.const 1) (block (param i32) (drop)))");
  INVALID("(func (i32.const 1) (block (drop)) (drop))", "type mismatch");
  INVALID("(func (block (param i32) (drop)))", "type mismatch");
}

TEST(ValidateControl, block_type_index_names_a_function_type) {
  INVALID("(func (block (type 7)))", "unknown type");
  INVALID("(type $s (struct)) (func block (type $s) end)", "non-function type");
}

TEST(ValidateControl, if_needs_a_condition_and_arms_of_one_type) {
  VALID("(func (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2))))");
  INVALID("(func (if (i64.const 1) (then)))", "type mismatch");
  INVALID("(func (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 1)) (else (f32.const 2))))",
          "type mismatch");
}

TEST(ValidateControl, if_without_else_gives_back_its_parameters) {
  VALID("(func (param i32) (result i32) (local.get 0) (local.get 0) (if (param i32) (result i32) (then)))");
  INVALID("(func (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 1))))", "type mismatch");
}

TEST(ValidateControl, loop_label_takes_parameters_not_results) {
  VALID("(func (result i32) (i32.const 1) (loop (param i32) (result i32) (br 0)))");
  INVALID("(func (result i32) (loop (result i32) (f32.const 1) (br_if 0 (i32.const 1))))", "type mismatch");
  VALID("(func (result i32) (loop (result i32) (br_if 0 (i32.const 1)) (i32.const 2)))");
}

TEST(ValidateControl, label_must_exist) {
  VALID("(func (block (br 1)))");
  INVALID("(func (block (br 2)))", "unknown label 2");
  INVALID("(func (br_if 1 (i32.const 0)))", "unknown label 1");
  INVALID("(func (br_table 0 1 (i32.const 0)))", "unknown label 1");
}

TEST(ValidateControl, br_if_keeps_the_label_types) {
  VALID("(func (result i32) (block (result i32) (br_if 0 (i32.const 1) (i32.const 2))))");
  INVALID("(func (result i32) (block (result i32) (br_if 0 (i64.const 1) (i32.const 2)) (drop) (i32.const 1)))",
          "type mismatch");
}

TEST(ValidateControl, br_table_labels_agree_in_arity_and_fit_the_operands) {
  VALID("(func (result i32) (block (result i32) (br_table 0 1 (i32.const 1) (i32.const 0))))");
  INVALID("(func (result i32) (block (br_table 0 1 (i32.const 1) (i32.const 0))) (i32.const 1))", "type mismatch");
  INVALID("(func (result i32) (block (result i64) (br_table 0 1 (i32.const 1) (i32.const 0))) (drop) (i32.const 1))",
          "type mismatch");
  INVALID("(func (br_table 0 (i64.const 0)))", "type mismatch");
}

TEST(ValidateControl, unreachable_code_has_any_operands_but_known_ones_must_fit) {
  VALID("(func (result i32) (unreachable) (i32.add))");
  VALID("(func (result i32) (unreachable) (i32.const 1) (i32.add))");
  INVALID("(func (result i32) (unreachable) (i64.const 1) (i32.add))", "type mismatch");
  INVALID("(func (unreachable) (i32.const 1))", "type mismatch: block requires [] but stack has [i32]");
  VALID("(func (result i32) (return (i32.const 1)) (drop) (drop))");
}

TEST(ValidateControl, return_takes_the_results) {
  INVALID("(func (result i32) (return))", "type mismatch");
  INVALID("(func (result i32) (return (f64.const 1)))", "type mismatch");
  VALID("(func (result i32 i64) (return (i32.const 1) (i64.const 2)))");
}

TEST(ValidateControl, select_without_type_takes_two_numbers_of_one_type) {
  VALID("(func (drop (select (i64.const 1) (i64.const 2) (i32.const 0))))");
  VALID("(func (drop (select (v128.const i64x2 1 1) (v128.const i64x2 2 2) (i32.const 0))))");
  INVALID("(func (drop (select (i32.const 1) (i64.const 2) (i32.const 0))))", "type mismatch");
  INVALID("(func (param funcref) (drop (select (local.get 0) (local.get 0) (i32.const 0))))", "type mismatch");
  VALID("(func (unreachable) (select) (i64.eqz) (drop))");
  INVALID("(func (unreachable) (i32.const 1) (i32.const 0) (select) (i64.eqz) (drop))", "type mismatch");
}

TEST(ValidateControl, select_with_type_names_exactly_one) {
  VALID("(func (param funcref) (drop (select (result funcref) (local.get 0) (local.get 0) (i32.const 0))))");
  INVALID("(func (select (result) (i32.const 0)))", "invalid result arity");
  INVALID("(func (select (result i32 i32) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 0)))",
          "invalid result arity");
  INVALID("(func (drop (select (result i64) (i32.const 1) (i32.const 1) (i32.const 0))))", "type mismatch");
}

TEST(ValidateCalls, call_takes_parameters_and_gives_results) {
  VALID("(func $f (param i32 i64) (result f32) (f32.const 1)) (func (drop (call $f (i32.const 1) (i64.const 2))))");
  INVALID("(func $f (param i32 i64)) (func (call $f (i64.const 1) (i32.const 2)))",
          "type mismatch: instruction requires [i32 i64] but stack has [i64 i32]");
  INVALID("(func (call 1))", "unknown function 1");
}

TEST(ValidateCalls, call_indirect_needs_a_table_of_functions_and_a_type) {
  VALID("(table 1 funcref) (func (call_indirect (i32.const 0)))");
  INVALID("(func (call_indirect (i32.const 0)))", "unknown table 0");
  INVALID("(table 1 funcref) (func (call_indirect (type 3) (i32.const 0)))", "unknown type 3");
  INVALID("(table 1 externref) (func (call_indirect (i32.const 0)))", "type mismatch");
  INVALID("(table 1 funcref) (func (call_indirect (i64.const 0)))", "type mismatch");
  VALID("(table i64 1 funcref) (func (call_indirect (i64.const 0)))");
}

TEST(ValidateCalls, call_ref_takes_a_reference_to_its_type) {
  VALID("(type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0)))");
  VALID("(type $t (func)) (func (param (ref null $t)) (call_ref $t (local.get 0)))");
  INVALID("(type $t (func)) (func (param funcref) (call_ref $t (local.get 0)))", "type mismatch");
  INVALID("(type $t (struct)) (func (param (ref $t)) (call_ref $t (local.get 0)))", "non-function type");
}

TEST(ValidateCalls, tail_call_results_match_the_functions) {
  VALID("(func $f (result i32) (return_call $f))");
  INVALID("(func $f (result i64) (i64.const 1)) (func (result i32) (return_call $f))", "type mismatch");
  INVALID("(table 1 funcref) (func (result i32) (return_call_indirect (i32.const 0)))", "type mismatch");
  INVALID("(type $t (func)) (func (param (ref $t)) (result i32) (return_call_ref $t (local.get 0)))", "type mismatch");
  VALID("(type $t (func)) (func (param (ref $t)) (return_call_ref $t (local.get 0)))");
  VALID("(table 1 funcref) (func (return_call_indirect (i32.const 0)) (drop))");
}

TEST(ValidateCalls, tail_call_results_may_be_subtypes) {
  VALID("(func $f (result (ref func)) (unreachable)) (func (result funcref) (return_call $f))");
  INVALID("(func $f (result funcref) (unreachable)) (func (result (ref func)) (return_call $f))", "type mismatch");
}

}  // namespace
}  // namespace heddle::validate
