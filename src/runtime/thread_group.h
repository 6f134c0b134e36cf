// ThreadGroup: the main thread of a program and everything it spawned: what ends together.
//
// States: running -> ending (claimed) -> ended (no members). Written under mutex_, `claimed_` also readable without it.
//   claim:    request_exit takes mutex_; the first one stores the outcome and sets claimed_ (release); later ones
//   change nothing.
//             Then every registered store gets its interrupt flag and the signal, except the caller's own, whose flag
//             is tested when its host call returns.
//   join:     a new thread registers its store (add_member) before it runs guest code; if claimed_ is set by then, it
//   is
//             refused and never enters. Registration and claim take the same mutex, so one of them sees the other.
//   leave:    remove_member under mutex_, before the store is destroyed: a store in the list is alive.
//   ended:    wait_ended() returns when the last member has left and every thread that the group admitted is gone.
//
// A spawned thread is admitted (counted) before its native thread exists, becomes a member when it runs, leaves, and is
// released as the last thing it does; NativeThreads then joins it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "runtime/native_threads.h"
#include "runtime/outcome.h"
#include "runtime/store.h"

namespace heddle::runtime {

class ThreadGroup {
 public:
  struct Options {
    std::uint32_t max_threads = 16'384;        ///< counted with the main thread
    std::size_t thread_stack_bytes = 1 << 20;  ///< guest part of each spawned thread's native stack
    bool report_deadlock = true;
  };

  explicit ThreadGroup(Options options) : options_(options), native_(options.thread_stack_bytes) {}
  ~ThreadGroup();
  const Options& options() const { return options_; }

  /// Registers the calling thread's store. False if the group is ending: do not enter wasm.
  bool add_member(Store& store) HEDDLE_EXCLUDES(mutex_);
  /// The calling thread's store leaves; after this it gets no more interrupts. Its thread may be joined afterwards.
  void remove_member(Store& store) HEDDLE_EXCLUDES(mutex_);

  /// Claims the group's end. Returns true if this call decided the outcome. Any thread; not from a signal handler.
  bool request_exit(Outcome outcome) HEDDLE_EXCLUDES(mutex_);
  /// True once somebody claimed the end. Acquire; pairs with the release in request_exit.
  bool ending() const { return claimed_.load(std::memory_order_acquire); }
  enum class Admission : std::uint8_t { admitted, full, ending };
  /// Counts a thread that is about to be started; each admitted one is released once.
  [[nodiscard]] Admission admit_thread() HEDDLE_EXCLUDES(mutex_);
  void release_thread() HEDDLE_EXCLUDES(mutex_);
  /// Where admitted threads come from.
  NativeThreads& native() { return native_; }

  /// Blocks until no member is left and all admitted threads are gone; returns the outcome (returned/0 if nobody
  /// claimed).
  Outcome wait_ended() HEDDLE_EXCLUDES(mutex_);
  /// The outcome, once claimed.
  std::optional<Outcome> outcome() HEDDLE_EXCLUDES(mutex_);

  /// Members at this moment (the main thread included).
  std::uint32_t member_count() HEDDLE_EXCLUDES(mutex_);
  /// Calls `use` for each member's store while the list is locked: for reports. `use` must not block or re-enter.
  void for_each_member(const std::function<void(Store&)>& use) HEDDLE_EXCLUDES(mutex_);

 private:
  Options options_;
  base::Mutex mutex_;
  base::CondVar left_;
  std::vector<Store*> members_ HEDDLE_GUARDED_BY(mutex_);
  std::optional<Outcome> outcome_ HEDDLE_GUARDED_BY(mutex_);
  std::uint32_t admitted_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> claimed_{false};
  NativeThreads native_;  // last: its threads use everything above
};

}  // namespace heddle::runtime
