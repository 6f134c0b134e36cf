// What every kernel has in common: one optional argument that says how much work to do, one checksum on one line, the
// same for every build of it. Kernels do nothing undefined and print no addresses and no times.
//
//   kernel SIZE          works and prints the checksum
//   kernel SIZE WARM-UP  works twice, first on WARM-UP; the CPU time of the second pass, which finds everything
//   compiled
//                        and in the caches, goes to standard error in nanoseconds (this program's threads only: an
//                        engine may still compile on its own)
#ifndef BENCH_KERNELS_KERNEL_H
#define BENCH_KERNELS_KERNEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifdef __wasi__
#include <wasi/api.h>
#endif

/// The work; `argv[1]` is its size if argc > 1. Each kernel defines it.
__attribute__((noinline)) int kernel(int argc, char** argv);

static const char* result_name;
static uint32_t result;
/// Kernels with threads add what those have used.
static _Atomic uint64_t other_threads_ns;

static inline unsigned work_size(int argc, char** argv, unsigned usual) {
  return argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : usual;
}

// xorshift: the same sequence everywhere.
static inline uint32_t next_random(uint32_t* state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

static inline uint32_t mix(uint32_t sum, uint32_t value) {
  return (sum ^ value) * 16777619u;
}

static inline int report(const char* name, uint32_t checksum) {
  result_name = name;
  result = checksum;
  return 0;
}

// CPU time of the calling thread. (WASI's C library has no name for that clock.)
static inline uint64_t cpu_time_ns(void) {
#ifdef __wasi__
  __wasi_timestamp_t now = 0;
  const uint32_t thread_cputime = 3;
  return __wasi_clock_time_get(thread_cputime, 1, &now) == 0 ? now : 0;
#else
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

int main(int argc, char** argv) {
  char* warm_up[] = {argv[0], argc > 2 ? argv[2] : NULL, NULL};
  int failed = argc > 2 && kernel(2, warm_up) != 0;
  other_threads_ns = 0;
  uint64_t start = cpu_time_ns();
  failed |= kernel(argc, argv);
  uint64_t used = cpu_time_ns() - start + other_threads_ns;
  if (failed) return 1;
  // Only here, so that the time has nothing of printf, whose code is not compiled yet.
  printf("%s %08x\n", result_name, (unsigned)result);
  if (argc > 2) fprintf(stderr, "%llu\n", (unsigned long long)used);
  return 0;
}

#endif
