// What sanitizers need to be told. Empty in ordinary builds.
#pragma once

/// A function that a signal handler calls: not instrumented by ThreadSanitizer, whose own state may be half changed
/// when the signal comes. Give it to definitions.
#define HEDDLE_IN_SIGNAL_HANDLER __attribute__((no_sanitize("thread")))
