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
// Deadlock: activity_ packs two counts into one word, so that one read sees both: the threads that live (admitted, or
// members of their own) and those of them that wait on a cell for ever. A waiter is counted when it is queued and
// uncounted when it is unlinked, both under the bucket's lock, so a counted one cannot go on by itself. When the counts
// are equal, nobody is left who could notify: no false positive, as long as only members notify (a shared memory that
// several groups or the host's own threads use: switch it off).
//
// A spawned thread is admitted (counted) before its native thread exists, becomes a member when it runs, leaves, and is
// released as the last thing it does; NativeThreads then joins it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "runtime/native_threads.h"
#include "runtime/outcome.h"
#include "runtime/store.h"

namespace heddle::runtime {

class Trace;

class ThreadGroup {
 public:
  struct Options {
    std::uint32_t max_threads = 16'384;        ///< counted with the main thread
    std::size_t thread_stack_bytes = 1 << 20;  ///< guest part of each spawned thread's native stack
    bool report_deadlock = true;               ///< end the group when all its threads wait for ever
    /// Called by whoever claims the end, right after it is decided and before the other threads are interrupted. May
    /// end the process.
    std::function<void(const Outcome&)> on_claim;
    Trace* trace = nullptr;  ///< borrowed: where all members' doings are noted, if anywhere
  };

  explicit ThreadGroup(Options options) : options_(std::move(options)), native_(options_.thread_stack_bytes) {}
  ~ThreadGroup();
  const Options& options() const { return options_; }

  /// Registers the calling thread's store. False if the group is ending: do not enter wasm.
  /// `admitted`: the thread was admitted before, so it is counted already.
  bool add_member(Store& store, bool admitted = false) HEDDLE_EXCLUDES(mutex_);
  /// The calling thread's store leaves; after this it gets no more interrupts. Its thread may be joined afterwards. An
  /// admitted one counts no longer against max_threads: the guest has joined it by now, perhaps, and wants another.
  void remove_member(Store& store) HEDDLE_EXCLUDES(mutex_);

  /// Claims the group's end. Returns true if this call decided the outcome. Any thread; not from a signal handler.
  bool request_exit(Outcome outcome) HEDDLE_EXCLUDES(mutex_);
  /// True once somebody claimed the end. Acquire; pairs with the release in request_exit.
  bool ending() const { return claimed_.load(std::memory_order_acquire); }
  enum class Admission : std::uint8_t { admitted, full, ending };
  /// Counts a thread that is about to be started; each admitted one is released once.
  [[nodiscard]] Admission admit_thread() HEDDLE_EXCLUDES(mutex_);
  /// `was_member`: its store has joined and left.
  void release_thread(bool was_member = false) HEDDLE_EXCLUDES(mutex_);
  /// Where admitted threads come from.
  NativeThreads& native() { return native_; }

  /// Blocks until no member is left and all admitted threads are gone; returns the outcome (returned/0 if nobody
  /// claimed).
  Outcome wait_ended() HEDDLE_EXCLUDES(mutex_);
  /// The outcome, once claimed.
  std::optional<Outcome> outcome() HEDDLE_EXCLUDES(mutex_);

  /// Members at this moment (the main thread included).
  std::uint32_t member_count() HEDDLE_EXCLUDES(mutex_);
  /// Calls `use` with all members' stores while nobody can join or leave: for reports. `use` must not wait for
  /// something that takes part in the group, nor re-enter.
  void for_all_members(const std::function<void(const std::vector<Store*>&)>& use) HEDDLE_EXCLUDES(mutex_);

  /// The calling member's thread is queued for a wait without timeout. True if now all living threads are: then the
  /// caller calls end_by_deadlock() once it holds no lock.
  [[nodiscard]] bool begin_endless_wait() {
    return all_wait(activity_.fetch_add(kOneWaiting, std::memory_order_acq_rel) + kOneWaiting);
  }
  /// Such a wait is unlinked. By whoever does it, before the waiter can go on.
  void end_endless_wait() { activity_.fetch_sub(kOneWaiting, std::memory_order_acq_rel); }
  /// Ends the group with a report of all threads, all of which wait.
  void end_by_deadlock() HEDDLE_EXCLUDES(mutex_);

 private:
  static constexpr std::uint64_t kOneWaiting = 1;
  static constexpr std::uint64_t kOneLiving = std::uint64_t{1} << 32;
  static bool all_wait(std::uint64_t activity) { return (activity >> 32) == (activity & 0xffff'ffff) && activity != 0; }

  Options options_;
  base::Mutex mutex_;
  base::CondVar left_;
  std::vector<Store*> members_ HEDDLE_GUARDED_BY(mutex_);
  std::optional<Outcome> outcome_ HEDDLE_GUARDED_BY(mutex_);
  std::uint32_t admitted_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint32_t leaving_ HEDDLE_GUARDED_BY(mutex_) = 0;  // of those: were members and only tidy up
  std::atomic<bool> claimed_{false};
  /// Living threads in the upper half, those that wait for ever in the lower. acq_rel: who finds both equal sees the
  /// stacks of all waiters as they left them.
  std::atomic<std::uint64_t> activity_{0};
  NativeThreads native_;  // last: its threads use everything above
};

}  // namespace heddle::runtime
