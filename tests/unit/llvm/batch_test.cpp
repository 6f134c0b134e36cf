// Functions that are compiled together: each gives what it gives alone, to the byte, whoever else is in the batch.
#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "baseline/tier.h"
#include "binary/decoder.h"
#include "llvm/tier.h"
#include "text/wat_parser.h"
#include "validate/checked.h"

#include "unit/llvm/scripts.h"

namespace heddle::llvm_tier {
namespace {

struct Loaded {
  std::unique_ptr<module::CheckedModule> checked;
  std::unique_ptr<abi::VmLayout> layout;

  explicit Loaded(std::string_view wat) {
    auto parsed = text::parse_wat(wat, spec::Features::all());
    EXPECT_TRUE(parsed.ok()) << parsed.error().message;
    auto decoded = binary::decode_module(std::make_shared<module::OwnedBytes>(parsed->bytes), spec::Features::all());
    EXPECT_TRUE(decoded.ok()) << decoded.error().message;
    checked = std::make_unique<module::CheckedModule>(*validate::check_module(*decoded));
    layout = std::make_unique<abi::VmLayout>(**decoded);
  }
  abi::CompileRequest request(std::uint32_t func, std::optional<std::uint32_t> loop = {}) const {
    return {*checked, *layout, spec::FuncIndex(func), false, loop};
  }
  /// Every function, and every loop that the baseline's code can be left at.
  std::vector<abi::CompileRequest> all() const {
    std::vector<abi::CompileRequest> requests;
    const module::Module& m = checked->module();
    for (auto f = static_cast<std::uint32_t>(m.imported_functions); f < m.functions.size(); ++f) {
      requests.push_back(request(f));
      const abi::CompileResult code = baseline::BaselineTier().compile(request(f));
      if (const auto* artifact = std::get_if<abi::CodeArtifact>(&code))
        for (const abi::OsrPoint& point : artifact->osr_points) requests.push_back(request(f, point.body_offset));
    }
    return requests;
  }
};

/// All that an artifact consists of, as text.
std::string text_of(const abi::CompileResult& result) {
  if (const auto* error = std::get_if<base::Error>(&result))
    return fmt::format("error at {}: {}", error->offset, error->message);
  if (const auto* unsupported = std::get_if<abi::Unsupported>(&result))
    return fmt::format("unsupported at {}: {}", unsupported->body_offset, unsupported->reason);
  const auto& a = std::get<abi::CodeArtifact>(result);
  std::string out = fmt::format("func[{}]", a.body.func().value);
  for (std::size_t i = 0; i < a.code.size(); ++i) out += fmt::format("{}{:02x}", i % 16 == 0 ? "\n" : " ", a.code[i]);
  for (const auto& r : a.relocations) out += fmt::format("\nslot {:#x} {}", r.code_offset, r.func.value);
  for (const auto& r : a.offset_rows) out += fmt::format("\nrow {:#x} {} {}", r.code_offset, r.body_offset, r.inlined);
  for (const auto& c : a.inlined_calls) out += fmt::format("\ninlined {} {} {}", c.func.value, c.body_offset, c.around);
  for (const auto& h : a.handlers)
    out +=
        fmt::format("\nhandler {:#x} {:#x} {:#x} {} {}", h.begin, h.end, h.landing_offset, h.catches_all, h.tag.value);
  out += fmt::format("\nframe {} r13 {}", a.frame.size_bytes, a.frame.r13_is_any);
  for (const std::int32_t saved : a.frame.saved) out += fmt::format(" {}", saved);
  for (const auto& r : a.frame.rows) out += fmt::format("\nframe row {:#x} {}", r.code_offset, r.size_bytes);
  return out;
}

// Constants of all sizes, jump tables, clauses, calls, an inlined leaf, loops, one of them vectorised; one body is
// invalid (func 4), one is left to the baseline (func 5).
constexpr std::string_view kProgram = R"((module (memory 1)
  (type $s (struct (field i32)))
  (tag $e (param i32)) (tag $other)
  (func $floats (export "floats") (param i32) (result f64)
    (f64.add (f64.const 1.5) (f64.mul (f64.convert_i32_u (local.get 0)) (f64.promote_f32 (f32.const 0.3)))))
  (func $vectors (export "vectors") (param i32 v128) (result v128)
    (i8x16.add (i8x16.splat (local.get 0))
      (i16x8.mul (v128.xor (v128.const i64x2 0x1122334455667788 0x99aabbccddeeff00) (local.get 1))
        (i8x16.add (v128.const i8x16 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3)
          (i16x8.add (v128.const i16x8 0x700 0x700 0x700 0x700 0x700 0x700 0x700 0x700)
            (i32x4.add (v128.const i32x4 70000 70000 70000 70000) (local.get 1)))))))
  (func $switch (export "switch") (param i32) (result i32)
    (block $d (block $c (block $b (block $a
      (br_table $a $b $c $d $a $c $b $d $a (local.get 0)))
      (drop (call $floats (i32.const 1))) (return (i32.const 10)))
      (call $throw (i32.const 2)) (return (i32.const 20)))
      (i32.store (i32.const 8) (local.get 0)) (return (i32.const 30)))
    (i32.mul (local.get 0) (i32.const 7)))
  (func $throw (param i32)
    (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $e (i32.const 40))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $other))))
  (func $invalid (result i32) (local i32)
    (loop $l (br_if $l (local.get 0)))
    (i64.const 1))
  (func $heap (param i32) (loop $l (drop (struct.new $s (i32.const 1))) (br_if $l (local.get 0))))
  (func $catches (export "catches") (param i32) (result i32)
    (block $on_e (result i32)
      (block $on_other
        (try_table (catch $e $on_e) (catch $other $on_other)
          (drop (call $switch (local.get 0))) (call $throw (local.get 0)))
        (return (i32.const 1)))
      (i32.const 2)))
  (func $counts (export "counts") (param i32) (result f32) (local $sum f32) (local $i i32)
    (loop $outer
      (local.set $i (i32.const 3))
      (loop $inner
        (local.set $sum (f32.add (local.get $sum) (f32.mul (f32.const 2.5) (f32.convert_i32_u (local.get $i)))))
        (drop (call $switch (i32.and (local.get $i) (i32.const 3))))
        (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $outer (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func $catches_all (export "catches_all") (param i32) (result i32)
    (block $all (try_table (catch_all $all) (return (call $catches (local.get 0)))))
    (i32.const 99))
  (func $table (export "table") (param i32) (result i32)
    (block $e (block $d (block $c (block $b (block $a
      (br_table $a $b $c $d $e (local.get 0)))
      (return (i32.mul (i32.load (i32.const 0)) (local.get 0))))
      (return (i32.xor (i32.load (i32.const 4)) (local.get 0))))
      (return (i32.sub (i32.load (i32.const 8)) (local.get 0))))
      (return (i32.div_u (i32.load (i32.const 12)) (local.get 0))))
    (i32.rotl (local.get 0) (i32.const 7)))
  (func $vectorised (export "vectorised") (param i32 i32)
    (loop $l
      (i32.store (local.get 0) (i32.add (i32.mul (i32.load offset=4096 (local.get 0)) (i32.const 30)) (i32.const 7)))
      (local.set 0 (i32.add (local.get 0) (i32.const 4)))
      (br_if $l (local.tee 1 (i32.sub (local.get 1) (i32.const 1))))))
  (func $narrow (export "narrow") (param v128) (result v128) (i64x2.sub (v128.const i64x2 -3 9) (local.get 0)))
  (func $narrower (export "narrower") (param v128) (result v128) (i64x2.sub (v128.const i64x2 -3 8) (local.get 0)))
  (func $again (export "again") (param i32) (result f64)
    (f64.div (f64.const 1.5) (f64.convert_i32_u (local.get 0))))))";

TEST(LlvmBatch, gives_what_each_function_gives_alone) {
  const Loaded m(kProgram);
  const LlvmTier tier;
  std::vector<abi::CompileRequest> requests = m.all();
  ASSERT_EQ(requests.size(), 14u + 3u) << "with three loops";
  requests.push_back(m.request(2, 1));  // no loop stands there
  std::vector<std::string> alone;
  for (const abi::CompileRequest& request : requests) alone.push_back(text_of(tier.compile(request)));
  // The test's program has what it is to have.
  const auto answers = [&alone](std::string_view begin) {
    return std::count_if(alone.begin(), alone.end(), [begin](const auto& t) { return t.starts_with(begin); });
  };
  EXPECT_EQ(answers("error"), 1);
  EXPECT_EQ(answers("unsupported"), 2);
  EXPECT_EQ(answers("func"), 15);
  for (const char* part : {"\nhandler", "\ninlined", "\nrow", "\nslot", "\nframe row"})
    EXPECT_TRUE(std::any_of(alone.begin(), alone.end(), [part](const auto& t) { return t.find(part) != t.npos; }))
        << part;

  for (std::size_t first = 0; first < requests.size(); ++first) {
    std::vector<abi::CompileRequest> batch;
    for (std::size_t i = 0; i < requests.size(); ++i) batch.push_back(requests[(first + i) % requests.size()]);
    const std::vector<abi::CompileResult> results = tier.compile_batch(batch);
    ASSERT_EQ(results.size(), batch.size());
    for (std::size_t i = 0; i < results.size(); ++i)
      EXPECT_EQ(text_of(results[i]), alone[(first + i) % requests.size()]) << "rotated by " << first;
  }
}

TEST(LlvmBatch, may_be_empty_of_code) {
  const Loaded m(kProgram);
  const LlvmTier tier;
  EXPECT_TRUE(tier.compile_batch({}).empty());
  const std::vector<abi::CompileRequest> bad = {m.request(4), m.request(5)};
  const auto results = tier.compile_batch(bad);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<base::Error>(results[0]));
  EXPECT_TRUE(std::holds_alternative<abi::Unsupported>(results[1]));
}

TEST(LlvmBatch, twice_the_same_request_is_twice_the_same) {
  const Loaded m(kProgram);
  const std::vector<abi::CompileRequest> twice = {m.request(2), m.request(2)};
  const auto results = LlvmTier().compile_batch(twice);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<abi::CodeArtifact>(results[0]));
  EXPECT_EQ(text_of(results[0]), text_of(results[1]));
}

