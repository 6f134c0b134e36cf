// Mutexes (normal, recursive, error-checking) and the word lock below them.
//
// word_lock: 0 free, 1 held, 2 held with sleepers. Who has slept takes the lock as 2, since others may still
// sleep; so a release that finds 2 wakes one, and a release that finds 1 has nobody to wake.
#include <errno.h>
#include <limits.h>
#include <sched.h>

#include "layer.h"

enum { kSpins = 60 };  // chosen: about the length of a short critical section; a sleep costs some microseconds

int word_lock_try(struct word_lock* lock) {
  int expected = 0;
  return atomic_compare_exchange_strong_explicit(&lock->word, &expected, 1, memory_order_acquire, memory_order_relaxed);
}

int word_lock_acquire(struct word_lock* lock, clockid_t clock, const struct timespec* deadline) {
  if (word_lock_try(lock)) return 0;
  for (int i = 0; i < kSpins; ++i) {
    if (atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 && word_lock_try(lock)) return 0;
  }
  while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0) {
    int64_t left = nanoseconds_until(clock, deadline);
    if (left == 0) return ETIMEDOUT;
    futex_wait(&lock->word, 2, left);
  }
  return 0;
}

void word_lock_release(struct word_lock* lock) {
  if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2) futex_wake(&lock->word, 1);
}

// What we keep in a pthread_mutex_t; all zeroes is PTHREAD_MUTEX_INITIALIZER.
struct mutex {
  int type;
  struct word_lock lock;
  _Atomic(pthread_t) owner;  // only the owner's own comparison can succeed, so relaxed is enough
  int depth;                 // recursive: further acquisitions by the owner
};
_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "fits");

static struct mutex* inside(pthread_mutex_t* mutex) {
  return (struct mutex*)mutex;
}

static int is_mine(struct mutex* mutex) {
  return atomic_load_explicit(&mutex->owner, memory_order_relaxed) == pthread_self();
}
static void set_owner(struct mutex* mutex, pthread_t owner) {
  atomic_store_explicit(&mutex->owner, owner, memory_order_relaxed);
}

int pthread_mutex_init(pthread_mutex_t* restrict mutex, const pthread_mutexattr_t* restrict attributes) {
  int type = PTHREAD_MUTEX_NORMAL;
  if (attributes != NULL) pthread_mutexattr_gettype(attributes, &type);
  *inside(mutex) = (struct mutex){.type = type};
  return 0;
}

int pthread_mutex_destroy(pthread_mutex_t* mutex) {
  (void)mutex;
  return 0;
}

// The cases in which the caller holds it already. 0: taken once more; EAGAIN to go on and wait.
static int lock_again(struct mutex* mutex, int error_if_checked) {
  if (mutex->type == PTHREAD_MUTEX_NORMAL || !is_mine(mutex)) return EAGAIN;
  if (mutex->type == PTHREAD_MUTEX_ERRORCHECK) return error_if_checked;
  ++mutex->depth;
  return 0;
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) {
  struct mutex* m = inside(mutex);
  int again = lock_again(m, EBUSY);
  if (again != EAGAIN) return again;
  if (!word_lock_try(&m->lock)) return EBUSY;
  set_owner(m, pthread_self());
  return 0;
}

int pthread_mutex_timedlock(pthread_mutex_t* restrict mutex, const struct timespec* restrict deadline) {
  struct mutex* m = inside(mutex);
  int again = lock_again(m, EDEADLK);
  if (again != EAGAIN) return again;
  int error = word_lock_acquire(&m->lock, CLOCK_REALTIME, deadline);
  if (error == 0) set_owner(m, pthread_self());
  return error;
}

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  return pthread_mutex_timedlock(mutex, NULL);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) {
  struct mutex* m = inside(mutex);
  if (m->type != PTHREAD_MUTEX_NORMAL) {
    if (!is_mine(m)) return EPERM;
    if (m->depth > 0) {
      --m->depth;
      return 0;
    }
  }
  set_owner(m, NULL);
  word_lock_release(&m->lock);
  return 0;
}
