// Exceptions and tail calls in LLVM code: compiled there (nothing falls back), with LLVM and baseline frames
// alternating on the stack, and in constant stack where the specification promises it.
#include <gtest/gtest.h>
#include <string>

#include "baseline/tier.h"
#include "llvm/tier.h"

#include "unit/llvm/scripts.h"

namespace heddle::llvm_tier {
namespace {

/// Functions go to LLVM or to the baseline by their index; what LLVM cannot compile is an error.
class Mixed final : public abi::Tier {
 public:
  enum class Llvm { all, even, odd };
  explicit Mixed(Llvm which) : which_(which) {}
  std::string_view name() const override { return "mixed"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    const bool even = request.func.value % 2 == 0;
    if (which_ != Llvm::all && even != (which_ == Llvm::even)) return baseline_.compile(request);
    return without_fallback(llvm_.compile(request));
  }

 private:
  Llvm which_;
  LlvmTier llvm_;
  baseline::BaselineTier baseline_;
};

void passes_in_every_mix(std::string_view script) {
  for (const auto which : {Mixed::Llvm::all, Mixed::Llvm::even, Mixed::Llvm::odd}) {
    const Mixed tier(which);
    expect_passes(script, tier);
  }
}

TEST(LlvmExceptions, values_in_registers_survive_a_throw_through_frames_of_both_tiers) {
  passes_in_every_mix(R"((module
    (tag $e (param i32 i64 f64))
    (tag $other)
    (func $down (param i32 i32 i32 i32) (result i32)
      (local $a i32) (local $b i32)
      (local.set $a (i32.mul (local.get 0) (i32.const 3)))
      (local.set $b (i32.xor (local.get 1) (i32.const 77)))
      (if (i32.eqz (local.get 0)) (then (throw $e (local.get 3) (i64.const -5) (f64.const 1.5))))
      (call $across (i32.sub (local.get 0) (i32.const 1)) (local.get $a) (local.get $b) (local.get 3))
      (i32.add (local.get $a)) (i32.add (local.get $b)) (i32.add (local.get 2)))
    (func $across (param i32 i32 i32 i32) (result i32)
      (local $k i32)
      (local.set $k (i32.add (local.get 1) (local.get 2)))
      (block $no
        (try_table (catch $other $no)
          (return (i32.add (local.get $k)
            (call $down (local.get 0) (local.get 1) (local.get 2) (local.get 3))))))
      (i32.const -1))
    (func (export "f") (param i32 i32) (result i32)
      (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $n i64) (local $x f64)
      (local.set $a (i32.add (local.get 0) (i32.const 1)))
      (local.set $b (i32.mul (local.get 1) (i32.const 5)))
      (local.set $c (i32.xor (local.get $a) (local.get $b)))
      (local.set $d (i32.sub (local.get $c) (local.get 0)))
      (block $done (result i32 i64 f64)
        (try_table (catch $e $done)
          (drop (call $down (local.get 0) (local.get $a) (local.get $b) (local.get 1))))
        (unreachable))
      (local.set $x) (local.set $n)
      (i32.add (i32.wrap_i64 (local.get $n))) (i32.add (i32.trunc_f64_s (f64.mul (local.get $x) (f64.const 2))))
      (i32.add (local.get $a)) (i32.add (local.get $b)) (i32.add (local.get $c)) (i32.add (local.get $d))))
   (assert_return (invoke "f" (i32.const 0) (i32.const 9)) (i32.const 141))
   (assert_return (invoke "f" (i32.const 7) (i32.const 9)) (i32.const 127))
   (assert_return (invoke "f" (i32.const 50) (i32.const 9)) (i32.const 113)))");
}

TEST(LlvmExceptions, every_kind_of_clause_is_compiled) {
  passes_in_every_mix(R"((module
    (tag $a (param i32)) (tag $b)
    (func $throw (param i32)
      (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $a (i32.const 40))))
      (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $b))))
    (func $again (export "again") (param i32) (result i32)
      (block $on_b (result exnref)
        (block $on_a (result i32 exnref)
          (try_table (catch_ref $a $on_a) (catch_all_ref $on_b) (call $throw (local.get 0)))
          (return (i32.const 0)))
        (drop) (return))
      (throw_ref))
    (func (export "outer") (param i32) (result i32)
      (block $all
        (try_table (catch_all $all) (return (call $again (local.get 0)))))
      (i32.const 99))
    (func (export "null") (throw_ref (ref.null exn)))
    (func (export "legacy") (param i32) (result i32)
      (try (result i32)
        (do
          (try (result i32)
            (do (try (result i32) (do (call $throw (local.get 0)) (i32.const 1)) (delegate 0)))
            (catch $a (drop) (rethrow 0))))
        (catch $a (i32.add (i32.const 2)))
        (catch_all (i32.const 3)))))
   (assert_return (invoke "again" (i32.const 0)) (i32.const 0))
   (assert_return (invoke "again" (i32.const 1)) (i32.const 40))
   (assert_exception (invoke "again" (i32.const 2)))
   (assert_return (invoke "outer" (i32.const 2)) (i32.const 99))
   (assert_trap (invoke "null") "null exception reference")
   (assert_return (invoke "legacy" (i32.const 0)) (i32.const 1))
   (assert_return (invoke "legacy" (i32.const 1)) (i32.const 42))
   (assert_return (invoke "legacy" (i32.const 2)) (i32.const 3)))");
}

