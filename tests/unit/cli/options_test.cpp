#include "cli/options.h"

#include <gtest/gtest.h>

namespace heddle::cli {
namespace {

using Words = std::vector<std::string>;

/// Parses the words behind `heddle run`.
RunArguments parse(Words words, std::optional<int> expected = std::nullopt) {
  words.insert(words.begin(), "run");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  RunArguments result;
  EXPECT_EQ(parse_run(static_cast<int>(argv.size()), argv.data(), result), expected);
  return result;
}

TEST(RunOptions, what_stands_after_the_file_is_the_guests) {
  const RunArguments run = parse({"dir/app.wasm", "--dir", "x", "--help", "-", "--"});
  EXPECT_EQ(run.file, "dir/app.wasm");
  EXPECT_EQ(run.run.wasi.args, (Words{"app.wasm", "--dir", "x", "--help", "-", "--"}));
  EXPECT_TRUE(run.run.wasi.preopens.empty());
}

TEST(RunOptions, options_stand_before_the_file) {
  const RunArguments run =
      parse({"--dir", "a", "--env=K=V", "--dir=b::/c", "--timeout", "2s", "app.wasm", "--env", "x"});
  EXPECT_EQ(run.file, "app.wasm");
  EXPECT_EQ(run.run.wasi.args, (Words{"app.wasm", "--env", "x"}));
  ASSERT_EQ(run.run.wasi.preopens.size(), 2u);
  EXPECT_EQ(run.run.wasi.preopens[0].host_path, "a");
  EXPECT_EQ(run.run.wasi.preopens[0].guest_path, "a");
  EXPECT_EQ(run.run.wasi.preopens[1].host_path, "b");
  EXPECT_EQ(run.run.wasi.preopens[1].guest_path, "/c");
  EXPECT_EQ(run.run.wasi.environment, Words{"K=V"});
  EXPECT_EQ(run.run.timeout_ns, 2'000'000'000u);
}

TEST(RunOptions, two_dashes_end_the_options) {
  EXPECT_EQ(parse({"--env", "A=1", "--", "app.wasm", "-x"}).run.wasi.args, (Words{"app.wasm", "-x"}));
}

TEST(RunOptions, an_environment_variable_without_a_value_is_the_hosts) {
  setenv("HEDDLE_TEST_VARIABLE", "here", 1);
  unsetenv("HEDDLE_TEST_NONE");
  const RunArguments run =
      parse({"--env", "HEDDLE_TEST_VARIABLE", "--env", "HEDDLE_TEST_NONE", "--env", "E=", "a.wasm"});
  EXPECT_EQ(run.run.wasi.environment, (Words{"HEDDLE_TEST_VARIABLE=here", "E="}));
}

TEST(RunOptions, log_takes_a_list_of_topics) {
  const RunArguments both = parse({"--log=threads,tier", "app.wasm"});
  EXPECT_TRUE(both.config.tier_note);
  EXPECT_TRUE(both.run.thread_note);
  EXPECT_FALSE(parse({"--log=tier", "app.wasm"}).run.thread_note);
  parse({"--log=tier,weather", "app.wasm"}, 1);
}

TEST(RunOptions, bad_usage_is_exit_code_1) {
  parse({"--no-such-option", "app.wasm"}, 1);
  parse({"--timeout", "soon", "app.wasm"}, 1);
  parse({"--max-threads", "0", "app.wasm"}, 1);
  parse({"--dir", "x"}, 1);
  parse({}, 1);
  parse({"-W", "flying", "app.wasm"}, 1);
  parse({"-S", "http", "app.wasm"}, 1);
}

TEST(RunOptions, wasmtimes_command_lines_mean_the_same_here) {
  RunArguments run = parse({"-W", "threads=y,shared-memory=y", "-S", "threads=y", "--dir", "HOST::GUEST", "--env",
                            "K=V", "app.wasm", "args"});
  EXPECT_TRUE(run.run.allow_threads);
  EXPECT_EQ(run.run.wasi.args, (Words{"app.wasm", "args"}));
  run = parse({"--wasi", "threads", "--wasm", "shared-memory", "--wasm", "exceptions", "--dir", "HOST::/", "app.wasm"});
  EXPECT_TRUE(run.config.features.has(spec::Feature::exceptions));
  EXPECT_EQ(run.run.wasi.preopens[0].guest_path, "/");
  run = parse({"--wasm-features=threads", "--wasi-modules=experimental-wasi-threads", "threads.wasm"});
  EXPECT_TRUE(run.run.allow_threads);
  run = parse({"-Wthreads=n", "-Sthreads=n,inherit-env=n", "-W", "timeout=1s,max-memory-size=1M", "a.wasm"});
  EXPECT_FALSE(run.run.allow_threads);
  EXPECT_FALSE(run.config.features.has(spec::Feature::threads));
  EXPECT_EQ(run.run.timeout_ns, 1'000'000'000u);
  EXPECT_EQ(run.run.max_memory_bytes, 1u << 20);
}

TEST(RunOptions, statistics_are_a_table_unless_json_is_asked_for) {
  using engine::StatsOutput;
  EXPECT_EQ(parse({"a.wasm"}).config.stats, StatsOutput::none);
  EXPECT_EQ(parse({"--stats", "a.wasm"}).config.stats, StatsOutput::table);
  EXPECT_EQ(parse({"--stats=json", "a.wasm"}).config.stats, StatsOutput::json);
  EXPECT_EQ(parse({"--stats", "json"}).file, "json");
  parse({"--stats=xml", "a.wasm"}, 1);
}

TEST(RunOptions, debuggers_are_told_of_code_as_they_are_there_or_as_asked) {
  EXPECT_EQ(parse({"a.wasm"}).config.debug_info, std::nullopt);
  EXPECT_EQ(parse({"--debug-info", "on", "a.wasm"}).config.debug_info, true);
  EXPECT_EQ(parse({"--debug-info=off", "a.wasm"}).config.debug_info, false);
  EXPECT_EQ(parse({"-D", "debug-info", "a.wasm"}).config.debug_info, true);
  EXPECT_EQ(parse({"-Ddebug-info=n", "a.wasm"}).config.debug_info, false);
  parse({"-D", "coredump=x", "a.wasm"}, 1);
  parse({"--debug-info=perhaps", "a.wasm"}, 1);
}

TEST(RunOptions, the_compiler_can_be_chosen) {
  EXPECT_EQ(parse({"--tier=baseline", "a.wasm"}).config.tier, engine::TierChoice::baseline);
  EXPECT_EQ(parse({"--tier", "llvm", "a.wasm"}).config.tier, engine::TierChoice::llvm);
  parse({"--tier=fast", "a.wasm"}, 1);
}

TEST(RunOptions, threads_can_be_switched_off) {
  EXPECT_FALSE(parse({"--threads=off", "a.wasm"}).run.allow_threads);
  EXPECT_EQ(parse({"--max-threads=7", "a.wasm"}).run.max_threads, 7u);
}

}  // namespace
}  // namespace heddle::cli
