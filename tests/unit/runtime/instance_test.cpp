#include "runtime/instance.h"

#include "runtime/builtins.h"
#include "runtime/host_objects.h"

#include "unit/runtime/modules.h"

namespace heddle::runtime {
namespace {

using spec::TrapCode;

constexpr std::uint32_t status_of(TrapCode code) {
  return static_cast<std::uint32_t>(code);
}

TEST_F(InstanceTest, constant_expressions_give_globals_their_values) {
  Instance& other = instantiate(R"((module (global (export "g") i64 (i64.const 40))))");
  Instance& instance = instantiate(R"((module
      (global $imported (import "m" "g") i64)
      (global (export "i32") i32 (i32.const -1))
      (global (export "sum") i64 (i64.add (global.get $imported) (i64.mul (i64.const 2) (i64.const 1))))
      (global (export "wrapped") i32 (i32.sub (i32.const 0) (i32.const 1)))
      (global (export "f32") f32 (f32.const nan:0x200001))
      (global (export "f64") f64 (f64.const -0))
      (global (export "v128") v128 (v128.const i32x4 1 2 3 4))
      (global (export "null") externref (ref.null extern))
      (global (export "func") funcref (ref.func $f))
      (global (export "later") i64 (global.get $imported))
      (func $f (export "f"))))",
                                   {get(other, "g")});
  EXPECT_EQ(global(instance, "i32").i64, 0xffff'ffffu);  // zero-extended
  EXPECT_EQ(global(instance, "sum").i64, 42u);
  EXPECT_EQ(global(instance, "wrapped").i64, 0xffff'ffffu);
  EXPECT_EQ(global(instance, "f32").i32, 0x7fa0'0001u);
  EXPECT_EQ(global(instance, "f64").i64, std::uint64_t{1} << 63);
  EXPECT_EQ(global(instance, "v128").words[1], 0x0000'0004'0000'0003u);
  EXPECT_EQ(global(instance, "null").ref, nullptr);
  EXPECT_EQ(global(instance, "func").ref, get_as<const abi::VmFuncRef*>(instance, "f"));
  EXPECT_EQ(global(instance, "later").i64, 40u);
}

TEST_F(InstanceTest, an_expression_that_allocates_is_unsupported) {
  const auto started = try_instantiate(R"((module (global (ref i31) (ref.i31 (i32.const 1)))))");
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind, base::ErrorKind::unsupported);
  const auto in_segment = try_instantiate(R"((module (elem i31ref (item (ref.i31 (i32.const 1))))))");
  ASSERT_FALSE(in_segment.ok());
  EXPECT_EQ(in_segment.error().kind, base::ErrorKind::unsupported);
}

TEST_F(InstanceTest, active_segments_are_copied_in_order_and_dropped) {
  Instance& instance = instantiate(R"((module
      (memory (export "memory") 1)
      (data (i32.const 0) "aaaa") (data (i32.const 2) "bb") (data $passive "c")
      (table (export "table") 4 funcref)
      (elem (i32.const 1) func $f $g) (elem declare func $g)
      (func $f) (func $g)))");
  EXPECT_EQ(memory(instance, "memory").load<std::uint32_t>(0), 0x62626161u);
  const abi::VmTable& entries = table(instance, "table");
  EXPECT_EQ(entries.elements[0], nullptr);
  EXPECT_EQ(entries.elements[1], instance.func_ref(spec::FuncIndex(0u)));
  EXPECT_EQ(entries.elements[2], instance.func_ref(spec::FuncIndex(1u)));
  EXPECT_TRUE(instance.data_segment(spec::DataIndex(0u)).empty());
  EXPECT_EQ(instance.data_segment(spec::DataIndex(2u)).size(), 1u);
  EXPECT_EQ(instance.init_table(spec::TableIndex(0u), spec::ElemIndex(0u), 0, 0, 1), TrapCode::table_out_of_bounds);
  EXPECT_EQ(instance.init_table(spec::TableIndex(0u), spec::ElemIndex(0u), 4, 0, 0), TrapCode::none);
}

TEST_F(InstanceTest, a_segment_out_of_bounds_traps_after_the_earlier_ones_and_the_instance_stays) {
  Instance& other = instantiate(R"((module (memory (export "m") 1) (table (export "t") 1 funcref)))");
  const auto started = try_instantiate(R"((module
      (memory (import "o" "m") 1) (table (import "o" "t") 1 funcref)
      (elem (i32.const 0) func $f)
      (data (i32.const 0) "x") (data (i32.const 65536) "y")
      (func $f)))",
                                       {get(other, "m"), get(other, "t")});
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(started->status, EntryStatus::trapped);
  EXPECT_EQ(store.vm()->trap_code, status_of(TrapCode::memory_out_of_bounds));
  EXPECT_EQ(memory(other, "m").load<std::uint8_t>(0), 'x');
  EXPECT_EQ(static_cast<abi::VmFuncRef*>(table(other, "t").elements[0])->owner, started->instance);
}