TEST(LlvmCalls, an_i32_has_no_upper_bits_wherever_it_comes_from) {
  passes_in_every_mix(R"((module
    (type $load (func (param i32) (result i32)))
    (type $wrap (func (param i64) (result i32)))
    (memory 1)
    (table funcref (elem $load $wrap))
    (data (i32.const 8) "\2a\00\00\00" "\00\00\00\00" "\08\00\00\00" "\14")
    (func $load (type $load) (i32.load (local.get 0)))
    (func (export "param") (param i64) (result i32) (call $load (i32.wrap_i64 (local.get 0))))
    (func $wrap (type $wrap) (i32.wrap_i64 (local.get 0)))
    (func (export "result") (param i64) (result i64) (i64.extend_i32_u (call $wrap (local.get 0))))
    (func (export "indirect result") (param i64) (result i64)
      (i64.extend_i32_u (call_indirect (type $wrap) (local.get 0) (i32.const 1))))
    (func (export "indirect param") (param i64) (result i32)
      (call_indirect (type $load) (i32.wrap_i64 (local.get 0)) (i32.const 0)))
    (func $tail (type $wrap) (return_call $load (i32.wrap_i64 (local.get 0))))
    (func (export "tail") (type $wrap) (return_call $tail (local.get 0)))
    (func $second (param i64) (result i64 i32) (i64.const 0) (i32.wrap_i64 (local.get 0)))
    (func (export "second") (param i64) (result i64) (local i32)
      (local.set 1 (call $second (local.get 0))) (drop) (i64.extend_i32_u (local.get 1)))
    (func $grow (result i32) (memory.grow (i32.const 70000)))
    (func (export "grow") (result i64) (i64.extend_i32_u (call $grow)))
    (func (export "own grow") (result i64) (i64.extend_i32_u (memory.grow (i32.const 70000))))
    (func $many (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.load (local.get 6)))
    (func (export "many") (param i64) (result i32) (call $many (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.wrap_i64 (local.get 0))))
    (func $pad)
    (func $two (param i32 i32) (result i32) (i32.add (i32.load (local.get 0)) (local.get 1)))
    (func (export "pair") (param i32) (result i64) (local $pair i64)
      (local.set $pair (i64.load (local.get 0)))
      (i64.add (local.get $pair) (i64.extend_i32_u
        (call $two (i32.wrap_i64 (local.get $pair)) (i32.wrap_i64 (i64.shr_u (local.get $pair) (i64.const 32))))))))
   (assert_return (invoke "pair" (i32.const 16)) (i64.const 0x1400000046))
   (assert_return (invoke "param" (i64.const 0x1400000008)) (i32.const 42))
   (assert_return (invoke "result" (i64.const 0x1400000008)) (i64.const 8))
   (assert_return (invoke "indirect param" (i64.const 0x1400000008)) (i32.const 42))
   (assert_return (invoke "indirect result" (i64.const 0x1400000008)) (i64.const 8))
   (assert_return (invoke "tail" (i64.const 0x1400000008)) (i32.const 42))
   (assert_return (invoke "second" (i64.const 0x1400000008)) (i64.const 8))
   (assert_return (invoke "many" (i64.const 0x1400000008)) (i32.const 42))
   (assert_return (invoke "grow") (i64.const 0xffffffff))
   (assert_return (invoke "own grow") (i64.const 0xffffffff)))");
}

