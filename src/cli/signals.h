// SIGINT and SIGTERM end the program at once with exit code 128 + n (semantics: how a group of threads ends). In the
// command line's own process that is _exit from the handler: nothing is buffered, and no thread has to be asked.
#pragma once

#include "runtime/thread_group.h"

namespace heddle::cli {

/// Signals that were ignored when we started (nohup, background jobs) stay ignored. `group` is borrowed for the rest of
/// the process's life.
void end_on_signals(const runtime::ThreadGroup& group);

}  // namespace heddle::cli
