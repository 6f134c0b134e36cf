// pthread_once, thread-specific keys, barriers.
#include <errno.h>
#include <limits.h>

#include "layer.h"

// --- once: 0 not yet, 1 running, 2 done --------------------------------------------------------------------------

int pthread_once(pthread_once_t* control, void (*function)(void)) {
  _Atomic int* state = (_Atomic int*)control;
  int expected = 0;
  if (atomic_load_explicit(state, memory_order_acquire) == 2) return 0;
  if (atomic_compare_exchange_strong(state, &expected, 1)) {
    function();
    atomic_store(state, 2);
    futex_wake(state, WAKE_ALL);
    return 0;
  }
  while (atomic_load(state) != 2) futex_wait(state, 1, NO_TIMEOUT);
  return 0;
}

// --- keys --------------------------------------------------------------------------------------------------------

enum { kKeys = 64, kDestructorRounds = 4 };

static struct word_lock keys_lock;  // guards the two tables below
static unsigned char key_used[kKeys];
static void (*key_destructor[kKeys])(void*);
static _Thread_local void* key_values[kKeys];

int pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) {
  int error = EAGAIN;
  word_lock_wait(&keys_lock);
  for (unsigned i = 0; i < kKeys && error != 0; ++i) {
    if (key_used[i]) continue;
    key_used[i] = 1;
    key_destructor[i] = destructor;
    *key = i;
    error = 0;
  }
  word_lock_release(&keys_lock);
  return error;
}

// Values that other threads keep under a deleted key are theirs to free, as POSIX has it; a key made anew in the
// same place may show them the old value, so programs that delete keys do it when the threads are gone.
int pthread_key_delete(pthread_key_t key) {
  word_lock_wait(&keys_lock);
  key_used[key] = 0;
  key_destructor[key] = NULL;
  key_values[key] = NULL;
  word_lock_release(&keys_lock);
  return 0;
}

void* pthread_getspecific(pthread_key_t key) {
  return key_values[key];
}

int pthread_setspecific(pthread_key_t key, const void* value) {
  if (key >= kKeys) return EINVAL;
  key_values[key] = (void*)value;
  return 0;
}

void run_key_destructors(void) {
  for (int round = 0, again = 1; again && round < kDestructorRounds; ++round) {
    again = 0;
    for (unsigned i = 0; i < kKeys; ++i) {
      void* value = key_values[i];
      if (value == NULL) continue;
      word_lock_wait(&keys_lock);
      void (*destructor)(void*) = key_destructor[i];
      word_lock_release(&keys_lock);
      key_values[i] = NULL;
      if (destructor == NULL) continue;
      destructor(value);
      again = 1;
    }
  }
}

// --- barriers ----------------------------------------------------------------------------------------------------

struct barrier {
  int limit;
  _Atomic int arrived;
  _Atomic int generation;  // advances when the last one arrives; the others sleep on it
  _Atomic int inside;      // threads still in pthread_barrier_wait; destroy waits for 0
};
_Static_assert(sizeof(struct barrier) <= sizeof(pthread_barrier_t), "fits");

int pthread_barrier_init(pthread_barrier_t* restrict barrier, const pthread_barrierattr_t* restrict attributes,
                         unsigned count) {
  (void)attributes;
  if (count == 0 || count > INT_MAX) return EINVAL;
  *(struct barrier*)barrier = (struct barrier){.limit = (int)count};
  return 0;
}

int pthread_barrier_destroy(pthread_barrier_t* barrier) {
  struct barrier* b = (struct barrier*)barrier;
  for (int left; (left = atomic_load(&b->inside)) != 0;) futex_wait(&b->inside, left, NO_TIMEOUT);
  return 0;
}

int pthread_barrier_wait(pthread_barrier_t* barrier) {
  struct barrier* b = (struct barrier*)barrier;
  atomic_fetch_add(&b->inside, 1);
  int generation = atomic_load(&b->generation);
  int last = atomic_fetch_add(&b->arrived, 1) + 1 == b->limit;
  if (last) {
    atomic_store(&b->arrived, 0);
    atomic_fetch_add(&b->generation, 1);
    futex_wake(&b->generation, WAKE_ALL);
  } else {
    while (atomic_load(&b->generation) == generation) futex_wait(&b->generation, generation, NO_TIMEOUT);
  }
  if (atomic_fetch_sub(&b->inside, 1) == 1) futex_wake(&b->inside, WAKE_ALL);
  return last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}
