// Loops over linear memory in both tiers: the same results, traps and memory afterwards, whatever lengths, places,
// distances and strides. What the LLVM tier makes of them is asked of its listings.
#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>

#include "baseline/tier.h"
#include "binary/decoder.h"
#include "llvm/tier.h"
#include "runtime/entry.h"
#include "runtime/instance.h"
#include "runtime/linker.h"
#include "runtime/store.h"
#include "support/machine_instance.h"
#include "text/wat_parser.h"
#include "validate/checked.h"

namespace heddle::llvm_tier {
namespace {

module::CheckedModule checked_module(std::string_view wat) {
  auto parsed = text::parse_wat(wat, spec::Features::all());
  HEDDLE_CHECK(parsed.ok(), "the test's module is well-formed");
  auto decoded = binary::decode_module(std::make_shared<module::OwnedBytes>(parsed->bytes), spec::Features::all());
  HEDDLE_CHECK(decoded.ok(), "the test's module can be decoded");
  auto checked = validate::check_module(*decoded);
  HEDDLE_CHECK(checked.ok(), "the test's module is valid");
  return *checked;
}

/// One instance, compiled by one tier.
class Machine {
 public:
  struct Outcome {
    runtime::EntryStatus status;
    std::uint32_t trap;
    std::uint64_t result;
    bool operator==(const Outcome&) const = default;
  };

  Machine(const module::CheckedModule& checked, const abi::Tier& tier)
      : store_(nullptr, test::stack_limit_here(), nullptr) {
    auto code = code::ModuleCode::create(checked, tier);
    HEDDLE_CHECK(code.ok(), "there is code memory");
    auto plan = runtime::Linker().plan(*code, {});
    HEDDLE_CHECK(plan.ok(), "the test's module needs no imports");
    plan_ = *plan;
    auto started = plan_->instantiate(store_);
    HEDDLE_CHECK(started.ok(), "the test's module instantiates");
    instance_ = started->instance;
  }

  Outcome call(const std::vector<std::uint32_t>& params) {
    const auto f = std::get<const abi::VmFuncRef*>(instance_->find_export("f")->item);
    std::vector<abi::VmValue> values;
    for (const std::uint32_t p : params) values.push_back(test::i32(p));
    std::vector<abi::VmValue> results(1);
    store_.vm()->trap_code = 0;
    const auto status = store_.call(*f, values, results);
    const bool returned = status == runtime::EntryStatus::returned;
    return {status, returned ? 0 : store_.vm()->trap_code, returned ? results[0].i64 : 0};
  }

  std::uint8_t* memory(std::uint32_t i = 0) { return instance_->memory(spec::MemIndex(i)).vm().base; }
  std::uint64_t size_bytes(std::uint32_t i = 0) { return instance_->memory(spec::MemIndex(i)).size_bytes(); }

 private:
  runtime::Store store_;
  std::shared_ptr<const runtime::InstancePlan> plan_;
  runtime::Instance* instance_ = nullptr;
};

enum class Numbers { bytes, floats, doubles };

/// Whole numbers where floats are, so that no NaN comes up, whose bits may differ.
void fill(std::uint8_t* memory, std::size_t size, Numbers numbers) {
  std::uint32_t seed = 12345;
  const auto next = [&seed] { return seed = seed * 1664525 + 1013904223; };
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    const std::uint32_t a = next(), b = next();
    const auto number = [](std::uint32_t n) { return static_cast<float>(n >> 12) / 64 - 5000; };
    const float floats[2] = {number(a), number(b)};
    const double real = static_cast<double>(number(a)) + static_cast<double>(b) / 1e10;
    const std::uint32_t words[2] = {a, b};
    std::memcpy(memory + i,
                numbers == Numbers::bytes    ? static_cast<const void*>(words)
                : numbers == Numbers::floats ? static_cast<const void*>(floats)
                                             : static_cast<const void*>(&real),
                8);
  }
}

/// f (exported) in both tiers.
class Both {
 public:
  explicit Both(const std::string& wat, Numbers numbers = Numbers::bytes)
      : wat_(wat),
        checked_(checked_module(wat)),
        numbers_(numbers),
        ours_(checked_, llvm_),
        theirs_(checked_, baseline_) {}

