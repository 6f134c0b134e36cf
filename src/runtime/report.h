// What the user reads when a run ends badly: the thread, the trap, and the guest's stack.
#pragma once

#include <string>

#include "runtime/outcome.h"
#include "runtime/stack_walk.h"

namespace heddle::runtime {

class Store;

/// "main thread" or "thread 7".
std::string thread_name(std::uint32_t tid);

/// One line for each frame: "    at name (module offset 0x1a2b)"; at most `max_frames`, then "... N more". The names
/// are the name section's. Not from a signal handler.
std::string format_stack(const StackTrace& trace, std::size_t max_frames = 50);

/// Exit code of a group that a trap, a deadlock or a refused thread ended: 128 + SIGABRT, as Wasmtime's.
inline constexpr std::int32_t kTrapExitCode = 134;

/// The outcome of a group one of whose calls ended with `status` (trapped or exception) on `store`'s own thread, after
/// which nothing else has run on it.
Outcome trap_outcome(Store& store, EntryStatus status);

}  // namespace heddle::runtime
