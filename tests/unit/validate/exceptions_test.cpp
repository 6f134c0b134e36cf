// throw, try_table, and the legacy forms.
#include "wat.h"

namespace heddle::validate {
namespace {

TEST(ValidateExceptions, throw_takes_the_tags_parameters) {
  VALID("(tag (param i32 i64)) (func (throw 0 (i32.const 1) (i64.const 2)))");
  INVALID("(tag (param i32)) (func (throw 0))", "type mismatch: instruction requires [i32] but stack has []");
  INVALID("(func (throw 0))", "unknown tag 0");
  VALID("(tag) (func (result i32) (throw 0))");
}

TEST(ValidateExceptions, throw_ref_takes_an_exception) {
  VALID("(func (param exnref) (throw_ref (local.get 0)))");
  INVALID("(func (param externref) (throw_ref (local.get 0)))", "type mismatch");
}

TEST(ValidateExceptions, catch_clause_fits_its_label) {
  VALID("(tag (param i32)) (func (result i32) (block (result i32) (try_table (catch 0 0)) (i32.const 1)))");
  VALID("(tag (param i32)) (func (block (result i32 exnref) (try_table (catch_ref 0 0)) (unreachable)) (drop) (drop))");
  VALID("(func (block (try_table (catch_all 0))))");
  VALID("(func (drop (block (result (ref exn)) (try_table (catch_all_ref 0)) (unreachable))))");
  INVALID("(tag (param i32)) (func (block (try_table (catch 0 0))))", "type mismatch");
  INVALID("(tag) (func (block (try_table (catch_ref 0 0))))", "type mismatch");
  INVALID("(func (drop (block (result exnref) (try_table (catch_all 0)) (unreachable))))", "type mismatch");
}

TEST(ValidateExceptions, catch_labels_count_from_outside_the_try_table) {
  VALID("(func (try_table (catch_all 0)))");
  INVALID("(func (try_table (catch_all 1)))", "unknown label 1");
  INVALID("(func (try_table (catch 2 0)))", "unknown tag 2");
}

TEST(ValidateExceptions, try_table_is_a_block) {
  VALID("(func (result i32) (try_table (result i32) (i32.const 1)))");
  INVALID("(func (result i32) (try_table (result i32)))", "type mismatch");
  VALID("(func (result i32) (try_table (result i32) (br 0 (i32.const 1))))");
}

TEST(ValidateExceptions, legacy_catch_starts_with_the_tags_parameters) {
  VALID("(tag (param i32)) (func (result i32) (try (result i32) (do (i32.const 1)) (catch 0)))");
  INVALID("(tag (param i64)) (func (result i32) (try (result i32) (do (i32.const 1)) (catch 0)))",
          "type mismatch: instruction requires [i32] but stack has [i64]");
  INVALID("(func (try (do) (catch 3)))", "unknown tag 3");
  INVALID("(func (try (do (i32.const 1)) (catch_all)))", "type mismatch: block requires [] but stack has [i32]");
  INVALID("(func (try (do) (catch_all (i32.const 1))))", "type mismatch: block requires [] but stack has [i32]");
}

TEST(ValidateExceptions, legacy_rethrow_names_a_catch_that_it_is_in) {
  VALID("(func (try (do) (catch_all (rethrow 0))))");
  VALID("(func (try (do) (catch_all (block (rethrow 1)))))");
  INVALID("(func (rethrow 0))", "invalid rethrow label");
  INVALID("(func (try (do (rethrow 0)) (catch_all)))", "invalid rethrow label");
  INVALID("(func (rethrow 1))", "unknown label 1");
}

TEST(ValidateExceptions, legacy_delegate_counts_from_outside_its_try) {
  VALID("(func (try (do) (delegate 0)))");
  INVALID("(func (try (do) (delegate 1)))", "unknown label 1");
  VALID("(func (result i32) (try (result i32) (do (i32.const 1)) (delegate 0)))");
  INVALID("(func (result i32) (try (result i32) (do) (delegate 0)))", "type mismatch");
}

}  // namespace
}  // namespace heddle::validate
