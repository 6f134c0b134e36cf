// Ten threads; each prints its number. The smallest program that shows wasi-threads at work.
#include <pthread.h>
#include <stdio.h>

enum { kThreads = 10 };

static void* say_number(void* argument) {
  printf("Thread %d says hello\n", *(int*)argument);
  return NULL;
}

int main(void) {
  pthread_t threads[kThreads];
  int numbers[kThreads];
  for (int i = 0; i < kThreads; ++i) {
    numbers[i] = i;
    if (pthread_create(&threads[i], NULL, say_number, &numbers[i]) != 0) {
      fprintf(stderr, "threads: cannot start thread %d\n", i);
      return 1;
    }
  }
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  return 0;
}
