// Exceptions of both kinds. The machine's unwinder destroys every register that the contract does not promise.
#include "unit/baseline/machine.h"
#include "unit/baseline/opcode_tests.h"

namespace heddle::baseline::test {
namespace {

std::uint32_t run(Machine& m, std::string_view name, const std::vector<VmValue>& args = {}) {
  const Outcome o = m.call(name, args);
  EXPECT_EQ(static_cast<int>(o.trap), 0) << name;
  return o.results.empty() ? 0xffffffff : o.results[0].i32;
}

OPCODE_TEST(BaselineExceptions, try_table_catches_by_tag_and_brings_the_values) {
  Machine m(R"((module
    (tag $a (param i32)) (tag $b (param i64 f64 i32)) (tag $c)
    (func $throw (param i32)
      (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $a (i32.const 11))))
      (if (i32.eq (local.get 0) (i32.const 2))
        (then (throw $b (i64.const 0x100000000) (f64.const 2.5) (i32.add (local.get 0) (i32.const 20)))))
      (if (i32.eq (local.get 0) (i32.const 3)) (then (throw $c))))
    (func (export "f") (param i32) (result i32) (local $kept i32) (local $x f64) (local $i i32)
      (local.set $kept (i32.const 1000)) (local.set $x (f64.const 0.5))
      (i32.const 50000)
      (loop $again  ;; so that the locals are pinned
        (local.set $x (f64.add (local.get $x) (f64.const 1)))
        (local.set $kept (i32.add (local.get $kept) (i32.const 1)))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
      (block $on_all
        (block $on_b (result i64 f64 i32)
          (block $on_a (result i32)
            (try_table (catch $a $on_a) (catch $b $on_b) (catch_all $on_all) (call $throw (local.get 0)))
            (return (i32.const 7)))
          (i32.add (local.get $kept)) (i32.add (i32.trunc_f64_s (local.get $x))) (return))
        (local.set 0) (i32.trunc_f64_s) (i32.add (local.get 0)) (local.set 0)
        (i64.shr_u (i64.const 32)) (i32.wrap_i64) (i32.add (local.get 0)) (i32.add (local.get $kept)) (return))
      (i32.add (local.get $kept)))
    (func (export "uncaught") (call $throw (i32.const 3)))
    (func (export "through") (param i32) (result i32) (local $k i32)
      (local.set $k (i32.mul (local.get 0) (i32.const 3)))
      (block $l (result i32)
        (drop (try_table (result i32) (catch $a $l)
          (i32.add (local.get $k) (call $middle (i32.const 1)))))
        (i32.const 1))
      (i32.add (local.get $k)))
    (func $middle (param i32) (result i32) (local i32 i32 i32 i32 i32)
      (loop $l
        (local.set 1 (i32.add (local.get 1) (local.get 0))) (local.set 2 (i32.add (local.get 2) (local.get 1)))
        (local.set 3 (i32.add (local.get 3) (local.get 2))) (local.set 4 (i32.add (local.get 4) (local.get 3)))
        (br_if $l (i32.lt_u (local.tee 5 (i32.add (local.get 5) (i32.const 1))) (i32.const 4))))
      (call $throw (local.get 0)) (local.get 4))))");
  EXPECT_EQ(run(m, "f", {i32(0)}), 7u);
  EXPECT_EQ(run(m, "f", {i32(1)}), 11u + 1005 + 5);
  EXPECT_EQ(run(m, "f", {i32(2)}), 22u + 2 + 1 + 1005);
  EXPECT_EQ(run(m, "f", {i32(3)}), 50000u + 1005);
  EXPECT_EQ(m.call("uncaught").trap, TrapCode::uncaught_exception);
  EXPECT_EQ(run(m, "through", {i32(5)}), 11u + 15) << "registers that frames between have saved come back";
}

OPCODE_TEST(BaselineExceptions, references_are_thrown_again) {
  Machine m(R"((module (tag $a (param i32)) (tag $b)
    (func (export "ref") (param i32) (result i32)
      (block $outer (result i32)
        (block $l (result i32 exnref)
          (try_table (catch_ref $a $l) (throw $a (local.get 0)))
          (unreachable))
        (local.set 0 (i32.const 5))
        (try_table (param i32 exnref) (catch $a $outer) (throw_ref))
        (unreachable))
      (i32.add (local.get 0)))
    (func (export "all_ref") (param i32) (result i32)
      (block $outer (result i32)
        (block $l (result exnref)
          (try_table (catch_all_ref $l) (throw $a (local.get 0)))
          (unreachable))
        (try_table (param exnref) (catch $a $outer) (throw_ref))
        (unreachable)))
    (func (export "null") (throw_ref (ref.null exn)))))");
  EXPECT_EQ(run(m, "ref", {i32(30)}), 35u);
  EXPECT_EQ(run(m, "all_ref", {i32(31)}), 31u);
  EXPECT_EQ(m.call("null").trap, TrapCode::null_exception_reference);
}

OPCODE_TEST(BaselineExceptions, legacy_try_catch_rethrow_and_delegate) {
  Machine m(R"((module (tag $a (param i32)) (tag $b)
    (func $throw (param i32)
      (if (local.get 0) (then (throw $a (local.get 0))) (else (throw $b))))
    (func (export "catch") (param i32) (result i32)
      (i32.const 100)
      (try (result i32)
        (do (call $throw (local.get 0)) (i32.const 1))
        (catch $a (i32.add (i32.const 20)))
        (catch_all (i32.const 3)))
      (i32.add))
    (func (export "rethrow") (param i32) (result i32)
      (try (result i32)
        (do (try (result i32)
          (do (call $throw (local.get 0)) (i32.const 1))
          (catch $a (drop) (local.set 0 (i32.const 9)) (rethrow 0))))
        (catch $a (i32.add (local.get 0)))
        (catch $b (i32.const 50))))
    (func (export "delegate") (param i32) (result i32)
      (try $t (result i32)
        (do (try (result i32)
          (do (try (result i32)
            (do (call $throw (local.get 0)) (i32.const 1))
            (delegate $t)))
          (catch_all (i32.const 2))))
        (catch $a)
        (catch_all (i32.const 4))))
    (func (export "delegate_out") (param i32) (result i32)
      (try (result i32)
        (do (try (result i32)
            (do (call $throw (local.get 0)) (i32.const 1))
            (delegate 1)))
        (catch_all (i32.const 2))))
    (func (export "none") (param i32) (result i32)
      (try (result i32) (do (i32.add (local.get 0) (i32.const 1)))))))");
  EXPECT_EQ(run(m, "catch", {i32(5)}), 125u);
  EXPECT_EQ(run(m, "catch", {i32(0)}), 103u);
  EXPECT_EQ(run(m, "rethrow", {i32(5)}), 14u);
  EXPECT_EQ(run(m, "rethrow", {i32(0)}), 50u);
  EXPECT_EQ(run(m, "delegate", {i32(6)}), 6u);
  EXPECT_EQ(run(m, "delegate", {i32(0)}), 4u);
  EXPECT_EQ(m.call("delegate_out", {i32(1)}).trap, TrapCode::uncaught_exception);
  EXPECT_EQ(run(m, "none", {i32(1)}), 2u);
}

}  // namespace
}  // namespace heddle::baseline::test
