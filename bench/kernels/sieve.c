// Primes by crossing out, one bit each: strided read-modify-write and bit counting.
#include <string.h>

#include "kernel.h"

int kernel(int argc, char** argv) {
  unsigned limit = work_size(argc, argv, 50000000);
  uint32_t* crossed = calloc(limit / 32 + 1, sizeof *crossed);
  uint32_t count = 0, sum = 0;
  for (unsigned n = 2; (uint64_t)n * n <= limit; ++n) {
    if (crossed[n / 32] >> (n % 32) & 1) continue;
    for (unsigned multiple = n * n; multiple <= limit && multiple >= n; multiple += n) {
      crossed[multiple / 32] |= 1u << (multiple % 32);
    }
  }
  for (unsigned word = 0; word <= limit / 32; ++word) {
    count += (uint32_t)__builtin_popcount(~crossed[word]);
    sum = mix(sum, crossed[word]);
  }
  free(crossed);
  return report("sieve", mix(sum, count));
}
