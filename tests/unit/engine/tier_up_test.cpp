// Code that is replaced while it runs. What the values are is judged by running everything twice in one script: the
// first call of a function is the baseline's alone, the second is moved to the LLVM tier's code at its loops.
#include "engine/tier_up.h"

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <thread>
#include <time.h>
#include <unistd.h>

#include "engine/program.h"
#include "engine/script_runner.h"
#include "engine/tier_loader.h"

namespace heddle::engine {
namespace {

class TierUpTest : public testing::Test {
 protected:
  void SetUp() override {
#ifndef HEDDLE_TEST_LLVM
    GTEST_SKIP() << "a build without LLVM";
#endif
    ASSERT_TRUE(llvm_tier().ok()) << llvm_tier().error().message;
  }

  void start(std::uint32_t threshold, std::function<void(const std::string&)> note = {}) {
    Config config;
    config.tier_note = std::move(note);
    config.tier = TierChoice::auto_;
    config.tier_threshold = threshold;
    auto made = Engine::create(config);
    ASSERT_TRUE(made.ok());
    engine = std::move(*made);
    ASSERT_NE(engine->tier_up(), nullptr);
  }

  /// Runs a script in which loops only are replaced; returns how many were.
  std::uint64_t loops_of(const std::string& script) {
    start(0);
    ScriptOptions options;
    options.features = spec::Features::all();
    options.tier = &engine->tier();
    options.tier_up = engine->tier_up();
    const auto report = run_script(script, "test.wast", options);
    EXPECT_TRUE(report.ok()) << report.error().message;
    if (!report.ok()) return 0;
    for (const std::string& failure : report->failures) ADD_FAILURE() << failure;
    EXPECT_GT(report->assertions, 1u);
    return engine->tier_up()->stats().loops;
  }
  /// The same: a module's one function "f", called three times.
  std::uint64_t loops_of(const std::string& module, const std::string& call, const std::string& result) {
    const std::string assertion = fmt::format("(assert_return (invoke \"f\" {}) {})\n", call, result);
    return loops_of(module + assertion + assertion + assertion);
  }

  /// `input`: what the program reads from; -1: nothing.
  std::unique_ptr<Program> program(const std::string& wat, int input = -1) {
    ModuleSource source;
    EXPECT_TRUE(read_module(base::raw_bytes(wat), "test.wat", engine->config().features, source).ok());
    auto read = engine->load(std::move(source));
    EXPECT_TRUE(read.ok()) << read.error().message;
    loaded = *read;
    RunOptions options;
    wasi::Stream null;
    null.kind = wasi::Stream::Kind::null;
    options.wasi.stdio = {null, null, null};
    if (input >= 0) {
      options.wasi.stdio[0].kind = wasi::Stream::Kind::descriptor;
      options.wasi.stdio[0].descriptor = input;
    }
    auto made = Program::create(loaded, std::move(options));
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(*made);
  }

  /// Runs the program until `watch`, on a thread of its own, has returned, which then ends it with this code.
  template <class Watch>
  static void run_during(Program& run, Watch watch, int exit_code = 0) {
    std::thread watcher([&] {
      watch();
      runtime::Outcome outcome;
      outcome.exit_code = exit_code;
      run.group().request_exit(std::move(outcome));
    });
    const auto outcome = run.run();
    watcher.join();
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->exit_code, exit_code);
  }

  /// Whether the first improved code with any callee in it has this one.
  bool has_inlined(std::uint32_t func) const {
    for (const code::FunctionCode* code : loaded->code->published())
      if (!code->improvable && !code->inlined_calls.empty()) return code->inlined_calls[0].func.value == func;
    return false;
  }

  std::unique_ptr<Engine> engine;
  std::shared_ptr<const LoadedModule> loaded;  // by program()
};

TEST_F(TierUpTest, a_loop_takes_its_locals_along) {
  EXPECT_EQ(loops_of(R"((module (func (export "f") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
      (local $v v128) (local $n i32)
      (local.set $v (v128.const i32x4 1 2 3 4))
      (loop $l
        (local.set $v (i32x4.add (local.get $v) (local.get $v)))
        (local.set 0 (i32.add (local.get 0) (i32x4.extract_lane 3 (local.get $v))))
        (local.set 1 (i64.mul (local.get 1) (i64.const 3)))
        (local.set 2 (f32.mul (local.get 2) (f32.const 2)))
        (local.set 3 (f64.add (local.get 3) (f64.const 0.5)))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $n) (i32.const 5))))
      (local.get 0) (local.get 1) (local.get 2) (local.get 3))))",
                     "(i32.const 7) (i64.const 11) (f32.const 1.5) (f64.const 2)",
                     "(i32.const 255) (i64.const 2673) (f32.const 48) (f64.const 4.5)"),
            1u);
}

