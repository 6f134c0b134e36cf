// ModuleCode: the code of one module, shared by all threads and instances: jump-table slots, lazy compilation,
// publication.
//
// A function's states (per function, one atomic word):
//   lazy       slot -> lazy stub. Nobody has called it.
//   compiling  one thread won lazy -> compiling (compare-exchange) and compiles.
//   awaited    the same, and somebody waits on the word (futex): set by the first who waits.
//   ready      code published: FunctionCode in the space's lookup, then slot stored with release, then the word with
//              release, then, if it was `awaited`, all waiters woken.
//   failed     the body is invalid: the error is kept, every call traps (invalid_function_body).
// Exactly one thread compiles a function; nobody compiles twice. A caller that loads the old slot value goes through
// the stub again and finds `ready`.
//
// Code that the tier has kept comes with that of other functions (abi::KeptCode), which take the same way on the same
// thread: each for which it wins lazy -> compiling becomes ready before the thread waits for anybody; the others belong
// to threads that are at them already. So a thread may find code `ready` that nobody has called.
//
// Better code (tier-up) only replaces the slot's value; the state stays `ready`, the old code stays mapped and correct.
//
// A loop of published code (abi::OsrPoint) is in one of two states: its header holds a no-operation, or a jump to a
// stub that takes the thread to other code. The change is one aligned store of eight bytes around the five, which lie
// in one cache line: a processor that fetches the instruction sees all of the old or all of the new one (the rule that
// AMD states for aligned quadwords and that other engines rely on for patched entries on Intel's). Stub and new code
// are complete in memory before, and x86 keeps stores in order; a thread that has fetched the no-operation goes through
// the old loop once more.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "abi/tier.h"
#include "abi/vmctx.h"
#include "base/mutex.h"
#include "base/result.h"
#include "binary/names.h"
#include "code/listener.h"
#include "code/space.h"
#include "module/validated.h"

namespace heddle::code {

/// Where code comes from, as listeners are told.
struct Origin {
  const char* tier = "";         ///< static
  std::uint64_t compile_ns = 0;  ///< 0: not measured
};

class ModuleCode {
 public:
  /// `tier` is borrowed and outlives all code. Errors: limit (no executable memory left).
  static base::Result<std::shared_ptr<ModuleCode>> create(module::CheckedModule m, const abi::Tier& tier);
  /// Nobody may run or walk the module's code any more.
  ~ModuleCode();
  ModuleCode(const ModuleCode&) = delete;
  ModuleCode& operator=(const ModuleCode&) = delete;

  const module::Module& module() const { return checked_.module(); }
  const module::CheckedModule& checked() const { return checked_; }
  const abi::VmLayout& layout() const { return layout_; }
  /// Read when first asked for. Any thread.
  const binary::Names& names() const HEDDLE_EXCLUDES(mutex_);

  /// From now on `listener` (borrowed) is told of this module's code. Any thread; what it is told after it was added
  /// by another thread than the one that compiles may begin in the middle.
  void add_listener(Listener& listener) HEDDLE_EXCLUDES(listeners_mutex_);
  /// Afterwards it is not told any more, nor being told.
  void remove_listener(Listener& listener) HEDDLE_EXCLUDES(listeners_mutex_);
  /// Whether a listener wants CodeArtifact::listing of this function.
  bool wants_listing(spec::FuncIndex func) const HEDDLE_EXCLUDES(listeners_mutex_);
  /// The code of this module at `pc`, or nullptr. Any thread; unlike Space::find also for a pc of whatever is gone.
  const FunctionCode* find(const void* pc) const HEDDLE_EXCLUDES(mutex_);

  /// Jump-table slot of a defined function.
  const abi::Slot* slot(spec::FuncIndex func) const { return &slots_[defined(func)]; }
  /// Compiles the function if nobody has; waits if somebody is at it. Code address, or nullptr if the body is invalid.
  const void* ensure_compiled(spec::FuncIndex func);
  /// True once ensure_compiled would return at once.
  bool is_settled(spec::FuncIndex func) const;
  /// Compiles every function now, on up to `threads` threads (0: one for each processor). The lowest-offset error.
  base::Status compile_all(unsigned threads);
  /// Of the validation errors that lazy compilation met so far the one with the lowest offset.
  std::optional<base::Error> error() const HEDDLE_EXCLUDES(mutex_);
  /// Publishes better code for a function that may be running (tier-up). Any thread. Errors: limit.
  base::Status publish(abi::CodeArtifact artifact, Origin origin) HEDDLE_EXCLUDES(mutex_) {
    return publish(std::move(artifact), origin, NewCode::Kind::better);
  }
  /// Moves threads out of a loop of `old` from its header's next execution on: `stub` and `entry` are the two halves
  /// that CompileRequest::osr_loop asks for. Any thread, once for each loop. Errors: limit.
  base::Status publish_osr(const FunctionCode& old, const abi::OsrPoint& point, abi::CodeArtifact stub,
                           abi::CodeArtifact entry, Origin origin) HEDDLE_EXCLUDES(mutex_);
  /// The code that calls reach now, in the order in which the functions first had code. Any thread, while others run.
  std::vector<const FunctionCode*> published() const HEDDLE_EXCLUDES(mutex_);
  /// Bytes of machine code published so far.
  std::size_t code_bytes() const { return code_bytes_.load(std::memory_order_relaxed); }

