// Memories, tables, segments, atomics, lanes.
#include "wat.h"

namespace heddle::validate {
namespace {

TEST(ValidateMemory, access_needs_its_memory) {
  VALID("(memory 1) (func (drop (i32.load (i32.const 0))))");
  INVALID("(func (drop (i32.load (i32.const 0))))", "unknown memory 0");
  INVALID("(memory 1) (func (i32.store 1 (i32.const 0) (i32.const 0)))", "unknown memory 1");
  INVALID("(func (drop (memory.size)))", "unknown memory 0");
  INVALID("(func (drop (memory.grow (i32.const 0))))", "unknown memory 0");
  INVALID("(func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))", "unknown memory 0");
}

TEST(ValidateMemory, alignment_is_at_most_natural) {
  VALID("(memory 1) (func (drop (i64.load align=8 (i32.const 0))))");
  INVALID("(memory 1) (func (drop (i64.load align=16 (i32.const 0))))", "alignment must not be larger than natural");
  INVALID("(memory 1) (func (drop (i32.load8_u align=2 (i32.const 0))))", "alignment must not be larger than natural");
  INVALID("(memory 1) (func (drop (v128.load align=32 (i32.const 0))))", "alignment must not be larger than natural");
  INVALID("(memory 1) (func (drop (v128.load8_splat align=2 (i32.const 0))))",
          "alignment must not be larger than natural");
}

TEST(ValidateMemory, atomic_alignment_is_exactly_natural) {
  VALID("(memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0))))");
  INVALID("(memory 1 1 shared) (func (drop (i32.atomic.load align=1 (i32.const 0))))",
          "atomic alignment must be natural");
  INVALID("(memory 1 1 shared) (func (drop (i64.atomic.rmw8.add_u align=2 (i32.const 0) (i64.const 1))))",
          "atomic alignment must be natural");
  INVALID("(memory 1 1 shared) (func (drop (memory.atomic.notify align=1 (i32.const 0) (i32.const 1))))",
          "atomic alignment must be natural");
}

TEST(ValidateMemory, atomics_have_their_operand_types_on_unshared_memory_too) {
  VALID("(memory 1) (func (drop (memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const -1))))");
  INVALID("(memory 1) (func (drop (memory.atomic.wait32 (i32.const 0) (i64.const 0) (i64.const -1))))",
          "type mismatch");
  VALID("(memory 1) (func (drop (i32.atomic.rmw.cmpxchg (i32.const 0) (i32.const 0) (i32.const 1))) (atomic.fence))");
}

TEST(ValidateMemory, offset_fits_the_address_type) {
  INVALID("(memory 1) (func (drop (i32.load offset=4294967296 (i32.const 0))))", "offset out of range");
  VALID("(memory i64 1) (func (drop (i32.load offset=4294967296 (i64.const 0))))");
}

TEST(ValidateMemory, address_type_of_a_64_bit_memory_is_i64) {
  VALID("(memory i64 1) (func (drop (i64.eqz (memory.grow (i64.const 1)))))");
  INVALID("(memory i64 1) (func (drop (i32.load (i32.const 0))))", "type mismatch");
  INVALID("(memory i64 1) (func (drop (i32.eqz (memory.size))))", "type mismatch");
  VALID("(memory i64 1) (func (memory.fill (i64.const 0) (i32.const 0) (i64.const 0)))");
}

TEST(ValidateMemory, copy_between_address_types_counts_in_the_smaller) {
  VALID("(memory $a 1) (memory $b i64 1) (func (memory.copy $a $b (i32.const 0) (i64.const 0) (i32.const 0)))");
  INVALID("(memory $a 1) (memory $b i64 1) (func (memory.copy $a $b (i32.const 0) (i64.const 0) (i64.const 0)))",
          "type mismatch");
  VALID("(memory i64 1) (func (memory.copy (i64.const 0) (i64.const 0) (i64.const 0)))");
  INVALID("(memory 1) (func (memory.copy 0 1 (i32.const 0) (i32.const 0) (i32.const 0)))", "unknown memory 1");
}

TEST(ValidateMemory, init_and_drop_need_their_data_segment) {
  VALID("(memory 1) (data \"a\") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0)) (data.drop 0))");
  INVALID("(memory 1) (data \"a\") (func (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 0)))",
          "unknown data segment 1");
  INVALID("(memory 1) (func (data.drop 4))", "unknown data segment");
  INVALID("(data \"a\") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0)))", "unknown memory 0");
}

TEST(ValidateTables, get_and_set_have_the_element_type) {
  VALID("(table 1 funcref) (func (table.set (i32.const 0) (table.get (i32.const 0))))");
  INVALID("(table 1 funcref) (table $e 1 externref) (func (table.set (i32.const 0) (table.get $e (i32.const 0))))",
          "type mismatch");
  INVALID("(func (drop (table.get (i32.const 0))))", "unknown table 0");
  INVALID("(table 1 funcref) (func (drop (table.get 1 (i32.const 0))))", "unknown table 1");
}

TEST(ValidateTables, grow_size_and_fill_use_the_tables_address_type) {
  VALID(
      "(table i64 1 funcref) (func (drop (i64.eqz (table.grow (ref.null func) (i64.const 1)))) (drop (i64.eqz "
      "(table.size))) (table.fill (i64.const 0) (ref.null func) (i64.const 1)))");
  INVALID("(table i64 1 funcref) (func (drop (table.grow (ref.null func) (i32.const 1))))", "type mismatch");
  INVALID("(table 1 funcref) (func (drop (table.grow (ref.null extern) (i32.const 1))))", "type mismatch");
  INVALID("(table 1 funcref) (func (table.fill (i32.const 0) (i32.const 0) (i32.const 0)))", "type mismatch");
}

TEST(ValidateTables, init_needs_a_segment_whose_type_fits) {
  VALID(
      "(table 1 funcref) (elem funcref) (func (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0)) (elem.drop 0))");
  INVALID("(table 1 funcref) (func (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0)))",
          "unknown elem segment 0");
  INVALID("(table 1 funcref) (elem externref) (func (table.init 0 (i32.const 0) (i32.const 0) (i32.const 0)))",
          "type mismatch");
  INVALID("(func (elem.drop 3))", "unknown elem segment 3");
}

TEST(ValidateTables, copy_goes_into_a_table_of_a_wider_type) {
  VALID(
      "(table $f 1 funcref) (table $n 1 nullfuncref) (func (table.copy $f $n (i32.const 0) (i32.const 0) (i32.const "
      "0)))");
  INVALID(
      "(table $f 1 funcref) (table $n 1 nullfuncref) (func (table.copy $n $f (i32.const 0) (i32.const 0) (i32.const "
      "0)))",
      "type mismatch");
  VALID(
      "(table $a 1 funcref) (table $b i64 1 funcref) (func (table.copy $b $a (i64.const 0) (i32.const 0) (i32.const "
      "0)))");
}

TEST(ValidateVectors, lane_is_below_the_shapes_lanes) {
  const std::string zero = "(v128.const i64x2 0 0)";
  const auto extract = [&](const std::string& op) { return judge("(func (drop (" + op + " " + zero + ")))"); };
  EXPECT_EQ(extract("i8x16.extract_lane_u 15"), "valid");
  EXPECT_TRUE(begins(extract("i8x16.extract_lane_u 16"), "invalid lane index"));
  EXPECT_EQ(extract("i16x8.extract_lane_s 7"), "valid");
  EXPECT_TRUE(begins(extract("i16x8.extract_lane_s 8"), "invalid lane index"));
  EXPECT_EQ(extract("f32x4.extract_lane 3"), "valid");
  EXPECT_TRUE(begins(extract("f32x4.extract_lane 4"), "invalid lane index"));
  EXPECT_EQ(extract("i64x2.extract_lane 1"), "valid");
  EXPECT_TRUE(begins(extract("i64x2.extract_lane 2"), "invalid lane index"));
  INVALID("(func (drop (f64x2.replace_lane 2 (v128.const i64x2 0 0) (f64.const 1))))", "invalid lane index");
}

TEST(ValidateVectors, lane_of_a_load_or_store_is_below_16_bytes_over_its_width) {
  VALID("(memory 1) (func (drop (v128.load16_lane 7 (i32.const 0) (v128.const i64x2 0 0))))");
  INVALID("(memory 1) (func (drop (v128.load16_lane 8 (i32.const 0) (v128.const i64x2 0 0))))", "invalid lane index");
  INVALID("(memory 1) (func (v128.store64_lane 2 (i32.const 0) (v128.const i64x2 0 0)))", "invalid lane index");
  INVALID("(memory 1) (func (v128.store8_lane align=2 0 (i32.const 0) (v128.const i64x2 0 0)))",
          "alignment must not be larger than natural");
}

TEST(ValidateVectors, shuffle_lanes_are_below_32) {
  VALID(
      "(func (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 (v128.const i64x2 0 0) (v128.const i64x2 0 "
      "0))))");
  INVALID(
      "(func (drop (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 32 (v128.const i64x2 0 0) (v128.const i64x2 0 "
      "0))))",
      "invalid lane index");
}

TEST(ValidateVectors, plain_rows_have_their_signature) {
  VALID("(func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))");
  INVALID("(func (param v128) (result v128) (i32x4.add (local.get 0) (i32.const 1)))", "type mismatch");
  VALID("(func (param v128) (result v128) (i32x4.shl (local.get 0) (i32.const 1)))");
  VALID(
      "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get "
      "3)))");
  INVALID("(func (result i64) (i64.mul_wide_u (i64.const 1) (i64.const 2)))", "type mismatch");
}

}  // namespace
}  // namespace heddle::validate
