#include "engine/spectest.h"

#include "text/wat_parser.h"

namespace heddle::engine {
namespace {

// The print functions print nothing: scripts only call them to see that they can.
constexpr const char* kSpectest = R"((module $spectest
  (global (export "global_i32") i32 (i32.const 666))
  (global (export "global_i64") i64 (i64.const 666))
  (global (export "global_f32") f32 (f32.const 666.6))
  (global (export "global_f64") f64 (f64.const 666.6))
  (table (export "table") 10 20 funcref)
  (table (export "table64") i64 10 20 funcref)
  (memory (export "memory") 1 2)
  (memory (export "shared_memory") 1 2 shared)
  (func (export "print"))
  (func (export "print_i32") (param i32))
  (func (export "print_i64") (param i64))
  (func (export "print_f32") (param f32))
  (func (export "print_f64") (param f64))
  (func (export "print_i32_f32") (param i32 f32))
  (func (export "print_f64_f64") (param f64 f64))
))";

}  // namespace

base::Result<std::vector<std::uint8_t>> spectest_module() {
  HEDDLE_TRY_ASSIGN(auto parsed, text::parse_wat(kSpectest, spec::Features::all()));
  return std::move(parsed.bytes);
}

}  // namespace heddle::engine
