// What the user reads when a run ends badly: the thread, the trap, and the guest's stack.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/outcome.h"
#include "runtime/stack_walk.h"
#include "runtime/store.h"

namespace heddle::runtime {

class ThreadGroup;

/// "main thread" or "thread 7".
std::string thread_name(std::uint32_t tid);

/// One line for each frame: "    at name (file.c:12, module offset 0x1a2b)"; at most `max_frames`, then "... N more".
/// The names are the name section's, the lines DWARF's, if the module has it. Not from a signal handler.
std::string format_stack(const StackTrace& trace, std::size_t max_frames = 50);

/// What one thread of a group does at a moment: for reports only.
struct ThreadReport {
  std::uint32_t tid = 0;
  ThreadState::Kind kind = ThreadState::Kind::host;
  std::uint64_t wait_address = 0;
  std::uint64_t for_ns = 0;  ///< how long it has waited or been in its host call
  const char* host_call = nullptr;
  std::int64_t host_call_fd = -1;
  bool answered = true;  ///< false: asked for its stack in vain, so that the state is all that is known
  StackTrace stack;
};

/// Of a thread that stands still in a host call or builtin, or the calling thread in one.
ThreadReport report_at_exit(Store& store);
/// Of all members, wherever they are: each writes its own stack down in a signal handler and goes on. A thread that
/// does not answer within a tenth of a second is said not to, and told without stack. Any thread; not from a signal
/// handler.
std::vector<ThreadReport> report_threads(ThreadGroup& group);

/// "\n\nmain thread: waiting at address 0x1f80 for 1.2 s\n    at ..." and so on: the main thread first, threads that
/// do the same in the same place together.
std::string format_reports(std::vector<ThreadReport> reports);

/// Exit code of a group that a trap, a deadlock or a refused thread ended: 128 + SIGABRT, as Wasmtime's.
inline constexpr std::int32_t kTrapExitCode = 134;

/// The outcome of a group one of whose calls ended with `status` (trapped or exception) on `store`'s own thread, after
/// which nothing else has run on it.
Outcome trap_outcome(Store& store, EntryStatus status);

}  // namespace heddle::runtime
