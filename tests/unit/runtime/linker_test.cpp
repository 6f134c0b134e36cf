#include "runtime/linker.h"

#include "unit/runtime/modules.h"

namespace heddle::runtime {
namespace {

std::uint32_t add(HostCall& call, std::uint32_t a, std::uint32_t b) {
  return a + b + *static_cast<std::uint32_t*>(call.user());
}

class LinkerTest : public InstanceTest {
 protected:
  base::Result<std::shared_ptr<const InstancePlan>> plan(std::string_view wat, bool allow_unknown = false) {
    Linker::PlanOptions options;
    options.limits = &limits;
    options.allow_unknown_imports = allow_unknown;
    return linker.plan(code_of(wat), options);
  }
  Linker linker;
};

TEST_F(LinkerTest, all_unknown_imports_are_listed_with_their_types) {
  const auto refused = plan(R"((module
      (import "env" "a" (func (param i32 i64) (result f32)))
      (import "env" "b" (global (mut i32)))
      (import "env" "c" (memory 1 2))
      (import "env" "d" (table 1 externref))))");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, base::ErrorKind::unlinkable);
  const std::string& text = refused.error().message;
  EXPECT_EQ(text.rfind("unknown import", 0), 0u);
  for (const char* part : {"\"env\" \"a\" (func (param i32 i64) (result f32))", "\"env\" \"b\" (global (mut i32))",
                           "\"env\" \"c\" (memory 1 2)", "\"env\" \"d\" (table 1 externref)"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in:\n" << text;
}

TEST_F(LinkerTest, one_unknown_import_is_one_line) {
  const auto refused = plan(R"((module (import "env" "a" (func))))");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "unknown import \"env\" \"a\" (func)");
}

TEST_F(LinkerTest, unknown_functions_may_be_left_to_trap_but_nothing_else) {
  EXPECT_TRUE(plan(R"((module (import "env" "a" (func (param i32)))))", true).ok());
  EXPECT_TRUE(plan(R"((module (type $t (func)) (import "env" "a" (func (param (ref null $t))))))", true).ok());
  EXPECT_FALSE(plan(R"((module (import "env" "a" (func)) (import "env" "g" (global i32))))", true).ok());
}

TEST_F(LinkerTest, a_host_function_of_another_type_is_incompatible) {
  std::uint32_t bias = 0;
  linker.define("env", "add", host_function<&add>(&bias));
  EXPECT_TRUE(plan(R"((module (import "env" "add" (func (param i32 i32) (result i32)))))").ok());
  const auto refused = plan(R"((module (import "env" "add" (func (param i32) (result i32)))))");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, base::ErrorKind::unlinkable);
  EXPECT_EQ(refused.error().message.rfind("incompatible import type for \"env\" \"add\"", 0), 0u);
}

int made_counting = 0;

std::shared_ptr<const HostFunction> make_counting(void* user) {
  ++made_counting;
  return host_function<&add>(user);
}

TEST_F(LinkerTest, functions_of_a_host_module_are_made_when_they_are_imported) {
  static constexpr HostModule::Function kFunctions[] = {{"add", &make_counting}, {"other", &make_counting}};
  std::uint32_t bias = 3;
  EXPECT_FALSE(linker.knows_module("env"));
  linker.define_host_module({"env", kFunctions}, &bias);
  EXPECT_TRUE(linker.knows_module("env"));
  EXPECT_FALSE(linker.knows_module("en"));
  made_counting = 0;
  const auto planned = plan(R"((module
      (import "env" "add" (func (param i32 i32) (result i32))) (export "add" (func 0))))");
  ASSERT_TRUE(planned.ok());
  EXPECT_EQ(made_counting, 1);
  const auto started = (*planned)->instantiate(store);
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(host_function_of(*get_as<const abi::VmFuncRef*>(*started->instance, "add"))->user(), &bias);

  EXPECT_FALSE(plan(R"((module (import "env" "third" (func))))").ok());
  EXPECT_FALSE(plan(R"((module (import "other" "add" (func))))").ok());
  EXPECT_FALSE(plan(R"((module (import "env" "other" (func))))").ok()) << "its type is another one";
}

TEST_F(LinkerTest, a_definition_goes_before_a_host_modules_function) {
  static constexpr HostModule::Function kFunctions[] = {{"add", &host_function<&add>}};
  std::uint32_t mine = 1, theirs = 2;
  linker.define("env", "add", host_function<&add>(&mine));
  linker.define_host_module({"env", kFunctions}, &theirs);
  const auto planned = plan(R"((module
      (import "env" "add" (func (param i32 i32) (result i32))) (export "add" (func 0))))");
  ASSERT_TRUE(planned.ok());
  const auto started = (*planned)->instantiate(store);
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(host_function_of(*get_as<const abi::VmFuncRef*>(*started->instance, "add"))->user(), &mine);
}

