// Calls of all kinds, parameters and results beyond the registers, tail calls.
#include "unit/baseline/machine.h"
#include "unit/baseline/opcode_tests.h"

namespace heddle::baseline::test {
namespace {

OPCODE_TEST(BaselineCalls, parameters_and_results_beyond_the_registers) {
  Machine m(R"((module
    (func $many (param i32 i64 f32 f64 i32 i64 i32 i32 i64 i32 f64 f32 f64 f32 f64 f32 f64 f32 f64 i32)
                (result i32 f64 i64 f32 i32)
      (i32.add (i32.add (local.get 0) (local.get 4)) (i32.add (local.get 9) (local.get 19)))
      (f64.add (f64.add (local.get 3) (local.get 10)) (f64.add (local.get 16) (local.get 18)))
      (i64.add (i64.add (local.get 1) (local.get 5)) (local.get 8))
      (f32.add (f32.add (local.get 2) (local.get 11)) (f32.add (local.get 15) (local.get 17)))
      (local.get 7))
    (func (export "f") (result i32 f64 i64 f32 i32) (local i32 f32)
      (local.set 0 (i32.const 7)) (local.set 1 (f32.const 0.5))
      (call $many (i32.const 1) (i64.const 0x100000000) (local.get 1) (f64.const 4) (i32.add (local.get 0) (i32.const 1))
        (i64.const 6) (i32.const 70) (i32.const -80) (i64.const -9) (local.get 0) (f64.const 11) (local.get 1)
        (f64.const 13) (f32.const 14) (f64.const 15) (local.get 1) (f64.const 17.5) (f32.add (local.get 1) (local.get 1))
        (f64.const 19) (local.get 0)))))");
  const Outcome o = m.call("f");
  ASSERT_EQ(o.results.size(), 5u);
  EXPECT_EQ(o.results[0].i32, 1u + 8 + 7 + 7);
  EXPECT_EQ(o.results[1].i64, f64(4 + 11 + 17.5 + 19).i64);
  EXPECT_EQ(o.results[2].i64, 0x100000000u + 6 - 9);
  EXPECT_EQ(o.results[3].i32, f32(0.5f + 0.5f + 0.5f + 1.0f).i32);
  EXPECT_EQ(o.results[4].i64, 0xffffffb0u) << "an i32 in the overflow buffer is zero-extended";
}

OPCODE_TEST(BaselineCalls, arguments_may_be_permuted_parameters) {
  Machine m(R"((module
    (func $digits (param i32 i32 i32 i32 f64 f64 f64) (result i32)
      (i32.add (i32.trunc_f64_s (f64.add (local.get 4) (f64.add (f64.mul (local.get 5) (f64.const 10))
                                                                 (f64.mul (local.get 6) (f64.const 100)))))
      (i32.add (i32.mul (local.get 0) (i32.const 1000)) (i32.add (i32.mul (local.get 1) (i32.const 10000))
      (i32.add (i32.mul (local.get 2) (i32.const 100000)) (i32.mul (local.get 3) (i32.const 1000000)))))))
    (func (export "f") (param i32 i32 i32 i32 f64 f64 f64) (result i32)
      (call $digits (local.get 1) (local.get 2) (local.get 3) (local.get 0)
                    (local.get 6) (local.get 4) (local.get 5))
      (call $digits (local.get 3) (local.get 2) (local.get 1) (local.get 0)
                    (local.get 5) (local.get 4) (local.get 6))
      (i32.add))))");
  EXPECT_EQ(m.call("f", {i32(1), i32(2), i32(3), i32(4), f64(5), f64(6), f64(7)}).results[0].i32, 1432657u + 1234756u);
}

