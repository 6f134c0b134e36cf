// Program: one run of a WASI command: its group of threads, what it may import, its memory limits. Made, run and
// destroyed on one thread, which becomes the group's main thread; everything else may be called from any thread.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "engine/engine.h"
#include "runtime/linker.h"
#include "runtime/outcome.h"
#include "runtime/thread_group.h"
#include "runtime/trace.h"
#include "threads/thread_spawn.h"

namespace heddle::engine {

class Deadline;

class Program {
 public:
  /// Resolves all imports. Errors: unlinkable (all unknown imports in one message), io (a directory cannot be opened),
  /// limit.
  static base::Result<std::unique_ptr<Program>> create(std::shared_ptr<const LoadedModule> module, RunOptions options);
  /// Ends the group if it still runs and waits until all of its threads have ended.
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Instantiates the module on the calling thread and calls `_start`; a module without one is a reactor or a library:
  /// its start function (and `_initialize`) was all there is to run. Returns as soon as the outcome is decided and this
  /// thread has left the guest; other threads of the group may still be on their way out (the destructor waits for
  /// them). Errors: limit, unlinkable. Once.
  base::Result<runtime::Outcome> run();

  runtime::ThreadGroup& group() { return group_; }

 private:
  Program(std::shared_ptr<const LoadedModule> module, RunOptions options);
  base::Status link();
  runtime::ThreadGroup::Options group_options();
  /// The outcome is decided: on whatever thread.
  void on_claim(const runtime::Outcome& outcome);
  /// What the main thread's guest code came to; may be overruled by an earlier claim.
  base::Result<runtime::Outcome> run_main();
  base::Result<runtime::EntryStatus> enter();

  std::shared_ptr<const LoadedModule> module_;
  RunOptions options_;
  runtime::ResourceLimits limits_;         // before all that counts on it
  std::unique_ptr<runtime::Trace> trace_;  // only with RunOptions::trace_file
  runtime::ThreadGroup group_;
  std::unique_ptr<wasi::Context> wasi_;
  std::unique_ptr<threads::ThreadSpawn> spawn_;  // only for a module that imports thread-spawn
  runtime::Linker linker_;
  std::shared_ptr<const runtime::InstancePlan> plan_;
  std::unique_ptr<Deadline> deadline_;
  std::uint64_t listener_ = 0;  // at the module's background validation
  bool started_ = false;
  std::unique_ptr<runtime::Store> store_;  // of the main thread; after plan_, which owns what instances use
};

}  // namespace heddle::engine
