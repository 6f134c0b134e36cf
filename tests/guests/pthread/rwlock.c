// Read-write locks: one word, 0 free, n > 0 readers, -1 a writer; sleepers wait for the word to change.
#include <errno.h>

#include "layer.h"

struct rwlock {
  _Atomic int word;
  _Atomic int waiters;
};
_Static_assert(sizeof(struct rwlock) <= sizeof(pthread_rwlock_t), "fits");

static struct rwlock* inside(pthread_rwlock_t* lock) {
  return (struct rwlock*)lock;
}

int pthread_rwlock_init(pthread_rwlock_t* restrict lock, const pthread_rwlockattr_t* restrict attributes) {
  (void)attributes;
  *inside(lock) = (struct rwlock){0};
  return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t* lock) {
  (void)lock;
  return 0;
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t* lock) {
  struct rwlock* l = inside(lock);
  int word = atomic_load(&l->word);
  while (word >= 0) {
    if (atomic_compare_exchange_weak(&l->word, &word, word + 1)) return 0;
  }
  return EBUSY;
}

int pthread_rwlock_trywrlock(pthread_rwlock_t* lock) {
  int expected = 0;
  return atomic_compare_exchange_strong(&inside(lock)->word, &expected, -1) ? 0 : EBUSY;
}

static int acquire(pthread_rwlock_t* lock, int (*try)(pthread_rwlock_t*), const struct timespec* deadline) {
  struct rwlock* l = inside(lock);
  while (try(lock) != 0) {
    int64_t left = nanoseconds_until(CLOCK_REALTIME, deadline);
    if (left == 0) return ETIMEDOUT;
    // Announce first, then look: a release after this look sees the announcement and wakes us.
    atomic_fetch_add(&l->waiters, 1);
    int word = atomic_load(&l->word);
    if (word == -1 || (word > 0 && try == pthread_rwlock_trywrlock)) futex_wait(&l->word, word, left);
    atomic_fetch_sub(&l->waiters, 1);
  }
  return 0;
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t* restrict lock, const struct timespec* restrict deadline) {
  return acquire(lock, pthread_rwlock_tryrdlock, deadline);
}
int pthread_rwlock_timedwrlock(pthread_rwlock_t* restrict lock, const struct timespec* restrict deadline) {
  return acquire(lock, pthread_rwlock_trywrlock, deadline);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  return pthread_rwlock_timedrdlock(lock, NULL);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  return pthread_rwlock_timedwrlock(lock, NULL);
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) {
  struct rwlock* l = inside(lock);
  int is_free;
  if (atomic_load(&l->word) == -1) {
    atomic_store(&l->word, 0);
    is_free = 1;
  } else {
    is_free = atomic_fetch_sub(&l->word, 1) == 1;
  }
  if (is_free && atomic_load(&l->waiters) > 0) futex_wake(&l->word, WAKE_ALL);
  return 0;
}
