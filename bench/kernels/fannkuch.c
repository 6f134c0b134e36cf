// Pancake flips over all permutations of n numbers: short loops over small arrays, hard to predict.
#include "kernel.h"

int kernel(int argc, char** argv) {
  enum { kMost = 12 };
  int n = (int)work_size(argc, argv, 10), order[kMost], copy[kMost], count[kMost];
  if (n < 2 || n > kMost) return 2;
  int most_flips = 0, round = n;
  uint32_t sum = 0, permutation = 0;
  for (int i = 0; i < n; ++i) order[i] = i;
  for (;;) {
    for (; round > 1; --round) count[round - 1] = round;
    for (int i = 0; i < n; ++i) copy[i] = order[i];
    int flips = 0;
    for (int first = copy[0]; first != 0; first = copy[0]) {
      for (int low = 0, high = first; low < high; ++low, --high) {
        int swap = copy[low];
        copy[low] = copy[high];
        copy[high] = swap;
      }
      ++flips;
    }
    if (flips > most_flips) most_flips = flips;
    sum += permutation++ % 2 == 0 ? (uint32_t)flips : -(uint32_t)flips;
    for (;; ++round) {
      if (round == n) return report("fannkuch", mix(sum, (uint32_t)most_flips));
      int first = order[0];
      for (int i = 0; i < round; ++i) order[i] = order[i + 1];
      order[round] = first;
      if (--count[round] > 0) break;
    }
  }
}
