// Files of `heddle compile`: what is whole runs the code that was compiled, what is not is refused or compiled anew.
#include "engine/precompiled.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>
#include <unistd.h>

#include "baseline/tier.h"
#include "binary/decoder.h"
#include "engine/hot_functions.h"
#include "engine/tier_loader.h"
#include "support/kept_code.h"
#include "validate/checked.h"

namespace heddle::engine {
namespace {

constexpr std::string_view kTwoFunctions =
    "(module (memory 1)"
    " (func $load (param i32) (result i32) (i32.load (local.get 0)))"
    " (func (export \"f\") (param i32) (result i32)"
    "  (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (call $load (local.get 0))))";

base::Bytes bytes_of(std::string_view text) {
  return base::raw_bytes(text);
}

class Precompiled : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/heddle-precompiled-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    path_ = folder_ + "/m.heddle";
    config_.allow_precompiled = true;
  }
  void TearDown() override {
    std::remove(path_.c_str());
    EXPECT_EQ(rmdir(folder_.c_str()), 0) << "nothing else is left in the folder";
  }
  base::Status compile(std::string_view wat, Effort effort = Effort::none) {
    ModuleSource source;
    HEDDLE_TRY(read_module(bytes_of(wat), "m.wat", config_.features, source));
    CompileOptions options;
    options.effort = effort;
    return compile_ahead(source, config_, options, path_);
  }
  std::string file() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void rewrite(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }

  struct Loaded {
    ModuleSource source;
    std::unique_ptr<cache::CachedTier> tier;
  };
  base::Result<Loaded> load() {
    Loaded loaded;
    HEDDLE_TRY(read_module(path_, config_.features, loaded.source));
    if (!is_precompiled(loaded.source.wire->bytes()))
      return base::Error{base::ErrorKind::malformed, base::kNoOffset, "not such a file"};
    HEDDLE_TRY_ASSIGN(loaded.tier, load_precompiled(loaded.source, config_, baseline_));
    return loaded;
  }
  /// Each function's machine code by `tier`.
  std::vector<std::vector<std::uint8_t>> code_of(const ModuleSource& source, const abi::Tier& tier) {
    std::vector<std::vector<std::uint8_t>> result;
    auto decoded = binary::decode_module(source.wire, config_.features);
    EXPECT_TRUE(decoded.ok());
    auto checked = validate::check_module(std::move(*decoded));
    EXPECT_TRUE(checked.ok());
    const abi::VmLayout layout(checked->module());
    for (std::size_t f = 0; f < checked->module().functions.size(); ++f) {
      abi::CompileResult made = test::kept_or_compiled(tier, {*checked, layout, spec::FuncIndex(f)});
      auto* artifact = std::get_if<abi::CodeArtifact>(&made);
      EXPECT_NE(artifact, nullptr);
      if (artifact != nullptr) result.push_back(std::move(artifact->code));
    }
    return result;
  }

  Config config_;
  baseline::BaselineTier baseline_;
  std::string folder_, path_;
};

/// Counts what it is asked for.
class Counting final : public abi::Tier {
 public:
  explicit Counting(const abi::Tier& next) : next_(next) {}
  std::string_view name() const override { return "counting"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    ++asked;
    return next_.compile(request);
  }
  mutable int asked = 0;

 private:
  const abi::Tier& next_;
};

TEST_F(Precompiled, the_code_that_was_compiled_is_what_runs) {
  ASSERT_TRUE(compile(kTwoFunctions).ok());
  ModuleSource source;
  ASSERT_TRUE(read_module(path_, config_.features, source).ok());
  EXPECT_LT(source.wire->bytes().size(), file().size()) << "code is read when it is wanted";
  const Counting next(baseline_);
  auto tier = load_precompiled(source, config_, next);
  ASSERT_TRUE(tier.ok());
  EXPECT_EQ(code_of(source, **tier), code_of(source, baseline_));
  EXPECT_EQ(next.asked, 0);
}

TEST_F(Precompiled, with_any_byte_changed_it_is_refused_or_does_no_harm) {
  ASSERT_TRUE(compile(kTwoFunctions).ok());
  const std::string whole = file();
  auto loaded = load();
  ASSERT_TRUE(loaded.ok());
  const auto code = code_of(loaded->source, baseline_);
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ (1 << i % 8));
    rewrite(changed);
    auto other = load();
    if (!other.ok())
      ++refused;
    else
      EXPECT_EQ(code_of(other->source, *other->tier), code) << "byte " << i;
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, static_cast<int>(whole.size())) << "a damaged record only costs its function";
}

