// How a run ends: of one call, of one thread, of a group.
#pragma once

#include <cstdint>
#include <string>

#include "spec/trap_codes.h"

namespace heddle::runtime {

/// The result of entering wasm once.
enum class EntryStatus : std::uint32_t {
  returned = 0,     ///< results are valid
  trapped = 1,      ///< VmStore::trap_code says why
  interrupted = 2,  ///< the group ends (or the embedder asked): nothing more to say here
  exception = 3,    ///< VmStore::pending_exception reached the host
};

/// How a ThreadGroup ended. Decided once (ThreadGroup::request_exit), never changed.
struct Outcome {
  enum class Kind : std::uint8_t { returned, exited, trapped, signalled, timed_out, deadlocked } kind = Kind::returned;
  /// returned 0; exited: the guest's; trapped and deadlocked 134; signalled 128+n; timed_out 124 (semantics: how a
  /// group ends).
  std::int32_t exit_code = 0;
  std::uint32_t tid = 0;  ///< thread that caused it; 0 is the main thread
  spec::TrapCode trap = spec::TrapCode::none;
  std::string message;  ///< complete sentence(s) for the user, with stacks; empty for returned and exited
};

}  // namespace heddle::runtime
