// Groups of threads in an embedder's process: how long until an ended one is joined, and what 1,000 of them leave.
//
//     bench_threads_embedded [GROUPS [THREADS]]
//
// Part one: a group of 1,000 waiting threads is ended from outside; median time until all are joined. Part two: GROUPS
// (default 1,000) groups of THREADS (default 8) threads are made, ended in the middle and freed; prints the process's
// host threads, descriptors, mappings and resident bytes after the first hundred and after the last.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "engine/engine.h"
#include "engine/program.h"

namespace heddle {
namespace {

// The threads wait for ever (even ones) or spin (odd ones); `$all` says when they have all arrived. The main thread
// waits, too.
std::string module_text(int threads, bool all_wait) {
  return fmt::format(R"((module
    (import "env" "memory" (memory 1 1 shared))
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (func (export "wasi_thread_start") (param $tid i32) (param $arg i32)
      (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
      (if (i32.and (local.get $arg) (i32.const {})) (then (loop $l (br $l))))
      (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1))) unreachable)
    (func (export "_start") (local $i i32)
      (loop $next
        (if (i32.lt_s (call $spawn (local.get $i)) (i32.const 1)) (then unreachable))
        (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {}))))
      (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1))))))",
                     all_wait ? 0 : 1, threads);
}

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

template <class T>
T take(base::Result<T> result) {
  if (!result.ok()) fail(result.error().message);
  return std::move(*result);
}

std::shared_ptr<const engine::LoadedModule> load(engine::Engine& engine, const std::string& text) {
  engine::ModuleSource source;
  const base::Status read =
      engine::read_module(base::raw_bytes(text), "embedded.wat", engine.config().features, source);
  if (!read.ok()) fail(read.error().message);
  return take(engine.load(std::move(source)));
}

using Clock = std::chrono::steady_clock;

/// Milliseconds from the event to all threads joined and everything freed.
double end_in_the_middle(const std::shared_ptr<const engine::LoadedModule>& module, std::uint32_t threads) {
  engine::RunOptions options;
  options.report_deadlock = false;
  options.thread_stack_bytes = 64 << 10;
  auto program = take(engine::Program::create(module, options));
  Clock::time_point event;
  std::thread other([&] {
    while (program->group().member_count() < threads + 1) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(threads > 100 ? 20 : 0));  // all are in their wait
    runtime::Outcome outcome;
    outcome.kind = runtime::Outcome::Kind::exited;
    outcome.exit_code = 3;
    event = Clock::now();
    program->group().request_exit(outcome);
  });
  const auto outcome = take(program->run());
  if (outcome.exit_code != 3) fail("ended otherwise: " + outcome.message);
  other.join();
  program.reset();
  return std::chrono::duration<double, std::milli>(Clock::now() - event).count();
}

std::size_t entries_of(const char* folder) {
  DIR* dir = opendir(folder);
  std::size_t count = 0;
  while (dir != nullptr && readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

void print_process(const std::string& when) {
  std::ifstream maps("/proc/self/maps");
  std::size_t mappings = 0;
  for (std::string line; std::getline(maps, line);) ++mappings;
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  std::size_t resident = 0;
  statm >> pages >> resident;
  fmt::print("{}: {} host threads, {} descriptors, {} mappings, {} KiB resident\n", when,
             entries_of("/proc/self/task") - 2, entries_of("/proc/self/fd") - 2, mappings,
             resident * static_cast<std::size_t>(getpagesize()) >> 10);
}

int run(int groups, int threads) {
  auto engine = take(engine::Engine::create(engine::Config()));
  const auto thousand = load(*engine, module_text(1000, true));
  std::vector<double> times;
  for (int i = 0; i < 15; ++i) times.push_back(end_in_the_middle(thousand, 1000));
  std::sort(times.begin(), times.end());
  fmt::print(
      "1,000 waiting threads joined and freed after the event: median {:.1f} ms, slowest {:.1f} ms (target 100)\n",
      times[times.size() / 2], times.back());
  const auto few = load(*engine, module_text(threads, false));
  for (int i = 1; i <= groups; ++i) {
    end_in_the_middle(few, static_cast<std::uint32_t>(threads));
    if (i == std::min(100, groups) || i == groups) print_process(fmt::format("after {} groups", i));
  }
  return 0;
}

}  // namespace
}  // namespace heddle

int main(int argc, char** argv) {
  return heddle::run(argc > 1 ? std::atoi(argv[1]) : 1000, argc > 2 ? std::atoi(argv[2]) : 8);
}