TEST_F(TierUpTest, operands_below_a_loop_and_its_parameters_go_along) {
  const char* module = R"((module (func (export "f") (param $n i32) (result i64) (local $a i64) (local $b i64)
      (i64.const 1000) (i64.extend_i32_u (local.get $n)) (v128.const i64x2 5 6) (f64.const 3)
      (i32.const 0) (i64.const 1)
      (loop $l (param i32 i64) (result i64)
        (local.set $a (i64.mul (i64.const 2)))
        (i32.add (i32.const 1)) (local.get $a)
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))
        (local.set $a) (i64.extend_i32_u) (i64.add (local.get $a)))
      (local.set $a) (local.set $b (i64.trunc_f64_s)) (i64x2.extract_lane 1) (i64.add) (i64.add)
      (i64.add (local.get $a)) (i64.add (local.get $b)))))";
  EXPECT_EQ(loops_of(module, "(i32.const 5)", "(i64.const 1051)"), 1u);
}

// What was pushed before the outer loop is used in both arms and behind them, reached from the inner loop or not.
TEST_F(TierUpTest, a_loop_inside_arms_inside_a_loop_finds_the_operands_of_all) {
  const char* module = R"((module (func (export "f") (param $n i32) (result i32) (local $s i32) (local $k i32)
      (i32.const 7)
      (loop $outer (result i32)
        (i32.const 100)
        (local.get $n)
        (if (param i32) (result i32) (i32.and (local.get $n) (i32.const 1))
          (then (i32.add (local.get $s)) (local.set $k (i32.const 3))
            (loop $inner
              (local.set $s (i32.add (local.get $s) (local.get $k)))
              (br_if $inner (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))
          (else (i32.mul (i32.const 2))))
        (i32.add)
        (local.set $s (i32.add (local.get $s)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $outer (local.get $n))
        (local.get $s))
      (i32.add))))";
  EXPECT_EQ(loops_of(module, "(i32.const 5)", "(i32.const 1416)"), 2u);
}

TEST_F(TierUpTest, loops_call_branch_far_and_use_memory) {
  const char* module = R"((module (memory i64 1)
      (func $twice (param i64) (result i64) (i64.store (i64.const 8) (local.get 0)) (i64.shl (local.get 0) (i64.const 1)))
      (func (export "f") (param $n i32) (result i64) (local $x i64)
        (local.set $x (i64.const 1))
        (block $out
          (loop $a
            (loop $b
              (local.set $x (i64.add (call $twice (local.get $x)) (i64.load (i64.const 8))))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (br_table $out $a $b (local.get $n)))))
        (local.get $x))))";
  EXPECT_EQ(loops_of(module, "(i32.const 6)", "(i64.const 729)"), 2u);
}

TEST_F(TierUpTest, a_trap_in_moved_code_is_the_same) {
  const char* module = R"((module (memory 1)
      (func (export "f") (param $i i32) (result i32)
        (loop $l (result i32)
          (local.set $i (i32.add (i32.load8_u (local.get $i)) (i32.add (local.get $i) (i32.const 1000))))
          (br_if $l (i32.lt_u (local.get $i) (i32.const 10000000))) (local.get $i)))))";
  const std::string assertion = "(assert_trap (invoke \"f\" (i32.const 0)) \"out of bounds memory access\")\n";
  EXPECT_EQ(loops_of(module + assertion + assertion), 1u);
}

TEST_F(TierUpTest, a_loop_with_more_values_than_the_buffer_stays) {
  std::string locals;
  for (int i = 0; i < 1100; ++i) locals += " i32";
  const std::string module = "(module (func (export \"f\") (param $n i32) (result i32) (local" + locals + R"()
      (loop $l (local.set 1099 (i32.add (local.get 1099) (i32.const 2)))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get 1099))))";
  EXPECT_EQ(loops_of(module, "(i32.const 5)", "(i32.const 10)"), 0u);
}

