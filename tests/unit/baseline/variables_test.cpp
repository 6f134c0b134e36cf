// Locals, globals, references and tables.
#include "unit/baseline/machine.h"
#include "unit/baseline/opcode_tests.h"

namespace heddle::baseline::test {
namespace {

OPCODE_TEST(BaselineVariables, a_value_read_before_a_set_keeps_the_old_value) {
  Machine m(R"((module (func $nothing)
    (func (export "pinned") (param i32 f64) (result i32)
      (local.get 0) (local.get 0) (local.set 0 (i32.const 100)) (local.get 0) (i32.add) (i32.sub)
      (i32.trunc_f64_s (local.get 1) (local.set 1 (f64.const 1000)) (f64.add (local.get 1))) (i32.add))
    (func (export "frame") (param i32 f64) (result i32)
      (call $nothing)
      (local.get 0) (local.get 0) (local.set 0 (i32.const 100)) (local.get 0) (i32.add) (i32.sub)
      (i32.trunc_f64_s (local.get 1) (local.set 1 (f64.const 1000)) (f64.add (local.get 1))) (i32.add))
    (func (export "tee") (param i32) (result i32)
      (local.get 0) (i32.mul (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (local.get 0)) (i32.sub))
    (func (export "block") (param i32) (result i32)
      (local.get 0) (block (local.set 0 (i32.const 9))) (local.get 0) (i32.sub))
    (func (export "swap") (param i32 i32 i32) (result i32)
      (loop (result i32)
        (local.get 0) (local.set 0 (local.get 1)) (local.set 1)
        (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1))))
        (i32.sub (local.get 0) (local.get 1))))))");
  for (const char* f : {"pinned", "frame"})
    EXPECT_EQ(static_cast<std::int32_t>(m.call(f, {i32(7), f64(5)}).results[0].i32), 7 - (7 + 100) + 1005);
  EXPECT_EQ(static_cast<std::int32_t>(m.call("tee", {i32(4)}).results[0].i32), 4 - 25);
  EXPECT_EQ(static_cast<std::int32_t>(m.call("block", {i32(4)}).results[0].i32), 4 - 9);
  EXPECT_EQ(static_cast<std::int32_t>(m.call("swap", {i32(10), i32(3), i32(3)}).results[0].i32), 3 - 10);
}

OPCODE_TEST(BaselineVariables, locals_are_zero_where_they_may_be_read_first) {
  Machine m(R"((module
    (func (export "f") (param i32) (result i64) (local i32 i64 f32 f64 i32 i64 funcref)
      (if (local.get 0) (then (local.set 2 (i64.const 5)) (local.set 5 (i32.const 6))))
      (i64.add (local.get 2)
        (i64.add (i64.extend_i32_u (i32.add (local.get 1) (local.get 5)))
          (i64.add (local.get 6) (i64.add (i64.reinterpret_f64 (local.get 4))
            (i64.extend_i32_u (i32.add (i32.reinterpret_f32 (local.get 3)) (ref.is_null (local.get 7)))))))))))");
  EXPECT_EQ(m.call("f", {i32(0)}).results[0].i64, 1u);
  EXPECT_EQ(m.call("f", {i32(1)}).results[0].i64, 12u);
}

OPCODE_TEST(BaselineVariables, globals_own_and_imported_of_all_types) {
  Machine m(R"((module
    (import "m" "g" (global $x (mut i64))) (import "m" "h" (global $y (mut f32)))
    (global $a (mut i32) (i32.const 0)) (global $b (mut i64) (i64.const 0)) (global $c (mut f32) (f32.const 0))
    (global $d (mut f64) (f64.const 0)) (global $r (mut externref) (ref.null extern))
    (func (export "set") (param i32 i64 f32 f64 externref)
      (global.set $a (local.get 0)) (global.set $b (local.get 1)) (global.set $c (local.get 2))
      (global.set $d (local.get 3)) (global.set $r (local.get 4)) (global.set $x (i64.const 0x123456789abcdef0))
      (global.set $y (f32.add (global.get $c) (f32.const 1))))
    (func (export "get") (result i32 i64 f32 f64 externref i64 f32)
      (global.get $a) (global.get $b) (global.get $c) (global.get $d) (global.get $r) (global.get $x) (global.get $y))
    (func (export "old") (result i32) (global.get $a) (global.set $a (i32.const 1)))))");
  VmValue ref{};
  ref.ref = &m;
  EXPECT_FALSE(m.call("set", {i32(0x80000001), i64(~0ull), f32(1.5f), f64(-2.5), ref}).trapped());
  const Outcome o = m.call("get");
  ASSERT_EQ(o.results.size(), 7u);
  EXPECT_EQ(o.results[0].i32, 0x80000001u);
  EXPECT_EQ(o.results[1].i64, ~0ull);
  EXPECT_EQ(o.results[2].i32, f32(1.5f).i32);
  EXPECT_EQ(o.results[3].i64, f64(-2.5).i64);
  EXPECT_EQ(o.results[4].ref, &m);
  EXPECT_EQ(o.results[5].i64, 0x123456789abcdef0u);
  EXPECT_EQ(o.results[6].i32, f32(2.5f).i32);
  EXPECT_EQ(m.call("old").results[0].i32, 0x80000001u);
}

