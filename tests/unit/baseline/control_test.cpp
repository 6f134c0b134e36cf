// Blocks, branches and the places of values where control flow meets.
#include <fmt/format.h>

#include "unit/baseline/machine.h"
#include "unit/baseline/opcode_tests.h"

namespace heddle::baseline::test {
namespace {

std::uint32_t run(Machine& m, std::string_view name, const std::vector<VmValue>& args = {}) {
  const Outcome o = m.call(name, args);
  EXPECT_EQ(static_cast<int>(o.trap), 0) << name;
  return o.results.empty() ? 0xffffffff : o.results[0].i32;
}

OPCODE_TEST(BaselineControl, a_loop_counts_down) {
  Machine m(R"((module (func (export "sum") (param i32) (result i32) (local i32)
    (loop $l
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (nop) (local.get 1))))");
  EXPECT_EQ(run(m, "sum", {i32(10)}), 55u);
}

OPCODE_TEST(BaselineControl, recursion_keeps_locals) {
  Machine m(R"((module (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))))");
  EXPECT_EQ(run(m, "fib", {i32(15)}), 610u);
}

OPCODE_TEST(BaselineControl, unreachable_traps_with_its_place) {
  Machine m(R"((module (func (export "f") (param i32) (result i32)
    (if (local.get 0) (then (unreachable))) (i32.const 3))))");
  EXPECT_EQ(run(m, "f", {i32(0)}), 3u);
  const Outcome o = m.call("f", {i32(1)});
  EXPECT_EQ(o.trap, TrapCode::unreachable);
  EXPECT_EQ(m.module().bytes()[o.trap_offset], 0x00) << "the offset names the instruction";
}

OPCODE_TEST(BaselineControl, block_results_meet_from_several_branches) {
  Machine m(R"((module
    (func (export "one") (param i32) (result i32)
      (i32.const 1000)
      (block $b (result i32)
        (i32.const 5) (br_if $b (i32.const 11) (i32.eq (local.get 0) (i32.const 1))) (drop)
        (br_if $b (i32.mul (local.get 0) (i32.const 3)) (i32.eq (local.get 0) (i32.const 2))) (drop) (drop)
        (if (i32.eq (local.get 0) (i32.const 3)) (then (br $b (local.get 0))))
        (i32.const 9))
      (i32.add))
    (func (export "float") (param i32 f64) (result f64)
      (f64.const 0.5)
      (block $b (result f64)
        (br_if $b (local.get 1) (local.get 0))
        (f64.mul (f64.const 2)))
      (f64.add))
    (func (export "two") (param i32) (result i32)
      (i32.const 100)
      (block $b (result i32 i64 f32)
        (i32.const 1) (i32.const 2) (i64.const 3)
        (br_if $b (i32.const 4) (i64.extend_i32_u (local.get 0)) (f32.const 6) (local.get 0))
        (drop) (drop) (drop)
        (f32.const 4) (br $b))
      (i32.trunc_f32_s) (i32.mul (i32.const 100))
      (local.set 0) (i32.wrap_i64) (i32.mul (i32.const 10)) (local.get 0) (i32.add) (i32.add) (i32.add))
    (func (export "same_height") (param i32) (result i32)
      (block $b (result i32 i32)
        (i32.add (local.get 0) (i32.const 1)) (i32.const 7)
        (br_if $b (local.get 0))
        (i32.add (i32.const 1)))
      (i32.sub))))");
  EXPECT_EQ(run(m, "one", {i32(0)}), 1009u);
  EXPECT_EQ(run(m, "one", {i32(1)}), 1011u);
  EXPECT_EQ(run(m, "one", {i32(2)}), 1006u);
  EXPECT_EQ(run(m, "one", {i32(3)}), 1003u);
  EXPECT_EQ(m.call("float", {i32(1), f64(3)}).results[0].i64, f64(3.5).i64);
  EXPECT_EQ(m.call("float", {i32(0), f64(3)}).results[0].i64, f64(6.5).i64);
  EXPECT_EQ(run(m, "two", {i32(0)}), 100u + 2 + 30 + 400);
  EXPECT_EQ(run(m, "two", {i32(9)}), 100u + 4 + 90 + 600);
  EXPECT_EQ(run(m, "same_height", {i32(0)}), static_cast<std::uint32_t>(1 - 8));
  EXPECT_EQ(run(m, "same_height", {i32(5)}), static_cast<std::uint32_t>(6 - 7));
}

