// Threads under stress, steered by a seed: what is random here is the same again for the same seed (what the threads
// make of it is not).
//
//     stress SCENARIO SEED
//
// storm | ping_pong | token: says `ok`. token wants a few bytes on standard input, now and then, and a pipe there.
// exit_spawning | exit_growing: ends by _exit(7) in the middle of it.
// Start it with a low --max-threads, so that a storm meets the limit.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kPairs = 6, kRounds = 400, kCells = 4096, kStormMost = 200, kStorms = 12, kHolders = 8, kHandOvers = 3000 };

static uint64_t random_state;

static uint32_t next_random(uint64_t* state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

static uint32_t random_below(uint32_t limit) {
  return next_random(&random_state) % limit;
}

static void fail(const char* what) {
  printf("%s\n", what);
  exit(1);
}

static int start(pthread_t* thread, void* (*body)(void*), void* argument) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 16 * 1024);
  return pthread_create(thread, &small, body, argument);
}

// --- spawn storms to the limit and back
// -------------------------------------------------------------------------------
static atomic_int gate, running;

static void* stay_until_the_gate_opens(void* argument) {
  ++running;
  while (gate == 0) __builtin_wasm_memory_atomic_wait32((int*)&gate, 0, -1);
  --running;
  return argument;
}

static void storm(void) {
  pthread_t threads[kStormMost];
  for (int i = 0; i < kStorms; ++i) {
    gate = 0;
    // Some storms stay below the limit, some run into it.
    const int wanted = 1 + (int)random_below(kStormMost);
    int started = 0;
    while (started < wanted && start(&threads[started], stay_until_the_gate_opens, &threads[started]) == 0) ++started;
    if (started == 0) fail("no thread at all could be started");
    gate = 1;
    __builtin_wasm_memory_atomic_notify((int*)&gate, (int)(random_below(2) ? UINT32_MAX : (uint32_t)started));
    for (int t = 0; t < started; ++t) {
      void* result = NULL;
      if (pthread_join(threads[t], &result) != 0 || result != &threads[t]) fail("a thread was not joined");
    }
    if (running != 0) fail("a joined thread still runs");
  }
}

// --- wait and notify on random addresses and widths
// -------------------------------------------------------------------
struct pair {
  int wide, timed;
  uint64_t* cell;
};
static _Alignas(64) uint64_t cells[kCells];

static uint64_t load(const struct pair* pair) {
  return pair->wide ? __atomic_load_n(pair->cell, __ATOMIC_SEQ_CST)
                    : __atomic_load_n((uint32_t*)pair->cell, __ATOMIC_SEQ_CST);
}

/// Even numbers are the first one's turn, odd ones the second's.
static void take_turns(const struct pair* pair, int second) {
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t mine = 2 * round + (uint64_t)second;
    for (uint64_t seen = load(pair); seen != mine; seen = load(pair)) {
      const long long timeout = pair->timed ? 1000 * 1000 : -1;
      if (pair->wide)
        __builtin_wasm_memory_atomic_wait64((long long*)pair->cell, (long long)seen, timeout);
      else
        __builtin_wasm_memory_atomic_wait32((int*)pair->cell, (int)seen, timeout);
    }
    if (pair->wide)
      __atomic_store_n(pair->cell, mine + 1, __ATOMIC_SEQ_CST);
    else
      __atomic_store_n((uint32_t*)pair->cell, (uint32_t)mine + 1, __ATOMIC_SEQ_CST);
    __builtin_wasm_memory_atomic_notify((int*)pair->cell, 1);
  }
}

static void* be_first(void* pair) {
  take_turns(pair, 0);
  return NULL;
}

static void* be_second(void* pair) {
  take_turns(pair, 1);
  return NULL;
}

static void ping_pong(void) {
  struct pair pairs[kPairs];
  pthread_t threads[2 * kPairs];
  for (int i = 0; i < kPairs; ++i) {
    // A part of the cells for each, so that no two have the same.
    uint64_t* cell = &cells[i * (kCells / kPairs) + (int)random_below(kCells / kPairs)];
    pairs[i] = (struct pair){(int)random_below(2), (int)random_below(2), cell};
    if (start(&threads[2 * i], be_first, &pairs[i]) != 0 || start(&threads[2 * i + 1], be_second, &pairs[i]) != 0)
      fail("a thread could not be started");
  }
  for (int i = 0; i < 2 * kPairs; ++i) pthread_join(threads[i], NULL);
  for (int i = 0; i < kPairs; ++i)
    if (load(&pairs[i]) != 2 * kRounds) fail("turns were lost");
}

