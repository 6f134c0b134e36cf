// Scripts run with a tier of a test's own.
#pragma once

#include <cstdint>
#include <gtest/gtest.h>
#include <string_view>

#include "abi/tier.h"
#include "engine/script_runner.h"

namespace heddle::llvm_tier {

/// What the LLVM tier cannot compile is an error here, so that nothing falls back unseen.
inline abi::CompileResult without_fallback(abi::CompileResult result) {
  if (const auto* reason = std::get_if<abi::Unsupported>(&result))
    return base::Error{base::ErrorKind::unsupported, reason->body_offset, reason->reason};
  return result;
}

/// Expects that all assertions of the script hold, with all features. How many there are; `about` stands in messages.
inline std::uint64_t expect_passes(std::string_view script, const abi::Tier& tier, std::string_view about = "") {
  engine::ScriptOptions options;
  options.features = spec::Features::all();
  options.tier = &tier;
  const auto report = engine::run_script(script, "script", options);
  EXPECT_TRUE(report.ok()) << about << report.error().message;
  if (!report.ok()) return 0;
  EXPECT_GT(report->assertions, 0u) << about;
  EXPECT_EQ(report->passed, report->assertions) << about;
  for (const std::string& failure : report->failures) ADD_FAILURE() << about << failure;
  return report->assertions;
}

}  // namespace heddle::llvm_tier
