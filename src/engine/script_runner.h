// Executes a .wast script (text/wast_script.h) as the specification's test suite means it: every module goes through
// decoding, validation, compilation and instantiation like any other; `(thread ...)` runs on a host thread of its own.
// Modules stay alive until the script ends. Not for embedders: a judge of ourselves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "abi/tier.h"
#include "base/result.h"
#include "spec/features.h"

namespace heddle::engine {

class TierUp;

struct ScriptReport {
  std::uint32_t commands = 0;         ///< executed, with and without an assertion
  std::uint32_t assertions = 0;       ///< assert_* executed
  std::uint32_t passed = 0;           ///< of the assertions
  std::uint32_t skipped = 0;          ///< commands left out because of ScriptOptions::skipped_lines
  std::vector<std::string> failures;  ///< "file:line: assert_return: expected ..., got ..."; also of plain commands
};

struct ScriptOptions {
  spec::Features features = spec::Features::standard();
  const abi::Tier* tier = nullptr;           ///< borrowed
  TierUp* tier_up = nullptr;                 ///< borrowed; may be nullptr
  std::vector<std::uint32_t> skipped_lines;  ///< commands that begin on these lines are not executed
};

/// Runs a whole script; `file` is for messages. An Error is one of the script's own syntax. Calling thread runs wasm.
base::Result<ScriptReport> run_script(std::string_view source, std::string_view file, const ScriptOptions& options);

}  // namespace heddle::engine