 private:
  enum State : std::uint32_t { lazy, compiling, awaited, ready, failed };

  ModuleCode(module::CheckedModule m, const abi::Tier& tier);
  std::size_t defined(spec::FuncIndex func) const { return func.value - module().imported_functions; }
  std::size_t defined_count() const { return module().bodies.size(); }
  base::Status compile(spec::FuncIndex func);
  /// Publishes the code of `func`, which this thread compiles, and what comes with it and nobody has asked for.
  base::Status take_kept(abi::KeptCode kept, spec::FuncIndex func, std::uint64_t took_ns) HEDDLE_EXCLUDES(mutex_);
  /// Code that has a place but is still to be written there.
  struct Placed {
    const FunctionCode* code;
    base::Bytes bytes;
    std::uint8_t* writable;
  };
  /// Of those that this thread may publish: `func` and what it claims. Empty: no memory.
  std::vector<Placed> place_kept(abi::KeptCode& kept, spec::FuncIndex func) HEDDLE_EXCLUDES(mutex_);
  /// Whether this thread compiles the function from now on; else what it found.
  bool claim(spec::FuncIndex func, std::uint32_t& found);
  void settle(std::size_t index, State state);
  base::Status publish(abi::CodeArtifact artifact, Origin origin, NewCode::Kind kind) HEDDLE_EXCLUDES(mutex_);
  /// Makes the artifact code of this module that nobody calls yet, and tells the listeners. nullptr: no memory.
  const FunctionCode* install(abi::CodeArtifact artifact, Origin origin, NewCode::Kind kind,
                              std::uint32_t loop_offset = 0) HEDDLE_EXCLUDES(mutex_);
  std::unique_ptr<FunctionCode> function_code(abi::CodeTables&& tables, spec::FuncIndex func, base::Bytes code,
                                              const char* tier) const;
  /// nullopt: no memory.
  std::optional<Placed> place(std::unique_ptr<FunctionCode> code, base::Bytes bytes) HEDDLE_REQUIRES(mutex_);
  /// Whether the current chunk has room for so much.
  bool make_room(std::size_t size_bytes) HEDDLE_REQUIRES(mutex_);
  /// Puts the code where it was placed, and tells the listeners.
  void complete(const Placed& placed, NewCode::Kind kind, std::uint32_t loop_offset, std::uint64_t compile_ns,
                const std::string& listing) HEDDLE_EXCLUDES(listeners_mutex_);
  bool is_heard() const { return is_heard_.load(std::memory_order_acquire); }
  template <class Tell>
  void tell(Tell tell) const HEDDLE_EXCLUDES(listeners_mutex_);

  module::CheckedModule checked_;
  const abi::Tier& tier_;
  abi::VmLayout layout_;
  std::atomic<bool> is_heard_{false};    // whether there are listeners: release, pairs with the acquire in is_heard()
  mutable base::Mutex listeners_mutex_;  // held while they are told; before mutex_
  std::vector<Listener*> listeners_ HEDDLE_GUARDED_BY(listeners_mutex_);
  abi::Slot* slots_ = nullptr;
  std::unique_ptr<std::atomic<std::uint32_t>[]> states_;
  std::atomic<std::size_t> code_bytes_{0};  // counter

  mutable base::Mutex mutex_;
  Chunk* chunk_ HEDDLE_GUARDED_BY(mutex_) = nullptr;
  std::vector<Chunk*> chunks_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<FunctionCode>> functions_ HEDDLE_GUARDED_BY(mutex_);
  std::optional<base::Error> error_ HEDDLE_GUARDED_BY(mutex_);
  mutable std::optional<binary::Names> names_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace heddle::code