TEST_F(TierUpTest, what_a_loop_throws_lands_in_clauses_around_and_in_it) {
  const char* module = R"((module (tag $e (param i32)) (tag $stop)
      (func $maybe (param $n i32) (result i32)
        (if (i32.eqz (local.get $n)) (then (throw $stop)))
        (if (i32.and (local.get $n) (i32.const 1)) (then (throw $e (i32.mul (local.get $n) (i32.const 100)))))
        (local.get $n))
      (func (export "f") (param $n i32) (result i32) (local $s i32)
        (i32.const 5)
        (block $done
          (try_table (catch $stop $done)
            (loop $l
              (block $odd (result i32)
                (try_table (result i32) (catch $e $odd) (call $maybe (local.get $n))))
              (local.set $s (i32.add (local.get $s)))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (br $l))))
        (i32.add (local.get $s)))))";
  EXPECT_EQ(loops_of(module, "(i32.const 6)", "(i32.const 917)"), 1u);
}

// A loop inside a clause inside a clause: it throws again what the outer one caught, from below operands of both.
TEST_F(TierUpTest, a_loop_in_a_legacy_clause_takes_its_exception_along) {
  const char* module = R"((module (tag $a (param i32 i64)) (tag $b (param i32))
      (func (export "f") (param $n i32) (result i64) (local $s i64) (local $k i32)
        (i64.const 1000)
        (try (result i64)
          (do
            (i64.const 100)
            (try (result i64)
              (do (throw $a (i32.const 9) (i64.const 7)))
              (catch $a
                (local.set $s) (drop) (i64.const 30)
                (try (result i64)
                  (do (throw $b (i32.const 4)))
                  (catch $b
                    (local.set $k)
                    (i64.const 2)
                    (loop $l (param i64) (result i64)
                      (local.set $s (i64.add (local.get $s) (i64.extend_i32_u (local.get $k))))
                      (i64.add (i64.const 1))
                      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))
                      (if (i64.eq (local.get $s) (i64.const 11)) (then (rethrow 2)))
                      (if (i64.eq (local.get $s) (i64.const 15)) (then (rethrow 3))))))
                (i64.add)))
            (i64.add))
          (catch $a (local.set $s) (i64.extend_i32_u))
          (catch $b (i64.extend_i32_u)))
        (i64.add (local.get $s)) (i64.add))))";
  std::string calls;
  for (int round = 0; round < 2; ++round)
    for (const auto& [n, result] : {std::pair(3, 1154), std::pair(1, 1015), std::pair(2, 1016)})
      calls += fmt::format("(assert_return (invoke \"f\" (i32.const {})) (i64.const {}))\n", n, result);
  EXPECT_EQ(loops_of(module + calls), 1u);
}

TEST_F(TierUpTest, a_loop_ends_in_each_kind_of_tail_call) {
  const char* module = R"((module (type $t (func (param i32 i64 f64) (result i64)))
      (table funcref (elem $g))
      (func $g (type $t) (i64.add (i64.extend_i32_u (local.get 0))
        (i64.add (local.get 1) (i64.trunc_f64_s (local.get 2)))))
      (func (export "f") (param $n i32) (param $how i32) (result i64) (local $s i64)
        (loop $l
          (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 2)) (i64.const 1)))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))
          (if (i32.eq (local.get $how) (i32.const 0))
            (then (return_call $g (i32.const 1) (local.get $s) (f64.const 8))))
          (if (i32.eq (local.get $how) (i32.const 1))
            (then (return_call_indirect (type $t) (i32.const 2) (local.get $s) (f64.const 8) (i32.const 0)))))
        (return_call_ref $t (i32.const 3) (local.get $s) (f64.const 8) (ref.func $g)))))";
  std::string calls;
  for (int round = 0; round < 2; ++round)
    for (int how = 0; how < 3; ++how)
      calls += fmt::format("(assert_return (invoke \"f\" (i32.const 5) (i32.const {})) (i64.const {}))\n", how,
                           31 + 8 + 1 + how);
  EXPECT_EQ(loops_of(module + calls), 1u);
}