OPCODE_TEST(BaselineControl, if_with_parameters_and_without_else) {
  Machine m(R"((module
    (func (export "both") (param i32 i32) (result i32)
      (i32.const 50) (local.get 1) (i32.const 3)
      (if (param i32 i32) (result i32) (local.get 0) (then (i32.add)) (else (i32.sub)))
      (i32.add))
    (func (export "no_else") (param i32 i32) (result i32)
      (i32.const 50) (local.get 1)
      (if (param i32) (result i32) (local.get 0) (then (i32.add (i32.const 1))))
      (i32.add))
    (func (export "two_no_else") (param i32 i32) (result i32)
      (local.get 1) (i32.const 4)
      (if (param i32 i32) (result i32 i32) (local.get 0) (then (i32.mul (i32.const 2))))
      (i32.sub))
    (func (export "else_only_returns") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (i32.const 1)) (else (return (i32.const 2)))))
    (func (export "chain") (param i32) (result i32)
      (if (result i32) (i32.eq (local.get 0) (i32.const 1)) (then (i32.const 10))
        (else (if (result i32) (i32.eq (local.get 0) (i32.const 2)) (then (i32.const 20))
          (else (local.get 0))))))))");
  EXPECT_EQ(run(m, "both", {i32(1), i32(10)}), 63u);
  EXPECT_EQ(run(m, "both", {i32(0), i32(10)}), 57u);
  EXPECT_EQ(run(m, "no_else", {i32(1), i32(10)}), 61u);
  EXPECT_EQ(run(m, "no_else", {i32(0), i32(10)}), 60u);
  EXPECT_EQ(run(m, "two_no_else", {i32(1), i32(10)}), 2u);
  EXPECT_EQ(run(m, "two_no_else", {i32(0), i32(10)}), 6u);
  EXPECT_EQ(run(m, "else_only_returns", {i32(0)}), 2u);
  EXPECT_EQ(run(m, "chain", {i32(2)}), 20u);
  EXPECT_EQ(run(m, "chain", {i32(7)}), 7u);
}

OPCODE_TEST(BaselineControl, loops_with_parameters) {
  Machine m(R"((module
    (func (export "factorial") (param i64) (result i64)
      (i64.const 1) (local.get 0)
      (loop $l (param i64 i64) (result i64)
        (local.set 0)
        (i64.mul (local.get 0))
        (i64.sub (local.get 0) (i64.const 1))
        (local.tee 0)
        (br_if $l (i64.ne (local.get 0) (i64.const 0)))
        (drop)))
    (func (export "one") (param i32) (result i32)
      (i32.const 7)
      (i32.const 0)
      (loop $l (param i32) (result i32)
        (i32.add (local.get 0))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (i32.add))
    (func (export "dropped") (param i32) (result i32)
      (i32.const 0)
      (loop $l (param i32) (result i32)
        (i32.const 55) (i32.const 66)
        (br_if $l (i32.const 3) (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))
        (i32.sub) (i32.add) (i32.add)))))");
  EXPECT_EQ(m.call("factorial", {i64(10)}).results[0].i64, 3628800u);
  EXPECT_EQ(run(m, "one", {i32(10)}), 62u);
  EXPECT_EQ(run(m, "dropped", {i32(3)}), 3u + 55 + 63);
}

