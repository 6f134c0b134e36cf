// TierUp: gives hot functions better code while they run. One background thread of an Engine sleeps until the sampler
// (runtime/sampling.h) has caught a thread in baseline code; a function that is caught often enough is compiled by the
// LLVM tier, hottest first and small ones together, and its jump-table slot gets the new code. The LLVM library is
// loaded when the first function is hot. A program that ends within milliseconds need not even pay for the thread
// (Options::later): samples wait in the sampler's ring until there is one.
//
// Often enough is when it has run for half as long as compiling it is expected to take, since all others wait while the
// thread is at a large function; or for four times as long if compiling takes time from the program because all
// processors are busy: what ran so long is expected to run as long again, and runs perhaps a third faster then. Hottest
// is who is furthest beyond that.
//
// Threads that are caught in the old code of such a function for longer than compiling it took are in a loop of it that
// may last: the loop gets code that is entered at its header (on-stack replacement, abi/tier.h), and all threads in it
// move over. Most calls of a hot function end before, and compiling it a second time would cost more than it saves.
//
// Samples also say whom a function calls: the tier may guess that a call through a table reaches the same callee again
// (abi::LikelyCall), and may put a larger one into its caller. A function that was compiled before its callees were
// caught is compiled once more when small ones are: in the runs in which that happened, pgzip took 13 % longer.
//
// What cannot be compiled better (unsupported, no memory) keeps its code and is not tried again.
//
// Who touches what: modules_ and queue_ under mutex_ (threads that load modules or compile functions, and the worker);
// all counts are the worker's. The worker holds a module by shared_ptr while it looks at or compiles its code.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <pthread.h>
#include <unordered_map>
#include <vector>

#include "abi/tier.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/processors.h"
#include "code/module_code.h"
#include "engine/spare_processor.h"
#include "runtime/sampling.h"

namespace heddle::engine {

/// What the tiers did so far. Any thread may read; each count is one of its own.
struct TierUpStats {
  std::atomic<std::uint64_t> samples{0};      ///< of code that could be better, or whose caller could
  std::atomic<std::uint64_t> functions{0};    ///< compiled and published
  std::atomic<std::uint64_t> loops{0};        ///< whose threads were moved to better code
  std::atomic<std::uint64_t> unsupported{0};  ///< left to the baseline for good
  std::atomic<std::uint64_t> compile_ns{0};   ///< the worker's time in the LLVM tier
};

class TierUp final : private code::Listener {
 public:
  struct Options {
    std::uint32_t threshold = 2;                   ///< Config::tier_threshold
    std::function<void(const std::string&)> note;  ///< Config::tier_note
    bool later = false;                            ///< Config::later
  };

  /// nullptr if the machine has no means for it (no thread, no timer): then all code stays as it is.
  /// `first`: the tier that the modules' code is made by (borrowed).
  static std::unique_ptr<TierUp> create(const Options& options, const abi::Tier& first);
  /// Waits for the function that is being compiled, if any.
  ~TierUp();
  TierUp(const TierUp&) = delete;
  TierUp& operator=(const TierUp&) = delete;

  /// With Options::later: from now on there is the thread; without means for one all code stays as it is. Once, by any
  /// thread, and not beside the destructor.
  void start();

  /// From now on the module's hot code is improved. Before the module is shared. Any thread.
  void add(const std::shared_ptr<code::ModuleCode>& module) HEDDLE_EXCLUDES(mutex_);
  /// Threshold 0 or 1: returns when all functions that have been compiled so far are done. Any thread.
  void await_queued() HEDDLE_EXCLUDES(mutex_);
  const TierUpStats& stats() const { return stats_; }

 private:
  using Module = std::shared_ptr<code::ModuleCode>;
  struct Loop {
    std::uint32_t body_offset = 0;
    const void* pc = nullptr;   ///< somewhere in it
    std::uint32_t samples = 0;  ///< of threads that are stuck in it
    bool settled = false;       ///< moved, or cannot be
  };
  struct Call {
    abi::LikelyCall seen;
    std::uint32_t samples = 0;
  };
  struct Function {
    std::uint32_t samples = 0;
    bool settled = false;   ///< improved, or cannot be
    bool improved = false;  ///< there is better code
    /// Improved: who is caught in the old code later is stuck there (base::monotonic_ns).
    std::uint64_t stuck_from_ns = 0;
    std::vector<Loop> loops;
    std::vector<Call> calls;               ///< from its code, whose callees were caught
    std::vector<abi::LikelyCall> guessed;  ///< improved: what the tier was told of them
    std::uint32_t unguessed_samples = 0;   ///< improved: of callees that are not among them
    bool reconsidered = false;             ///< compiled once more
  };
  struct Entry {
    std::weak_ptr<code::ModuleCode> module;
    std::unordered_map<std::uint32_t, Function> functions;  // by function index; the worker's
  };
  /// Functions of one module that are compiled together.
  using Batch = std::vector<std::pair<spec::FuncIndex, Function*>>;
  struct Compiled {
    const code::ModuleCode* module;
    spec::FuncIndex func;
  };