// A leaf's code stands in its caller's here, and still is a frame in what users read.
TEST_F(TierUpTest, a_trap_in_an_inlined_function_shows_the_same_frames_as_without) {
  const char* module = R"((module $m (memory 1) (tag $t)
      (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
      (func $read (param i32) (result i32) (i32.load (local.get 0)))
      (func $throw (throw $t))
      (func $stop (unreachable))
      (func $middle (drop (call $divide (i32.const 2))) (drop (call $read (i32.const 8)))
        {}
        (drop (call $read (i32.const 4))))
      (func (export "_start") (call $middle) (nop))))";
  for (const char* trap :
       {"(drop (call $divide (i32.const 0)))", "(drop (call $read (i32.const -1)))", "(call $throw)", "(call $stop)"}) {
    std::string text = module;
    text.replace(text.find("{}"), 2, trap);
    std::vector<std::string> messages;
    for (const TierChoice tier : {TierChoice::baseline, TierChoice::llvm}) {
      Config config;
      config.tier = tier;
      config.features = spec::Features::all();
      auto made = Engine::create(config);
      ASSERT_TRUE(made.ok());
      engine = std::move(*made);
      const auto outcome = program(text)->run();
      ASSERT_TRUE(outcome.ok());
      messages.push_back(outcome->message);
    }
    EXPECT_EQ(messages[0], messages[1]);
    for (const char* frame : {"at $middle (", "at _start ("})
      EXPECT_NE(messages[1].find("\n    " + std::string(frame)), std::string::npos) << messages[1];
  }
}

/// Waits until `done` holds; false if it does not within a minute.
template <class Done>
bool eventually(Done done) {
  for (int i = 0; i < 60'000; ++i) {
    if (done()) return true;
    const timespec millisecond = {0, 1'000'000};
    nanosleep(&millisecond, nullptr);
  }
  return false;
}

std::ptrdiff_t times_noted(const std::vector<std::string>& notes, std::string_view begin) {
  return std::count_if(notes.begin(), notes.end(), [begin](const std::string& n) { return n.starts_with(begin); });
}

TEST_F(TierUpTest, samples_find_an_endless_loop_and_it_can_be_ended_when_moved) {
  start(2);
  auto run = program(R"((module (func (export "_start") (local $i i64)
      (loop $l (local.set $i (i64.add (local.get $i) (i64.const 1))) (br $l)))))");
  run_during(*run, [&] { EXPECT_TRUE(eventually([&] { return engine->tier_up()->stats().loops == 1; })); }, 5);
}

// Each call ends long before its loop could be compiled by itself, although samples come in while the function is.
TEST_F(TierUpTest, a_loop_of_short_calls_is_not_compiled_by_itself) {
  std::vector<std::string> notes;
  start(2, [&notes](const std::string& note) { notes.push_back(note); });
  std::string body;  // large, so that compiling it takes some samples
  for (int i = 0; i < 200; ++i)
    body += fmt::format("(i32.store (i32.const {0}) (i32.rotl (i32.load (i32.const {0})) (local.get $k)))\n", i * 4);
  auto run = program(R"((module
      (memory 1)
      (func $short (local $k i32)
        (local.set $k (i32.const 3))
        (loop $l )" + body +
                     R"(
          (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))
      (func (export "_start") (loop $l (call $short) (br $l)))))");
  run_during(*run, [&] {
    const TierUpStats& stats = engine->tier_up()->stats();
    EXPECT_TRUE(eventually([&] { return stats.functions >= 1; }));
    const std::uint64_t before = stats.samples;
    EXPECT_TRUE(eventually([&] { return stats.samples >= before + 20; }));
  });
  run.reset();
  engine.reset();  // the thread that notes is gone
  EXPECT_GT(times_noted(notes, "$short: llvm in "), 0);
  EXPECT_EQ(times_noted(notes, "$short: loop at byte "), 0);
}