OPCODE_TEST(BaselineCalls, locals_of_all_kinds_outlive_calls) {
  Machine m(R"((module
    (func $clobber (param i32) (result i32) (local i32 i32 i32 i32 i32 i32 f64 f64 f64 f64 f64 f64 f64 f64)
      (loop $l
        (local.set 1 (i32.add (local.get 1) (i32.const 3))) (local.set 2 (i32.add (local.get 2) (local.get 1)))
        (local.set 3 (i32.add (local.get 3) (local.get 2))) (local.set 4 (i32.add (local.get 4) (local.get 3)))
        (local.set 7 (f64.add (local.get 7) (f64.const 1))) (local.set 8 (f64.add (local.get 8) (local.get 7)))
        (local.set 9 (f64.add (local.get 9) (local.get 8))) (local.set 10 (f64.add (local.get 10) (local.get 9)))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get 4))
    (func (export "f") (param i32) (result f64)
      (local $i i32) (local $a i32) (local $b i64) (local $c f32) (local $x f64) (local $y f64) (local $z f64)
      (local $d i32) (local $e i32)
      (local.set $y (f64.const 0.25))
      (loop $l
        (local.set $a (i32.add (local.get $a) (local.get $i)))
        (local.set $b (i64.add (local.get $b) (i64.extend_i32_u (local.get $a))))
        (local.set $c (f32.add (local.get $c) (f32.const 1)))
        (local.set $x (f64.add (local.get $x) (local.get $y)))
        (local.set $d (i32.add (local.get $d) (i32.const 2)))
        (local.set $e (i32.sub (local.get $e) (i32.const 1)))
        (if (i32.and (local.get $i) (i32.const 3)) (then (drop (call $clobber (i32.const 4)))))
        (local.set $z (f64.add (local.get $z) (local.get $x)))
        (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
      (f64.add (f64.add (f64.convert_i32_s (i32.add (local.get $a) (i32.add (local.get $d) (local.get $e))))
                        (f64.convert_i64_s (local.get $b)))
               (f64.add (f64.promote_f32 (local.get $c)) (f64.add (local.get $x) (local.get $z)))))))");
  double want = 0;
  int a = 0, d = 0, e = 0;
  long b = 0;
  float c = 0;
  double x = 0, z = 0;
  for (int i = 0; i < 10; ++i) {
    a += i;
    b += a;
    c += 1;
    x += 0.25;
    d += 2;
    e -= 1;
    z += x;
  }
  want = a + d + e + static_cast<double>(b) + static_cast<double>(c) + x + z;
  EXPECT_EQ(m.call("f", {i32(10)}).results[0].i64, f64(want).i64);
}

OPCODE_TEST(BaselineCalls, an_import_runs_with_its_own_instance) {
  Machine other(R"((module (global (mut i32) (i32.const 0)) (memory 1)
    (func (param i32 i32) (result i32)
      (global.set 0 (i32.add (global.get 0) (local.get 0)))
      (i32.store (i32.const 0) (global.get 0))
      (i32.sub (i32.load (i32.const 0)) (local.get 1)))))");
  Machine m(R"((module (import "a" "b" (func $i (param i32 i32) (result i32))) (memory 1)
    (func (export "f") (param i32) (result i32)
      (i32.store (i32.const 0) (i32.const 1000))
      (i32.add (call $i (local.get 0) (i32.const 1)) (i32.add (call $i (i32.const 5) (local.get 0))
        (i32.load (i32.const 0)))))
    (func (export "tail") (param i32) (result i32) (return_call $i (local.get 0) (i32.const 1)))
    (func (export "after_tail") (param i32) (result i32)
      (i32.add (call 2 (local.get 0)) (i32.load (i32.const 0))))))");
  m.link(0, other, 0);
  other.global(0).i32 = 100;
  EXPECT_EQ(m.call("f", {i32(10)}).results[0].i32, 109u + 105 + 1000);
  other.global(0).i32 = 0;
  EXPECT_EQ(m.call("after_tail", {i32(10)}).results[0].i32, 9u + 1000) << "the caller has its vmctx back";
}

OPCODE_TEST(BaselineCalls, indirect_calls_check_bounds_null_and_type) {
  Machine m(R"((module
    (type $ii (func (param i32) (result i32))) (type $v (func)) (type $same (func (param i32) (result i32)))
    (type $open (sub (func (param i32) (result i32)))) (type $sub (sub $open (func (param i32) (result i32))))
    (table 8 funcref) (table 1 funcref)
    (func $inc (type $ii) (i32.add (local.get 0) (i32.const 1)))
    (func $none (type $v))
    (func $open (type $open) (i32.const 50))
    (func $sub (type $sub) (i32.const 60))
    (elem declare func $inc)
    (func (export "call") (param i32 i32) (result i32)
      (call_indirect (type $same) (local.get 0) (local.get 1)))
    (func (export "open") (param i32 i32) (result i32)
      (i32.add (i32.mul (local.get 0) (i32.const 3)) (call_indirect (type $open) (local.get 0) (local.get 1))))
    (func (export "sub") (param i32 i32) (result i32) (call_indirect (type $sub) (local.get 0) (local.get 1)))
    (func (export "tail") (param i32 i32) (result i32)
      (return_call_indirect (type $same) (local.get 0) (local.get 1)))
    (func (export "one") (param i32) (call_indirect 1 (type $v) (local.get 0)))))");
  for (std::uint32_t i = 0; i < 4; ++i) m.table(0).elements[i] = m.func_ref(i);
  EXPECT_EQ(m.call("call", {i32(41), i32(0)}).results[0].i32, 42u);
  EXPECT_EQ(m.call("tail", {i32(41), i32(0)}).results[0].i32, 42u);
  for (const char* f : {"call", "open", "tail"}) {
    EXPECT_EQ(m.call(f, {i32(0), i32(1)}).trap, TrapCode::indirect_call_type_mismatch);
    EXPECT_EQ(m.call(f, {i32(0), i32(4)}).trap, TrapCode::uninitialized_element);
    EXPECT_EQ(m.call(f, {i32(0), i32(8)}).trap, TrapCode::undefined_element);
    EXPECT_EQ(m.call(f, {i32(0), i32(0xffffffff)}).trap, TrapCode::undefined_element);
  }
  EXPECT_EQ(m.call("open", {i32(2), i32(2)}).results[0].i32, 56u);
  EXPECT_EQ(m.call("open", {i32(2), i32(3)}).results[0].i32, 66u) << "a subtype is accepted";
  EXPECT_EQ(m.call("sub", {i32(2), i32(3)}).results[0].i32, 60u);
  EXPECT_EQ(m.call("sub", {i32(2), i32(2)}).trap, TrapCode::indirect_call_type_mismatch);
  EXPECT_EQ(m.call("one", {i32(0)}).trap, TrapCode::uninitialized_element);
}