TEST_F(Precompiled, cut_off_anywhere_it_is_refused) {
  ASSERT_TRUE(compile(kTwoFunctions).ok());
  const std::string whole = file();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    rewrite(whole.substr(0, size));
    EXPECT_FALSE(load().ok()) << size << " bytes";
  }
}

TEST_F(Precompiled, it_is_loaded_only_where_that_is_allowed) {
  ASSERT_TRUE(compile(kTwoFunctions).ok());
  config_.allow_precompiled = false;
  const auto loaded = load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().kind, base::ErrorKind::unsupported);
}

TEST_F(Precompiled, other_features_need_another_file) {
  ASSERT_TRUE(compile(kTwoFunctions).ok());
  config_.features = config_.features.without(spec::Feature::simd);
  EXPECT_FALSE(load().ok());
}

TEST_F(Precompiled, an_invalid_body_anywhere_leaves_no_file) {
  const base::Status status = compile("(module (func) (func (result i32) i64.const 1))");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, base::ErrorKind::invalid);
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

/// `count` functions, of which none is like another; those of `large` are larger than a batch is to be.
std::string many_functions(int count, const std::set<int>& large) {
  std::string wat = "(module ";
  for (int i = 0; i < count; ++i) {
    wat += fmt::format("(func (param i32) (result i32) (local.get 0) (i32.mul (i32.const {}))", i);
    for (int more = large.contains(i) ? 5'000 : 0; more > 0; --more)
      wat += fmt::format(" (i32.add (i32.const {}))", more + 1'000'000);
    wat += ")\n";
  }
  return wat + ")";
}

TEST_F(Precompiled, functions_of_many_batches_find_their_places) {
  ASSERT_TRUE(compile(many_functions(100, {0, 40, 41, 99})).ok());
  auto loaded = load();
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(code_of(loaded->source, *loaded->tier), code_of(loaded->source, baseline_));
}

TEST_F(Precompiled, the_lowest_error_of_all_batches_is_told) {
  std::string wat = many_functions(100, {});
  wat.insert(wat.rfind("(func"), "(func (result i64) f32.const 1)");
  wat.insert(wat.rfind("(func (param i32) (result i32) (local.get 0) (i32.mul (i32.const 50)"), "(func (result i32))");
  const base::Status status = compile(wat);
  ASSERT_FALSE(status.ok());
  ModuleSource source;
  ASSERT_TRUE(read_module(bytes_of(wat), "m.wat", config_.features, source).ok());
  const auto m = binary::decode_module(source.wire, config_.features);
  ASSERT_TRUE(m.ok());
  const base::ByteRange first = (*m)->body(spec::FuncIndex(50u)).range;
  EXPECT_TRUE(status.error().offset >= first.begin && status.error().offset <= first.end) << status.error().offset;
}

#ifdef HEDDLE_TEST_LLVM
TEST_F(Precompiled, the_llvm_tiers_batches_give_what_it_gives_of_each_function) {
  ASSERT_TRUE(compile(many_functions(70, {33}), Effort::all).ok());
  auto loaded = load();
  ASSERT_TRUE(loaded.ok());
  const auto llvm = llvm_tier();
  ASSERT_TRUE(llvm.ok());
  EXPECT_EQ(code_of(loaded->source, *loaded->tier), code_of(loaded->source, **llvm));
}
#endif

TEST(HotFunctions, loops_come_first_and_the_budget_holds) {
  ModuleSource source;
  ASSERT_TRUE(read_module(bytes_of("(module (func nop nop nop nop)"
                                   " (func (loop nop nop nop))"
                                   " (func (loop (loop nop nop nop))))"),
                          "m.wat", spec::Features::all(), source)
                  .ok());
  auto m = binary::decode_module(source.wire, spec::Features::all());
  ASSERT_TRUE(m.ok());
  const auto size = [&m](std::uint32_t f) { return (*m)->body(spec::FuncIndex(f)).range.size_bytes(); };
  using Functions = std::vector<spec::FuncIndex>;
  EXPECT_EQ(likely_hot(**m, size(2)), Functions{spec::FuncIndex(2u)});
  EXPECT_EQ(likely_hot(**m, size(1) + size(2)), (Functions{spec::FuncIndex(1u), spec::FuncIndex(2u)}));
  EXPECT_EQ(likely_hot(**m, 1 << 20).size(), 3u);
  EXPECT_TRUE(likely_hot(**m, 0).empty());
}

}  // namespace
}  // namespace heddle::engine
