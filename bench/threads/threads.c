// What threads cost: one operation in a process, for run_threads.py, natively and as a guest.
//
//     threads OPERATION [COUNT [THREADS]]
//
// Prints the nanoseconds that one takes. COUNT: how many operations in all (or rounds, or threads alive).
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kMostThreads = 64, kCacheLine = 64 };

static long count, threads;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static volatile long guarded;
static pthread_barrier_t barrier;
static _Alignas(64) _Atomic long cells[kMostThreads][kCacheLine / sizeof(long)];

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char* what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static pthread_t start(void* (*body)(void*), void* argument) {
  pthread_t thread;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 * 1024);
  if (pthread_create(&thread, &small, body, argument) != 0) fail("a thread could not be started");
  return thread;
}

/// Runs `body` on each of `threads` threads; nanoseconds from before the first to after the last.
static double on_all(void* (*body)(void*)) {
  pthread_t all[kMostThreads];
  const double begin = now_ns();
  for (long i = 0; i < threads; ++i) all[i] = start(body, (void*)i);
  for (long i = 0; i < threads; ++i) pthread_join(all[i], NULL);
  return now_ns() - begin;
}

static void* nothing(void* argument) {
  return argument;
}

static double spawn_join(void) {
  const double begin = now_ns();
  for (long i = 0; i < count; ++i) pthread_join(start(nothing, NULL), NULL);
  return (now_ns() - begin) / (double)count;
}

static long arrived;

static void* wait_for_all(void* argument) {
  pthread_mutex_lock(&mutex);
  if (++arrived == count) pthread_cond_broadcast(&cond);
  while (arrived < count) pthread_cond_wait(&cond, &mutex);
  pthread_mutex_unlock(&mutex);
  return argument;
}

/// COUNT threads created, alive at once, and joined.
static double alive(void) {
  pthread_t* all = calloc((size_t)count, sizeof *all);
  const double begin = now_ns();
  for (long i = 0; i < count; ++i) all[i] = start(wait_for_all, NULL);
  for (long i = 0; i < count; ++i) pthread_join(all[i], NULL);
  return (now_ns() - begin) / (double)count;
}

static void* lock_and_unlock(void* argument) {
  for (long i = 0; i < count / threads; ++i) {
    pthread_mutex_lock(&mutex);
    ++guarded;
    pthread_mutex_unlock(&mutex);
  }
  return argument;
}

static double lock_contended(void) {
  const double ns = on_all(lock_and_unlock);
  if (guarded != count / threads * threads) fail("the mutex did not exclude");
  return ns / (double)count;
}

static double lock_uncontended(void) {
  threads = 1;
  pthread_join(start(nothing, NULL), NULL);  // natively, a process that was never threaded locks faster
  const double begin = now_ns();
  lock_and_unlock(NULL);
  return (now_ns() - begin) / (double)count;
}

static int turn;

static void* take_turns(void* argument) {
  const int mine = (int)(long)argument;
  for (long i = 0; i < count; ++i) {
    pthread_mutex_lock(&mutex);
    while (turn != mine) pthread_cond_wait(&cond, &mutex);
    turn = !mine;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
  }
  return argument;
}

/// Nanoseconds for there and back.
static double ping_pong(void) {
  threads = 2;
  return on_all(take_turns) / (double)count;
}

static void* add_shared(void* argument) {
  for (long i = 0; i < count / threads; ++i) atomic_fetch_add(&cells[0][0], 1);
  return argument;
}

static void* add_private(void* argument) {
  _Atomic long* mine = &cells[(long)argument][0];
  for (long i = 0; i < count / threads; ++i) atomic_fetch_add(mine, 1);
  return argument;
}

static double atomic_shared(void) {
  const double ns = on_all(add_shared);
  if (cells[0][0] != count / threads * threads) fail("additions were lost");
  return ns / (double)count;
}

static double atomic_private(void) {
  return on_all(add_private) / (double)count;
}

static void* pass_barrier(void* argument) {
  for (long i = 0; i < count; ++i) pthread_barrier_wait(&barrier);
  return argument;
}

/// Nanoseconds a round of all threads.
static double barrier_of_n(void) {
  pthread_barrier_init(&barrier, NULL, (unsigned)threads);
  return on_all(pass_barrier) / (double)count;
}

/// A wake-up that nobody waits for; natively there is no such call that an ordinary program makes.
static double notify_nobody(void) {
#ifdef __wasm__
  static int cell;
  const double begin = now_ns();
  int woken = 0;
  for (long i = 0; i < count; ++i) woken += __builtin_wasm_memory_atomic_notify(&cell, 1);
  if (woken != 0) fail("somebody was woken");
  return (now_ns() - begin) / (double)count;
#else
  return 0;
#endif
}

static const struct {
  const char* name;
  double (*run)(void);
  long count, threads;
} operations[] = {
    {"spawn_join", spawn_join, 5000, 1},
    {"alive", alive, 1000, 1},
    {"lock_contended", lock_contended, 1000000, 4},
    {"lock_uncontended", lock_uncontended, 20000000, 1},
    {"ping_pong", ping_pong, 20000, 2},
    {"atomic_shared", atomic_shared, 10000000, 2},
    {"atomic_private", atomic_private, 20000000, 2},
    {"barrier", barrier_of_n, 5000, 4},
    {"notify_nobody", notify_nobody, 20000000, 1},
};

int main(int argc, char** argv) {
  for (size_t i = 0; i < sizeof operations / sizeof *operations; ++i) {
    if (argc < 2 || strcmp(argv[1], operations[i].name) != 0) continue;
    count = argc > 2 ? atol(argv[2]) : operations[i].count;
    threads = argc > 3 ? atol(argv[3]) : operations[i].threads;
    if (count < 1 || threads < 1 || threads > kMostThreads) fail("that many are not supported");
    printf("%.2f\n", operations[i].run());
    return 0;
  }
  fprintf(stderr, "usage: threads OPERATION [COUNT [THREADS]]\n");
  return 2;
}
