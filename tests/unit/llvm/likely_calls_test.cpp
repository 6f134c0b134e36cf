// Guesses about callees (abi::LikelyCall) change how code is made, never what it does: each script runs with every
// function of its module as the guess for every call, and with one that there is not.
#include <algorithm>
#include <atomic>
#include <gtest/gtest.h>
#include <string>

#include "baseline/tier.h"
#include "llvm/tier.h"

#include "unit/llvm/scripts.h"

namespace heddle::llvm_tier {
namespace {

class Guessing final : public abi::Tier {
 public:
  explicit Guessing(std::uint32_t guess) : guess_(guess) {}
  std::string_view name() const override { return "guessing"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    abi::CompileResult first = baseline_.compile(request);
    const auto* known = std::get_if<abi::CodeArtifact>(&first);
    if (known == nullptr) return first;
    std::vector<abi::LikelyCall> likely;
    for (const abi::Site& site : known->sites)
      if (site.is_call) likely.push_back({site.body_offset, spec::FuncIndex(guess_)});
    const auto before = [](const auto& a, const auto& b) { return a.body_offset < b.body_offset; };
    const auto same = [](const auto& a, const auto& b) { return a.body_offset == b.body_offset; };
    std::sort(likely.begin(), likely.end(), before);
    likely.erase(std::unique(likely.begin(), likely.end(), same), likely.end());
    abi::CompileRequest guessing = request;
    guessing.likely_calls = likely;
    abi::CompileResult result = without_fallback(llvm_.compile(guessing));
    if (const auto* artifact = std::get_if<abi::CodeArtifact>(&result))
      inlined_ += static_cast<std::uint32_t>(artifact->inlined_calls.size());
    return result;
  }
  /// Calls that were inlined so far.
  std::uint32_t inlined() const { return inlined_; }

 private:
  std::uint32_t guess_;
  LlvmTier llvm_;
  baseline::BaselineTier baseline_;
  mutable std::atomic<std::uint32_t> inlined_{0};  // counter
};

/// Runs the script with the guess; the number of inlined calls.
std::uint32_t inlined_with(std::uint32_t guess, std::string_view script) {
  const Guessing tier(guess);
  expect_passes(script, tier, "guess " + std::to_string(guess) + ": ");
  return tier.inlined();
}

void passes_with_every_guess(std::uint32_t functions, std::string_view script) {
  for (std::uint32_t guess = 0; guess < functions; ++guess) inlined_with(guess, script);
  inlined_with(1'000'000, script);
}

TEST(LlvmLikelyCalls, whatever_stands_in_the_table) {
  passes_with_every_guess(8, R"((module $other
    (type $f (func (param i32) (result i32)))
    (memory 1) (data (i32.const 0) "\64")
    (func $a (type $f) (i32.add (local.get 0) (i32.load8_u (i32.const 0))))
    (func $b (type $f) (i32.mul (local.get 0) (i32.load8_u (i32.const 0))))
    (func $c (type $f) (i32.const 5))
    (table (export "t") 10 funcref) (elem (table 0) (i32.const 0) func $a $b $c))
   (register "other" $other)
   (module
    (type $f (func (param i32) (result i32)))
    (type $g (func (param i64) (result i64)))
    (import "other" "t" (table $t 10 funcref))
    (memory 1) (data (i32.const 0) "\07")
    (func $load (type $f) (i32.add (local.get 0) (i32.load8_u (i32.const 0))))
    (func $call (type $f) (i32.add (call $load (local.get 0)) (i32.const 1)))
    (func $trap (type $f) (unreachable))
    (func $long (type $g) (i64.const 9))
    (elem (table $t) (i32.const 3) func $load $call $trap $long)
    (func (export "f") (param i32 i32) (result i32)
      (i32.sub (call_indirect (type $f) (local.get 0) (local.get 1)) (local.get 0)))
    (func (export "loop") (param $n i32) (result i32) (local $sum i32)
      (i32.const 1000)
      (loop $l
        (local.set $sum (i32.add (local.get $sum)
          (call_indirect (type $f) (local.get $n) (i32.rem_u (local.get $n) (i32.const 5)))))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i32.add (local.get $sum)))
    (func (export "tail") (param i32 i32) (result i32) (return_call_indirect (type $f) (local.get 0) (local.get 1)))
    (func (export "set") (param i32 i32) (table.set $t (local.get 0) (table.get $t (local.get 1)))))
   (assert_return (invoke "f" (i32.const 2) (i32.const 0)) (i32.const 100))
   (assert_return (invoke "f" (i32.const 2) (i32.const 1)) (i32.const 198))
   (assert_return (invoke "f" (i32.const 2) (i32.const 2)) (i32.const 3))
   (assert_return (invoke "f" (i32.const 2) (i32.const 3)) (i32.const 7))
   (assert_return (invoke "f" (i32.const 2) (i32.const 4)) (i32.const 8))
   (assert_trap (invoke "f" (i32.const 2) (i32.const 5)) "unreachable")
   (assert_trap (invoke "f" (i32.const 2) (i32.const 6)) "indirect call type mismatch")
   (assert_trap (invoke "f" (i32.const 2) (i32.const 7)) "uninitialized element")
   (assert_trap (invoke "f" (i32.const 2) (i32.const 10)) "undefined element")
   (assert_return (invoke "loop" (i32.const 10)) (i32.const 1979))
   (assert_return (invoke "tail" (i32.const 2) (i32.const 3)) (i32.const 9))
   (invoke "set" (i32.const 0) (i32.const 4))
   (assert_return (invoke "f" (i32.const 2) (i32.const 0)) (i32.const 8)))");
}

TEST(LlvmLikelyCalls, values_of_all_types_and_more_than_fit_registers) {
  passes_with_every_guess(4, R"((module
    (type $many (func (param i32 i64 f32 f64 v128 i32 i32 i32 i32 i32 i32) (result i32 i64 f32 f64 v128 i32)))
    (func $a (type $many) (local.get 10) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 0))
    (func $b (type $many)
      (i32.add (local.get 0) (local.get 10)) (i64.mul (local.get 1) (i64.const 2)) (f32.neg (local.get 2))
      (f64.neg (local.get 3)) (i32x4.add (local.get 4) (local.get 4)) (local.get 9))
    (table funcref (elem $a $b))
    (func (export "f") (param i32) (result i32 i64 f32 f64 v128 i32)
      (call_indirect (type $many) (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (v128.const i32x4 5 6 7 8)
        (i32.const 9) (i32.const 10) (i32.const 11) (i32.const 12) (i32.const 13) (i32.const -1) (local.get 0))))
   (assert_return (invoke "f" (i32.const 0)) (i32.const -1) (i64.const 2) (f32.const 3) (f64.const 4)
     (v128.const i32x4 5 6 7 8) (i32.const 1))
   (assert_return (invoke "f" (i32.const 1)) (i32.const 0) (i64.const 4) (f32.const -3) (f64.const -4)
     (v128.const i32x4 10 12 14 16) (i32.const 13)))");
}

