// memory.atomic.wait and notify themselves, below any pthread layer. `wait_notify NAME`; prints ok or what was wrong.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { kOk = 0, kNotEqual = 1, kTimedOut = 2, kWaiters = 12 };

static int failures;
#define EXPECT(condition)                                      \
  do {                                                         \
    if (!(condition)) {                                        \
      printf("line %d: not true: %s\n", __LINE__, #condition); \
      ++failures;                                              \
    }                                                          \
  } while (0)

static int word, other_word;
static long long long_word;
static atomic_int woken, timed_out, arrived;

static int wait32(int* at, int expected, long long timeout) {
  return __builtin_wasm_memory_atomic_wait32(at, expected, timeout);
}
static int wait64(long long* at, long long expected, long long timeout) {
  return __builtin_wasm_memory_atomic_wait64(at, expected, timeout);
}
static unsigned notify(void* at, unsigned count) {
  return __builtin_wasm_memory_atomic_notify(at, count);
}

static void immediate_answers(void) {
  word = 5;
  long_word = 1ll << 40;
  EXPECT(wait32(&word, 4, -1) == kNotEqual);
  EXPECT(wait64(&long_word, 0, -1) == kNotEqual);  // the low half alone would be equal
  EXPECT(wait32(&word, 5, 0) == kTimedOut);
  EXPECT(wait64(&long_word, 1ll << 40, 0) == kTimedOut);
  EXPECT(notify(&word, 1) == 0);
  EXPECT(notify(&word, 0) == 0);
  EXPECT(notify(&word, 0xffffffffu) == 0);
}

static void timeouts_last_as_long_as_said(void) {
  struct timespec start, end;
  word = 1;
  clock_gettime(CLOCK_MONOTONIC, &start);
  EXPECT(wait32(&word, 1, 40 * 1000 * 1000) == kTimedOut);
  clock_gettime(CLOCK_MONOTONIC, &end);
  long long waited = (end.tv_sec - start.tv_sec) * 1000000000ll + (end.tv_nsec - start.tv_nsec);
  EXPECT(waited >= 40 * 1000 * 1000 && waited < 5000ll * 1000 * 1000);
}

static void* wait_on_word(void* number) {
  // Two widths on one address: notify counts them together.
  ++arrived;
  int result = (size_t)number % 2 ? wait32((int*)&long_word, 0, -1) : wait64(&long_word, 0, -1);
  if (result == kOk) ++woken;
  return NULL;
}

static void notify_wakes_exactly_so_many(void) {
  pthread_t threads[kWaiters];
  unsigned total = 0;
  long_word = 0;
  woken = arrived = 0;
  for (size_t i = 0; i < kWaiters; ++i) pthread_create(&threads[i], NULL, wait_on_word, (void*)i);
  while (arrived < kWaiters) sched_yield();
  EXPECT(notify(&other_word, 100) == 0);
  EXPECT(notify(&long_word, 0) == 0);
  while (total < 5) {  // those that have arrived need not have fallen asleep yet
    unsigned now = notify(&long_word, 5 - total);
    EXPECT(now <= 5 - total);
    total += now;
  }
  struct timespec moment = {0, 20 * 1000 * 1000};
  nanosleep(&moment, NULL);  // a wrongly woken one would show
  EXPECT(woken <= 5);
  while (total < kWaiters) total += notify(&long_word, kWaiters);
  for (int i = 0; i < kWaiters; ++i) pthread_join(threads[i], NULL);
  EXPECT(total == kWaiters);
  EXPECT(woken == kWaiters);
}

// Waits with short timeouts against notifies: every notify that says it woke one has woken one, and no other returns 0.
static atomic_int stop;
static void* wait_shortly(void* unused) {
  for (int i = 0; i < 4000; ++i) {
    int result = wait32(&word, 0, i % 5 * 20000);
    if (result == kOk) ++woken;
    if (result == kTimedOut) ++timed_out;
  }
  ++arrived;
  return unused;
}
static void* notify_always(void* sum) {
  unsigned counted = 0;
  while (!stop) counted += notify(&word, 1);
  *(unsigned*)sum = counted;
  return NULL;
}
static void counts_are_exact_under_racing_timeouts(void) {
  pthread_t waiters[4], notifier;
  unsigned counted = 0;
  word = 0;
  woken = timed_out = arrived = stop = 0;
  pthread_create(&notifier, NULL, notify_always, &counted);
  for (int i = 0; i < 4; ++i) pthread_create(&waiters[i], NULL, wait_shortly, NULL);
  for (int i = 0; i < 4; ++i) pthread_join(waiters[i], NULL);
  stop = 1;
  pthread_join(notifier, NULL);
  EXPECT((unsigned)woken == counted);
  EXPECT(woken + timed_out == 4 * 4000);
}

// Two threads hand a number to and fro; a lost wake-up would hang here.
static _Atomic int turn;
static void take_turns(int mine, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    while (atomic_load(&turn) != mine) wait32((int*)&turn, !mine, -1);
    atomic_store(&turn, !mine);
    notify((void*)&turn, 1);
  }
}
static void* second_player(void* unused) {
  take_turns(1, 50000);
  return unused;
}
static void no_wake_up_is_lost(void) {
  pthread_t thread;
  turn = 0;
  pthread_create(&thread, NULL, second_player, NULL);
  take_turns(0, 50000);
  pthread_join(thread, NULL);
}

// A wait with timeout 0 on very many addresses leaves nothing behind.
static char many[1 << 16];
static void many_addresses_leave_nothing(void) {
  int wrong = 0;
  for (int round = 0; round < 60; ++round) {
    for (size_t at = 0; at < sizeof many; at += 4) wrong += wait32((int*)(many + at), 0, 0) != kTimedOut;
  }
  EXPECT(wrong == 0);
}

static const struct {
  const char* name;
  void (*check)(void);
} checks[] = {
    {"immediate_answers", immediate_answers},
    {"timeouts_last_as_long_as_said", timeouts_last_as_long_as_said},
    {"notify_wakes_exactly_so_many", notify_wakes_exactly_so_many},
    {"counts_are_exact_under_racing_timeouts", counts_are_exact_under_racing_timeouts},
    {"no_wake_up_is_lost", no_wake_up_is_lost},
    {"many_addresses_leave_nothing", many_addresses_leave_nothing},
};

int main(int argc, char** argv) {
  int ran = 0;
  for (size_t i = 0; i < sizeof checks / sizeof *checks; ++i) {
    if (argc > 1 && strcmp(argv[1], checks[i].name) != 0) continue;
    checks[i].check();
    ++ran;
  }
  puts(failures == 0 && ran > 0 ? "ok" : "FAILED");
  return failures == 0 && ran > 0 ? 0 : 1;
}
