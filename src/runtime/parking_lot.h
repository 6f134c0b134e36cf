// memory.atomic.wait and notify (threads proposal, Overview: Wait and Notify operators): an own parking lot on futexes.
//
// 256 buckets by host address, each {spin lock, FIFO of waiters, atomic count}. A waiter is a node on the waiting
// thread's own host stack {address, futex word}, so that no wait leaves memory behind.
//   wait:   look; with several CPUs, look again after a microsecond (nothing is queued yet: a value that differs is the
//           answer, and an interrupt that comes meanwhile is seen before the sleep);
//           count++ first (seq_cst); lock; load the value and compare; enqueue; unlock; sleep on the node's word
//           by the interruptible system call; on timeout or cancel lock and unlink, unless a notifier has the node.
//   notify: seq_cst fence; count == 0 -> 0 waiters; else lock; unlink up to n in FIFO order (32- and 64-bit waiters
//   alike);
//           unlock; set each word and wake it.
// Why count first: a notifier that reads 0 precedes the increment in the total order of seq_cst operations, hence the
// waiter's load comes after the notifier's store and sees the new value. Incrementing after the compare loses wake-ups.
#pragma once

#include <cstdint>

#include "runtime/store.h"

namespace heddle::runtime {

enum class WaitResult : std::uint32_t { ok = 0, not_equal = 1, timed_out = 2, interrupted = 3 };

/// Waits on `address` (host address of an aligned cell) if it holds `expected`. timeout_ns < 0: forever; on the
/// monotonic clock. Own thread of `store`.
WaitResult wait32(Store& store, std::uint32_t* address, std::uint32_t expected, std::int64_t timeout_ns);
WaitResult wait64(Store& store, std::uint64_t* address, std::uint64_t expected, std::int64_t timeout_ns);

/// Wakes up to `count` waiters on `address`; returns how many. Any thread. `by`: its id in the group, which the waiters
/// find in ThreadState::woken_by.
std::uint32_t notify(const void* address, std::uint32_t count, std::uint32_t by = 0);

}  // namespace heddle::runtime
