#include "runtime/parking_lot.h"

#include <gtest/gtest.h>
#include <memory>
#include <sched.h>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "support/machine_instance.h"
#include "support/stress.h"

namespace heddle::runtime {
namespace {

using test::as_current;
using test::Random;

/// Threads that wait, each with a store of its own.
class Waiters {
 public:
  template <class F>
  void add(F body) {
    threads_.emplace_back([body] {
      Store store(nullptr, test::stack_limit_here(), nullptr);
      body(store);
    });
  }
  ~Waiters() { join(); }
  void join() {
    for (auto& t : threads_) t.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

/// Returns when the thread has queued itself and is about to sleep.
void await_kind(Store& store) {
  while (store.state().kind.load() != ThreadState::Kind::waiting &&
         store.state().kind.load() != ThreadState::Kind::waiting_until)
    sched_yield();
}

TEST(ParkingLot, value_that_differs_does_not_wait) {
  Store store(nullptr, test::stack_limit_here(), nullptr);
  std::uint32_t cell = 5;
  std::uint64_t wide = 1ull << 40;
  EXPECT_EQ(wait32(store, &cell, 4, -1), WaitResult::not_equal);
  EXPECT_EQ(wait64(store, &wide, 0, -1), WaitResult::not_equal);
  EXPECT_EQ(notify(&cell, 1), 0u);
}

TEST(ParkingLot, timeout_ends_a_wait_and_leaves_nothing) {
  Store store(nullptr, test::stack_limit_here(), nullptr);
  std::uint32_t cell = 5;
  EXPECT_EQ(wait32(store, &cell, 5, 0), WaitResult::timed_out);
  const std::uint64_t before = base::monotonic_ns();
  EXPECT_EQ(wait32(store, &cell, 5, 2'000'000), WaitResult::timed_out);
  EXPECT_GE(base::monotonic_ns() - before, 2'000'000u);
  EXPECT_EQ(notify(&cell, 10), 0u);
}

TEST(ParkingLot, longest_timeout_is_a_long_time) {
  const test::Watchdog watchdog(60, "a notify was lost");
  std::uint32_t cell = 0;
  std::atomic<Store*> sleeper{nullptr};
  Waiters w;
  w.add([&](Store& s) {
    sleeper = &s;
    EXPECT_EQ(wait32(s, &cell, 0, INT64_MAX), WaitResult::ok);
  });
  while (sleeper.load() == nullptr) sched_yield();
  await_kind(*sleeper.load());
  while (notify(&cell, 1) == 0) sched_yield();
}

TEST(ParkingLot, waiters_of_both_widths_are_woken_in_turn) {
  const test::Watchdog watchdog(60, "a notify was lost");
  alignas(8) std::uint64_t cell = 0;
  auto* narrow = reinterpret_cast<std::uint32_t*>(&cell);
  std::vector<int> order;
  std::mutex order_mutex;
  Waiters w;
  for (int i = 0; i < 6; ++i) {
    std::atomic<Store*> sleeper{nullptr};
    w.add([&, i](Store& s) {
      sleeper = &s;
      const auto r = i % 2 == 0 ? wait32(s, narrow, 0, -1) : wait64(s, &cell, 0, -1);
      EXPECT_EQ(r, WaitResult::ok);
      const std::lock_guard<std::mutex> lock(order_mutex);
      order.push_back(i);
    });
    while (sleeper.load() == nullptr) sched_yield();
    await_kind(*sleeper.load());
  }
  for (std::size_t woken = 0; woken < 6;) {
    const std::uint32_t want = woken == 0 ? 2 : 1;
    ASSERT_EQ(notify(&cell, want), want);
    woken += want;
    for (bool all = false; !all; sched_yield()) {
      const std::lock_guard<std::mutex> lock(order_mutex);
      all = order.size() == woken;
    }
  }
  EXPECT_EQ(notify(&cell, UINT32_MAX), 0u);
  w.join();
  EXPECT_LT(order[0], 2);
  for (int i = 2; i < 6; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i) << "first in, first out";
}

TEST(ParkingLot, interrupt_ends_a_wait_for_ever_and_unlinks_it) {
  const test::Watchdog watchdog(60, "an interrupt of a wait was lost");
  std::uint32_t cell = 0;
  for (int i = 0; i < test::rounds(2000); ++i) {
    std::atomic<Store*> sleeper{nullptr};
    std::atomic<bool> may_go{false};
    Waiters w;
    w.add([&](Store& s) {
      as_current(s, [&] {
        sleeper = &s;
        EXPECT_EQ(wait32(s, &cell, 0, i % 2 != 0 ? -1 : 3'600'000'000'000), WaitResult::interrupted);
      });
      while (!may_go) sched_yield();
    });
    while (sleeper.load() == nullptr) sched_yield();
    sleeper.load()->interrupt();
    may_go = true;
  }
  EXPECT_EQ(notify(&cell, UINT32_MAX), 0u);
}

TEST(ParkingLot, no_wake_up_is_lost_between_compare_and_sleep) {
  // Two threads hand a turn back and forth. Each waits for ever, so one lost wake-up is a hang: this is what happened
  // when a waiter was counted after its comparison instead of before.
  const test::Watchdog watchdog(240, "a wake-up was lost");
  const int turns = test::rounds(200'000);
  alignas(8) std::uint64_t cells[2] = {};
  const auto player = [&](Store& s, std::uint64_t own, Random random) {
    for (std::uint64_t turn = own; turn < static_cast<std::uint64_t>(turns); turn += 2) {
      // Both sides look a random moment longer, so that a store often falls right between the other's look and its
      // wait.
      for (std::uint32_t k = random.below(300); k != 0; --k) {
        if (__atomic_load_n(&cells[0], __ATOMIC_SEQ_CST) == turn) break;
      }
      for (std::uint64_t seen; (seen = __atomic_load_n(&cells[0], __ATOMIC_SEQ_CST)) != turn;) {
        const auto r =
            own == 0 ? wait32(s, reinterpret_cast<std::uint32_t*>(&cells[0]), static_cast<std::uint32_t>(seen), -1)
                     : wait64(s, &cells[0], seen, -1);
        ASSERT_NE(r, WaitResult::timed_out);
      }
      for (std::uint32_t k = random.below(300); k != 0; --k) asm volatile("");
      __atomic_store_n(&cells[0], turn + 1, __ATOMIC_SEQ_CST);
      notify(&cells[0], 1);
    }
  };
  Waiters w;
  w.add([&](Store& s) { player(s, 0, Random(1)); });
  w.add([&](Store& s) { player(s, 1, Random(2)); });
  w.join();
  EXPECT_EQ(cells[0], static_cast<std::uint64_t>(turns));
}

TEST(ParkingLot, notified_and_woken_agree_exactly_with_racing_timeouts) {
  // What notify returns in sum is how many waits returned ok: none twice, none lost, on few cells of both widths.
  const test::Watchdog watchdog(240, "a waiter did not come back");
  constexpr int kCells = 3;
  constexpr int kWaiters = 6;
  alignas(64) std::uint64_t cells[kCells] = {};
  std::atomic<std::uint64_t> woken{0}, timed_out{0}, told{0};
  std::atomic<int> waiting{kWaiters};
  const int waits = test::rounds(4000);
  Waiters w;
  for (int i = 0; i < kWaiters; ++i) {
    w.add([&, i](Store& s) {
      Random random(10 + static_cast<std::uint64_t>(i));
      for (int n = 0; n < waits; ++n) {
        std::uint64_t* cell = &cells[random.below(kCells)];
        const std::int64_t timeout = static_cast<std::int64_t>(random.below(60'000));
        const auto r = random.below(2) == 0 ? wait32(s, reinterpret_cast<std::uint32_t*>(cell), 0, timeout)
                                            : wait64(s, cell, 0, timeout);
        ASSERT_TRUE(r == WaitResult::ok || r == WaitResult::timed_out);
        (r == WaitResult::ok ? woken : timed_out).fetch_add(1);
      }
      waiting.fetch_sub(1);
    });
  }
  for (int i = 0; i < 2; ++i) {
    w.add([&, i](Store&) {
      Random random(20 + static_cast<std::uint64_t>(i));
      while (waiting.load() != 0) {
        told.fetch_add(notify(&cells[random.below(kCells)], 1 + random.below(3)));
        random.spin(2000);
      }
    });
  }
  w.join();
  EXPECT_EQ(woken.load(), told.load());
  EXPECT_EQ(woken + timed_out, static_cast<std::uint64_t>(kWaiters) * static_cast<std::uint64_t>(waits));
  EXPECT_GT(woken.load(), 0u);
  EXPECT_GT(timed_out.load(), 0u);
  for (auto& cell : cells) EXPECT_EQ(notify(&cell, UINT32_MAX), 0u);
}

TEST(ParkingLot, million_addresses_leave_nothing_behind) {
  Store store(nullptr, test::stack_limit_here(), nullptr);
  std::vector<std::uint32_t> cells(1'000'000);
  for (auto& cell : cells) ASSERT_EQ(wait32(store, &cell, 0, 0), WaitResult::timed_out);
  for (std::size_t i = 0; i < cells.size(); i += 1000) EXPECT_EQ(notify(&cells[i], 1), 0u);
}

}  // namespace
}  // namespace heddle::runtime
