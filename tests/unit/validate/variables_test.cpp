// Locals, globals, and locals without a default value.
#include "wat.h"

namespace heddle::validate {
namespace {

TEST(ValidateVariables, local_must_exist_and_have_the_type) {
  VALID("(func (param i32) (local i64) (local.set 1 (i64.extend_i32_s (local.get 0))))");
  INVALID("(func (param i32) (local i64) (drop (local.get 2)))", "unknown local 2");
  INVALID("(func (local i64) (local.set 0 (i32.const 1)))", "type mismatch");
  INVALID("(func (local i64) (drop (local.tee 0 (i32.const 1))))", "type mismatch");
  INVALID("(func (local i64) (local.set 1 (i32.const 1)))", "unknown local 1");
}

TEST(ValidateVariables, local_tee_gives_the_locals_type) {
  VALID("(func (param (ref func)) (local funcref) (drop (local.tee 1 (local.get 0))))");
  INVALID("(func (param (ref func)) (result (ref func)) (local funcref) (local.tee 1 (local.get 0)))", "type mismatch");
}

TEST(ValidateVariables, local_type_must_exist) {
  INVALID("(func (local (ref null 9)))", "unknown type 9");
}

TEST(ValidateVariables, local_without_default_is_set_before_it_is_read) {
  INVALID("(func (local (ref func)) (drop (local.get 0)))", "uninitialized local");
  VALID("(func (param (ref func)) (local (ref func)) (local.set 1 (local.get 0)) (drop (local.get 1)))");
  VALID("(func (param (ref func)) (local (ref func)) (drop (local.tee 1 (local.get 0))) (drop (local.get 1)))");
  VALID("(func (param (ref func)) (drop (local.get 0)))");
}

TEST(ValidateVariables, what_is_set_in_a_block_counts_until_its_end) {
  INVALID("(func (param (ref func)) (local (ref func)) (block (local.set 1 (local.get 0))) (drop (local.get 1)))",
          "uninitialized local");
  VALID("(func (param (ref func)) (local (ref func)) (local.set 1 (local.get 0)) (block (drop (local.get 1))))");
  VALID(
      "(func (param (ref func)) (local (ref func)) (block (local.set 1 (local.get 0)) (block (drop (local.get 1)))))");
}

TEST(ValidateVariables, what_is_set_in_one_arm_does_not_count_in_the_other) {
  INVALID(
      "(func (param (ref func)) (local (ref func)) (if (i32.const 1) (then (local.set 1 (local.get 0))) "
      "(else (drop (local.get 1)))))",
      "uninitialized local");
  INVALID(
      "(tag) (func (param (ref func)) (local (ref func)) (try (do (local.set 1 (local.get 0))) (catch 0 (drop "
      "(local.get 1)))))",
      "uninitialized local");
}

TEST(ValidateVariables, setting_twice_does_not_forget_the_outer_set) {
  VALID(
      "(func (param (ref func)) (local (ref func)) (local.set 1 (local.get 0)) (block (local.set 1 (local.get 0))) "
      "(drop (local.get 1)))");
}

TEST(ValidateVariables, global_must_exist_and_be_mutable_to_be_set) {
  VALID("(global (mut i32) (i32.const 1)) (func (global.set 0 (global.get 0)))");
  INVALID("(global i32 (i32.const 1)) (func (global.set 0 (i32.const 1)))", "immutable global");
  INVALID("(func (drop (global.get 0)))", "unknown global 0");
  INVALID("(func (global.set 0 (i32.const 1)))", "unknown global 0");
  INVALID("(global (mut i32) (i32.const 1)) (func (global.set 0 (i64.const 1)))", "type mismatch");
}

}  // namespace
}  // namespace heddle::validate