TEST(LlvmLikelyCalls, references_and_what_they_throw) {
  passes_with_every_guess(7, R"((module
    (type $f (func (param i32) (result i32)))
    (tag $e (param i32))
    (global $ref (mut (ref null $f)) (ref.null $f))
    (func $throw (type $f) (if (i32.gt_u (local.get 0) (i32.const 9)) (then (throw $e (local.get 0)))) (i32.const 1))
    (func $deep (type $f) (i32.add (call $throw (local.get 0)) (i32.const 10)))
    (func $divide (type $f) (i32.div_u (i32.const 100) (local.get 0)))
    (elem declare func $throw $deep $divide)
    (func (export "set") (param i32)
      (block $c (block $b (block $a (br_table $a $b $c (local.get 0)))
        (global.set $ref (ref.func $throw)) (return))
        (global.set $ref (ref.func $deep)) (return))
      (global.set $ref (ref.func $divide)))
    (func $f (export "f") (param i32) (result i32) (call_ref $f (local.get 0) (global.get $ref)))
    (func (export "caught") (param i32) (result i32)
      (block $on (result i32)
        (try_table (catch $e $on) (return (call_ref $f (local.get 0) (global.get $ref))))
        (unreachable))
      (i32.add (i32.const 1000)))
    (func (export "outside") (param i32) (result i32)
      (block $on (result i32)
        (try_table (catch $e $on) (return (call $f (local.get 0))))
        (unreachable))
      (i32.add (i32.const 2000))))
   (assert_trap (invoke "f" (i32.const 1)) "null function reference")
   (invoke "set" (i32.const 0))
   (assert_return (invoke "f" (i32.const 1)) (i32.const 1))
   (assert_return (invoke "caught" (i32.const 10)) (i32.const 1010))
   (assert_return (invoke "outside" (i32.const 10)) (i32.const 2010))
   (assert_exception (invoke "f" (i32.const 10)))
   (invoke "set" (i32.const 1))
   (assert_return (invoke "f" (i32.const 1)) (i32.const 11))
   (assert_return (invoke "caught" (i32.const 10)) (i32.const 1010))
   (invoke "set" (i32.const 2))
   (assert_return (invoke "f" (i32.const 4)) (i32.const 25))
   (assert_trap (invoke "caught" (i32.const 0)) "integer divide by zero"))");
}

/// A call through a table of function 0, whose body has `operations` additions.
std::string with_callee_of(int operations) {
  std::string body = "(local.get 0)";
  for (int i = 0; i < operations; ++i) body = "(i32.add " + body + " (i32.const 1))";
  return R"((module (type $f (func (param i32) (result i32)))
    (func $callee (type $f) )" +
         body + R"()
    (func $same (type $f) (local.get 0))
    (func $other (param i64) (result i64) (local.get 0))
    (table funcref (elem $callee $same))
    (func (export "table") (param i32) (result i32) (call_indirect (type $f) (i32.const 2) (local.get 0)))
    (func (export "direct") (result i32) (call $callee (i32.const 2))))
   (assert_return (invoke "table" (i32.const 0)) (i32.const )" +
         std::to_string(2 + operations) + R"())
   (assert_return (invoke "table" (i32.const 1)) (i32.const 2))
   (assert_return (invoke "direct") (i32.const )" +
         std::to_string(2 + operations) + "))";
}

TEST(LlvmLikelyCalls, a_likely_callee_is_inlined_and_may_be_larger_than_others) {
  constexpr std::uint32_t kCallee = 0, kOther = 2, kNone = 99;
  const std::string small = with_callee_of(5), medium = with_callee_of(25), large = with_callee_of(100);
  EXPECT_EQ(inlined_with(kNone, small), 1u) << "the direct call";
  EXPECT_EQ(inlined_with(kCallee, small), 2u);
  EXPECT_EQ(inlined_with(kOther, small), 1u) << "its type is another one";
  EXPECT_EQ(inlined_with(kNone, medium), 0u);
  EXPECT_EQ(inlined_with(kCallee, medium), 2u);
  EXPECT_EQ(inlined_with(kCallee, large), 0u);
}

}  // namespace
}  // namespace heddle::llvm_tier
