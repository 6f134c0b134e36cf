// Settings of an Engine and of one run, with the defaults that users get.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/outcome.h"
#include "runtime/resource_limits.h"
#include "spec/features.h"
#include "wasi/context.h"

#include "cache/tier.h"
#include "observe/code_dump.h"

namespace heddle::engine {

/// Which compiler makes the code. `auto_`: baseline first, then LLVM where it pays.
enum class TierChoice : std::uint8_t { auto_, baseline, llvm };

/// What is written for Linux's perf (observe/perf.h).
enum class PerfOutput : std::uint8_t { none, map, jitdump };

/// How Engine::stats_report() tells what was made (observe/stats.h).
enum class StatsOutput : std::uint8_t { none, table, json };

struct Config {
  TierChoice tier = TierChoice::auto_;
  /// auto_: how many samples make a small function hot (a large one needs more). Tests: 1: every function is, as soon
  /// as it has been called, and all its loops; 0: only the loops of every function that has been called are replaced.
  std::uint32_t tier_threshold = 2;
  /// So that short programs are spared threads: code is improved (auto_) only after Engine::start_tier_up(), and bodies
  /// of a module that is known are checked only after Engine::start_validation().
  bool later = false;
  /// Told, in a sentence, of each function that changes its tier or cannot; by the thread that improves code. Empty:
  /// nobody is.
  std::function<void(const std::string&)> tier_note;
  PerfOutput perf = PerfOutput::none;
  /// Tell debuggers of the code (observe/debugger.h). None: if one runs this process when the Engine is made.
  std::optional<bool> debug_info;
  StatsOutput stats = StatsOutput::none;
  observe::DumpOptions dump;  ///< load() refuses modules without one of these functions
  spec::Features features = spec::Features::standard();
  std::optional<cache::Options> cache;  ///< where code of earlier runs lies; none: nowhere
  bool allow_precompiled = false;       ///< load files of `heddle compile`, whose code is run as it is
  /// Function bodies of modules up to this size are all checked by load(), larger ones as they are compiled, with a
  /// background thread checking the rest. Measured: see kEagerValidationBytes in pipeline.cpp.
  std::uint64_t eager_validation_bytes;
  Config();
};

struct RunOptions {
  wasi::Options wasi;
  std::uint32_t max_threads = 16'384;        ///< with the main thread
  std::size_t thread_stack_bytes = 1 << 20;  ///< guest part of each spawned thread's native stack
  bool allow_threads = true;                 ///< false: modules that import thread-spawn are refused
  bool allow_unknown_imports = false;
  std::uint64_t max_memory_bytes = runtime::ResourceLimits::kUnlimited;
  std::uint64_t max_table_entries = runtime::ResourceLimits::kUnlimited;
  std::uint64_t timeout_ns = 0;  ///< 0: none
  std::string trace_file;        ///< where to write what the threads did (Trace Event Format); empty: nowhere
  bool report_deadlock = true;   ///< end the program when all its threads wait for ever
  /// Told, in a sentence, of each spawn that was refused and why; by the thread that asked. Empty: nobody is.
  std::function<void(const std::string&)> thread_note;
  /// Called once the outcome is decided, by whichever thread decides it, while others still run. May end the process.
  std::function<void(const runtime::Outcome&)> on_outcome;
};

}  // namespace heddle::engine