  TierUp(const Options& options, const abi::Tier& first, runtime::Sampler* sampler, std::uint64_t sample_ns)
      : options_(options), first_(first), sampler_(sampler), sample_ns_(sample_ns) {}
  void on_compiled(const code::ModuleCode& code, spec::FuncIndex func) override HEDDLE_EXCLUDES(mutex_);
  void note(const std::string& sentence) const {
    if (options_.note) options_.note(sentence);
  }
  bool make_thread();
  static void* run_thread(void* self);
  void run();
  void count_samples();
  void compile_queued() HEDDLE_EXCLUDES(mutex_);
  void compile_each(const std::vector<Compiled>& queue);
  void replace_loops(code::ModuleCode& module, const code::FunctionCode& old, Function& function);
  std::vector<std::pair<Module, Entry*>> living() HEDDLE_EXCLUDES(mutex_);
  /// Until a function of this size is compiled.
  std::uint64_t samples_wanted(std::uint64_t body_bytes) const;
  /// Of those that have been caught often enough the one that has been so by most. False: there is none.
  bool compile_hottest();
  /// The hottest function and what else has samples in its module, as far as that is small; settled by this.
  Batch batch_around(const code::ModuleCode& module, Entry& entry, spec::FuncIndex hottest) const;
  /// The functions are settled. Each is told of with its share of the time, by the size of its body.
  void improve(code::ModuleCode& module, const Batch& batch);
  /// Publishes what the tier answered, or notes why there is nothing.
  void publish(code::ModuleCode& module, spec::FuncIndex func, Function& function, abi::CompileResult result,
               std::uint64_t took_ns);
  /// Moves threads out of the loop of old code around `pc`.
  void replace_loop(code::ModuleCode& module, const Function& function, const code::FunctionCode& old,
                    const abi::OsrPoint& point);
  /// A sample from between `since_ns` and now.
  static void count_sample(Function& function, const code::FunctionCode& code, const void* pc, std::uint64_t since_ns);
  /// `callee` was caught, called from `code` in the function `caller` of the same module.
  static void count_call(Function& caller, const code::FunctionCode& code, const void* return_pc,
                         spec::FuncIndex callee);
  /// Of each call the callee that most of its samples had, if it had more than half; in the order of calls.
  static std::vector<Call> likely_calls(std::vector<Call> calls);
  static std::vector<abi::LikelyCall> guesses(const Function& function);
  static bool is_guessed(const Function& caller, const abi::LikelyCall& call);
  /// Samples of likely callees that the tier was not told of and may put into their caller.
  static std::uint32_t missed_samples(const code::ModuleCode& module, const Function& function);
  std::string compile_loop(code::ModuleCode& module, const Function& function, const code::FunctionCode& old,
                           const abi::OsrPoint& point);
  void settle_loop(code::ModuleCode& module, const Function& function, Loop& loop);
  const abi::Tier* better_tier();
  bool stopping() const { return stop_.load(std::memory_order_relaxed); }

  const Options options_;
  const abi::Tier& first_;
  runtime::Sampler* const sampler_;
  const std::uint64_t sample_ns_;
  TierUpStats stats_;
  std::atomic<bool> stop_{false};  // relaxed: the sampler's wake() orders it
  const abi::Tier* tier_ = nullptr;
  bool tier_failed_ = false;
  SpareProcessor spare_{base::usable_processors()};
  base::Stopwatch asleep_{base::Stopwatch::Of::process};  // since it compiled last, or looked for a spare processor
  std::uint64_t watch_until_ns_ = 0;                      // kWatchNs after the last function was improved
  std::uint64_t drained_ns_ = 0;  // when samples were counted last: what is counted next is younger

  base::Mutex mutex_;
  // Entries are made by add() and erased by the worker, so that it may use one without the lock.
  std::unordered_map<const code::ModuleCode*, std::unique_ptr<Entry>> modules_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<Compiled> queue_ HEDDLE_GUARDED_BY(mutex_);  // only with threshold 0 or 1
  bool compiling_queue_ HEDDLE_GUARDED_BY(mutex_) = false;
  base::CondVar queue_done_;
  bool has_thread_ = false;
  pthread_t thread_{};
};

}  // namespace heddle::engine