  void expect_same(const std::vector<std::uint32_t>& params) {
    if (testing::Test::HasFailure()) return;
    const std::size_t size = std::min<std::size_t>(ours_.size_bytes(), 3 << 16);
    fill(ours_.memory(), size, numbers_);
    fill(theirs_.memory(), size, numbers_);
    const auto ours = ours_.call(params), theirs = theirs_.call(params);
    std::string text;
    for (const std::uint32_t p : params) text += fmt::format(" {}", p);
    EXPECT_EQ(ours.status, theirs.status) << text << wat_;
    EXPECT_EQ(ours.trap, theirs.trap) << text << wat_;
    EXPECT_EQ(ours.result, theirs.result) << text << wat_;
    EXPECT_EQ(ours_.size_bytes(), theirs_.size_bytes());
    for (std::size_t i = 0; i < size; ++i)
      if (ours_.memory()[i] != theirs_.memory()[i]) {
        ADD_FAILURE() << "differs at " << i << " after" << text << wat_;
        return;
      }
    traps_ += ours.status != runtime::EntryStatus::returned;
    returns_ += ours.status == runtime::EntryStatus::returned;
  }

  /// Short and long ones, near and far, up to the end of the memory and beyond.
  void expect_same_everywhere(std::uint32_t width, std::uint32_t stride) {
    const auto end = static_cast<std::uint32_t>(ours_.size_bytes());
    std::vector<std::uint32_t> counts{0, 1, 2, 7, 8, 9, 1000};
    for (std::uint32_t n = 15; n <= 70; ++n) counts.push_back(n);
    for (const std::uint32_t n : counts) {
      expect_same({4096, 32768, n});
      expect_same({32768, 4099, n});
      for (std::uint32_t last = 0; last <= 2; ++last) {  // the last one ends before the memory's end, at it, beyond it
        const std::uint32_t start = end - n * stride + stride - width + last - 1;
        expect_same({start, 8192, n});
        expect_same({8192, start, n});
      }
    }
    for (const std::uint32_t n : {17u, 33u, 64u, 70u})
      for (std::uint32_t distance = 0; distance <= 8; ++distance) {
        expect_same({16384, 16384 + distance * width, n});
        expect_same({16384 + distance * width, 16384, n});
        expect_same({16384 + distance, 16384, n});
      }
    expect_same({0xfffffff8, 8192, 40});
    expect_same({8192, 0xffffffc0, 40});
    expect_same({8, 16, 0xffffffff});
    EXPECT_GT(traps_, 10);
    EXPECT_GT(returns_, 50);
  }

  std::string listing() const {
    const abi::VmLayout layout(checked_.module());
    auto result = llvm_.compile({checked_, layout, spec::FuncIndex(0u), true});
    const auto* artifact = std::get_if<abi::CodeArtifact>(&result);
    return artifact == nullptr ? "" : artifact->listing;
  }
  bool is_vectorised() const { return listing().find("vector.body") != std::string::npos; }
  Machine& ours() { return ours_; }
  Machine& theirs() { return theirs_; }

