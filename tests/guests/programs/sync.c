// One check per part of the pthread interface; `sync NAME`, or all of them without an argument. Prints what failed.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kThreads = 8, kRounds = 20000 };

static int failures;
#define EXPECT(condition)                                      \
  do {                                                         \
    if (!(condition)) {                                        \
      printf("line %d: not true: %s\n", __LINE__, #condition); \
      ++failures;                                              \
    }                                                          \
  } while (0)

static void run_threads(int count, void* (*function)(void*)) {
  pthread_t threads[64];
  for (int i = 0; i < count; ++i) EXPECT(pthread_create(&threads[i], NULL, function, (void*)(size_t)i) == 0);
  for (int i = 0; i < count; ++i) EXPECT(pthread_join(threads[i], NULL) == 0);
}

static struct timespec soon(clockid_t clock, long milliseconds) {
  struct timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += milliseconds * 1000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

// --- mutexes
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void* count_under_mutex(void* unused) {
  for (int i = 0; i < kRounds; ++i) {
    if (i % 3 != 0 || pthread_mutex_trylock(&mutex) != 0) pthread_mutex_lock(&mutex);
    ++counter;
    pthread_mutex_unlock(&mutex);
  }
  return unused;
}
static void mutex_excludes(void) {
  counter = 0;
  run_threads(kThreads, count_under_mutex);
  EXPECT(counter == (long)kThreads * kRounds);
}

static void* try_only(void* m) {
  return (void*)(size_t)pthread_mutex_trylock(m);
}
static int trylock_elsewhere(pthread_mutex_t* m) {
  pthread_t thread;
  void* result;
  pthread_create(&thread, NULL, try_only, m);
  pthread_join(thread, &result);
  return (int)(size_t)result;
}
static void* unlock_only(void* m) {
  return (void*)(size_t)pthread_mutex_unlock(m);
}

static void mutex_types(void) {
  pthread_mutexattr_t attributes;
  pthread_mutex_t m;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  EXPECT(pthread_mutex_init(&m, &attributes) == 0);
  EXPECT(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == 0 && pthread_mutex_trylock(&m) == 0);
  EXPECT(trylock_elsewhere(&m) == EBUSY);
  EXPECT(pthread_mutex_unlock(&m) == 0 && pthread_mutex_unlock(&m) == 0);
  EXPECT(trylock_elsewhere(&m) == EBUSY);
  EXPECT(pthread_mutex_unlock(&m) == 0);
  EXPECT(pthread_mutex_unlock(&m) == EPERM);
  EXPECT(pthread_mutex_destroy(&m) == 0);

  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  EXPECT(pthread_mutex_init(&m, &attributes) == 0);
  EXPECT(pthread_mutex_lock(&m) == 0);
  EXPECT(pthread_mutex_lock(&m) == EDEADLK);
  pthread_t thread;
  void* result;
  pthread_create(&thread, NULL, unlock_only, &m);
  pthread_join(thread, &result);
  EXPECT((int)(size_t)result == EPERM);
  EXPECT(pthread_mutex_unlock(&m) == 0);
  EXPECT(pthread_mutex_destroy(&m) == 0);
}

static void* timed_lock(void* m) {
  struct timespec deadline = soon(CLOCK_REALTIME, 30);
  return (void*)(size_t)pthread_mutex_timedlock(m, &deadline);
}
static void mutex_timed(void) {
  pthread_t thread;
  void* result;
  pthread_mutex_lock(&mutex);
  pthread_create(&thread, NULL, timed_lock, &mutex);
  pthread_join(thread, &result);
  EXPECT((int)(size_t)result == ETIMEDOUT);
  pthread_mutex_unlock(&mutex);
  EXPECT(timed_lock(&mutex) == NULL);
  pthread_mutex_unlock(&mutex);
}

// --- condition variables: a bounded queue through which every number passes once
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER, not_full = PTHREAD_COND_INITIALIZER;
static int queue[4], queue_size, next_number;
static long sum;

static void* produce(void* unused) {
  for (;;) {
    pthread_mutex_lock(&mutex);
    while (queue_size == 4) pthread_cond_wait(&not_full, &mutex);
    int number = ++next_number;
    if (number <= kRounds) queue[queue_size++] = number;
    pthread_mutex_unlock(&mutex);
    pthread_cond_signal(&not_empty);
    if (number > kRounds) return unused;
  }
}
static void* consume(void* unused) {
  for (;;) {
    pthread_mutex_lock(&mutex);
    while (queue_size == 0) pthread_cond_wait(&not_empty, &mutex);
    int number = queue[--queue_size];
    if (number < 0) {
      ++queue_size;  // for the next consumer
      pthread_mutex_unlock(&mutex);
      pthread_cond_signal(&not_empty);
      return unused;
    }
    sum += number;
    pthread_mutex_unlock(&mutex);
    pthread_cond_signal(&not_full);
  }
}
static void cond_passes_everything_once(void) {
  pthread_t consumers[4];
  queue_size = next_number = 0;
  sum = 0;
  for (int i = 0; i < 4; ++i) pthread_create(&consumers[i], NULL, consume, NULL);
  run_threads(4, produce);
  pthread_mutex_lock(&mutex);
  while (queue_size > 0) {
    pthread_mutex_unlock(&mutex);
    sched_yield();
    pthread_mutex_lock(&mutex);
  }
  queue[queue_size++] = -1;
  pthread_mutex_unlock(&mutex);
  pthread_cond_broadcast(&not_empty);
  for (int i = 0; i < 4; ++i) pthread_join(consumers[i], NULL);
  EXPECT(sum == (long)kRounds * (kRounds + 1) / 2);
}

static void cond_timed(void) {
  pthread_condattr_t attributes;
  pthread_cond_t cond;
  pthread_condattr_init(&attributes);
  EXPECT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
  EXPECT(pthread_cond_init(&cond, &attributes) == 0);
  struct timespec start, end, deadline = soon(CLOCK_MONOTONIC, 50);
  clock_gettime(CLOCK_MONOTONIC, &start);
  pthread_mutex_lock(&mutex);
  int result;
  do {
    result = pthread_cond_timedwait(&cond, &mutex, &deadline);
  } while (result == 0);
  EXPECT(result == ETIMEDOUT);
  EXPECT(pthread_cond_timedwait(&cond, &mutex, &start) == ETIMEDOUT);  // long past
  pthread_mutex_unlock(&mutex);
  clock_gettime(CLOCK_MONOTONIC, &end);
  long long waited = (end.tv_sec - start.tv_sec) * 1000000000ll + (end.tv_nsec - start.tv_nsec);
  EXPECT(waited >= 49 * 1000000ll);
  EXPECT(pthread_cond_destroy(&cond) == 0);
}

// --- barriers: after each round everybody must have added
static pthread_barrier_t barrier;
static atomic_long added, serials;

static void* meet(void* unused) {
  for (int round = 1; round <= 500; ++round) {
    ++added;
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) ++serials;
    if (added < (long)round * kThreads) return (void*)1;
    pthread_barrier_wait(&barrier);
  }
  return unused;
}
static void barrier_meets(void) {
  added = serials = 0;
  EXPECT(pthread_barrier_init(&barrier, NULL, 0) == EINVAL);
  EXPECT(pthread_barrier_init(&barrier, NULL, kThreads) == 0);
  run_threads(kThreads, meet);
  EXPECT(added == 500l * kThreads);
  EXPECT(serials == 500);
  EXPECT(pthread_barrier_destroy(&barrier) == 0);
}

// --- read-write locks: writers keep two numbers equal, readers look
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long left_number, right_number;
static atomic_int unequal;

static void* read_or_write(void* number) {
  for (int i = 0; i < kRounds / 4; ++i) {
    if ((size_t)number % 4 == 0) {
      pthread_rwlock_wrlock(&rwlock);
      ++left_number;
      ++right_number;
    } else {
      pthread_rwlock_rdlock(&rwlock);
      if (left_number != right_number) ++unequal;
    }
    pthread_rwlock_unlock(&rwlock);
  }
  return NULL;
}
static void* try_write(void* l) {
  return (void*)(size_t)pthread_rwlock_trywrlock(l);
}
static void rwlock_protects(void) {
  left_number = right_number = 0;
  unequal = 0;
  run_threads(kThreads, read_or_write);
  EXPECT(unequal == 0);
  EXPECT(left_number == 2 * (kRounds / 4));
  EXPECT(pthread_rwlock_rdlock(&rwlock) == 0 && pthread_rwlock_tryrdlock(&rwlock) == 0);
  pthread_t thread;
  void* result;
  pthread_create(&thread, NULL, try_write, &rwlock);
  pthread_join(thread, &result);
  EXPECT((int)(size_t)result == EBUSY);
  EXPECT(pthread_rwlock_unlock(&rwlock) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
}

// --- once
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int once_calls, once_too_early;
static int once_value;

static void once_function(void) {
  sched_yield();
  ++once_calls;
  once_value = 42;
}
static void* call_once(void* unused) {
  pthread_once(&once, once_function);
  if (once_value != 42) ++once_too_early;
  return unused;
}
static void once_runs_once(void) {
  run_threads(kThreads, call_once);
  EXPECT(once_calls == 1);
  EXPECT(once_too_early == 0);
}

// --- keys and thread-local storage
static pthread_key_t key;
static atomic_int destroyed;
static _Thread_local long mine = 17;
static _Thread_local char mine_zero[300];

static void destructor(void* value) {
  if (*(int*)value == 5) ++destroyed;
  if (pthread_getspecific(key) != NULL) destroyed += 1000;
  free(value);
}
static void* use_key(void* number) {
  if (pthread_getspecific(key) != NULL || mine != 17) return (void*)1;
  for (size_t i = 0; i < sizeof mine_zero; ++i) {
    if (mine_zero[i] != 0) return (void*)2;
  }
  memset(mine_zero, 1, sizeof mine_zero);
  int* value = malloc(sizeof *value);
  *value = 5;
  pthread_setspecific(key, value);
  mine += (long)(size_t)number;
  errno = (int)(size_t)number;
  sched_yield();
  if (mine != 17 + (long)(size_t)number || errno != (int)(size_t)number) return (void*)3;
  return pthread_getspecific(key) == value ? NULL : (void*)4;
}
static void keys_and_tls(void) {
  destroyed = 0;
  EXPECT(pthread_key_create(&key, destructor) == 0);
  errno = 77;
  for (int round = 0; round < 20; ++round) {
    pthread_t threads[kThreads];
    for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, use_key, (void*)(size_t)i);
    for (int i = 0; i < kThreads; ++i) {
      void* result;
      pthread_join(threads[i], &result);
      EXPECT(result == NULL);
    }
  }
  EXPECT(destroyed == 20 * kThreads);
  EXPECT(mine == 17 && errno == 77);
  EXPECT(pthread_key_delete(key) == 0);
}

// --- self, join, detach
static pthread_t seen_self;
static void* note_self(void* argument) {
  seen_self = pthread_self();
  return argument;
}
static atomic_int detached_done;
static void* detached(void* argument) {
  ++detached_done;
  return argument;
}
static void self_join_detach(void) {
  pthread_t thread;
  void* result;
  pthread_create(&thread, NULL, note_self, &thread);
  EXPECT(pthread_join(thread, &result) == 0 && result == &thread);
  EXPECT(pthread_equal(seen_self, thread));
  EXPECT(!pthread_equal(seen_self, pthread_self()));
  EXPECT(pthread_join(pthread_self(), NULL) == EDEADLK);

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  detached_done = 0;
  for (int i = 0; i < 500; ++i) {
    EXPECT(pthread_create(&thread, i % 2 ? &attributes : NULL, detached, NULL) == 0);
    if (i % 2 == 0) EXPECT(pthread_detach(thread) == 0);
    while (detached_done <= i) sched_yield();
  }
  EXPECT(detached_done == 500);
}

static void* deep(void* argument) {
  volatile char frame[180 * 1024];
  for (size_t i = 0; i < sizeof frame; i += 1024) frame[i] = (char)i;
  return frame[1024 * 3] == (char)(1024 * 3) ? argument : NULL;
}
static void stack_size(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  void* result = NULL;
  pthread_attr_init(&attributes);
  EXPECT(pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
  EXPECT(pthread_create(&thread, &attributes, deep, &attributes) == 0);
  EXPECT(pthread_join(thread, &result) == 0 && result == &attributes);
}

// --- malloc from many threads: every block keeps its own pattern
static void* allocate(void* number) {
  unsigned seed = (unsigned)(size_t)number * 7919u + 1;
  unsigned char* blocks[64] = {0};
  size_t sizes[64] = {0};
  for (int i = 0; i < 6000; ++i) {
    seed = seed * 1103515245u + 12345u;
    unsigned at = seed >> 16 & 63;
    for (size_t k = 0; k < sizes[at]; k += 7) {
      if (blocks[at][k] != (unsigned char)(at ^ (size_t)number)) return (void*)1;
    }
    size_t size = (seed >> 8 & 7) == 0 ? seed >> 12 & 0xffff : seed >> 12 & 0x3ff;
    if (i % 5 == 0) {
      blocks[at] = realloc(blocks[at], size + 1);
    } else {
      free(blocks[at]);
      if (i % 7 == 0) {
        size_t alignment = (size_t)16 << (seed >> 20 & 7);
        void* aligned;
        if (posix_memalign(&aligned, alignment, size + 1) != 0 || (size_t)aligned % alignment != 0) return (void*)2;
        blocks[at] = aligned;
      } else {
        blocks[at] = malloc(size + 1);
      }
    }
    if (blocks[at] == NULL || (size_t)blocks[at] % 16 != 0) return (void*)3;
    sizes[at] = size + 1;
    memset(blocks[at], (int)(at ^ (size_t)number), sizes[at]);
  }
  for (int i = 0; i < 64; ++i) free(blocks[i]);
  return NULL;
}
static void malloc_is_safe(void) {
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, allocate, (void*)(size_t)i);
  for (int i = 0; i < kThreads; ++i) {
    void* result;
    pthread_join(threads[i], &result);
    EXPECT(result == NULL);
  }
  unsigned char* zeroes = calloc(1000, 100);
  int sum_of_zeroes = 0;
  for (int i = 0; i < 100000; ++i) sum_of_zeroes += zeroes[i];
  EXPECT(sum_of_zeroes == 0);
  free(zeroes);
}

// --- stdio: lines stay whole. The runner compares with the native build, so lines are all alike.
static void* print_lines(void* unused) {
  for (int i = 0; i < 200; ++i) printf("a line of %s that must stay in one piece %d\n", "text", 12345);
  return unused;
}
static void stdio_lines_stay_whole(void) {
  run_threads(kThreads, print_lines);
}

static const struct {
  const char* name;
  void (*check)(void);
} checks[] = {
    {"mutex_excludes", mutex_excludes},
    {"mutex_types", mutex_types},
    {"mutex_timed", mutex_timed},
    {"cond_passes_everything_once", cond_passes_everything_once},
    {"cond_timed", cond_timed},
    {"barrier_meets", barrier_meets},
    {"rwlock_protects", rwlock_protects},
    {"once_runs_once", once_runs_once},
    {"keys_and_tls", keys_and_tls},
    {"self_join_detach", self_join_detach},
    {"stack_size", stack_size},
    {"malloc_is_safe", malloc_is_safe},
    {"stdio_lines_stay_whole", stdio_lines_stay_whole},
};

int main(int argc, char** argv) {
  int ran = 0;
  for (size_t i = 0; i < sizeof checks / sizeof *checks; ++i) {
    if (argc > 1 && strcmp(argv[1], checks[i].name) != 0) continue;
    checks[i].check();
    ++ran;
    printf("%s: %s\n", checks[i].name, failures == 0 ? "ok" : "FAILED");
  }
  return failures == 0 && ran > 0 ? 0 : 1;
}
