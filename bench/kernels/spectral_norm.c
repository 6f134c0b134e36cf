// Power iteration with a matrix that is computed, not stored: division and small calls.
#include <math.h>

#include "kernel.h"

static double entry(unsigned row, unsigned column) {
  unsigned diagonal = row + column;
  return 1.0 / (double)(diagonal * (diagonal + 1) / 2 + row + 1);
}

static void multiply(unsigned n, const double* in, double* out, int transposed) {
  for (unsigned i = 0; i < n; ++i) {
    double sum = 0.0;
    for (unsigned j = 0; j < n; ++j) sum += (transposed ? entry(j, i) : entry(i, j)) * in[j];
    out[i] = sum;
  }
}

int kernel(int argc, char** argv) {
  unsigned n = work_size(argc, argv, 2400);
  double *u = malloc(n * sizeof *u), *v = malloc(n * sizeof *v), *between = malloc(n * sizeof *between);
  for (unsigned i = 0; i < n; ++i) u[i] = 1.0;
  for (int round = 0; round < 10; ++round) {
    multiply(n, u, between, 0);
    multiply(n, between, v, 1);
    multiply(n, v, between, 0);
    multiply(n, between, u, 1);
  }
  double uv = 0.0, vv = 0.0;
  for (unsigned i = 0; i < n; ++i) {
    uv += u[i] * v[i];
    vv += v[i] * v[i];
  }
  return report("spectral_norm", (uint32_t)(sqrt(uv / vv) * 1e9));
}