// Compiling 32,000 bytes takes some 0.4 s; a program that is in them for a moment must not keep others waiting for it.
// Half of that are 52 samples where the kernel's tick is 4 ms, and 21 where it is 10.
TEST_F(TierUpTest, a_large_function_is_compiled_when_it_has_run_for_longer) {
  const auto samples_of = [](std::string_view function, const std::string& note) {
    const std::size_t after = note.find(" after ");
    return note.starts_with(function) && after != std::string::npos ? std::stoi(note.substr(after + 7)) : 0;
  };
  std::atomic<int> small = 0, large = 0;
  start(2, [&](const std::string& note) {
    small += samples_of("$small: llvm in ", note);
    large += samples_of("$large: llvm in ", note);
  });
  std::string body;
  for (int i = 0; i < 4000; ++i) body += "(local.set 0 (i32.rotl (local.get 0) (i32.const 12345)))\n";
  auto run = program("(module (func $large (param i32) (result i32)\n" + body + R"((local.get 0))
      (func $small (local $k i32)
        (local.set $k (i32.const 10_000))
        (loop $l (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))
      (func (export "_start") (loop $l (call $small) (drop (call $large (i32.const 1))) (br $l)))))");
  run_during(*run, [&] { EXPECT_TRUE(eventually([&] { return small > 0 && large > 0; })); });
  run.reset();
  engine.reset();  // the thread that notes is gone
  EXPECT_GE(large, 20);
}

