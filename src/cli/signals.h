// SIGINT and SIGTERM end the program at once with exit code 128 + n (semantics: how a group of threads ends). In the
// command line's own process that is _exit from the handler: nothing is buffered, and no thread has to be asked.
#pragma once

#include "runtime/thread_group.h"

namespace heddle::cli {

/// A write to a closed pipe is the guest's error `pipe` and one beyond the file size that the user allows (ulimit -f)
/// its error `fbig`; neither is our death, nor is one of our own (the cache).
void take_failed_writes_as_errors();

/// Signals that were ignored when we started (nohup, background jobs) stay ignored. `group` is borrowed for the rest of
/// the process's life.
void end_on_signals(const runtime::ThreadGroup& group);

/// SIGQUIT prints what all threads do, with their stacks, and the program goes on. First half: before any thread is
/// made, so that all inherit the mask and one thread of ours gets the signal.
void hold_quit_back();
/// Second half. `group` as above.
void report_on_quit(runtime::ThreadGroup& group);

}  // namespace heddle::cli
