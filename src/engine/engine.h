// Engine: the composition root. Owns the tiers and the settings that all modules of a process share; turns bytes into
// code that any number of programs can run (the stages: DESIGN.md). Any thread may use it; it outlives its modules.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "abi/tier.h"
#include "base/mutex.h"
#include "base/result.h"
#include "code/module_code.h"
#include "engine/config.h"
#include "engine/module_source.h"

#include "observe/code_dump.h"
#include "observe/debugger.h"
#include "observe/perf.h"
#include "observe/stats.h"

namespace heddle::engine {

class BackgroundValidation;
class StartNote;
class TierUp;

/// A module that is ready to run. Immutable; shared by programs and threads.
struct LoadedModule {
  ModuleSource source;                              ///< for messages
  std::unique_ptr<const cache::CachedTier> cached;  ///< with Config::cache; before `code`, which compiles with it
  std::shared_ptr<code::ModuleCode> code;
  /// Checks what load() left unchecked; nullptr if nothing was. Stopped and joined with the last owner.
  std::shared_ptr<BackgroundValidation> validation;
  std::unique_ptr<const StartNote> start;  ///< nullptr: nothing is to be noted of it
};

class Engine {
 public:
  /// Errors: unsupported (the processor lacks what the compiler needs), limit (no executable memory).
  static base::Result<std::unique_ptr<Engine>> create(Config config);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const Config& config() const { return config_; }
  const abi::Tier& tier() const { return *tier_; }
  /// nullptr unless --tier=auto.
  TierUp* tier_up() const { return tier_up_.get(); }

  /// With Config::later: hot code is improved from now on. Once, by any thread, not beside the destructor.
  void start_tier_up() const;
  /// With Config::later: from now on bodies are checked of the modules that are loaded and were known. Any thread, not
  /// beside the destructor.
  void start_validation() const HEDDLE_EXCLUDES(mutex_);

  /// From now on `listener` (borrowed) is told of the code of every module that is loaded. Before the first load().
  void add_listener(code::Listener& listener) { listeners_.push_back(&listener); }

  /// What the tiers did so far, as Config::stats asks. Any thread.
  std::string stats_report() const;

  /// Decodes and checks what `source` has read (see Config::eager_validation_bytes).
  base::Result<std::shared_ptr<const LoadedModule>> load(ModuleSource source) const;

 private:
  explicit Engine(Config config);
  base::Status make_observers();
  std::shared_ptr<BackgroundValidation> validate_in_background(const module::CheckedModule& m,
                                                               const ModuleSource& source) const
      HEDDLE_EXCLUDES(mutex_);
  /// What was asked for that this module has not.
  base::Status check_observers(const module::Module& m) const;
  Config config_;
  // Observers outlive the tiers' threads, which tell them.
  std::unique_ptr<observe::PerfFile> perf_;
  std::unique_ptr<observe::DebuggerSupport> debugger_;
  std::unique_ptr<observe::Stats> stats_;
  std::unique_ptr<observe::CodeDump> dump_;
  std::vector<code::Listener*> listeners_;
  std::unique_ptr<abi::Tier> baseline_;
  std::unique_ptr<abi::Tier> fallback_;  // --tier=llvm: LLVM, and baseline for what that cannot compile
  const abi::Tier* tier_;                // one of them; borrowed
  mutable base::Mutex mutex_;
  mutable std::vector<std::weak_ptr<BackgroundValidation>> waiting_ HEDDLE_GUARDED_BY(mutex_);
  std::unique_ptr<TierUp> tier_up_;  // last: its thread uses the others
};

/// Decodes and checks a module wholly, bodies included, without making code of it (`heddle validate`). The error with
/// the lowest offset wins, whatever section it is in and whatever the number of `threads` (0: one per processor).
base::Status validate_module(const ModuleSource& source, spec::Features features, unsigned threads);

}  // namespace heddle::engine
