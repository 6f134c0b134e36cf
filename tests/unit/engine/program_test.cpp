#include "engine/program.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <thread>

#include "engine/tier_loader.h"
#include "support/wat_parts.h"

namespace heddle::engine {
namespace {

using Kind = runtime::Outcome::Kind;

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() : ProgramTest(Config()) {}
  explicit ProgramTest(const Config& config) {
    auto made = Engine::create(config);
    EXPECT_TRUE(made.ok());
    engine = std::move(*made);
  }

  base::Result<std::shared_ptr<const LoadedModule>> load(std::string_view wat) {
    ModuleSource source;
    HEDDLE_TRY(read_module(base::raw_bytes(wat), "test.wat", engine->config().features, source));
    return engine->load(std::move(source));
  }
  std::unique_ptr<Program> program(std::string_view wat, RunOptions options = {}) {
    auto loaded = load(wat);
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    options.wasi.stdio = {null_stream(), null_stream(), null_stream()};
    auto made = Program::create(*loaded, std::move(options));
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(*made);
  }
  runtime::Outcome run(std::string_view wat, RunOptions options = {}) {
    auto outcome = program(wat, std::move(options))->run();
    EXPECT_TRUE(outcome.ok()) << outcome.error().message;
    return *outcome;
  }
  /// Why a program cannot be made of this module.
  std::string refusal(std::string_view wat, RunOptions options = {}) {
    auto loaded = load(wat);
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    auto made = Program::create(*loaded, std::move(options));
    return made.ok() ? std::string() : made.error().message;
  }
  static wasi::Stream null_stream() {
    wasi::Stream stream;
    stream.kind = wasi::Stream::Kind::null;
    return stream;
  }

  std::unique_ptr<Engine> engine;
};

TEST_F(ProgramTest, returning_from_start_is_exit_code_0) {
  const auto outcome = run(R"((module (func (export "_start"))))");
  EXPECT_EQ(outcome.kind, Kind::returned);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.message, "");
}

TEST_F(ProgramTest, proc_exit_gives_the_exit_code) {
  const auto outcome = run(R"((module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func (export "_start") (call $exit (i32.const 7)) unreachable)))");
  EXPECT_EQ(outcome.kind, Kind::exited);
  EXPECT_EQ(outcome.exit_code, 7);
}

TEST_F(ProgramTest, a_trap_is_exit_code_134_and_names_thread_trap_and_stack) {
  const auto outcome = run(R"((module (func $inner (drop (i32.div_s (i32.const 1) (i32.const 0))))
                                      (func $outer (export "_start") (call $inner))))");
  EXPECT_EQ(outcome.kind, Kind::trapped);
  EXPECT_EQ(outcome.exit_code, 134);
  for (const char* part : {"main thread", "integer divide by zero", "$inner", "$outer"})
    EXPECT_NE(outcome.message.find(part), std::string::npos) << part << " in: " << outcome.message;
}

TEST_F(ProgramTest, a_trap_of_a_segment_or_the_start_function_is_a_trap_of_the_program) {
  EXPECT_EQ(run(R"((module (memory 1) (data (i32.const 65536) "x") (func (export "_start"))))").trap,
            spec::TrapCode::memory_out_of_bounds);
  EXPECT_EQ(run(R"((module (func $s unreachable) (start $s)))").trap, spec::TrapCode::unreachable);
}

TEST_F(ProgramTest, a_reactor_is_initialized_and_a_library_only_instantiated) {
  EXPECT_EQ(run(R"((module (func (export "_initialize") unreachable)))").trap, spec::TrapCode::unreachable);
  EXPECT_EQ(run(R"((module (func (export "f") unreachable)))").kind, Kind::returned);
}

TEST_F(ProgramTest, unknown_imports_are_refused_unless_they_may_trap) {
  const char* wat = R"((module (import "env" "f" (func $f)) (func (export "_start") (call $f))))";
  EXPECT_EQ(refusal(wat), "unknown import \"env\" \"f\" (func)");
  RunOptions options;
  options.allow_unknown_imports = true;
  const auto outcome = run(wat, options);
  EXPECT_EQ(outcome.kind, Kind::trapped);
  EXPECT_NE(outcome.message.find("\"env\" \"f\""), std::string::npos) << outcome.message;
}

TEST_F(ProgramTest, a_module_that_spawns_is_refused_where_threads_are_off) {
  RunOptions options;
  options.allow_threads = false;
  EXPECT_NE(refusal(test::kSpawningModule, options).find("threads are switched off"), std::string::npos);
}

TEST_F(ProgramTest, the_time_limit_ends_a_loop_with_exit_code_124) {
  RunOptions options;
  options.timeout_ns = 20'000'000;
  const auto outcome = run(R"((module (func (export "_start") (loop $l (br $l)))))", options);
  EXPECT_EQ(outcome.kind, Kind::timed_out);
  EXPECT_EQ(outcome.exit_code, 124);
  EXPECT_NE(outcome.message, "");
}