std::string br_table_module(int targets, const char* result) {
  std::string wat = fmt::format("(func (export \"f\") (param i32) (result i32)");
  for (int i = 0; i <= targets; ++i) wat += fmt::format("(block {}", result);
  const bool value = result[0] != 0;
  if (value) wat += "(i32.const 100)";
  wat += "(br_table";
  for (int i = 0; i <= targets; ++i) wat += fmt::format(" {}", i);
  wat += " (local.get 0))";
  for (int i = 0; i <= targets; ++i)
    wat += fmt::format(") (return {}(i32.const {}){})", value ? "(i32.add " : "", i * 10, value ? ")" : "");
  return "(module " + wat + "(unreachable)))";
}

OPCODE_TEST(BaselineControl, br_table_goes_to_each_target_and_to_the_default) {
  for (int targets : {0, 1, 2, 3, 4, 20}) {
    for (const char* result : {"", "(result i32)"}) {
      Machine m(br_table_module(targets, result));
      const std::uint32_t base = result[0] != 0 ? 100 : 0;
      for (int i = 0; i <= targets; ++i)
        EXPECT_EQ(run(m, "f", {i32(static_cast<std::uint32_t>(i))}), base + static_cast<std::uint32_t>(i) * 10);
      for (std::uint32_t i : {static_cast<std::uint32_t>(targets) + 1, 0x7fffffffu, 0x80000000u, 0xffffffffu})
        EXPECT_EQ(run(m, "f", {i32(i)}), base + static_cast<std::uint32_t>(targets) * 10);
    }
  }
}

OPCODE_TEST(BaselineControl, br_table_brings_values_to_blocks_loops_and_the_function) {
  Machine m(R"((module (func (export "f") (param i32 i32) (result i32 i64)
    (block $b (result i32 i64)
      (i32.const 40) (i64.const 50)
      (loop $l (param i32 i64) (result i32 i64)
        (i64.add (i64.const 1))
        (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
        (i32.const 77)
        (block $c (param i32 i64 i32) (result i32 i64) (i32.const 2) (i64.const 3)
          (br_table $b $l $c 3 3 $b (local.get 0))))
      (local.set 0 (i32.const 1)) (drop) (i64.const 9))
    (i64.const 1000) (i64.add))))");
  const auto results = [&](std::uint32_t target) { return m.call("f", {i32(target), i32(3)}); };
  EXPECT_EQ(results(0).results[0].i32, 2u);
  EXPECT_EQ(results(0).results[1].i64, 1003u);
  EXPECT_EQ(results(3).results[1].i64, 3u) << "straight out of the function";
  EXPECT_EQ(results(2).results[0].i32, 2u);
  EXPECT_EQ(results(9).results[1].i64, 1003u);
}