// What control flow brings to an access's address: sums that wrap, loads, parameters, calls with and without handlers,
// two that change places.
TEST(LlvmAddresses, an_address_that_a_loop_carries_has_32_bits) {
  passes_in_every_mix(R"((module
    (type $next (func (param i32) (result i32)))
    (tag $e)
    (memory 1 1)
    (data (i32.const 0) "\01\00\00\00" "\02\00\00\00" "\03\00\00\00" "\04\00\00\00")
    (data (i32.const 64) "\50\00\00\00\07\00\00\00" "\00\00\00\00\00\00\00\00" "\48\00\00\00\09\00\00\00")
    (func (export "down") (param $p i32) (param $n i32) (result i32) (local $sum i32)
      (loop $l
        (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $p))))
        (local.set $p (i32.sub (local.get $p) (i32.const 4)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $sum))
    (func (export "from the end") (param $big i64) (result i32) (local $p i32) (local $sum i32)
      (local.set $p (i32.wrap_i64 (local.get $big)))
      (loop $l
        (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $p))))
        (br_if $l (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 4))) (i32.const 16))))
      (local.get $sum))
    (func (export "list") (param $p i32) (result i32) (local $sum i32)
      (loop $l
        (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $p))))
        (br_if $l (local.tee $p (i32.load (local.get $p)))))
      (local.get $sum))
    (func (export "swap") (param $p i32) (param $q i32) (param $n i32) (result i32) (local $t i32) (local $sum i32)
      (loop $l
        (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 10)) (i32.load (local.get $p))))
        (local.set $t (local.get $p)) (local.set $p (local.get $q)) (local.set $q (local.get $t))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $sum))
    (func $next (type $next) (i32.add (local.get 0) (i32.const 4)))
    (func (export "calls") (param $p i32) (result i32) (local $sum i32)
      (loop $l
        (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $p))))
        (br_if $l (i32.lt_s (local.tee $p (call $next (local.get $p))) (i32.const 16))))
      (local.get $sum))
    (func $pad)
    (func $throwing (type $next) (if (i32.eq (local.get 0) (i32.const 12)) (then (throw $e)))
      (call $pad) (i32.add (local.get 0) (i32.const 4)))
    (func (export "handled") (param $p i32) (result i32) (local $sum i32)
      (block $caught
        (try_table (catch $e $caught)
          (loop $l
            (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $p))))
            (br_if $l (i32.ge_s (local.tee $p (call $throwing (local.get $p))) (i32.const 0))))))
      (local.get $sum))
    (func (export "either") (param $p i32) (param $n i32) (result i32) (local $sum i32)
      (loop $l
        (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 10)) (i32.load (local.get $p))))
        (local.set $p (select (i32.const 8) (i32.sub (local.get $p) (i32.const 4)) (i32.eqz (local.get $p))))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $sum)))
   (assert_return (invoke "down" (i32.const 12) (i32.const 4)) (i32.const 10))
   (assert_trap (invoke "down" (i32.const 12) (i32.const 5)) "out of bounds memory access")
   (assert_trap (invoke "from the end" (i64.const 0x7fffffff0)) "out of bounds memory access")
   (assert_return (invoke "from the end" (i64.const 0x500000004)) (i32.const 9))
   (assert_return (invoke "list" (i32.const 64)) (i32.const 16))
   (assert_return (invoke "swap" (i32.const 0) (i32.const 12) (i32.const 5)) (i32.const 14141))
   (assert_return (invoke "calls" (i32.const 0)) (i32.const 10))
   (assert_return (invoke "handled" (i32.const 4)) (i32.const 9))
   (assert_return (invoke "either" (i32.const 4) (i32.const 5)) (i32.const 21321)))");
}