TEST(LlvmBatch, listings_are_those_of_each_alone) {
  const Loaded m(kProgram);
  const LlvmTier tier;
  abi::CompileRequest listed{*m.checked, *m.layout, spec::FuncIndex(2u), true};
  const std::vector<abi::CompileRequest> batch = {m.request(0), listed};
  const auto results = tier.compile_batch(batch);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(std::get<abi::CodeArtifact>(results[1]).listing, std::get<abi::CodeArtifact>(tier.compile(listed)).listing);
  EXPECT_TRUE(std::get<abi::CodeArtifact>(results[0]).listing.empty());
}

/// Compiles every function in one batch with its neighbours of the same module, as far as they are valid.
class Batched final : public abi::Tier {
 public:
  std::string_view name() const override { return "batched"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    const module::Module& m = request.module.module();
    std::vector<abi::CompileRequest> batch;
    std::size_t own = 0;
    const auto first = std::max<std::uint32_t>(static_cast<std::uint32_t>(m.imported_functions),
                                               request.func.value < 3 ? 0 : request.func.value - 3);
    for (std::uint32_t f = first; f < m.functions.size() && f <= request.func.value + 3; ++f) {
      if (f == request.func.value) own = batch.size();
      batch.push_back({request.module, request.layout, spec::FuncIndex(f)});
    }
    return std::move(llvm_.compile_batch(batch)[own]);
  }

