// Spawns a thread that returns at once and joins it, N times in a row (default 2,000).
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void* add_one(void* argument) {
  ++*(int*)argument;  // join orders this before the next round
  return argument;
}

int main(int argc, char** argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 2000, count = 0;
  for (int i = 0; i < rounds; ++i) {
    pthread_t thread;
    void* result = NULL;
    if (pthread_create(&thread, NULL, add_one, &count) != 0) {
      printf("thread %d could not be started\n", i);
      return 1;
    }
    if (pthread_join(thread, &result) != 0 || result != &count || count != i + 1) {
      printf("thread %d was not joined as it should be\n", i);
      return 1;
    }
  }
  printf("%d threads spawned and joined\n", count);
  return 0;
}
