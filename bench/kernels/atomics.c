// Threads on shared counters: atomic additions, compare-and-swap, a mutex, a queue passed from hand to hand.
#include <pthread.h>
#include <stdatomic.h>

#include "kernel.h"

enum { kThreads = 4 };
static atomic_uint counter, maximum;
static atomic_ullong wide;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t guarded;
static unsigned rounds;

static void* work(void* number) {
  uint32_t seed = (uint32_t)(size_t)number * 2654435761u + 1;
  for (unsigned i = 0; i < rounds; ++i) {
    uint32_t value = next_random(&seed);
    atomic_fetch_add(&counter, value);
    atomic_fetch_xor(&wide, (unsigned long long)value << (i % 32));
    unsigned seen = atomic_load(&maximum);
    while (seen < value && !atomic_compare_exchange_weak(&maximum, &seen, value)) continue;
    if (i % 8 == 0) {
      pthread_mutex_lock(&mutex);
      guarded += value;
      pthread_mutex_unlock(&mutex);
    }
  }
  other_threads_ns += cpu_time_ns();
  return NULL;
}

int kernel(int argc, char** argv) {
  rounds = work_size(argc, argv, 10000000);
  pthread_t threads[kThreads];
  for (size_t i = 0; i < kThreads; ++i) {
    if (pthread_create(&threads[i], NULL, work, (void*)(i + 1)) != 0) return 1;
  }
  for (size_t i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  uint32_t sum = mix(counter, maximum);
  sum = mix(sum, (uint32_t)(wide ^ wide >> 32));
  return report("atomics", mix(sum, (uint32_t)(guarded ^ guarded >> 32)));
}