OPCODE_TEST(BaselineCalls, typed_references_are_called_and_null_traps) {
  Machine m(R"((module (type $ii (func (param i32) (result i32)))
    (func $inc (type $ii) (i32.add (local.get 0) (i32.const 1)))
    (elem declare func $inc)
    (func (export "call") (param i32) (result i32) (call_ref $ii (local.get 0) (ref.func $inc)))
    (func (export "tail") (param i32) (result i32) (return_call_ref $ii (local.get 0) (ref.func $inc)))
    (func (export "null") (result i32) (call_ref $ii (i32.const 0) (ref.null $ii)))
    (func (export "null_tail") (result i32) (return_call_ref $ii (i32.const 0) (ref.null $ii)))))");
  EXPECT_EQ(m.call("call", {i32(1)}).results[0].i32, 2u);
  EXPECT_EQ(m.call("tail", {i32(1)}).results[0].i32, 2u);
  EXPECT_EQ(m.call("null").trap, TrapCode::null_function_reference);
  EXPECT_EQ(m.call("null_tail").trap, TrapCode::null_function_reference);
}

OPCODE_TEST(BaselineCalls, tail_calls_take_no_stack) {
  Machine m(R"((module (type $t (func (param i32 i32) (result i32))) (table 1 funcref)
    (func $even (export "even") (type $t) (local i32)
      (local.set 2 (i32.const 1))
      (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
      (return_call $odd (i32.sub (local.get 0) (local.get 2)) (i32.add (local.get 1) (i32.const 2))))
    (func $odd (type $t)
      (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
      (return_call $even (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))
    (func (export "indirect") (type $t)
      (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
      (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.add (local.get 1) (i32.const 3))
                            (i32.const 0)))
    (func $wide (export "wide") (param i32 i64 i64 i64 i64 i64 i64 i64) (result i64)
      (if (i32.eqz (local.get 0)) (then (return (local.get 7))))
      (return_call $wide (i32.sub (local.get 0) (i32.const 1)) (local.get 7) (local.get 1) (local.get 2) (local.get 3)
                   (local.get 4) (local.get 5) (i64.add (local.get 6) (i64.const 1))))))");
  m.table(0).elements[0] = m.func_ref(2);
  EXPECT_EQ(m.call("even", {i32(2000000), i32(0)}).results[0].i32, 2000000u);
  EXPECT_EQ(m.call("indirect", {i32(1000000), i32(5)}).results[0].i32, 3000005u);
  EXPECT_EQ(m.call("wide", {i32(700000), i64(1), i64(2), i64(3), i64(4), i64(5), i64(6), i64(7)}).results[0].i64,
            100007u);
}

OPCODE_TEST(BaselineCalls, endless_recursion_exhausts_the_stack_whatever_the_frame) {
  Machine m(R"((module (func $f (export "f") (call $f))
    (func $g (export "g") (param i32) (result i32) (i32.add (local.get 0) (call $g (i32.add (local.get 0) (i32.const 1)))))))");
  EXPECT_EQ(m.call("f").trap, TrapCode::call_stack_exhausted);
  EXPECT_EQ(m.call("g", {i32(0)}).trap, TrapCode::call_stack_exhausted);
}

OPCODE_TEST(BaselineCalls, a_leaf_with_a_large_frame_checks_the_stack) {
  std::string locals, sets, sums;
  for (int i = 1; i <= 40000; ++i) {
    sets += "(local.set " + std::to_string(i) + " (i64.add (local.get " + std::to_string(i) + ") (local.get 0)))";
    if (i % 1000 == 0) sums += "(local.get " + std::to_string(i) + ") i64.add ";
    locals += " i64";
  }
  Machine m("(module (func $leaf (export \"f\") (param i64) (result i64) (local " + locals + ") " + sets +
            "(local.get 0) " + sums +
            ") (func $deep (export \"deep\") (param i32) (result i64)"
            "(if (local.get 0) (then (return (call $deep (i32.sub (local.get 0) (i32.const 1))))))"
            "(call $leaf (i64.const 1))))");
  EXPECT_EQ(m.call("f", {i64(3)}).results[0].i64, 3u * 41) << "all locals start as zero";
  EXPECT_EQ(m.call("deep", {i32(15000)}).trap, TrapCode::call_stack_exhausted);
}

}  // namespace
}  // namespace heddle::baseline::test