// Divisors that need care come once each, and once hidden from the compiler in a loop.
TEST(LlvmNumbers, signed_division_by_zero_and_minus_one) {
  passes_in_every_mix(R"((module
    (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
    (func (export "rem") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
    (func (export "down to") (param $last i32) (result i32) (local $by i32) (local $sum i32)
      (local.set $by (i32.const 3))
      (loop $l
        (local.set $sum (i32.add (local.get $sum) (i32.add (i32.div_s (i32.const 100) (local.get $by))
                                                           (i32.rem_s (i32.const 0x80000000) (local.get $by)))))
        (br_if $l (i32.ge_s (local.tee $by (i32.sub (local.get $by) (i32.const 2))) (local.get $last))))
      (local.get $sum))
    (func (export "constant") (param i32) (result i32)
      (i32.add (i32.rem_s (local.get 0) (i32.const -1)) (i32.div_s (local.get 0) (i32.const 7)))))
   (assert_return (invoke "div" (i32.const -7) (i32.const 2)) (i32.const -3))
   (assert_return (invoke "div" (i32.const 7) (i32.const -1)) (i32.const -7))
   (assert_trap (invoke "div" (i32.const 0x80000000) (i32.const -1)) "integer overflow")
   (assert_trap (invoke "div" (i32.const 0x80000000) (i32.const 0)) "integer divide by zero")
   (assert_return (invoke "rem" (i64.const 0x8000000000000000) (i64.const -1)) (i64.const 0))
   (assert_return (invoke "rem" (i64.const -7) (i64.const 4)) (i64.const -3))
   (assert_trap (invoke "rem" (i64.const 1) (i64.const 0)) "integer divide by zero")
   (assert_return (invoke "down to" (i32.const -1)) (i32.const 31))
   (assert_return (invoke "constant" (i32.const 0x80000000)) (i32.const -306783378)))");
}

TEST(LlvmTailCalls, a_million_of_each_kind_need_no_stack) {
  passes_in_every_mix(R"((module
    (type $t (func (param i32 i32 i32 i32 i32 i32 i32 i32 i64) (result i64)))
    (table funcref (elem $direct $indirect $reference))
    (func $direct (export "f") (type $t)
      (if (i32.eqz (local.get 0)) (then (return (local.get 8))))
      (return_call $indirect (i32.sub (local.get 0) (i32.const 1)) (local.get 2) (local.get 1) (local.get 3)
        (local.get 4) (local.get 5) (local.get 6) (local.get 7) (i64.add (local.get 8) (i64.const 1))))
    (func $indirect (type $t)
      (if (i32.eqz (local.get 0)) (then (return (local.get 8))))
      (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (local.get 2) (local.get 1) (local.get 3)
        (local.get 4) (local.get 5) (local.get 6) (local.get 7) (i64.add (local.get 8) (i64.const 1))
        (i32.const 2)))
    (func $reference (type $t)
      (if (i32.eqz (local.get 0)) (then (return (local.get 8))))
      (return_call_ref $t (i32.sub (local.get 0) (i32.const 1)) (local.get 2) (local.get 1) (local.get 3)
        (local.get 4) (local.get 5) (local.get 6) (local.get 7) (i64.add (local.get 8) (i64.const 1))
        (ref.func $direct)))
    (func $few (export "few") (param i32) (result i64)
      (return_call $direct (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)
        (i32.const 6) (i32.const 7) (i64.const 0))))
   (assert_return (invoke "f" (i32.const 1000000) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
     (i32.const 5) (i32.const 6) (i32.const 7) (i64.const 0)) (i64.const 1000000))
   (assert_return (invoke "few" (i32.const 1000001)) (i64.const 1000001)))");
}