TEST_F(InstanceTest, a_table_with_an_initial_value_is_filled_with_it) {
  Instance& instance = instantiate(R"((module (table (export "t") 3 3 funcref (ref.func $f)) (func $f)))");
  const abi::VmTable& entries = table(instance, "t");
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(entries.elements[i], instance.func_ref(spec::FuncIndex(0u)));
}

TEST_F(InstanceTest, an_imported_memory_is_the_same_memory) {
  Instance& a = instantiate(R"((module (memory (export "m") 1)))");
  Instance& b = instantiate(R"((module (memory (import "a" "m") 1) (export "m" (memory 0))))", {get(a, "m")});
  ASSERT_TRUE(memory(b, "m").store<std::uint8_t>(100, 7));
  EXPECT_EQ(memory(a, "m").load<std::uint8_t>(100), 7);
  EXPECT_EQ(heddle_builtin_memory_grow(b.vmctx(), 0, 1), 1u);
  EXPECT_EQ(memory(a, "m").size_bytes(), 2u << 16);
  EXPECT_EQ(b.vmctx()->memory0_base, a.vmctx()->memory0_base);
}

TEST_F(InstanceTest, an_import_matches_the_size_that_its_object_has_now) {
  Instance& a = instantiate(R"((module (memory (export "m") 1 5) (table (export "t") 1 5 funcref)))");
  const char* wants_more = R"((module (memory (import "a" "m") 3 5)))";
  EXPECT_NE(refusal(wants_more, {get(a, "m")}), "");
  EXPECT_EQ(heddle_builtin_memory_grow(a.vmctx(), 0, 2), 1u);
  EXPECT_EQ(refusal(wants_more, {get(a, "m")}), "");
  EXPECT_EQ(heddle_builtin_table_grow(a.vmctx(), 0, 2, nullptr), 1u);
  EXPECT_EQ(refusal(R"((module (table (import "a" "t") 3 5 funcref)))", {get(a, "t")}), "");
}

TEST_F(InstanceTest, imports_that_do_not_match_are_named_with_both_types) {
  Instance& a = instantiate(R"((module
      (func (export "f") (param i32))
      (memory (export "m") 1 2) (memory (export "shared") 1 2 shared) (memory (export "m64") i64 1 2)
      (table (export "t") 1 2 funcref)
      (global (export "const") i32 (i32.const 0)) (global (export "var") (mut i32) (i32.const 0))
      (tag (export "tag") (param i32))))");
  const auto message = [&](std::string_view wat, const char* name) {
    const std::string text = refusal(wat, {get(a, name)});
    EXPECT_EQ(text.rfind("incompatible import type for ", 0), 0u) << wat << ": " << text;
    return text;
  };
  const std::string func = message(R"((module (func (import "a" "f") (param i64))))", "f");
  EXPECT_NE(func.find("\"a\" \"f\""), std::string::npos);
  EXPECT_NE(func.find("(param i64)"), std::string::npos);
  EXPECT_NE(func.find("(param i32)"), std::string::npos);
  message(R"((module (memory (import "a" "f") 1)))", "f");
  message(R"((module (memory (import "a" "m") 2)))", "m");
  message(R"((module (memory (import "a" "m") 1 1)))", "m");
  message(R"((module (memory (import "a" "m") 1 2 shared)))", "m");
  message(R"((module (memory (import "a" "shared") 1 2)))", "shared");
  message(R"((module (memory (import "a" "m64") 1 2)))", "m64");
  message(R"((module (table (import "a" "t") 1 2 externref)))", "t");
  message(R"((module (table (import "a" "t") i64 1 2 funcref)))", "t");
  message(R"((module (global (import "a" "const") (mut i32))))", "const");
  message(R"((module (global (import "a" "var") i32)))", "var");
  message(R"((module (global (import "a" "const") i64)))", "const");
  message(R"((module (tag (import "a" "tag") (param i64))))", "tag");
}

