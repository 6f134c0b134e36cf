#include "engine/inspect.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "binary/decoder.h"
#include "engine/features_used.h"
#include "engine/module_source.h"

namespace heddle::engine {
namespace {

constexpr auto kAll = spec::Features::all();

std::shared_ptr<const module::Module> decode(std::string_view wat) {
  ModuleSource source;
  const base::Status status = read_module(base::raw_bytes(wat), "a.wat", kAll, source);
  EXPECT_TRUE(status.ok()) << source.render(status.ok() ? base::Error{} : status.error());
  auto decoded = binary::decode_module(source.wire, kAll);
  EXPECT_TRUE(decoded.ok()) << (decoded.ok() ? "" : decoded.error().message);
  return decoded.value();
}

Inspection inspect(std::string_view wat) {
  auto found = inspect_module(*decode(wat));
  EXPECT_TRUE(found.ok());
  return std::move(found).value();
}

/// The features' names, in the order of the enum.
std::string features_of(std::string_view wat) {
  return fmt::format("{}", fmt::join(inspect(wat).features, " "));
}

TEST(FeaturesUsed, a_plain_module_uses_none) {
  EXPECT_EQ(features_of("(module (memory 1) (table 1 funcref) (elem (i32.const 0) 0) (data (i32.const 0) \"x\")"
                        " (global (mut i32) (i32.const 1))"
                        " (func (param i32) (result i32) (i32.load (i32.add (local.get 0) (i32.const 1)))))"),
            "");
}

TEST(FeaturesUsed, instructions_bring_the_feature_of_their_row) {
  EXPECT_EQ(features_of("(module (func (drop (i32.extend8_s (i32.const 1)))))"), "sign-extension");
  EXPECT_EQ(features_of("(module (func (drop (i32.trunc_sat_f32_s (f32.const 1)))))"), "saturating-float-to-int");
  EXPECT_EQ(features_of("(module (func (return_call 0)))"), "tail-call");
  EXPECT_EQ(features_of("(module (func atomic.fence))"), "threads");
  EXPECT_EQ(features_of("(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))"),
            "bulk-memory");
  EXPECT_EQ(features_of("(module (func i64.const 0 i64.const 0 i64.mul_wide_s drop drop))"), "wide-arithmetic");
}

TEST(FeaturesUsed, immediates_may_need_more_than_their_instruction) {
  EXPECT_EQ(features_of("(module (memory 1) (memory 1) (func (drop (i32.load 1 (i32.const 0)))))"), "multi-memory");
  EXPECT_EQ(features_of("(module (func (local v128)))"), "simd");
  EXPECT_EQ(features_of("(module (func (block (result i32 i32) unreachable) drop drop))"), "multi-value");
  EXPECT_EQ(features_of("(module (func i32.const 0 (block (param i32) drop)))"), "multi-value");
}

TEST(FeaturesUsed, types_and_definitions_count) {
  EXPECT_EQ(features_of("(module (memory 1 2 shared))"), "threads");
  EXPECT_EQ(features_of("(module (memory i64 1))"), "memory64");
  EXPECT_EQ(features_of("(module (table i64 1 funcref))"), "memory64");
  EXPECT_EQ(features_of("(module (memory 1 (pagesize 1)))"), "custom-page-sizes");
  EXPECT_EQ(features_of("(module (table 1 externref))"), "reference-types");
  EXPECT_EQ(features_of("(module (type (struct (field i32))))"), "gc");
  EXPECT_EQ(features_of("(module (rec (type (func)) (type (func (param i32)))))"), "gc");
  EXPECT_EQ(features_of("(module (type $f (func)) (func (param (ref null $f))))"), "function-references");
  EXPECT_EQ(features_of("(module (import \"a\" \"b\" (func (param exnref))))"), "exceptions");
  EXPECT_EQ(features_of("(module (data \"passive\"))"), "bulk-memory");
}

TEST(FeaturesUsed, constant_expressions_with_arithmetic_are_extended) {
  EXPECT_EQ(features_of("(module (global i32 (i32.add (i32.const 1) (i32.const 2))))"), "extended-const");
  EXPECT_EQ(features_of("(module (memory 1) (data (offset i32.const 1 i32.const 2 i32.mul) \"x\"))"), "extended-const");
  EXPECT_EQ(features_of("(module (func (drop (i32.add (i32.const 1) (i32.const 2)))))"), "");
}

TEST(FeaturesUsed, throw_belongs_to_the_kind_of_exceptions_around_it) {
  EXPECT_EQ(features_of("(module (tag) (func (throw 0)))"), "exceptions");
  EXPECT_EQ(features_of("(module (tag) (func try throw 0 catch 0 end))"), "legacy-exceptions");
  EXPECT_EQ(features_of("(module (tag) (func (block (try_table (catch 0 0) (throw 0)))))"), "exceptions");
}

TEST(Inspect, kinds_of_wasi_modules_are_told_by_their_exports) {
  const char* import = "(import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32)))";
  EXPECT_EQ(inspect("(module)").wasi_kind, Inspection::WasiKind::none);
  EXPECT_EQ(inspect("(module (func (export \"_start\")))").wasi_kind, Inspection::WasiKind::command);
  EXPECT_EQ(inspect("(module (func (export \"_initialize\")))").wasi_kind, Inspection::WasiKind::reactor);
  const Inspection library = inspect(fmt::format("(module {})", import));
  EXPECT_EQ(library.wasi_kind, Inspection::WasiKind::library);
  EXPECT_EQ(library.wasi_modules, std::vector<std::string>{"wasi_snapshot_preview1"});
  EXPECT_FALSE(library.imports_thread_spawn);
}

TEST(Inspect, a_module_that_breaks_rules_is_shown_as_it_is) {
  const Inspection found = inspect("(module (func (type 7)) (export \"x\" (func 99)) (start 42))");
  ASSERT_EQ(found.exports.size(), 1u);
  EXPECT_EQ(found.exports[0].index, 99u);
  EXPECT_EQ(found.exports[0].type, "?");
  EXPECT_EQ(found.start, 42u);
}

TEST(Inspect, sections_lie_where_they_are_said_to) {
  const auto m = decode("(module (memory 1) (data (i32.const 0) \"here it is\") (@custom \"mine\" \"contents\"))");
  const auto found = inspect_module(*m);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->data_bytes, 10u);
  std::string data, custom;
  for (const SectionInfo& section : found->sections) {
    const auto bytes = m->bytes_of({section.offset, section.offset + section.size_bytes});
    const std::string text(bytes.begin(), bytes.end());
    if (section.name == "data" && !section.custom) data = text;
    if (section.name == "mine" && section.custom) custom = text;
  }
  EXPECT_NE(data.find("here it is"), std::string::npos);
  EXPECT_EQ(custom, "\x04minecontents");
}

}  // namespace
}  // namespace heddle::engine
