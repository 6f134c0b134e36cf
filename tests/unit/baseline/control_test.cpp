#include <gtest/gtest.h>

#include "unit/baseline/machine.h"

namespace heddle::baseline::test {
namespace {

std::uint32_t run(Machine& m, std::string_view name, const std::vector<VmValue>& args = {}) {
  const Outcome o = m.call(name, args);
  EXPECT_EQ(o.trap, TrapCode::none);
  return o.results.empty() ? 0xffffffff : o.results[0].i32;
}

TEST(BaselineControl, a_loop_counts_down) {
  Machine m(R"((module (func (export "sum") (param i32) (result i32) (local i32)
    (loop $l
      (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))))");
  EXPECT_EQ(run(m, "sum", {i32(10)}), 55u);
}

TEST(BaselineControl, recursion_keeps_locals) {
  Machine m(R"((module (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))))");
  EXPECT_EQ(run(m, "fib", {i32(15)}), 610u);
}

TEST(BaselineControl, endless_recursion_exhausts_the_stack) {
  Machine m(R"((module (func $f (export "f") (call $f))))");
  EXPECT_EQ(m.call("f").trap, TrapCode::call_stack_exhausted);
}

}  // namespace
}  // namespace heddle::baseline::test
