// The tier as the engine sees it: what it answers, and that it answers the same each time.
#include "baseline/tier.h"

#include <gtest/gtest.h>

#include "binary/decoder.h"
#include "text/wat_parser.h"
#include "validate/checked.h"

namespace heddle::baseline::test {
namespace {

struct Loaded {
  std::shared_ptr<const module::Module> module;
  std::unique_ptr<module::CheckedModule> checked;
  std::unique_ptr<abi::VmLayout> layout;

  explicit Loaded(std::string_view wat) {
    auto parsed = text::parse_wat(wat, spec::Features::all());
    EXPECT_TRUE(parsed.ok());
    auto decoded = binary::decode_module(std::make_shared<module::OwnedBytes>(parsed->bytes), spec::Features::all());
    EXPECT_TRUE(decoded.ok());
    module = *decoded;
    checked = std::make_unique<module::CheckedModule>(*validate::check_module(module));
    layout = std::make_unique<abi::VmLayout>(*module);
  }
  abi::CompileResult compile(std::uint32_t func, bool want_listing = false) const {
    return BaselineTier().compile({*checked, *layout, spec::FuncIndex(func), want_listing});
  }
};

constexpr std::string_view kProgram = R"((module (memory 1)
  (func (param i32) (result i32) (local i32)
    (loop $l (local.set 1 (i32.add (local.get 1) (i32.load (local.get 0))))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 4)))))
    (local.get 1))
  (func (result f64) (f64.add (f64.const 1.5) (f64.convert_i32_s (call 0 (i32.const 8))))))
)";

TEST(BaselineTier, the_same_request_gives_the_same_artifact) {
  const Loaded m(kProgram);
  for (std::uint32_t func : {0u, 1u}) {
    const auto first = std::get<abi::CodeArtifact>(m.compile(func));
    static_cast<void>(m.compile(1 - func));  // leaves nothing behind
    const auto second = std::get<abi::CodeArtifact>(m.compile(func));
    const auto listed = std::get<abi::CodeArtifact>(m.compile(func, true));
    EXPECT_EQ(first.code, second.code);
    EXPECT_EQ(first.code, listed.code);
    EXPECT_TRUE(first.listing.empty());
    EXPECT_NE(listed.listing.find("ret"), std::string::npos);
    EXPECT_EQ(first.body.func().value, func);
  }
}

TEST(BaselineTier, tables_of_an_artifact_are_in_order_and_inside_the_code) {
  const Loaded m(kProgram);
  for (std::uint32_t func : {0u, 1u}) {
    const auto a = std::get<abi::CodeArtifact>(m.compile(func));
    std::uint32_t last = 0;
    for (const abi::Site& site : a.sites) {
      EXPECT_GE(site.code_offset, last);
      last = site.code_offset;
    }
    EXPECT_LT(last, a.code.size());
    EXPECT_TRUE(a.sites.is_sound(a.code.size(), m.module->bytes().size()));
    EXPECT_EQ(a.relocations.size(), func);
    EXPECT_EQ(a.frame.size_bytes % 16, 8u) << "with the return address a multiple of 16";
    ASSERT_FALSE(a.frame.popped.empty());
    EXPECT_LT(a.frame.prologue_end, a.frame.popped[0].first);
  }
}

TEST(BaselineTier, an_invalid_body_is_an_error_with_its_offset) {
  const Loaded m("(module (func (result i32) (i64.const 1)))");
  const auto result = m.compile(0);
  const auto* error = std::get_if<base::Error>(&result);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(error->kind, base::ErrorKind::invalid);
  EXPECT_LT(error->offset, m.module->bytes().size());
}

TEST(BaselineTier, what_it_cannot_do_is_unsupported_never_wrong_code) {
  const Loaded m("(module (func (result i32) (i31.get_s (ref.i31 (i32.const 1)))))");
  const auto result = m.compile(0);
  const auto* unsupported = std::get_if<abi::Unsupported>(&result);
  ASSERT_NE(unsupported, nullptr);
  EXPECT_EQ(unsupported->reason, "heap objects");
  EXPECT_EQ(m.module->bytes()[unsupported->body_offset], 0xfb);
}

}  // namespace
}  // namespace heddle::baseline::test
