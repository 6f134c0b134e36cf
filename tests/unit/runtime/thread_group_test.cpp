#include "runtime/thread_group.h"

#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <memory>
#include <sched.h>
#include <thread>
#include <vector>

#include "runtime/parking_lot.h"
#include "runtime/report.h"
#include "support/machine_instance.h"
#include "support/stress.h"

namespace heddle::runtime {
namespace {

using test::as_current;

Outcome exited(std::int32_t code) {
  Outcome o;
  o.kind = Outcome::Kind::exited;
  o.exit_code = code;
  return o;
}

TEST(ThreadGroup, first_claim_wins_and_later_ones_change_nothing) {
  for (int round = 0; round < test::rounds(300); ++round) {
    ThreadGroup group({});
    constexpr int kThreads = 8;
    std::atomic<int> ready{0}, wins{0}, winner{-1};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        ready.fetch_add(1);
        while (ready.load() < kThreads) sched_yield();
        if (group.request_exit(exited(i))) {
          wins.fetch_add(1);
          winner = i;
        }
        EXPECT_TRUE(group.ending());
      });
    }
    for (auto& t : threads) t.join();
    EXPECT_EQ(wins, 1);
    EXPECT_EQ(group.wait_ended().exit_code, winner.load());
  }
}

TEST(ThreadGroup, nobody_joins_or_is_admitted_once_it_ends) {
  ThreadGroup group({});
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::admitted);
  group.release_thread();
  group.request_exit(exited(3));
  Store store(&group, test::stack_limit_here(), nullptr);
  EXPECT_FALSE(group.add_member(store));
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::ending);
  EXPECT_EQ(group.wait_ended().exit_code, 3);
}

TEST(ThreadGroup, main_thread_counts_against_the_limit) {
  ThreadGroup::Options options;
  options.max_threads = 2;
  ThreadGroup group(options);
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::admitted);
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::full);
  group.release_thread();
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::admitted);
  Store store(&group, test::stack_limit_here(), nullptr);
  ASSERT_TRUE(group.add_member(store, /*admitted=*/true));
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::full);
  group.remove_member(store);
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::admitted) << "in the place of one that only tidies up";
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::full);
  group.release_thread(true);
  EXPECT_EQ(group.admit_thread(), ThreadGroup::Admission::full);
  group.release_thread();
}

TEST(ThreadGroup, joining_races_with_claiming_and_nobody_is_forgotten) {
  // A member either was there when the end was claimed, and its wait is interrupted, or it is refused.
  const test::Watchdog watchdog(120, "a member missed the end of its group");
  for (int round = 0; round < test::rounds(300); ++round) {
    ThreadGroup group({});
    std::uint32_t cell = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        Store store(&group, test::stack_limit_here(), nullptr);
        if (!group.add_member(store)) return;
        as_current(store, [&] { EXPECT_EQ(wait32(store, &cell, 0, -1), WaitResult::interrupted); });
        group.remove_member(store);
      });
    }
    test::Random(static_cast<std::uint64_t>(round)).spin(20'000);
    group.request_exit(exited(1));
    group.wait_ended();
    EXPECT_EQ(group.member_count(), 0u);
    for (auto& t : threads) t.join();
  }
}

TEST(Deadlock, last_thread_that_waits_for_ever_ends_the_group) {
  const test::Watchdog watchdog(120, "a deadlock went unnoticed");
  for (int round = 0; round < test::rounds(200); ++round) {
    ThreadGroup group({});
    constexpr int kThreads = 4;
    std::uint32_t cells[kThreads] = {};
    std::vector<std::thread> threads;
    std::atomic<int> joined{0};
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        Store store(&group, test::stack_limit_here(), nullptr);
        ASSERT_TRUE(group.add_member(store));
        joined.fetch_add(1);
        while (joined.load() < kThreads) sched_yield();
        as_current(store, [&] {
          // One with a timeout first: no deadlock as long as it runs.
          if (i == 0) EXPECT_EQ(wait32(store, &cells[0], 0, 100'000), WaitResult::timed_out);
          EXPECT_EQ(wait32(store, &cells[i], 0, -1), WaitResult::interrupted);
        });
        group.remove_member(store);
      });
    }
    for (auto& t : threads) t.join();
    const Outcome outcome = group.wait_ended();
    EXPECT_EQ(outcome.kind, Outcome::Kind::deadlocked);
    EXPECT_EQ(outcome.exit_code, 134);
    EXPECT_NE(outcome.message.find("deadlock: all 4 threads wait"), std::string::npos) << outcome.message;
  }
}

TEST(Deadlock, none_is_seen_while_somebody_can_still_notify) {
  // Three of four sleep for ever most of the time; whoever runs wakes one and goes to sleep. The last one to finish
  // wakes all. Any report is false.
  const test::Watchdog watchdog(120, "a wake-up was lost");
  ThreadGroup group({});
  constexpr int kThreads = 4;
  const int turns = test::rounds(40'000);
  std::uint32_t turn = 0;
  std::vector<std::thread> threads;
  std::atomic<int> joined{0};
  for (std::uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Store store(&group, test::stack_limit_here(), nullptr);
      ASSERT_TRUE(group.add_member(store));
      joined.fetch_add(1);
      while (joined.load() < kThreads) sched_yield();
      as_current(store, [&] {
        for (std::uint32_t seen;
             (seen = __atomic_load_n(&turn, __ATOMIC_SEQ_CST)) < static_cast<std::uint32_t>(turns);) {
          if (seen % kThreads != i) {
            ASSERT_NE(wait32(store, &turn, seen, -1), WaitResult::interrupted);
            continue;
          }
          __atomic_store_n(&turn, seen + 1, __ATOMIC_SEQ_CST);
          notify(&turn, UINT32_MAX);
        }
      });
      group.remove_member(store);
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_FALSE(group.ending());
}

TEST(ThreadReports, thread_that_does_not_answer_is_named) {
  ThreadGroup group({});
  std::atomic<bool> joined{false}, reported{false};
  std::thread deaf([&] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    Store store(&group, test::stack_limit_here(), nullptr);
    store.state().kind = ThreadState::Kind::running;
    EXPECT_TRUE(group.add_member(store));
    joined = true;
    while (!reported.load()) sched_yield();
    group.remove_member(store);
  });
  while (!joined.load()) sched_yield();
  EXPECT_EQ(format_reports(report_threads(group)), "\n\nmain thread: running, does not answer: no stack");
  reported = true;
  deaf.join();
}

struct Counted {
  ThreadGroup& group;
  std::atomic<int> ran{0};
  std::atomic<int> small_stacks{0};
};

TEST(NativeThreads, all_are_gone_when_the_group_has_ended) {
  ThreadGroup::Options options;
  options.thread_stack_bytes = 128 << 10;
  ThreadGroup group(options);
  Counted counted{group};
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(group.admit_thread(), ThreadGroup::Admission::admitted);
    ASSERT_TRUE(group.native().start(
        [](void* p, const std::uint8_t* limit) {
          auto& c = *static_cast<Counted*>(p);
          const auto* here = static_cast<const std::uint8_t*>(__builtin_frame_address(0));
          if (here < limit || static_cast<std::size_t>(here - limit) < (128 << 10)) c.small_stacks.fetch_add(1);
          c.ran.fetch_add(1);
          c.group.release_thread();
        },
        &counted));
  }
  group.wait_ended();
  EXPECT_EQ(counted.ran, 2000);
  EXPECT_EQ(counted.small_stacks, 0) << "the guest's part is as large as was asked for";
}

}  // namespace
}  // namespace heddle::runtime