OPCODE_TEST(BaselineControl, select_of_all_types) {
  Machine m(R"((module
    (func (export "i32") (param i32 i32 i32) (result i32) (select (local.get 0) (local.get 1) (local.get 2)))
    (func (export "i64") (param i64 i64 i32) (result i64) (select (local.get 0) (local.get 1) (local.get 2)))
    (func (export "f32") (param f32 f32 i32) (result f32) (select (local.get 0) (local.get 1) (local.get 2)))
    (func (export "f64") (param f64 f64 i32) (result f64) (select (local.get 0) (local.get 1) (local.get 2)))
    (func (export "ref") (param externref externref i32) (result externref)
      (select (result externref) (local.get 0) (local.get 1) (local.get 2)))
    (func (export "const") (param i32) (result i64)
      (select (i64.const 0) (i64.const 0x123456789abcdef) (i32.lt_s (local.get 0) (i32.const 5))))
    (func (export "into") (param i32 i32) (result i32)
      (local.set 0 (select (local.get 1) (local.get 0) (i32.gt_u (local.get 1) (local.get 0)))) (local.get 0))
    (func (export "nan") (param f64) (result i32)
      (select (i32.const 1) (i32.const 2) (f64.eq (local.get 0) (local.get 0))))))");
  for (std::uint32_t c : {0u, 1u, 0x80000000u}) {
    EXPECT_EQ(m.call("i32", {i32(5), i32(6), i32(c)}).results[0].i32, c ? 5u : 6u);
    EXPECT_EQ(m.call("i64", {i64(5), i64(~0ull), i32(c)}).results[0].i64, c ? 5u : ~0ull);
    EXPECT_EQ(m.call("f32", {f32(5), f32(6), i32(c)}).results[0].i32, f32(c ? 5 : 6).i32);
    EXPECT_EQ(m.call("f64", {f64(5), f64(6), i32(c)}).results[0].i64, f64(c ? 5 : 6).i64);
    VmValue ref{}, null{};
    ref.ref = &m;
    EXPECT_EQ(m.call("ref", {ref, null, i32(c)}).results[0].ref, c ? &m : nullptr);
  }
  EXPECT_EQ(m.call("const", {i32(4)}).results[0].i64, 0u);
  EXPECT_EQ(m.call("const", {i32(5)}).results[0].i64, 0x123456789abcdefu);
  EXPECT_EQ(m.call("into", {i32(4), i32(9)}).results[0].i32, 9u);
  EXPECT_EQ(m.call("into", {i32(9), i32(4)}).results[0].i32, 9u);
  EXPECT_EQ(m.call("nan", {f64(__builtin_nan(""))}).results[0].i32, 2u);
  EXPECT_EQ(m.call("nan", {f64(1)}).results[0].i32, 1u);
}

OPCODE_TEST(BaselineControl, more_values_than_registers) {
  // A sum of 40 products, all of them on the stack before the first addition.
  for (const char* type : {"i32", "i64", "f32", "f64"}) {
    std::string wat = fmt::format("(module (func (export \"f\") (param {0} {0}) (result {0})", type);
    for (int i = 0; i < 40; ++i)
      wat += fmt::format("({0}.mul ({0}.add (local.get 0) ({0}.const {1})) (local.get 1))", type, i);
    for (int i = 0; i < 39; ++i) wat += fmt::format("({}.add)", type);
    Machine m(wat + "))");
    const std::uint32_t want = (40 * 2 + 39 * 40 / 2) * 3;
    const std::string_view t = type;
    if (t == "i32") {
      EXPECT_EQ(m.call("f", {i32(2), i32(3)}).results[0].i32, want);
    }
    if (t == "i64") {
      EXPECT_EQ(m.call("f", {i64(2), i64(3)}).results[0].i64, want);
    }
    if (t == "f32") {
      EXPECT_EQ(m.call("f", {f32(2), f32(3)}).results[0].i32, f32(static_cast<float>(want)).i32);
    }
    if (t == "f64") {
      EXPECT_EQ(m.call("f", {f64(2), f64(3)}).results[0].i64, f64(want).i64);
    }
  }
}

OPCODE_TEST(BaselineControl, code_that_is_never_reached_is_skipped) {
  Machine m(R"((module
    (func (export "a") (result i32)
      (block (result i32) (br 0 (i32.const 1)) (i32.add) (block (br 0) (unreachable)) (loop (br 0)) (drop) (i32.const 2)))
    (func (export "b") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (return (i32.const 4)) (i32.add (i32.const 1)))
        (else (block (result i32) (unreachable)))))
    (func (export "c") (result i32)
      (block (unreachable)) (i32.add (i32.const 1) (i32.const 2)))
    (func (export "d") (result i32) (return (i32.const 3)) (if (result i32) (then (i32.const 1)) (else (i32.const 2))))))");
  EXPECT_EQ(run(m, "a"), 1u);
  EXPECT_EQ(run(m, "b", {i32(1)}), 4u);
  EXPECT_EQ(m.call("b", {i32(0)}).trap, TrapCode::unreachable);
  EXPECT_EQ(m.call("c").trap, TrapCode::unreachable);
  EXPECT_EQ(run(m, "d"), 3u);
}

}  // namespace
}  // namespace heddle::baseline::test
