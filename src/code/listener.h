// Listener: whoever wants to know of machine code that comes and goes: profilers' maps, debuggers, statistics, a trace,
// the queue of functions to improve. A module without listeners pays one load for each piece of code (module_code.h).
#pragma once

#include <cstdint>
#include <vector>

#include "abi/artifact.h"
#include "code/space.h"

namespace heddle::code {

/// A piece of code that is complete in memory and that no thread runs yet.
struct NewCode {
  enum class Kind : std::uint8_t {
    first,       ///< of a function, when it is called first (or all are compiled)
    better,      ///< of a function that has code already
    loop_entry,  ///< of a function, entered at the loop `loop_offset`: where threads go on that leave older code there
    loop_stub,   ///< what takes them there
  };
  const FunctionCode& code;
  Kind kind = Kind::first;
  std::uint32_t loop_offset = 0;  ///< body_offset, with loop_entry and loop_stub
  std::uint64_t compile_ns = 0;   ///< how long making it took; the stub's time is in its loop_entry's
  std::uint64_t at_ns = 0;        ///< CLOCK_MONOTONIC, now
  // What FunctionCode does not keep.
  const std::vector<abi::SlotRelocation>& relocations;
  const std::string& listing;  ///< empty unless asked for
};

/// Told on the thread that made the code, by one thread of a module at a time; guest threads wait meanwhile, perhaps.
class Listener {
 public:
  virtual void on_new_code(const NewCode&) {}
  /// The function was compiled on demand, or came with one that was, and can be called by now.
  virtual void on_compiled(const ModuleCode&, spec::FuncIndex) {}
  /// All code of the module is about to go.
  virtual void on_gone(const ModuleCode&) {}
  /// Whether CodeArtifact::listing is to be made. Asked before compilation, by any threads at once.
  virtual bool wants_listing(const ModuleCode&, spec::FuncIndex) const { return false; }

 protected:
  ~Listener() = default;
};

}  // namespace heddle::code
