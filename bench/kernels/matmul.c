// Matrices of doubles multiplied in blocks: loads, multiplies, adds, regular strides.
#include "kernel.h"

enum { kBlock = 40 };

int kernel(int argc, char** argv) {
  unsigned n = work_size(argc, argv, 1000) / kBlock * kBlock;
  double *a = malloc(sizeof(double) * n * n), *b = malloc(sizeof(double) * n * n),
         *c = calloc((size_t)n * n, sizeof *c);
  uint32_t seed = 4711, sum = 0;
  for (size_t i = 0; i < (size_t)n * n; ++i) {
    a[i] = (double)(next_random(&seed) % 2001) - 1000;
    b[i] = (double)(next_random(&seed) % 2001) - 1000;
  }
  for (unsigned ii = 0; ii < n; ii += kBlock) {
    for (unsigned kk = 0; kk < n; kk += kBlock) {
      for (unsigned i = ii; i < ii + kBlock; ++i) {
        for (unsigned k = kk; k < kk + kBlock; ++k) {
          double factor = a[(size_t)i * n + k];
          for (unsigned j = 0; j < n; ++j) c[(size_t)i * n + j] += factor * b[(size_t)k * n + j];
        }
      }
    }
  }
  for (size_t i = 0; i < (size_t)n * n; ++i) sum = mix(sum, (uint32_t)(int64_t)c[i]);  // whole numbers, exactly
  return report("matmul", sum);
}