TEST_F(LinkerTest, a_host_function_is_bound_to_the_store_and_the_importing_instance) {
  std::uint32_t bias = 7;
  linker.define("env", "add", host_function<&add>(&bias));
  const auto planned = plan(R"((module
      (import "env" "add" (func (param i32 i32) (result i32)))
      (memory (export "memory") 1) (export "add" (func 0))))");
  ASSERT_TRUE(planned.ok());
  const auto started = (*planned)->instantiate(store);
  ASSERT_TRUE(started.ok());
  const abi::VmFuncRef* ref = get_as<const abi::VmFuncRef*>(*started->instance, "add");
  auto* bound = static_cast<abi::VmHostFunc*>(ref->vmctx);
  EXPECT_EQ(bound->instance, started->instance);
  EXPECT_EQ(bound->store, store.vm());
  EXPECT_EQ(host_function_of(*ref)->type().params.size(), 2u);
  abi::VmHostArgs args;
  args.ints[0] = 30;
  args.ints[1] = 5;
  bound->handler(bound, &args);
  EXPECT_EQ(args.ints[0], 42u);
  HostCall call(bound, &args);
  EXPECT_EQ(call.memory(), started->instance->default_memory());
}

TEST_F(LinkerTest, a_shared_memory_nobody_defines_is_made_once_for_all_instances) {
  const auto planned = plan(R"((module (import "env" "memory" (memory 1 4 shared)) (export "m" (memory 0))))");
  ASSERT_TRUE(planned.ok());
  Store other(nullptr, nullptr, &limits);
  const auto a = (*planned)->instantiate(store);
  const auto b = (*planned)->instantiate(other);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(memory(*a->instance, "m").size_bytes(), 65536u);
  EXPECT_EQ(&a->instance->memory(spec::MemIndex(0u)), &b->instance->memory(spec::MemIndex(0u)));
}

TEST_F(LinkerTest, a_shared_memory_the_module_defines_is_the_same_in_all_instances_and_an_unshared_one_is_not) {
  const auto planned = plan(R"((module (memory 1 4 shared) (memory 1)))");
  ASSERT_TRUE(planned.ok());
  Store other(nullptr, nullptr, &limits);
  const auto a = (*planned)->instantiate(store);
  const auto b = (*planned)->instantiate(other);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(&a->instance->memory(spec::MemIndex(0u)), &b->instance->memory(spec::MemIndex(0u)));
  EXPECT_NE(&a->instance->memory(spec::MemIndex(1u)), &b->instance->memory(spec::MemIndex(1u)));
}

TEST_F(LinkerTest, each_instance_has_globals_and_tables_of_its_own) {
  const auto planned = plan(R"((module (global (export "g") (mut i32) (i32.const 1)) (table (export "t") 2 funcref)))");
  ASSERT_TRUE(planned.ok());
  Store other(nullptr, nullptr, &limits);
  const auto a = (*planned)->instantiate(store);
  const auto b = (*planned)->instantiate(other);
  ASSERT_TRUE(a.ok() && b.ok());
  a->instance->global(spec::GlobalIndex(0u))->i32 = 2;
  EXPECT_EQ(global(*b->instance, "g").i32, 1u);
  EXPECT_NE(table(*a->instance, "t").elements, table(*b->instance, "t").elements);
}

TEST_F(LinkerTest, a_shared_memory_over_the_limit_is_refused_by_the_plan) {
  ResourceLimits small(65536, 0);
  Linker::PlanOptions options;
  options.limits = &small;
  const auto refused = linker.plan(code_of(R"((module (import "env" "m" (memory 2 2 shared))))"), options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, base::ErrorKind::limit);
}

TEST_F(LinkerTest, a_later_definition_replaces_an_earlier_one) {
  std::uint32_t first = 1, second = 2;
  linker.define("env", "add", host_function<&add>(&first));
  linker.define("env", "add", host_function<&add>(&second));
  const auto planned =
      plan(R"((module (import "env" "add" (func (param i32 i32) (result i32))) (export "add" (func 0))))");
  ASSERT_TRUE(planned.ok());
  const auto started = (*planned)->instantiate(store);
  ASSERT_TRUE(started.ok());
  const abi::VmFuncRef* ref = get_as<const abi::VmFuncRef*>(*started->instance, "add");
  EXPECT_EQ(static_cast<abi::VmHostFunc*>(ref->vmctx)->user, &second);
}

}  // namespace
}  // namespace heddle::runtime