 private:
  std::string wat_;
  LlvmTier llvm_;
  baseline::BaselineTier baseline_;
  module::CheckedModule checked_;
  Numbers numbers_;
  Machine ours_, theirs_;
  int traps_ = 0, returns_ = 0;
};

/// f(p, q, n): the body n times, p and q going forward by these bytes each time.
std::string loop(const std::string& body, int p_stride, int q_stride, const std::string& memory = "(memory 1)",
                 const std::string& result = "(local.get $sum)") {
  return fmt::format(R"((module {}
    (func (export "f") (param $p i32) (param $q i32) (param $n i32) (result i64)
      (local $sum i64) (local $x i32) (local $y i64) (local $d f64)
      (if (local.get $n)
        (then (loop $l
          {}
          (local.set $p (i32.add (local.get $p) (i32.const {})))
          (local.set $q (i32.add (local.get $q) (i32.const {})))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
      {})))",
                     memory, body, p_stride, q_stride, result);
}

struct Element {
  const char* type;
  const char* load;
  const char* store;
  const char* operation;
  std::uint32_t width;
  Numbers numbers = Numbers::bytes;
};
constexpr Element kElements[] = {
    {"i32", "i32.load8_u", "i32.store8", "i32.add", 1},
    {"i32", "i32.load8_s", "i32.store8", "i32.xor", 1},
    {"i32", "i32.load16_u", "i32.store16", "i32.sub", 2},
    {"i32", "i32.load", "i32.store", "i32.add", 4},
    {"i32", "i32.load", "i32.store", "i32.mul", 4},
    {"i64", "i64.load32_s", "i64.store32", "i64.add", 4},
    {"i64", "i64.load", "i64.store", "i64.sub", 8},
    {"f32", "f32.load", "f32.store", "f32.mul", 4, Numbers::floats},
    {"f32", "f32.load", "f32.store", "f32.min", 4, Numbers::floats},
    {"f64", "f64.load", "f64.store", "f64.add", 8, Numbers::doubles},
    {"f64", "f64.load", "f64.store", "f64.div", 8, Numbers::doubles},
};

std::string combine(const Element& e, std::uint32_t at) {
  return fmt::format(
      "({0} offset={4} (local.get $p) ({1} ({2} offset={4} (local.get $p)) ({2} offset={4} (local.get $q))))", e.store,
      e.operation, e.load, e.type, at);
}

TEST(LlvmLoops, each_width_is_the_same_in_both_tiers) {
  for (const Element& e : kElements) {
    Both both(loop(combine(e, 0), static_cast<int>(e.width), static_cast<int>(e.width)), e.numbers);
    EXPECT_TRUE(both.is_vectorised()) << e.load;
    both.expect_same_everywhere(e.width, e.width);
  }
}

TEST(LlvmLoops, unrolled_bodies_are_rolled_up_again) {
  for (const Element& e : kElements) {
    for (const std::uint32_t copies : {2u, 3u, 4u}) {
      std::string body;
      for (std::uint32_t i = 0; i < copies; ++i) body += combine(e, i * e.width);
      const auto stride = static_cast<int>(copies * e.width);
      Both both(loop(body, stride, stride), e.numbers);
      const std::string listing = both.listing();
      EXPECT_NE(listing.find("vector.body"), std::string::npos) << e.load;
      EXPECT_EQ(listing.find("%strided.vec"), std::string::npos) << e.load << listing;
      both.expect_same_everywhere(copies * e.width, copies * e.width);
    }
  }
}

TEST(LlvmLoops, strides_of_all_kinds_are_the_same_in_both_tiers) {
  const int strides[][2] = {{4, 0},  {0, 4}, {-4, -4}, {4, -4}, {-4, 4},   {8, 4},
                            {4, 12}, {2, 4}, {4, 3},   {-8, 8}, {1000, 4}, {0, 0}};
  for (const auto& [p, q] : strides) {
    Both both(loop(combine(kElements[3], 0), p, q));
    for (std::uint32_t n = 0; n < 70; ++n) {
      both.expect_same({30000, 40000, n});
      both.expect_same({30000, 30000 + n * 4, n});
      both.expect_same({n * 4, n * 4 - 4, n});    // down to 0 and below it
      both.expect_same({65536 - n * 4, 512, n});  // up to the end and beyond
      both.expect_same({512, 65532 - n * 4, n});
      both.expect_same({65536 - n * 8, 65536 - n * 12, n});
    }
  }
}

TEST(LlvmLoops, what_a_trap_leaves_behind_is_the_same) {
  // Stores come before the load that traps, and beyond it; the memory's end is reached in the middle of an iteration.
  Both both(loop(
      "(i32.store (local.get $p) (local.get $n)) (i64.store (local.get $q) (i64.load offset=4 (local.get $p)))", 4, 8));
  both.expect_same_everywhere(8, 8);
  Both offsets(
      loop("(i32.store offset=60000 (local.get $p) (local.get $n)) (i32.store offset=4 (local.get $q) (i32.const 7))",
           4, 4));
  for (std::uint32_t n = 0; n < 70; ++n)
    for (const std::uint32_t p : {0u, 5000u, 5536u - n * 4, 5537u - n * 4, 0xfffffff0u})
      offsets.expect_same({p, 100, n});
}

TEST(LlvmLoops, sums_are_the_same_to_the_bit) {
  Both integers(
      loop("(local.set $sum (i64.add (local.get $sum) (i64.mul (i64.load32_s (local.get $p)) (i64.load32_u (local.get "
           "$q)))))",
           4, 4));
  EXPECT_TRUE(integers.is_vectorised());
  integers.expect_same_everywhere(4, 4);
  const std::string one = "(local.set $sum (i64.xor (local.get $sum) (i64.load offset={} (local.get $p))))";
  Both unrolled(loop(fmt::format(fmt::runtime(one), 0) + fmt::format(fmt::runtime(one), 8), 16, 16));
  EXPECT_TRUE(unrolled.is_vectorised());
  unrolled.expect_same_everywhere(16, 16);
  Both reals(
      loop("(local.set $d (f64.add (local.get $d) (f64.mul (f64.load (local.get $p)) (f64.load (local.get $q)))))", 8,
           8, "(memory 1)", "(i64.reinterpret_f64 (local.get $d))"),
      Numbers::doubles);
  reals.expect_same_everywhere(8, 8);
  Both stored(
      loop(
          "(local.set $d (f64.add (local.get $d) (f64.load (local.get $p)))) (f64.store (local.get $q) (local.get $d))",
          8, 8, "(memory 1)", "(i64.reinterpret_f64 (local.get $d))"),
      Numbers::doubles);
  stored.expect_same_everywhere(8, 8);
}

TEST(LlvmLoops, values_that_live_on_are_the_same) {
  const std::string result =
      "(i64.add (local.get $sum) (i64.add (i64.extend_i32_u (local.get $p)) "
      "(i64.add (i64.shl (i64.extend_i32_u (local.get $q)) (i64.const 20)) (i64.extend_i32_u (local.get $x)))))";
  const std::string one =
      "(local.set $x (i32.load offset={0} (local.get $p))) (i32.store offset={0} (local.get $q) (i32.add (local.get "
      "$x) (local.get $n)))";
  Both once(loop(fmt::format(fmt::runtime(one), 0), 4, 4, "(memory 1)", result));
  EXPECT_TRUE(once.is_vectorised());
  once.expect_same_everywhere(4, 4);
  // The value of the iteration before.
  Both before(loop("(i64.store (local.get $q) (i64.add (local.get $y) (local.tee $y (i64.load (local.get $p)))))", 8, 8,
                   "(memory 1)", "(local.get $y)"));
  before.expect_same_everywhere(8, 8);
}

TEST(LlvmLoops, an_index_as_a_value_survives_rolling_up) {
  const std::string one =
      "(i32.store offset={0} (local.get $p) (i32.add (local.get $p) (i32.const {0}))) (i32.store offset={0} (local.get "
      "$q) (i32.const 9))";
  Both both(loop(fmt::format(fmt::runtime(one), 0) + fmt::format(fmt::runtime(one), 4), 8, 8, "(memory 1)",
                 "(i64.extend_i32_u (local.get $p))"));
  EXPECT_TRUE(both.is_vectorised());
  both.expect_same_everywhere(8, 8);
}

TEST(LlvmLoops, copies_that_differ_are_left_as_they_are) {
  const std::string forms[] = {
      // other order of accesses
      "(i32.store (local.get $p) (i32.load (local.get $q))) (i32.store offset=4 (local.get $p) (i32.load offset=4 "
      "(local.get $q)))"
      "(i32.store offset=12 (local.get $p) (i32.load offset=12 (local.get $q))) (i32.store offset=8 (local.get $p) "
      "(i32.load offset=8 (local.get $q)))",
      // another constant, another operation, operands the other way round
      "(i32.store (local.get $p) (i32.add (i32.load (local.get $q)) (i32.const 1))) (i32.store offset=4 (local.get $p) "
      "(i32.add (i32.load offset=4 (local.get $q)) (i32.const 2)))",
      "(i32.store (local.get $p) (i32.shl (i32.load (local.get $q)) (i32.const 1))) (i32.store offset=4 (local.get $p) "
      "(i32.shr_u (i32.load offset=4 (local.get $q)) (i32.const 1)))",
      "(i32.store (local.get $p) (i32.sub (i32.load (local.get $q)) (i32.load (local.get $p)))) (i32.store offset=4 "
      "(local.get $p) (i32.sub (i32.load offset=4 (local.get $p)) (i32.load offset=4 (local.get $q))))",
      // loads of both before stores of both
      "(local.set $x (i32.load (local.get $q))) (local.set $y (i64.extend_i32_u (i32.load offset=4 (local.get $q)))) "
      "(i32.store (local.get $p) (local.get $x)) (i32.store offset=4 (local.get $p) (i32.wrap_i64 (local.get $y)))",
      // a load that serves both
      "(local.set $x (i32.load offset=4 (local.get $q))) (i32.store (local.get $p) (i32.add (i32.load (local.get $q)) "
      "(local.get $x))) (i32.store offset=4 (local.get $p) (i32.add (local.get $x) (i32.load offset=8 (local.get "
      "$q))))",
      // the second copy uses the first one's result
      "(i32.store (local.get $p) (i32.add (i32.load (local.get $q)) (local.get $x))) (local.set $x (i32.load "
      "(local.get $q))) (i32.store offset=4 (local.get $p) (i32.add (i32.load offset=4 (local.get $q)) (local.get "
      "$x)))",
  };
  for (const std::string& form : forms) {
    const int stride = form.find("offset=12") != std::string::npos ? 16 : 8;
    Both both(loop(form, stride, stride));
    both.expect_same_everywhere(static_cast<std::uint32_t>(stride), static_cast<std::uint32_t>(stride));
  }
}

TEST(LlvmLoops, accesses_under_a_condition_are_the_same) {
  Both both(loop(
      "(if (i32.and (i32.load (local.get $q)) (i32.const 1)) (then (i32.store (local.get $p) (i32.const 5))))", 4, 4));
  both.expect_same_everywhere(4, 4);
}

TEST(LlvmLoops, nested_loops_are_the_same) {
  const std::string wat =
      R"((module (memory 1) (func (export "f") (param $p i32) (param $q i32) (param $n i32) (result i64)
    (local $i i32) (local $j i32) (local $sum i64) (local $r i32)
    (if (local.get $n) (then
      (loop $rows
        (local.set $j (local.get $n)) (local.set $r (local.get $q))
        (loop $columns
          (i32.store (local.get $p) (i32.add (i32.load (local.get $p)) (i32.mul (local.get $i) (i32.load (local.get $r)))))
          (local.set $sum (i64.add (local.get $sum) (i64.load32_u (local.get $p))))
          (local.set $p (i32.add (local.get $p) (i32.const 4))) (local.set $r (i32.add (local.get $r) (i32.const 4)))
          (br_if $columns (local.tee $j (i32.sub (local.get $j) (i32.const 1)))))
        (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))))
    (local.get $sum))))";
  Both both(wat);
  for (std::uint32_t n = 0; n < 100; ++n) {
    both.expect_same({1024, 40000, n});
    both.expect_same({65536 - n * 80, 40000, n});
    both.expect_same({65536 - n * 60, 40000, n});  // the 16th row goes beyond the end
    both.expect_same({40000, 40000 + n * 8, n});
  }
}

