// Escape times over a square of the complex plane: a floating-point loop that ends early or not.
#include "kernel.h"

int kernel(int argc, char** argv) {
  unsigned size = work_size(argc, argv, 1500);
  uint32_t sum = 2166136261u;
  for (unsigned row = 0; row < size; ++row) {
    for (unsigned column = 0; column < size; ++column) {
      double real = 3.0 * column / size - 2.2, imaginary = 3.0 * row / size - 1.5;
      double x = 0.0, y = 0.0, xx = 0.0, yy = 0.0;
      unsigned steps = 0;
      while (steps < 200 && xx + yy <= 4.0) {
        y = 2.0 * x * y + imaginary;
        x = xx - yy + real;
        xx = x * x;
        yy = y * y;
        ++steps;
      }
      sum = mix(sum, steps);
    }
  }
  return report("mandelbrot", sum);
}
