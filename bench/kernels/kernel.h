// What every kernel has in common: one optional argument that says how much work to do, one checksum on one line, the
// same for every build of it. Kernels do nothing undefined and print no addresses and no times.
#ifndef BENCH_KERNELS_KERNEL_H
#define BENCH_KERNELS_KERNEL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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
  printf("%s %08x\n", name, (unsigned)checksum);
  return 0;
}

#endif