TEST(LlvmLoops, a_memory_that_has_grown_is_known_with_its_new_length) {
  Both both(R"((module (memory 1 3) (func (export "f") (param $p i32) (param $q i32) (param $n i32) (result i64)
    (drop (memory.grow (i32.const 1)))
    (if (local.get $n) (then (loop $l
      (i32.store (local.get $p) (i32.load (local.get $q)))
      (local.set $p (i32.add (local.get $p) (i32.const 4))) (local.set $q (i32.add (local.get $q) (i32.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
    (i64.extend_i32_u (memory.size)))))");
  EXPECT_TRUE(both.is_vectorised());
  both.expect_same({65536 - 80, 100, 40});   // grows to two pages
  both.expect_same({131072 - 80, 100, 40});  // to three
  both.expect_same({196608 - 160, 100, 40});
  both.expect_same({196608 - 156, 100, 40});  // traps
}

TEST(LlvmLoops, indexes_wrap_at_four_gibibytes_as_they_do_in_the_baseline) {
  for (const int stride : {4, -4}) {
    Both both(loop(combine(kElements[3], 0), stride, stride, "(memory 65536)"));
    ASSERT_EQ(both.ours().size_bytes(), std::uint64_t{1} << 32);
    for (std::uint32_t n = 0; n < 70; ++n) {
      const std::uint32_t start = stride > 0 ? 0u - 64 : 64;
      both.expect_same({start, 4096, n});
      both.expect_same({4096, start, n});
      for (Machine* machine : {&both.ours(), &both.theirs()}) std::memset(machine->memory() + 0xffff0000, 3, 0x10000);
      both.expect_same({start, start + 8, n});
      EXPECT_EQ(std::memcmp(both.ours().memory() + 0xffff0000, both.theirs().memory() + 0xffff0000, 0x10000), 0);
    }
  }
}

TEST(LlvmLoops, loops_that_cannot_be_known_keep_their_one_version) {
  const std::string body = combine(kElements[3], 0);
  const auto versions = [](const std::string& wat) { return Both(wat).listing().find("range:") != std::string::npos; };
  EXPECT_TRUE(versions(loop(body, 4, 4)));
  EXPECT_FALSE(versions(loop(body, 4, 4, "(memory 1 1 shared)"))) << "other threads change it";
  EXPECT_FALSE(versions(loop("(i32.store (local.get $p) (i32.div_u (i32.load (local.get $q)) (local.get $n)))", 4, 4)))
      << "it may trap";
  EXPECT_FALSE(versions(
      loop("(global.set $g (i32.load (local.get $q)))", 4, 4, "(memory 1) (global $g (mut i32) (i32.const 0))")))
      << "something else is written";
  EXPECT_FALSE(versions(loop("(i32.store (local.get $p) (i32.load 1 (local.get $q)))", 4, 4, "(memory 1) (memory 1)")))
      << "another memory";
  EXPECT_FALSE(versions(loop("(i32.store (local.get $p) (i32.atomic.load (local.get $q)))", 4, 4))) << "atomic";
  EXPECT_FALSE(versions(loop("(local.set $p (i32.load (local.get $p)))", 0, 4))) << "follows pointers";
  EXPECT_FALSE(versions(loop("(local.set $d (f64.add (local.get $d) (f64.load (local.get $p))))", 8, 8, "(memory 1)",
                             "(i64.reinterpret_f64 (local.get $d))")))
      << "floats are added in their order";
  EXPECT_FALSE(versions(R"((module (memory i64 1) (func (export "f") (param $p i64) (param $n i32)
    (loop $l (i32.store (local.get $p) (i32.const 1)) (local.set $p (i64.add (local.get $p) (i64.const 4)))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))))"))
      << "64-bit addresses";
}

TEST(LlvmLoops, a_loop_with_two_memories_is_the_same) {
  Both both(loop(
      "(i32.store 1 (local.get $p) (i32.load (local.get $q))) (i32.store (local.get $p) (i32.load 1 (local.get $q)))",
      4, 4, "(memory 1) (memory 1)"));
  both.expect_same_everywhere(4, 4);
}

TEST(LlvmLoops, a_loop_that_divides_is_the_same) {
  Both both(
      loop("(i32.store (local.get $p) (i32.div_u (i32.load (local.get $q)) (i32.and (i32.load (local.get $p)) "
           "(i32.const 255))))",
           4, 4));
  both.expect_same_everywhere(4, 4);
}

// Many values at once, of 32 bytes each: more than there are registers for, in a frame that is aligned to 16 bytes.
TEST(LlvmLoops, vectors_are_spilled_in_frames_of_any_alignment) {
  std::string body;
  for (int i = 0; i < 12; ++i)
    body += fmt::format("(local.set {} (f32.load offset={} (local.get $q)))", 7 + i, i * 1000);
  for (int i = 0; i < 12; ++i)
    body += fmt::format(
        "(f32.store offset={} (local.get $p) (f32.add (f32.mul (local.get {}) (local.get {})) (f32.div (local.get {}) "
        "(local.get {}))))",
        i * 1000, 7 + i, 7 + (i + 5) % 12, 7 + (i + 7) % 12, 7 + (i + 11) % 12);
  std::string wat = loop(body, 4, 4);
  const std::string floats = "(local $d f64)";
  wat.replace(wat.find(floats), floats.size(),
              "(local $d f64) (local f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f32)");
  Both both(wat, Numbers::floats);
  for (std::uint32_t n = 0; n < 200; ++n) both.expect_same({16, 32768, n});
  both.expect_same({40000, 16, 1000});
}

}  // namespace
}  // namespace heddle::llvm_tier