// Nearly all time goes into the callee, so that samples have been taken there, and of its call, when its caller is hot
// too.
TEST_F(TierUpTest, samples_of_a_callee_put_it_into_its_caller) {
  start(2);
  auto run = program(R"((module
      (type $f (func (param i32) (result i32)))
      (memory 1)
      (func $callee (type $f) (local $k i32)
        (local.set $k (i32.const 200))
        (loop $l
          (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get $k)))
          (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (local.get 0))
      (func $unused (type $f) (i32.const 0))
      (table funcref (elem $unused $callee))
      (func $caller (param $n i32) (result i32) (local $sum i32)
        (loop $l
          (local.set $sum (i32.add (local.get $sum) (call_indirect (type $f) (local.get $n) (i32.const 1))))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
      (func (export "_start") (loop $l (drop (call $caller (i32.const 100))) (br $l)))))");
  bool inlined = false;
  run_during(*run, [&] { inlined = eventually([&] { return has_inlined(0); }); });
  EXPECT_TRUE(inlined);
}

// The caller is hot and compiled before it calls anybody; only then a byte comes, from which on it does.
TEST_F(TierUpTest, a_callee_that_is_seen_late_is_put_into_its_caller_after_all) {
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC), 0);
  std::vector<std::string> notes;
  start(2, [&notes](const std::string& note) { notes.push_back(note); });
  auto run = program(R"((module
      (type $f (func (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\40\00\00\00\01\00\00\00")  ;; where to read to: one byte at 64
      (func $work (type $f) (local $k i32)
        (local.set $k (i32.const 100))
        (loop $l
          (i32.store (i32.const 128) (i32.add (i32.load (i32.const 128)) (local.get $k)))
          (br_if $l (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (local.get 0))
      (table funcref (elem $work))
      (func $caller (param $calls i32) (local $n i32) (local $k i32)
        (local.set $n (i32.const 1000))
        (loop $l
          (if (local.get $calls)
            (then (drop (call_indirect (type $f) (local.get $n) (i32.const 0))))
            (else
              (local.set $k (i32.const 100))
              (loop $own
                (i32.store (i32.const 256) (i32.add (i32.load (i32.const 256)) (local.get $k)))
                (br_if $own (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
      (func (export "_start") (local $calls i32)
        (loop $l
          (call $caller (local.get $calls))
          (if (i32.eqz (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32)))
            (then (local.set $calls (i32.const 1))))
          (br $l)))))",
                     pipe_ends[0]);
  bool came_in = false;
  run_during(*run, [&] {
    EXPECT_TRUE(eventually([&] { return engine->tier_up()->stats().functions >= 1; }));
    EXPECT_FALSE(has_inlined(1));
    EXPECT_EQ(write(pipe_ends[1], "!", 1), 1);
    came_in = eventually([&] { return has_inlined(1); });
  });
  EXPECT_TRUE(came_in);
  run.reset();
  engine.reset();  // the thread that notes is gone
  EXPECT_EQ(times_noted(notes, "$caller: llvm in "), 2);
  for (const int end : pipe_ends) close(end);
}

// Every thread counts in its own loop until the main thread, which waits for the loop to be moved, ends them.
TEST_F(TierUpTest, eight_threads_leave_their_loop_at_once) {
  start(2);
  auto run = program(R"((module
      (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
      (import "env" "memory" (memory 1 1 shared))
      (func $spin (param $at i32) (local $i i64)
        (loop $l
          (local.set $i (i64.add (local.get $i) (i64.const 1)))
          (i64.store (local.get $at) (local.get $i)) (br $l)))
      (func (export "wasi_thread_start") (param i32 i32) (call $spin (i32.shl (local.get 0) (i32.const 3))))
      (func (export "_start") (local $i i32)
        (loop $more
          (if (i32.le_s (call $spawn (i32.const 0)) (i32.const 0)) (then unreachable))
          (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 7))))
        (call $spin (i32.const 0)))))");
  run_during(*run, [&] { EXPECT_TRUE(eventually([&] { return engine->tier_up()->stats().loops == 1; })); }, 6);
}

// What is called is queued and compiled together; one that is larger than a batch stands in the middle.
TEST_F(TierUpTest, each_function_of_a_batch_is_told_of_once) {
  std::string functions, calls;
  for (int i = 0; i < 40; ++i) {
    functions +=
        fmt::format("(func $f{} (param i32) (result i32) (if (i32.eqz (local.get 0)) (then (call $start)))", i);
    for (int more = i == 20 ? 500 : 1; more > 0; --more)
      functions += fmt::format("(local.set 0 (i32.add (local.get 0) (i32.const {})))", more);
    functions += "(local.get 0))\n";
    calls += fmt::format("(if (i32.ne (call $f{} (i32.const 2)) (i32.const {})) (then unreachable))\n", i,
                         i == 20 ? 2 + 500 * 501 / 2 : 3);
  }
  std::vector<std::string> notes;
  start(1, [&notes](const std::string& note) { notes.push_back(note); });
  auto run = program("(module " + functions + "(func $start (export \"_start\")" + calls + "))");
  const auto outcome = run->run();
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->exit_code, 0) << outcome->message;
  engine->tier_up()->await_queued();
  EXPECT_EQ(engine->tier_up()->stats().functions, 41u);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(times_noted(notes, fmt::format("$f{}: llvm in ", i)), 1) << i;
}

// Each thread calls the same functions again and again while they are compiled, published and their loops patched, and
// traps if one of them ever answers wrongly.
TEST_F(TierUpTest, sixty_four_threads_call_functions_that_are_replaced) {
  constexpr int kFunctions = 24;
  std::string functions, calls;
  for (int i = 0; i < kFunctions; ++i) {
    functions += fmt::format(R"((func $f{0} (param $n i32) (result i32) (local $s i32)
        (i32.const {0})
        (loop $l (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 3)) (local.get $n)))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.add (local.get $s))))",
                             i);
    // Of 4, 3, 2, 1: ((4 * 3 + 3) * 3 + 2) * 3 + 1.
    calls += fmt::format("(if (i32.ne (call $f{0} (i32.const 4)) (i32.const {1})) (then unreachable))\n", i,
                         ((4 * 3 + 3) * 3 + 2) * 3 + 1 + i);
  }
  start(1);
  auto run = program(
      R"((module
      (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
      (import "env" "memory" (memory 1 1 shared)))" +
      functions + R"((func $work (local $k i32)
        (loop $again )" +
      calls + R"((br_if $again (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 2000))))
        (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
        (drop (memory.atomic.notify (i32.const 0) (i32.const -1))))
      (func (export "wasi_thread_start") (param i32 i32) (call $work))
      (func (export "_start") (local $i i32) (local $seen i32)
        (loop $more
          (if (i32.le_s (call $spawn (i32.const 0)) (i32.const 0)) (then unreachable))
          (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 64))))
        (loop $wait
          (local.set $seen (i32.atomic.load (i32.const 0)))
          (if (i32.lt_u (local.get $seen) (i32.const 64)) (then
            (drop (memory.atomic.wait32 (i32.const 0) (local.get $seen) (i64.const -1))) (br $wait)))))))");
  const auto outcome = run->run();
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->exit_code, 0) << outcome->message;
  engine->tier_up()->await_queued();
  EXPECT_GE(engine->tier_up()->stats().functions, static_cast<std::uint64_t>(kFunctions));
}

}  // namespace
}  // namespace heddle::engine
