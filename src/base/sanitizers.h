// What sanitizers need to be told. Empty in ordinary builds.
#pragma once

/// A function that a signal handler calls: not instrumented by ThreadSanitizer, whose own state may be half changed
/// when the signal comes. Give it to definitions. It spares what the function itself does, atomics by builtins
/// included, not what it calls (std::atomic's members are calls).
#ifdef __clang__
#define HEDDLE_IN_SIGNAL_HANDLER __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation))
#else
#define HEDDLE_IN_SIGNAL_HANDLER __attribute__((no_sanitize("thread")))
#endif