// --- all but one wait for ever, and that one sleeps: never a deadlock
// -------------------------------------------------------------------
struct holder {
  int has_token;  // a cell of its own, as a lock's waiters have
  uint64_t random;
};
static struct holder holders[kHolders];
static int never_notified, handed_over;  // the latter: by who has the token

/// For up to a tenth of a millisecond, in one of the ways that end by themselves; or until a byte comes.
static void sleep_somehow(uint64_t* random) {
  const long ns = next_random(random) % 100000;
  const struct timespec moment = {0, ns};
  char byte;
  switch (next_random(random) % 4) {
    case 0: nanosleep(&moment, NULL); break;
    case 1: __builtin_wasm_memory_atomic_wait32(&never_notified, 0, ns); break;
    case 2:
      if (next_random(random) % 8 == 0 && read(0, &byte, 1) < 0) fail("standard input cannot be read");
      break;
    default: break;  // straight on: the one that wakes, and waits itself at once
  }
}

static void* hold_the_token_in_turn(void* number) {
  struct holder* self = &holders[(uintptr_t)number];
  for (;;) {
    while (__atomic_exchange_n(&self->has_token, 0, __ATOMIC_SEQ_CST) == 0)
      __builtin_wasm_memory_atomic_wait32(&self->has_token, 0, -1);
    const int last = handed_over >= kHandOvers;
    if (!last) sleep_somehow(&self->random);
    ++handed_over;
    // The last ones leave one after the other, each waking the next.
    const uint32_t step = last ? 1 : next_random(&self->random) % kHolders;
    struct holder* next = &holders[((uintptr_t)number + step) % kHolders];
    __atomic_store_n(&next->has_token, 1, __ATOMIC_SEQ_CST);
    __builtin_wasm_memory_atomic_notify(&next->has_token, 1);
    if (last) return NULL;
  }
}

static void token(void) {
  pthread_t threads[kHolders];
  for (int i = 0; i < kHolders; ++i) {
    holders[i].random = random_state + (uint64_t)i;
    if (start(&threads[i], hold_the_token_in_turn, (void*)(uintptr_t)i) != 0) fail("a thread could not be started");
  }
  __atomic_store_n(&holders[0].has_token, 1, __ATOMIC_SEQ_CST);
  __builtin_wasm_memory_atomic_notify(&holders[0].has_token, 1);
  for (int i = 0; i < kHolders; ++i) pthread_join(threads[i], NULL);
  if (handed_over != kHandOvers + kHolders) fail("the token was lost");
}

// --- the end in the middle
// --------------------------------------------------------------------------------------------
static void* nothing(void* argument) {
  return argument;
}

static void* spawn_for_ever(void* argument) {
  for (;;) {
    pthread_t thread;
    if (start(&thread, nothing, NULL) == 0) pthread_join(thread, NULL);
  }
  return argument;
}

static void* grow_for_ever(void* argument) {
  for (;;) {
    const size_t pages = __builtin_wasm_memory_grow(0, 1);
    if (pages == SIZE_MAX)
      sched_yield();
    else
      *(volatile char*)(pages << 16) = 1;
  }
  return argument;
}

static void* touch_for_ever(void* argument) {
  for (uint64_t state = (uintptr_t)argument;;) {
    const size_t end = __builtin_wasm_memory_size(0) << 16;
    (void)*(volatile char*)(end - 1 - next_random(&state) % 65536);
  }
  return argument;
}

static void exit_in_the_middle(void* (*one)(void*), void* (*other)(void*)) {
  const int count = 1 + (int)random_below(8);
  for (int i = 0; i < count; ++i) {
    pthread_t thread;
    if (start(&thread, random_below(2) ? one : other, (void*)(uintptr_t)(i + 1)) != 0) fail("too few threads");
  }
  const struct timespec moment = {0, (long)random_below(20 * 1000 * 1000)};
  nanosleep(&moment, NULL);
  _exit(7);
}

int main(int argc, char** argv) {
  if (argc < 3) fail("usage: stress SCENARIO SEED");
  random_state = strtoull(argv[2], NULL, 10);
  next_random(&random_state);
  if (strcmp(argv[1], "storm") == 0)
    storm();
  else if (strcmp(argv[1], "ping_pong") == 0)
    ping_pong();
  else if (strcmp(argv[1], "token") == 0)
    token();
  else if (strcmp(argv[1], "exit_spawning") == 0)
    exit_in_the_middle(spawn_for_ever, spawn_for_ever);
  else if (strcmp(argv[1], "exit_growing") == 0)
    exit_in_the_middle(grow_for_ever, touch_for_ever);
  else
    fail("there is no such scenario");
  puts("ok");
  return 0;
}
