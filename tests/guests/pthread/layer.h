// A small pthread layer for wasm32-wasi guests, over `wasi.thread-spawn`.
//
// The C library that comes with the guests' compiler is built for one thread: its pthread functions are stubs,
// its allocator and its streams have no locks. This layer replaces those parts and nothing else; types, constants
// and attribute objects stay the C library's own (<pthread.h>), so the same sources build natively as well.
// Its objects stand before the C library on the link line, so its definitions win over the stubs.
//
// What a thread is here: one block from malloc,
//
//     | stack, grows downwards      | TLS area   | struct __pthread |
//     ^ block                  stack_top     tls_base              ^ the pthread_t
//
// Life of a thread, told by `state` (thread.c and start.S are the only writers):
//
//     kJoinable --(detach)--> kDetached
//         |                       |
//         '--(its function has returned, still on its own stack)--> kLeaving --(off its stack)--> kGone
//
// Only start.S, which uses no stack any more, stores kGone; so whoever reads kGone may free the block. Nobody
// stores anything into the block of a thread after spawning it, the thread id least of all: the parent has no id
// to write, so a child that has already ended cannot have its end overwritten.
#ifndef GUESTS_PTHREAD_LAYER_H
#define GUESTS_PTHREAD_LAYER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

// start.S knows these numbers and the offsets of the first two members.
enum thread_state { kGone = 0, kJoinable = 1, kDetached = 2, kLeaving = 3 };

struct __pthread {
  void* stack_top;    // start.S: offset 0
  void* tls_base;     // start.S: offset 4
  _Atomic int state;  // enum thread_state
  int tid;            // written by the thread itself, for its own use
  void* (*function)(void*);
  void* argument;
  void* result;
  void* block;                  // what to give back to free()
  struct __pthread* next_dead;  // list of detached threads that have ended
};

_Static_assert(offsetof(struct __pthread, stack_top) == 0 && offsetof(struct __pthread, tls_base) == 4,
               "start.S reads these");

// --- waiting ---------------------------------------------------------------------------------------------------

#define NO_TIMEOUT ((int64_t)-1)

// Sleeps while *word == expected; false when the time ran out. May return early: callers look again.
static inline int futex_wait(_Atomic int* word, int expected, int64_t timeout_ns) {
  return __builtin_wasm_memory_atomic_wait32((int*)word, expected, timeout_ns) != 2;
}
static inline void futex_wake(_Atomic int* word, unsigned count) {
  __builtin_wasm_memory_atomic_notify((int*)word, count);
}
#define WAKE_ALL 0x7fffffffu

// Nanoseconds from now to an absolute time of `clock`: 0 when it has passed; NO_TIMEOUT for a null deadline.
int64_t nanoseconds_until(clockid_t clock, const struct timespec* deadline);

// --- the lock that everything here is built of -------------------------------------------------------------------

// 0 free, 1 held, 2 held and somebody may be asleep on it.
struct word_lock {
  _Atomic int word;
};
int word_lock_try(struct word_lock* lock);
int word_lock_acquire(struct word_lock* lock, clockid_t clock, const struct timespec* deadline);  // 0 or ETIMEDOUT
void word_lock_release(struct word_lock* lock);
static inline void word_lock_wait(struct word_lock* lock) {
  word_lock_acquire(lock, CLOCK_REALTIME, NULL);
}

// --- between the files -------------------------------------------------------------------------------------------

void run_key_destructors(void);

#endif