 private:
  LlvmTier llvm_;
};

TEST(LlvmBatch, code_from_a_batch_runs) {
  constexpr std::string_view kScript = R"((module (memory 1) (tag $e (param i32)) (tag $other)
  (func $floats (export "floats") (param i32) (result f64)
    (f64.add (f64.const 1.5) (f64.mul (f64.convert_i32_u (local.get 0)) (f64.const 0.25))))
  (func $bytes (export "bytes") (param i32) (result i32)
    (i8x16.extract_lane_u 5 (i8x16.add (i8x16.splat (local.get 0))
      (i8x16.add (v128.const i8x16 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3 3) (i8x16.shl (i8x16.splat (local.get 0)) (i32.const 1))))))
  (func $switch (export "switch") (param i32) (result i32)
    (block $d (block $c (block $b (block $a
      (br_table $a $b $c $d $a $c $b $d $a (local.get 0)))
      (return (i32.add (i32.const 10) (i32.trunc_f64_s (call $floats (local.get 0))))))
      (call $throw (i32.const 2)) (return (i32.const 20)))
      (i32.store (i32.const 8) (local.get 0)) (return (i32.const 30)))
    (i32.mul (local.get 0) (i32.const 7)))
  (func $throw (param i32)
    (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $e (i32.const 40))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $other))))
  (func $catches (export "catches") (param i32) (result i32)
    (block $on_e (result i32)
      (block $on_other
        (try_table (catch $e $on_e) (catch $other $on_other)
          (call $throw (local.get 0)) (return (call $switch (local.get 0))))
        (unreachable))
      (return (i32.const 2))))
  (func (export "table") (param i32) (result i32)
    (block $e (block $d (block $c (block $b (block $a
      (br_table $a $b $c $d $e (local.get 0)))
      (return (i32.add (i32.load (i32.const 0)) (i32.const 1))))
      (return (i32.xor (i32.load (i32.const 4)) (local.get 0))))
      (return (i32.sub (i32.load (i32.const 8)) (local.get 0))))
      (return (i32.div_u (i32.load (i32.const 12)) (local.get 0))))
    (i32.rotl (local.get 0) (i32.const 7)))
  (func $narrow (export "narrow") (param v128) (result v128) (i64x2.sub (v128.const i64x2 -3 9) (local.get 0)))
  (func $narrower (export "narrower") (param v128) (result v128) (i64x2.sub (v128.const i64x2 -3 8) (local.get 0))))
  (assert_return (invoke "floats" (i32.const 2)) (f64.const 2))
  (assert_return (invoke "bytes" (i32.const 90)) (i32.const 17))
  (assert_return (invoke "switch" (i32.const 4)) (i32.const 12))
  (assert_return (invoke "switch" (i32.const 2)) (i32.const 30))
  (assert_return (invoke "switch" (i32.const 3)) (i32.const 21))
  (assert_exception (invoke "switch" (i32.const 1)))
  (assert_return (invoke "table" (i32.const 0)) (i32.const 1))
  (assert_return (invoke "table" (i32.const 1)) (i32.const 1))
  (assert_return (invoke "table" (i32.const 2)) (i32.const 0))
  (assert_return (invoke "table" (i32.const 3)) (i32.const 0))
  (assert_return (invoke "table" (i32.const 4)) (i32.const 512))
  (assert_return (invoke "narrow" (v128.const i64x2 1 2)) (v128.const i64x2 -4 7))
  (assert_return (invoke "narrower" (v128.const i64x2 1 2)) (v128.const i64x2 -4 6))
  (assert_return (invoke "catches" (i32.const 0)) (i32.const 11)))";
  const Batched tier;
  EXPECT_EQ(expect_passes(kScript, tier), 14u);
}

}  // namespace
}  // namespace heddle::llvm_tier