OPCODE_TEST(BaselineVariables, references) {
  Machine m(R"((module (type $t (func)) (func $f) (elem declare func $f)
    (func (export "null") (result funcref) (ref.null func))
    (func (export "func") (result funcref) (ref.func $f))
    (func (export "is_null") (param externref) (result i32) (ref.is_null (local.get 0)))
    (func (export "branch") (param externref) (result i32)
      (if (result i32) (ref.is_null (local.get 0)) (then (i32.const 1)) (else (i32.const 2))))
    (func (export "eq") (param eqref eqref) (result i32) (ref.eq (local.get 0) (local.get 1)))
    (func (export "as_non_null") (param externref) (result externref) (ref.as_non_null (local.get 0)))
    (func (export "on_null") (param i32 (ref null extern)) (result i32)
      (block $l (result i32) (drop (br_on_null $l (i32.add (local.get 0) (i32.const 1)) (local.get 1)))
        (drop) (i32.const 99)))
    (func (export "on_non_null") (param i32 (ref null extern)) (result i32)
      (drop (block $l (result (ref extern)) (br_on_non_null $l (local.get 1)) (return (local.get 0))))
      (i32.const 77))
    (func (export "on_non_null2") (param i32 (ref null extern)) (result i32)
      (block $l (result i32 (ref extern))
        (i32.const 5) (i32.add (local.get 0) (i32.const 2)) (br_on_non_null $l (local.get 1)) (return (i32.add)))
      (drop))))");
  VmValue ref{}, null{};
  ref.ref = &m;
  EXPECT_EQ(m.call("null").results[0].ref, nullptr);
  EXPECT_EQ(m.call("func").results[0].ref, m.func_ref(0));
  EXPECT_EQ(m.call("is_null", {ref}).results[0].i32, 0u);
  EXPECT_EQ(m.call("is_null", {null}).results[0].i32, 1u);
  EXPECT_EQ(m.call("branch", {null}).results[0].i32, 1u);
  EXPECT_EQ(m.call("eq", {ref, ref}).results[0].i32, 1u);
  EXPECT_EQ(m.call("eq", {ref, null}).results[0].i32, 0u);
  EXPECT_EQ(m.call("as_non_null", {ref}).results[0].ref, &m);
  EXPECT_EQ(m.call("as_non_null", {null}).trap, TrapCode::null_reference);
  EXPECT_EQ(m.call("on_null", {i32(4), null}).results[0].i32, 5u);
  EXPECT_EQ(m.call("on_null", {i32(4), ref}).results[0].i32, 99u);
  EXPECT_EQ(m.call("on_non_null", {i32(4), null}).results[0].i32, 4u);
  EXPECT_EQ(m.call("on_non_null", {i32(4), ref}).results[0].i32, 77u);
  EXPECT_EQ(m.call("on_non_null2", {i32(4), null}).results[0].i32, 11u);
  EXPECT_EQ(m.call("on_non_null2", {i32(4), ref}).results[0].i32, 6u);
}

