// Condition variables: a sequence number that every signal advances.
//
// A waiter remembers the number while it still holds the mutex and sleeps on it. A signal that comes after the
// unlock has changed the number, so the wait returns at once; one that comes later finds it in the queue. Waiters
// are woken in the order of their arrival (memory.atomic.notify promises that), so a signal cannot be taken from a
// waiter by one who arrived after it.
#include <errno.h>
#include <wasi/api.h>

#include "layer.h"

struct cond {
  _Atomic int sequence;
  _Atomic int waiters;  // saves a signal with nobody there the notify
  clockid_t clock;      // null (PTHREAD_COND_INITIALIZER): CLOCK_REALTIME
};
_Static_assert(sizeof(struct cond) <= sizeof(pthread_cond_t), "fits");

static struct cond* inside(pthread_cond_t* cond) {
  return (struct cond*)cond;
}

int pthread_cond_init(pthread_cond_t* restrict cond, const pthread_condattr_t* restrict attributes) {
  // The field and not pthread_condattr_getclock, which in this C library never writes its result ("a & mask == id").
  int wants_monotonic = attributes != NULL && (attributes->__attr & 0x7fffffff) == __WASI_CLOCKID_MONOTONIC;
  clockid_t clock = wants_monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
  *inside(cond) = (struct cond){.clock = clock};
  return 0;
}

// Allowed as soon as everybody has been woken; those who are still on their way out touch `waiters` last.
int pthread_cond_destroy(pthread_cond_t* cond) {
  struct cond* c = inside(cond);
  for (int left; (left = atomic_load(&c->waiters)) != 0;) futex_wait(&c->waiters, left, NO_TIMEOUT);
  return 0;
}

int pthread_cond_timedwait(pthread_cond_t* restrict cond, pthread_mutex_t* restrict mutex,
                           const struct timespec* restrict deadline) {
  struct cond* c = inside(cond);
  int64_t left = nanoseconds_until(c->clock ? c->clock : CLOCK_REALTIME, deadline);
  int sequence = atomic_load(&c->sequence);
  atomic_fetch_add(&c->waiters, 1);
  pthread_mutex_unlock(mutex);
  int signalled = left != 0 && futex_wait(&c->sequence, sequence, left);
  if (atomic_fetch_sub(&c->waiters, 1) == 1) futex_wake(&c->waiters, WAKE_ALL);
  pthread_mutex_lock(mutex);
  return signalled ? 0 : ETIMEDOUT;
}

int pthread_cond_wait(pthread_cond_t* restrict cond, pthread_mutex_t* restrict mutex) {
  return pthread_cond_timedwait(cond, mutex, NULL);
}

static int wake(pthread_cond_t* cond, unsigned count) {
  struct cond* c = inside(cond);
  if (atomic_load(&c->waiters) == 0) return 0;
  atomic_fetch_add(&c->sequence, 1);
  futex_wake(&c->sequence, count);
  return 0;
}

int pthread_cond_signal(pthread_cond_t* cond) {
  return wake(cond, 1);
}
int pthread_cond_broadcast(pthread_cond_t* cond) {
  return wake(cond, WAKE_ALL);
}
