// CHECK and DCHECK: our own mistakes end the process with one sentence that names the broken invariant.
// They are never used for bad input (that is base::Result) nor for guest traps.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace heddle::base {

/// Prints "heddle: internal error: ..." on stderr and aborts. Any thread; not from a signal handler.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* message);

}  // namespace heddle::base

/// Always on, at boundaries. `message` says which invariant is broken.
#define HEDDLE_CHECK(condition, message)                                                                          \
  do {                                                                                                            \
    if (__builtin_expect(!(condition), 0)) ::heddle::base::check_failed(__FILE__, __LINE__, #condition, message); \
  } while (false)

#ifdef NDEBUG
#define HEDDLE_DCHECK(condition, message) \
  do {                                    \
  } while (false && (condition))
#else
#define HEDDLE_DCHECK(condition, message) HEDDLE_CHECK(condition, message)
#endif

/// For the arm of a switch that the types say cannot be reached.
#define HEDDLE_UNREACHABLE(message) ::heddle::base::check_failed(__FILE__, __LINE__, "unreachable", message)
