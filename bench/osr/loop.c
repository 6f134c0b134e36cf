// One loop that is entered once and runs for a second, on as many threads as asked for (1: the main thread alone).
// Prints how many rounds all made in the first second, and between 0.5 s and 1 s.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct work {
  pthread_t thread;
  uint64_t half, whole, value;
};
static uint64_t begin;
static uint32_t table[4096];

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void* loop(void* argument) {
  struct work* work = argument;
  uint64_t x = (uintptr_t)work | 1;
  uint32_t sum = 0;
  for (uint64_t round = 1;; ++round) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    sum = (sum + table[x & 4095]) * 31;
    if ((round & 0xffff) != 0) continue;
    uint64_t passed = now() - begin;
    if (passed < 500000000u) work->half = round;
    if (passed >= 1000000000u) {
      work->whole = round;
      work->value = x + sum;
      return NULL;
    }
  }
}

int main(int argc, char** argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1;
  struct work work[64] = {0};
  if (count < 1 || count > 64) return 2;
  for (uint32_t i = 0; i < 4096; ++i) table[i] = i * 2654435761u;
  begin = now();
  if (count == 1) loop(&work[0]);
  if (count > 1) {
    for (int i = 0; i < count; ++i)
      if (pthread_create(&work[i].thread, NULL, loop, &work[i])) return 3;
    for (int i = 0; i < count; ++i) pthread_join(work[i].thread, NULL);
  }
  uint64_t half = 0, whole = 0, value = 0;
  for (int i = 0; i < count; ++i) half += work[i].half, whole += work[i].whole, value ^= work[i].value;
  fprintf(stderr, "%s", value == 1 ? " " : "");  // the value is needed
  printf("%llu %llu\n", (unsigned long long)whole, (unsigned long long)(whole - half));
  return 0;
}