OPCODE_TEST(BaselineTable, get_set_and_size_of_own_imported_and_64_bit_tables) {
  Machine m(R"((module (import "m" "t" (table $i 3 externref)) (table $t 4 externref) (table $w i64 5 externref)
    (func (export "get0") (param i32) (result externref) (table.get $i (local.get 0)))
    (func (export "get1") (param i32) (result externref) (table.get $t (local.get 0)))
    (func (export "get2") (param i64) (result externref) (table.get $w (local.get 0)))
    (func (export "set0") (param i32 externref) (table.set $i (local.get 0) (local.get 1)))
    (func (export "set1") (param i32 externref) (table.set $t (local.get 0) (local.get 1)))
    (func (export "set2") (param i64 externref) (table.set $w (local.get 0) (local.get 1)))
    (func (export "sizes") (result i64)
      (i64.add (table.size $w) (i64.extend_i32_u (i32.add (i32.mul (i32.const 100) (table.size $i))
                                                          (i32.mul (i32.const 10) (table.size $t))))))))");
  VmValue ref{};
  ref.ref = &m;
  EXPECT_FALSE(m.call("set0", {i32(2), ref}).trapped());
  EXPECT_FALSE(m.call("set1", {i32(3), ref}).trapped());
  EXPECT_FALSE(m.call("set2", {i64(4), ref}).trapped());
  EXPECT_EQ(m.call("get0", {i32(2)}).results[0].ref, &m);
  EXPECT_EQ(m.call("get1", {i32(3)}).results[0].ref, &m);
  EXPECT_EQ(m.call("get2", {i64(4)}).results[0].ref, &m);
  EXPECT_EQ(m.call("get1", {i32(0)}).results[0].ref, nullptr);
  EXPECT_EQ(m.call("get0", {i32(3)}).trap, TrapCode::table_out_of_bounds);
  EXPECT_EQ(m.call("set0", {i32(3), ref}).trap, TrapCode::table_out_of_bounds);
  EXPECT_EQ(m.call("get1", {i32(0xffffffff)}).trap, TrapCode::table_out_of_bounds);
  EXPECT_EQ(m.call("set1", {i32(4), ref}).trap, TrapCode::table_out_of_bounds);
  EXPECT_EQ(m.call("get2", {i64(0x100000000)}).trap, TrapCode::table_out_of_bounds);
  EXPECT_EQ(m.call("sizes").results[0].i64, 345u);
}

OPCODE_TEST(BaselineTable, services_get_their_operands) {
  Machine m(R"((module (table $t 4 externref) (table $w i64 5 externref) (table $f 3 funcref) (elem $e func 0)
    (func (export "grow") (param externref i32) (result i32) (table.grow $t (local.get 0) (local.get 1)))
    (func (export "grow64") (param externref i64) (result i64) (table.grow $w (local.get 0) (local.get 1)))
    (func (export "fill") (param i32 externref i32) (table.fill $t (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i64 i32 i32) (table.copy $w $t (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32) (table.init $f $e (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop") (elem.drop $e))))");
  using Words = std::vector<std::uint64_t>;
  VmValue ref{};
  ref.ref = &m;
  const auto word = reinterpret_cast<std::uint64_t>(&m);
  m.service_answer = 4;
  EXPECT_EQ(m.call("grow", {ref, i32(0xffffffff)}).results[0].i32, 4u);
  EXPECT_EQ(m.last_service, (Words{0, 0xffffffff, word}));
  m.service_answer = -1;
  EXPECT_EQ(m.call("grow", {ref, i32(1)}).results[0].i32, 0xffffffffu);
  EXPECT_EQ(m.call("grow64", {ref, i64(1)}).results[0].i64, ~0ull);
  EXPECT_FALSE(m.call("fill", {i32(1), ref, i32(3)}).trapped());
  EXPECT_EQ(m.last_service, (Words{0, 1, word, 3}));
  EXPECT_EQ(m.table(0).elements[3], &m);
  EXPECT_EQ(m.call("fill", {i32(1), ref, i32(4)}).trap, TrapCode::table_out_of_bounds);
  EXPECT_FALSE(m.call("copy", {i64(2), i32(1), i32(3)}).trapped());
  EXPECT_EQ(m.last_service, (Words{1, 2, 1, 3}));
  EXPECT_EQ(m.call("copy", {i64(1ull << 33), i32(1), i32(3)}).trap, TrapCode::table_out_of_bounds);
  EXPECT_FALSE(m.call("init", {i32(1), i32(0), i32(1)}).trapped());
  EXPECT_EQ(m.last_service, (Words{2, 0, 1, 0, 1}));
  EXPECT_EQ(m.call("init", {i32(3), i32(0), i32(1)}).trap, TrapCode::table_out_of_bounds);
  EXPECT_FALSE(m.call("drop").trapped());
  EXPECT_EQ(m.last_service, (Words{0}));
}

}  // namespace
}  // namespace heddle::baseline::test
