// Signals to the command line's own process. SIGINT and SIGTERM end the program at once with exit code 128 + n
// (semantics: how a group of threads ends), like every other end: the group is asked, so the trace is written. A second
// one ends the process whatever state it is in. SIGQUIT prints what all threads do and the program goes on.
//
// One thread of ours waits for all of them, so that what follows a signal is ordinary code and no handler. The same
// thread starts the tier-up when the program has run for some milliseconds, which most commands never do.
#pragma once

#include "engine/engine.h"
#include "runtime/thread_group.h"

namespace heddle::cli {

/// Before any other thread is made, so that all inherit the mask. Signals that were ignored when we started (nohup,
/// background jobs) stay ignored. Until end_on_signals() a signal just ends the process. `debugged`: SIGINT is left as
/// it is, because a debugger, which stops the program then, is not told of a signal that a thread waits for.
void watch_signals(bool debugged);

/// A write to a closed pipe is the guest's error `pipe` and one beyond the file size that the user allows (ulimit -f)
/// its error `fbig`; neither is our death, nor is one of our own (the cache).
void take_failed_writes_as_errors();

/// From now on there is something to end. `group` is borrowed for the rest of the process's life.
void end_on_signals(runtime::ThreadGroup& group);

/// Calls engine.start_tier_up() soon and start_validation() later. `engine` (made with Config::later) is borrowed for
/// the rest of the process's life. After watch_signals(), by its thread.
void improve_later(const engine::Engine& engine);

}  // namespace heddle::cli