TEST_F(ProgramTest, memory_beyond_the_limit_is_refused_at_once_and_when_growing) {
  RunOptions options;
  options.max_memory_bytes = 2 << 16;
  auto three = program(R"((module (memory 3) (func (export "_start"))))", options)->run();
  ASSERT_FALSE(three.ok());
  EXPECT_EQ(three.error().kind, base::ErrorKind::limit);
  EXPECT_EQ(run(R"((module (memory 1) (func (export "_start")
      (if (i32.ne (memory.grow (i32.const 1)) (i32.const 1)) (then unreachable))
      (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)))))",
                options)
                .kind,
            Kind::returned);
}

TEST_F(ProgramTest, deep_recursion_ends_in_a_trap_on_any_thread) {
  const char* wat = R"((module (func $f (export "_start") (call $f))))";
  EXPECT_EQ(run(wat).trap, spec::TrapCode::call_stack_exhausted);
  std::thread other([&] { EXPECT_EQ(run(wat).trap, spec::TrapCode::call_stack_exhausted); });
  other.join();
}

TEST_F(ProgramTest, a_group_that_was_ended_before_it_ran_never_runs) {
  const auto ended = program(R"((module (func (export "_start") (loop $l (br $l)))))");
  runtime::Outcome early;
  early.kind = Kind::exited;
  early.exit_code = 3;
  ASSERT_TRUE(ended->group().request_exit(early));
  const auto outcome = ended->run();
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->exit_code, 3);
}

std::size_t entries_of(const char* folder) {
  DIR* dir = opendir(folder);
  std::size_t count = 0;
  while (dir != nullptr && readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

TEST_F(ProgramTest, a_group_ended_in_the_middle_leaves_no_thread_and_no_descriptor) {
  const auto loaded = load(test::kSpawningModule);
  ASSERT_TRUE(loaded.ok());
  const auto run_once = [&loaded] {
    RunOptions options;
    options.wasi.stdio = {null_stream(), null_stream(), null_stream()};
    auto made = Program::create(*loaded, options);
    ASSERT_TRUE(made.ok());
    const auto outcome = (*made)->run();  // leaves eight threads spinning
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->kind, Kind::returned);
  };
  (void)llvm_tier();  // loaded once, by whoever needs it first; its file is open meanwhile
  run_once();         // what else is made once for the process
  const std::size_t threads = entries_of("/proc/self/task");
  const std::size_t descriptors = entries_of("/proc/self/fd");
  for (int i = 0; i < 50; ++i) run_once();
  EXPECT_EQ(entries_of("/proc/self/task"), threads);
  EXPECT_EQ(entries_of("/proc/self/fd"), descriptors);
}

/// Bodies are checked lazily, however small the module.
class LazyProgramTest : public ProgramTest {
 protected:
  static Config lazily() {
    Config config;
    config.eager_validation_bytes = 0;
    return config;
  }
  LazyProgramTest() : ProgramTest(lazily()) {}
};

TEST_F(LazyProgramTest, an_invalid_body_that_is_never_called_ends_the_program_once_it_is_found) {
  const auto outcome = run(R"((module
      (func (export "_start") (loop $l (br $l)))
      (func $invalid (result i32) (i64.const 0))))");
  EXPECT_EQ(outcome.kind, Kind::trapped);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.message.rfind("type mismatch", 0), 0u) << outcome.message;
}

TEST_F(LazyProgramTest, every_program_of_a_module_hears_of_its_invalid_body) {
  const auto loaded = load(R"((module
      (func (export "_start") (loop $l (br $l)))
      (func $invalid (result i32) (i64.const 0))))");
  ASSERT_TRUE(loaded.ok());
  const auto run_one = [&loaded] {
    RunOptions options;
    options.wasi.stdio = {null_stream(), null_stream(), null_stream()};
    auto made = Program::create(*loaded, options);
    ASSERT_TRUE(made.ok());
    const auto outcome = (*made)->run();
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->trap, spec::TrapCode::invalid_function_body);
  };
  std::thread other(run_one);
  run_one();
  other.join();
}

TEST_F(LazyProgramTest, calling_an_invalid_body_gives_the_same_message) {
  const auto outcome = run(R"((module
      (func (export "_start") (drop (call $invalid)))
      (func $invalid (result i32) (i64.const 0))))");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.message.rfind("type mismatch", 0), 0u) << outcome.message;
}

TEST_F(ProgramTest, an_invalid_body_of_a_small_module_is_found_before_anything_runs) {
  const auto loaded = load(R"((module (func (export "_start") (i32.const 0))))");
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().kind, base::ErrorKind::invalid);
}

TEST_F(LazyProgramTest, a_module_outlives_its_validation_in_any_order) {
  std::string wat = "(module (func (export \"_start\"))";
  for (int i = 0; i < 2000; ++i) wat += "(func (drop (i32.add (i32.const 1) (i32.const 2))))";
  for (int i = 0; i < 20; ++i) EXPECT_EQ(run(wat + ")").kind, Kind::returned);
}

}  // namespace
}  // namespace heddle::engine
