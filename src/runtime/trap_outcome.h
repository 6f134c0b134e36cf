// What users read when guest code traps: the thread, the trap, the guest's stack.
#pragma once

#include "runtime/outcome.h"

namespace heddle::runtime {

class Store;

/// The outcome of a group one of whose threads trapped or let an exception escape (`status`), for the call that has
/// just come back on this thread: exit code 134 (128 + SIGABRT, as native programs that abort).
Outcome trap_outcome(Store& store, EntryStatus status);

}  // namespace heddle::runtime