TEST_F(InstanceTest, types_are_compared_by_structure_across_modules) {
  Instance& a = instantiate(R"((module
      (type $unused (func (param f64)))
      (type $base (sub (func (param i32))))
      (type $derived (sub $base (func (param i32))))
      (func (export "f") (type $derived))
      (global (export "g") (ref null $derived) (ref.null $derived))
      (table (export "t") 1 (ref null $derived))))");
  const std::string types = R"((type $base (sub (func (param i32)))) (type $derived (sub $base (func (param i32)))))";
  const auto module = [&types](const std::string& fields) { return "(module " + types + fields + ")"; };
  EXPECT_EQ(refusal(module(R"((func (import "a" "f") (type $derived)))"), {get(a, "f")}), "");
  EXPECT_EQ(refusal(module(R"((func (import "a" "f") (type $base)))"), {get(a, "f")}), "");
  EXPECT_EQ(refusal(module(R"((global (import "a" "g") (ref null $base)))"), {get(a, "g")}), "");
  EXPECT_NE(refusal(R"((module (func (import "a" "f") (param i32))))", {get(a, "f")}), "");  // final, another type
  EXPECT_EQ(refusal(module(R"((table (import "a" "t") 1 (ref null $derived)))"), {get(a, "t")}), "");
  EXPECT_NE(refusal(module(R"((table (import "a" "t") 1 (ref null $base)))"), {get(a, "t")}), "");  // invariant
}

TEST_F(InstanceTest, exports_give_back_what_was_imported) {
  HostObjects host(store);
  abi::VmValue word{};
  word.i64 = 5;
  std::vector<Extern> imports = {host.global({spec::kI64, true}, word)};
  Instance& a = instantiate(R"((module (global (import "h" "g") (mut i64)) (export "again" (global 0))))", imports);
  Instance& b = instantiate(R"((module (global (import "a" "again") (mut i64)) (export "once more" (global 0))))",
                            {get(a, "again")});
  a.global(spec::GlobalIndex(0u))->i64 = 6;
  EXPECT_EQ(global(b, "once more").i64, 6u);
}

TEST_F(InstanceTest, a_module_of_very_many_functions_costs_what_it_declares) {
  std::string wat = "(module (table 1 funcref) (elem (i32.const 0) func 7)";
  for (int i = 0; i < 100'000; ++i) wat += "(func)";
  const auto code = code_of(wat + ")");
  const auto started = Instance::instantiate(store, code, {});
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(code->layout().func_refs(), 1u);
  EXPECT_EQ(started->instance->vmctx()->func_refs[0].slot, code->slot(spec::FuncIndex(7u)));
}

TEST_F(InstanceTest, a_table_larger_than_tables_may_be_is_a_limit) {
  const auto started = try_instantiate("(module (table 10000001 funcref))");
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind, base::ErrorKind::limit);
}

TEST_F(InstanceTest, table_entries_are_counted_until_the_store_ends) {
  ResourceLimits few(0, 10);
  {
    Store small(nullptr, nullptr, &few);
    auto started = Instance::instantiate(small, code_of(R"((module (table 4 funcref)))"), {});
    ASSERT_TRUE(started.ok());
    EXPECT_EQ(heddle_builtin_table_grow(started->instance->vmctx(), 0, 7, nullptr), TableInstance::kRefused);
    EXPECT_EQ(heddle_builtin_table_grow(started->instance->vmctx(), 0, 6, nullptr), 4u);
    EXPECT_EQ(few.table_entries(), 10u);
  }
  EXPECT_EQ(few.table_entries(), 0u);
}

}  // namespace
}  // namespace heddle::runtime
