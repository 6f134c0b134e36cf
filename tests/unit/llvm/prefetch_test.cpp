// Prefetches that a program asks for (abi/prefetch.h): both tiers make them, wherever the address points, and nothing
// else of the program changes.
#include "abi/prefetch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "baseline/tier.h"
#include "llvm/tier.h"

#include "unit/llvm/scripts.h"

namespace heddle::llvm_tier {
namespace {

/// Keeps the code that a tier makes.
class Recording final : public abi::Tier {
 public:
  explicit Recording(const abi::Tier& of) : of_(of) {}
  std::string_view name() const override { return "recording"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    abi::CompileResult result = without_fallback(of_.compile(request));
    if (const auto* artifact = std::get_if<abi::CodeArtifact>(&result)) {
      const std::lock_guard lock(mutex_);
      code_[request.func.value] = artifact->code;
    }
    return result;
  }
  /// The prefetches of a function: the byte behind 0f 18 (read) or 0f 0d (write), whose bits 3 to 5 say which one.
  std::vector<std::string> prefetches(std::uint32_t func) const {
    const std::lock_guard lock(mutex_);
    const std::vector<std::uint8_t>& code = code_.at(func);
    std::vector<std::string> found;
    for (std::size_t i = 0; i + 2 < code.size(); ++i) {
      if (code[i] != 0x0f || (code[i + 1] != 0x18 && code[i + 1] != 0x0d)) continue;
      constexpr const char* kReads[] = {"nta", "t0", "t1", "t2"};
      const unsigned which = code[i + 2] >> 3 & 7;
      found.emplace_back(code[i + 1] == 0x0d ? "w" : which < 4 ? kReads[which] : "?");
    }
    return found;
  }

 private:
  const abi::Tier& of_;
  mutable std::mutex mutex_;
  mutable std::map<std::uint32_t, std::vector<std::uint8_t>> code_;
};

class LlvmPrefetch : public testing::TestWithParam<bool> {
 protected:
  const abi::Tier& tier() const { return GetParam() ? static_cast<const abi::Tier&>(llvm_) : baseline_; }

 private:
  LlvmTier llvm_;
  baseline::BaselineTier baseline_;
};

INSTANTIATE_TEST_SUITE_P(tiers, LlvmPrefetch, testing::Bool(),
                         [](const auto& tier) { return std::string(tier.param ? "llvm" : "baseline"); });

/// A function that wishes for `constant` and then loads.
std::string function(std::uint32_t constant, const char* operation = "i32.xor") {
  return fmt::format(R"((func (export "f{0}") (param i32) (result i32)
      (drop ({1} (local.get 0) (i32.const {0})))
      (i32.load offset=4 (i32.and (local.get 0) (i32.const 0xff00)))))",
                     constant, operation);
}

TEST_P(LlvmPrefetch, each_wish_is_an_instruction_of_the_machine) {
  const Recording recording(tier());
  std::string module = "(module (memory 1)\n", calls;
  for (std::uint32_t wish = 0; wish < 9; ++wish) {
    module += function(abi::kPrefetchHint + wish);
    // In the memory, at its end, beyond it, and as far as an address can be.
    for (const char* address : {"0", "0x10000", "0x7fffffff", "0xffffffff"})
      calls += fmt::format("(assert_return (invoke \"f{}\" (i32.const {})) (i32.const 0))\n", abi::kPrefetchHint + wish,
                           address);
  }
  expect_passes(module + ")" + calls, recording);
  const char* const reads[] = {"nta", "t2", "t1", "t0"};
  for (std::uint32_t wish = 0; wish < 4; ++wish)
    EXPECT_EQ(recording.prefetches(wish), std::vector<std::string>{reads[wish]}) << wish;
  for (std::uint32_t wish = 4; wish < 8; ++wish) {
    // A processor without the one for writing gets one for reading.
    ASSERT_EQ(recording.prefetches(wish).size(), 1u) << wish;
    if (!GetParam()) EXPECT_EQ(recording.prefetches(wish)[0], "w") << wish;
  }
  EXPECT_TRUE(recording.prefetches(8).empty()) << "the constant behind the last wish";
}

TEST_P(LlvmPrefetch, only_the_very_instructions_are_a_wish) {
  const Recording recording(tier());
  expect_passes(fmt::format(R"((module (memory 1)
      {0}
      (func (export "used") (param i32) (result i32) (i32.xor (local.get 0) (i32.const {1})) (i32.load8_u (i32.const 0)) (drop))
      (func (export "long") (param i64) (result i32)
        (drop (i64.xor (local.get 0) (i64.const {1}))) (i32.load8_u (i32.const 0))))
      (assert_return (invoke "f{1}" (i32.const 0)) (i32.const 0))
      (assert_return (invoke "used" (i32.const 0)) (i32.const {1}))
      (assert_return (invoke "long" (i64.const 0)) (i32.const 0)))",
                            function(abi::kPrefetchHint, "i32.or"), abi::kPrefetchHint),
                recording);
  for (std::uint32_t func = 0; func < 3; ++func) EXPECT_TRUE(recording.prefetches(func).empty()) << func;
}

TEST_P(LlvmPrefetch, only_where_every_address_lies_in_the_memorys_reservation) {
  const Recording recording(tier());
  const std::string wish = fmt::format("(drop (i32.xor (local.get 0) (i32.const {})))", abi::kPrefetchHint + 3);
  for (const auto& [memory, load] :
       {std::pair("(memory i64 1)", "(i32.load8_u (i64.const 0))"),
        std::pair("(memory 65536 (pagesize 1))", "(i32.load8_u (i32.const 0))"), std::pair("", "(i32.const 0)")}) {
    expect_passes(fmt::format(R"((module {} (func (export "f") (param i32) (result i32) {} {}))
        (assert_return (invoke "f" (i32.const -1)) (i32.const 0)))",
                              memory, wish, load),
                  recording, memory);
    EXPECT_TRUE(recording.prefetches(0).empty()) << memory;
  }
}

TEST_P(LlvmPrefetch, a_wish_changes_nothing_else) {
  const Recording recording(tier());
  // Among more values than there are registers, of a value that is used again, and in a loop.
  std::string sum = "(local.get 1)";
  for (int i = 0; i < 20; ++i) sum = fmt::format("(i32.add {} (i32.mul (local.get 1) (i32.const {})))", sum, i + 3);
  expect_passes(fmt::format(R"((module (memory 1)
      (func (export "f") (param i32 i32) (result i32)
        {1}
        (loop $l
          (drop (i32.xor (local.tee 0 (i32.add (local.get 0) (i32.const 64))) (i32.const {0})))
          (drop (i32.xor (i32.load (i32.const 8)) (i32.const {0})))
          (br_if $l (i32.lt_u (local.get 0) (i32.const 6400))))
        (i32.add (local.get 0))))
      (assert_return (invoke "f" (i32.const 0) (i32.const 2)) (i32.const {2})))",
                            abi::kPrefetchHint + 3, sum, 6400 + 2 * (1 + (3 + 22) * 10)),
                recording);
  EXPECT_EQ(recording.prefetches(0).size(), 2u);
}

}  // namespace
}  // namespace heddle::llvm_tier