TEST(LlvmTailCalls, another_instances_function_is_called_with_its_own_state) {
  passes_in_every_mix(R"((module $m (global $g (mut i32) (i32.const 5)) (tag $e)
    (func (export "g") (param i32) (result i32 i32)
      (if (i32.eqz (local.get 0)) (then (throw $e)))
      (global.set $g (i32.add (global.get $g) (local.get 0))) (global.get $g) (local.get 0)))
   (register "m" $m)
   (module (import "m" "g" (func $g (param i32) (result i32 i32))) (global $own i32 (i32.const 100))
    (func $pad)
    (func $tail (param i32) (result i32 i32)
      (block $all (try_table (catch_all $all) (return_call $g (local.get 0))))
      (i32.const -1) (i32.const -1))
    (func (export "f") (param i32) (result i32)
      (block $all
        (try_table (catch_all $all)
          (call $tail (local.get 0)) (i32.add) (i32.add (global.get $own)) (return)))
      (i32.const 77)))
   (assert_return (invoke "f" (i32.const 3)) (i32.const 111))
   (assert_return (invoke "f" (i32.const 0)) (i32.const 77)))");
}

// Small leaves are built into their callers: values, branches to their ends, locals that start as zero at each call.
TEST(LlvmInlining, bodies_keep_their_meaning_inside_a_caller) {
  passes_in_every_mix(R"((module (memory 1)
    (func $early (param i32) (result i32)
      (if (i32.eqz (local.get 0)) (then (return (i32.const 50))))
      (br_if 0 (i32.const 60) (i32.eq (local.get 0) (i32.const 1)))
      (i32.add (i32.const 1)))
    (func $counter (param i32) (result i32) (local $n i32)
      (loop $l
        (local.set $n (i32.add (local.get $n) (i32.const 3)))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get $n))
    (func $two (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
    (func $never (result i32) (return (i32.const 8)))
    (func $store (param i32 i32) (i32.store (local.get 0) (local.get 1)))
    (func (export "f") (param i32) (result i32) (local $k i32) (local $s i32)
      (local.set $k (i32.const 4))
      (loop $l
        (i32.const 1000)
        (call $early (i32.const 0)) (i32.add) (call $early (i32.const 1)) (i32.add)
        (call $counter (local.get $k)) (i32.add)
        (call $two (local.get $k) (i64.const 7)) (i32.add (i32.const 2))
        (local.set $s (i32.add (local.get $s))) (i32.wrap_i64) (i32.add)
        (call $never) (i32.add)
        (local.set $s (i32.add (local.get $s)))
        (call $store (i32.const 16) (local.get $s))
        (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
      (i32.add (i32.load (i32.const 16)) (local.get 0))))
   (assert_return (invoke "f" (i32.const 1)) (i32.const 4549)))");
}

TEST(LlvmInlining, what_a_leaf_throws_its_callers_clauses_catch) {
  passes_in_every_mix(R"((module
    (tag $a (param i32)) (tag $b)
    (func $leaf (param i32)
      (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $a (i32.const 40))))
      (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $b))))
    (func $pad)
    (func $caller (export "f") (param i32) (result i32)
      (block $on_a (result i32)
        (try_table (catch $a $on_a)
          (call $leaf (local.get 0)) (return (i32.const 1)))
        (unreachable)))
    (func $pad2)
    (func (export "g") (param i32) (result i32)
      (try (result i32)
        (do (i32.add (call $caller (local.get 0)) (i32.const 5)))
        (catch $b (call $leaf (i32.const 0)) (i32.const 77)))))
   (assert_return (invoke "f" (i32.const 0)) (i32.const 1))
   (assert_return (invoke "f" (i32.const 1)) (i32.const 40))
   (assert_exception (invoke "f" (i32.const 2)))
   (assert_return (invoke "g" (i32.const 1)) (i32.const 45))
   (assert_return (invoke "g" (i32.const 2)) (i32.const 77)))");
}

TEST(LlvmTier, only_heap_objects_are_left_to_the_baseline) {
  const Mixed tier(Mixed::Llvm::all);
  engine::ScriptOptions options;
  options.features = spec::Features::all();
  options.tier = &tier;
  const auto report = engine::run_script(
      "(module (type $s (struct (field i32))) (func (export \"f\") (drop (struct.new $s (i32.const 1)))))"
      "(assert_return (invoke \"f\"))",
      "script", options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->passed, 0u) << "it is compiled now: take this test away";
}

}  // namespace
}  // namespace heddle::llvm_tier
