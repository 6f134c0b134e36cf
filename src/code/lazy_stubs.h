// Lazy stubs as C++ sees them (lazy_stub_x64.S): the first code of every function. They depend only on the function's
// number in its module, so all modules of the process share them.
#pragma once

#include <cstddef>

#include "abi/vmctx.h"
#include "base/result.h"

namespace heddle::code {

class LazyStubs {
 public:
  /// Makes sure that stubs 0 .. count-1 exist. Any thread. Errors: limit (no executable memory left).
  static base::Status reserve(std::size_t count);
  /// Stub of the defined function number `index` (not counting imports); reserved before.
  static const void* stub(std::size_t index);
  /// True for a pc in the part of the stubs' common code that lies between its test of the interrupt flag and wasm. A
  /// signal handler may redirect such a pc out of wasm. Async-signal-safe.
  static bool in_interrupt_window(const void* pc);
  /// True for a pc in the stubs in .text or in their common code, where VmStore::exit_sp may not be right yet or any
  /// more. Async-signal-safe.
  static bool contains(const void* pc);
};

}  // namespace heddle::code
