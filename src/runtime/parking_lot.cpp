// The parking lot (parking_lot.h has the protocol and why it loses no wake-up).
//
// A waiter's node is linked from enqueueing until somebody unlinks it under the bucket's lock: a notifier (then the
// waiter is notified, whatever else happens, and must not leave before the notifier has set its word: the node is on
// its stack), or the waiter itself (timed out, interrupted). Whoever unlinks takes the node out of the count.
#include "runtime/parking_lot.h"

#include <array>
#include <atomic>
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/processors.h"
#include "runtime/interruptible.h"
#include "runtime/thread_group.h"

namespace heddle::runtime {
namespace {

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
  return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

/// A lock of one word: 0 free, 1 held, 2 held and somebody may sleep. Spins a little, because it is held for some tens
/// of instructions, then sleeps, because its holder may have lost its CPU.
class HEDDLE_CAPABILITY("mutex") BucketLock {
 public:
  void lock() HEDDLE_ACQUIRE() {
    std::uint32_t expected = 0;
    if (word_.compare_exchange_strong(expected, 1, std::memory_order_acquire)) return;
    for (int i = 0; i < kSpins; ++i) {
      __builtin_ia32_pause();
      expected = 0;
      if (word_.load(std::memory_order_relaxed) == 0 &&
          word_.compare_exchange_strong(expected, 1, std::memory_order_acquire))
        return;
    }
    while (word_.exchange(2, std::memory_order_acquire) != 0) futex(word_, FUTEX_WAIT, 2);
  }
  void unlock() HEDDLE_RELEASE() {
    if (word_.exchange(0, std::memory_order_release) == 2) futex(word_, FUTEX_WAKE, 1);
  }

 private:
  static constexpr int kSpins = 100;  // chosen: about the time that two context switches cost
  std::atomic<std::uint32_t> word_{0};
};

class HEDDLE_SCOPED_CAPABILITY BucketHold {
 public:
  explicit BucketHold(BucketLock& lock) HEDDLE_ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
  ~BucketHold() HEDDLE_RELEASE() { lock_.unlock(); }

 private:
  BucketLock& lock_;
};

struct Waiter {
  const void* address = nullptr;
  ThreadGroup* endless = nullptr;  // the group that counts this wait, if it has no timeout
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
  bool linked = false;  // under the bucket's lock
  std::atomic<std::uint32_t> word{
      0};  // notified: 1 + who did it. Release by the notifier; pairs with the acquire in sleep()
};

struct alignas(64) Bucket {
  BucketLock lock;
  /// Waiters that have begun to wait and are not unlinked. seq_cst; parking_lot.h says what for.
  std::atomic<std::uint32_t> count{0};
  Waiter* first HEDDLE_GUARDED_BY(lock) = nullptr;
  Waiter* last HEDDLE_GUARDED_BY(lock) = nullptr;

  void append(Waiter& w) HEDDLE_REQUIRES(lock) {
    w.linked = true;
    w.previous = last;
    (last != nullptr ? last->next : first) = &w;
    last = &w;
  }
  void unlink(Waiter& w) HEDDLE_REQUIRES(lock) {
    w.linked = false;
    (w.previous != nullptr ? w.previous->next : first) = w.next;
    (w.next != nullptr ? w.next->previous : last) = w.previous;
    w.next = nullptr;
    count.fetch_sub(1);
    if (w.endless != nullptr) w.endless->end_endless_wait();
  }
};

constexpr std::size_t kBuckets = 256;
std::array<Bucket, kBuckets> g_buckets;

Bucket& bucket_of(const void* address) {
  // Fibonacci hashing: neighbouring cells, and the same cell of different memories, spread over all buckets.
  const auto key = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(address)) >> 2;
  return g_buckets[(key * 0x9e3779b97f4a7c15u) >> 56];
}

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

timespec now(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return t;
}

timespec after(timespec t, std::int64_t ns) {
  t.tv_sec += ns / kNanosecondsPerSecond;
  t.tv_nsec += ns % kNanosecondsPerSecond;
  if (t.tv_nsec >= kNanosecondsPerSecond) {
    t.tv_nsec -= kNanosecondsPerSecond;
    ++t.tv_sec;
  }
  return t;
}

/// Whether another thread could change anything while this one spins. Asked once: a process that is pinned later spins
/// in vain, for a microsecond a wait.
bool has_several_cpus() {
  static const bool several = base::usable_processors() > 1;
  return several;
}

/// About a microsecond on machines whose counter runs at 2 to 4 GHz: a fraction of what sleeping and being woken costs.
constexpr std::uint64_t kSpinTicks = 3000;

/// Leaves the cell alone for a moment and looks again: what is given back within a microsecond is not worth a sleep.
/// One look, at the end: each look takes the cache line away from who is about to change it. Measured on a guest's
/// mutex, 2 CPUs, 10 million operations by 2 threads: 37 ns without, 22 / 14 / 12 ns with 10 / 30 / 100 pauses (native
/// 35); looks in between: 14 ns.
template <class T>
bool changes_soon(const T* address, T expected) {
  if (!has_several_cpus()) return false;
  const std::uint64_t begin = __builtin_ia32_rdtsc();
  do __builtin_ia32_pause();
  while (__builtin_ia32_rdtsc() - begin < kSpinTicks);
  return __atomic_load_n(address, __ATOMIC_SEQ_CST) != expected;
}

enum class Woken { notified, timed_out, cancelled };

Woken sleep(abi::VmStore* vm, Waiter& w, const timespec* deadline) {
  while (w.word.load(std::memory_order_acquire) == 0) {
    const long r = heddle_interruptible_syscall(
        vm, SYS_futex, reinterpret_cast<long>(&w.word), FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 0,
        reinterpret_cast<long>(deadline), 0, static_cast<long>(FUTEX_BITSET_MATCH_ANY));
    if (r == kCancelled) return Woken::cancelled;
    if (r == -ETIMEDOUT) return Woken::timed_out;
  }
  return Woken::notified;
}

/// A notifier has unlinked the node and is about to set its word, after which the node may go.
void await_notifier(Waiter& w) {
  while (w.word.load(std::memory_order_acquire) == 0) futex(w.word, FUTEX_WAIT, 0);
}

/// Marks the thread as waiting for reports, for a scope.
class WaitState {
 public:
  WaitState(ThreadState& state, const timespec& since, bool forever) : state_(state) {
    state_.since_ns.store(static_cast<std::uint64_t>(since.tv_sec * kNanosecondsPerSecond + since.tv_nsec),
                          std::memory_order_relaxed);
    state_.kind.store(forever ? ThreadState::Kind::waiting : ThreadState::Kind::waiting_until,
                      std::memory_order_relaxed);
  }
  ~WaitState() { state_.kind.store(ThreadState::Kind::running, std::memory_order_relaxed); }

