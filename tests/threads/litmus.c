// Litmus tests of the memory model, as far as a guest can see it: outcomes that sequential consistency forbids must
// never be seen. `litmus NAME [ROUNDS]`; prints how many forbidden outcomes there were.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int x, y, go, done;
static int seen[2];
static long long plain_data[8];
static atomic_llong wide;
static unsigned char bytes[64];

struct test {
  const char* name;
  void (*first)(void);
  void (*second)(void);
  int (*forbidden)(void);
};

// Store buffering: both threads store, then load the other's word. Both reading 0 is forbidden.
static void sb_first(void) {
  atomic_store(&x, 1);
  seen[0] = atomic_load(&y);
}
static void sb_second(void) {
  atomic_store(&y, 1);
  seen[1] = atomic_load(&x);
}
static int sb_forbidden(void) {
  return seen[0] == 0 && seen[1] == 0;
}

// Message passing: plain data before an atomic flag; who sees the flag sees the data.
static void mp_first(void) {
  for (int i = 0; i < 8; ++i) plain_data[i] = 42;
  atomic_store(&x, 1);
}
static void mp_second(void) {
  seen[0] = atomic_load(&x);
  seen[1] = 1;
  for (int i = 0; i < 8 && seen[0]; ++i) seen[1] = seen[1] && plain_data[i] == 42;
}
static int mp_forbidden(void) {
  return seen[0] == 1 && seen[1] == 0;
}

// Load buffering: each loads the other's word, then stores its own. Both reading 1 is forbidden.
static void lb_first(void) {
  seen[0] = atomic_load(&x);
  atomic_store(&y, 1);
}
static void lb_second(void) {
  seen[1] = atomic_load(&y);
  atomic_store(&x, 1);
}
static int lb_forbidden(void) {
  return seen[0] == 1 && seen[1] == 1;
}

// Read-modify-writes are one step: two exchanges of the same word cannot both find the old value.
static void rmw_first(void) {
  seen[0] = atomic_exchange(&x, 1);
}
static void rmw_second(void) {
  seen[1] = atomic_exchange(&x, 2);
}
static int rmw_forbidden(void) {
  return (seen[0] == 0) == (seen[1] == 0);
}

// An aligned 64-bit atomic is never seen half written.
static void tear_first(void) {
  for (int i = 0; i < 50; ++i) atomic_store(&wide, i % 2 ? -1ll : 0ll);
}
static void tear_second(void) {
  seen[1] = 1;
  for (int i = 0; i < 50; ++i) {
    long long value = atomic_load(&wide);
    if (value != 0 && value != -1) seen[1] = 0;
  }
}
static int tear_forbidden(void) {
  return seen[1] == 0;
}

// Neighbouring bytes written by different threads do not disturb each other.
static void neighbours(int parity) {
  for (int round = 0; round < 20; ++round) {
    for (int i = parity; i < 64; i += 2) bytes[i] = (unsigned char)(bytes[i] + 1);
  }
}
static void bytes_first(void) {
  neighbours(0);
}
static void bytes_second(void) {
  neighbours(1);
}
static int bytes_forbidden(void) {
  for (int i = 0; i < 64; ++i) {
    if (bytes[i] != 20) return 1;
  }
  return 0;
}

static const struct test tests[] = {
    {"store_buffering", sb_first, sb_second, sb_forbidden},
    {"message_passing", mp_first, mp_second, mp_forbidden},
    {"load_buffering", lb_first, lb_second, lb_forbidden},
    {"read_modify_write", rmw_first, rmw_second, rmw_forbidden},
    {"no_tearing", tear_first, tear_second, tear_forbidden},
    {"neighbouring_bytes", bytes_first, bytes_second, bytes_forbidden},
};
static const struct test* current;
static int rounds = 30000;

// Both sides meet by counting; spinning is bounded, then the scheduler is asked for help.
static void wait_for(atomic_int* word, int value) {
  for (int spins = 0; atomic_load(word) < value; ++spins) {
    if (spins % 1000 == 999) sched_yield();
  }
}

static void* other_side(void* unused) {
  for (int round = 1; round <= rounds; ++round) {
    wait_for(&go, round);
    current->second();
    atomic_store(&done, round);
  }
  return unused;
}

static int run(const struct test* test) {
  pthread_t thread;
  int forbidden = 0;
  current = test;
  go = done = 0;
  if (pthread_create(&thread, NULL, other_side, NULL) != 0) return -1;
  for (int round = 1; round <= rounds; ++round) {
    x = y = 0;
    wide = 0;
    memset(plain_data, 0, sizeof plain_data);
    memset(bytes, 0, sizeof bytes);
    atomic_store(&go, round);
    test->first();
    wait_for(&done, round);
    forbidden += test->forbidden();
  }
  pthread_join(thread, NULL);
  return forbidden;
}

int main(int argc, char** argv) {
  int bad = 0, ran = 0;
  if (argc > 2) rounds = atoi(argv[2]);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; ++i) {
    if (argc > 1 && strcmp(argv[1], tests[i].name) != 0) continue;
    int forbidden = run(&tests[i]);
    printf("%s: %d forbidden outcomes\n", tests[i].name, forbidden);
    bad += forbidden != 0;
    ++ran;
  }
  return bad == 0 && ran > 0 ? 0 : 1;
}
