// N threads (default 1,000) alive at once: each arrives, waits until all have, and only then ends.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_here = PTHREAD_COND_INITIALIZER;
static int wanted, arrived, left;

static void* wait_for_all(void* argument) {
  pthread_mutex_lock(&lock);
  if (++arrived == wanted) pthread_cond_broadcast(&all_here);
  while (arrived < wanted) pthread_cond_wait(&all_here, &lock);
  ++left;
  pthread_mutex_unlock(&lock);
  return argument;
}

int main(int argc, char** argv) {
  wanted = argc > 1 ? atoi(argv[1]) : 1000;
  pthread_t* threads = calloc((size_t)wanted, sizeof *threads);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  for (int i = 0; i < wanted; ++i) {
    if (pthread_create(&threads[i], &attributes, wait_for_all, &threads[i]) != 0) {
      printf("thread %d could not be started\n", i);
      return 1;
    }
  }
  for (int i = 0; i < wanted; ++i) {
    void* result = NULL;
    if (pthread_join(threads[i], &result) != 0 || result != &threads[i]) {
      printf("thread %d was not joined as it should be\n", i);
      return 1;
    }
  }
  printf("%d threads were alive at once, %d have left\n", arrived, left);
  free(threads);
  return 0;
}