 private:
  ThreadState& state_;
};

template <class T>
WaitResult wait(Store& store, T* address, T expected, std::int64_t timeout_ns) {
  // A value that differs now, or a timeout of nothing, needs no place in the queue: this load is the whole wait.
  if (__atomic_load_n(address, __ATOMIC_SEQ_CST) != expected) return WaitResult::not_equal;
  if (timeout_ns == 0) return WaitResult::timed_out;
  if (changes_soon(address, expected)) return WaitResult::not_equal;
  const bool endless = timeout_ns < 0;
  const timespec start = now(endless ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC);
  const timespec deadline = after(start, endless ? 0 : timeout_ns);
  const WaitState state(store.state(), start, endless);
  Bucket& bucket = bucket_of(address);
  Waiter w;
  w.address = address;
  if (endless && store.group() != nullptr && store.group()->options().report_deadlock) w.endless = store.group();
  bool deadlock = false;
  bucket.count.fetch_add(1);  // before the load: see parking_lot.h
  {
    BucketHold hold(bucket.lock);
    if (__atomic_load_n(address, __ATOMIC_SEQ_CST) != expected) {
      bucket.count.fetch_sub(1);
      return WaitResult::not_equal;
    }
    bucket.append(w);
    if (w.endless != nullptr) deadlock = w.endless->begin_endless_wait();
  }
  if (deadlock) w.endless->end_by_deadlock();
  const Woken woken = sleep(store.vm(), w, endless ? nullptr : &deadline);
  const auto note_waker = [&] {
    store.state().woken_by.store(w.word.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  };
  if (woken == Woken::notified) {
    note_waker();
    return WaitResult::ok;
  }
  bool was_linked;
  {
    BucketHold hold(bucket.lock);
    was_linked = w.linked;
    if (was_linked) bucket.unlink(w);
  }
  if (!was_linked) {
    await_notifier(w);
    note_waker();
  }
  if (woken == Woken::cancelled) return WaitResult::interrupted;
  return was_linked ? WaitResult::timed_out : WaitResult::ok;  // notified at the last moment counts as notified
}

}  // namespace

WaitResult wait32(Store& store, std::uint32_t* address, std::uint32_t expected, std::int64_t timeout_ns) {
  return wait(store, address, expected, timeout_ns);
}

WaitResult wait64(Store& store, std::uint64_t* address, std::uint64_t expected, std::int64_t timeout_ns) {
  return wait(store, address, expected, timeout_ns);
}

std::uint32_t notify(const void* address, std::uint32_t count, std::uint32_t by) {
  Bucket& bucket = bucket_of(address);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (count == 0 || bucket.count.load() == 0) return 0;
  Waiter* woken = nullptr;
  Waiter** tail = &woken;
  std::uint32_t n = 0;
  {
    BucketHold hold(bucket.lock);
    for (Waiter* w = bucket.first; w != nullptr && n < count;) {
      Waiter* next = w->next;
      if (w->address == address) {
        bucket.unlink(*w);
        *tail = w;
        tail = &w->next;
        ++n;
      }
      w = next;
    }
  }
  while (woken != nullptr) {
    std::atomic<std::uint32_t>& word = woken->word;
    woken = woken->next;  // before the word is set: after that the node is gone
    word.store(by + 1, std::memory_order_release);
    // The address may be stale by now; then this wakes nobody, or somebody who looks again.
    futex(word, FUTEX_WAKE, 1);
  }
  return n;
}

}  // namespace heddle::runtime
