// The import `wasi` . `thread-spawn` (https://github.com/WebAssembly/wasi-threads): a new thread of the group runs a
// new instance of the same module, with the same imports, and calls its export wasi_thread_start(tid, start_arg).
//
// Use: define() before the plan is made, bind() the plan, then run the main thread. One object for each group; it
// outlives the group's threads. Spawning refuses with -6 (EAGAIN) when the group is full or the machine is; while the
// group is ending it never returns to the guest. A thread that traps, whose exception nobody catches, or that cannot be
// instantiated ends the group with a message.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "runtime/linker.h"
#include "runtime/thread_group.h"
#include "threads/tids.h"

namespace heddle::threads {

class ThreadSpawn {
 public:
  /// What thread-spawn returns when nothing was started: -EAGAIN in WASI's numbering.
  static constexpr std::int32_t kRefused = -6;

  /// Told of each refusal and its reason, by the thread that asked.
  using Note = std::function<void(const std::string& sentence)>;

  /// Both are borrowed; `limits` may be nullptr. `note` may be empty.
  ThreadSpawn(runtime::ThreadGroup& group, runtime::ResourceLimits* limits, Note note = {})
      : group_(group), limits_(limits), note_(std::move(note)) {}
  ThreadSpawn(const ThreadSpawn&) = delete;
  ThreadSpawn& operator=(const ThreadSpawn&) = delete;

  /// True if the module imports thread-spawn: without it a program never becomes threaded.
  static bool is_imported_by(const module::Module& m);
  void define(runtime::Linker& linker);
  /// The module that threads instantiate. Errors: unlinkable, if it imports thread-spawn without a fitting
  /// wasi_thread_start.
  base::Status bind(std::shared_ptr<const runtime::InstancePlan> plan);

  /// Starts a thread: its id, or kRefused. Any member's thread; for embedders too.
  std::int32_t spawn(std::uint32_t start_arg);

 private:
  struct Start;
  static void thread_body(void* start, const std::uint8_t* stack_limit);
  void run(runtime::Store& store, std::uint32_t start_arg);
  /// kRefused, once the note has been told why.
  std::int32_t refused(const std::string& why) const;
  /// Ends the group because a thread that the guest believes to run cannot.
  void refuse(std::uint32_t tid, const std::string& why);

  runtime::ThreadGroup& group_;
  runtime::ResourceLimits* limits_;
  const Note note_;
  std::shared_ptr<const runtime::InstancePlan> plan_;
  Tids tids_;
};

}  // namespace heddle::threads
