// Eight queens and more: deep recursion with a few integers each, calls all the way.
#include "kernel.h"

static uint32_t place(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
  if (columns == all) return 1;
  uint32_t solutions = 0;
  for (uint32_t open = all & ~(columns | left | right); open != 0; open &= open - 1) {
    uint32_t queen = open & -open;
    solutions += place(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
  }
  return solutions;
}

int kernel(int argc, char** argv) {
  unsigned n = work_size(argc, argv, 14);
  return report("queens", place((1u << n) - 1, 0, 0, 0));
}
