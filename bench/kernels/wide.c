// 64-bit arithmetic in numbers of many words: multiply with carry, divide, shift (a factorial in binary, in decimal).
#include "kernel.h"

enum { kWords = 10000 };

int kernel(int argc, char** argv) {
  static uint32_t number[kWords];
  unsigned n = work_size(argc, argv, 18000), used = 1;
  uint32_t sum = 0;
  number[0] = 1;
  for (uint32_t factor = 2; factor <= n && used < kWords - 1; ++factor) {
    uint64_t carry = 0;
    for (unsigned i = 0; i < used; ++i) {
      carry += (uint64_t)number[i] * factor;
      number[i] = (uint32_t)carry;
      carry >>= 32;
    }
    if (carry != 0) number[used++] = (uint32_t)carry;
  }
  while (used > 0) {
    uint64_t rest = 0;
    for (unsigned i = used; i-- > 0;) {
      rest = rest << 32 | number[i];
      number[i] = (uint32_t)(rest / 1000000000u);
      rest %= 1000000000u;
    }
    sum = mix(sum, (uint32_t)rest);
    while (used > 0 && number[used - 1] == 0) --used;
  }
  return report("wide", sum);
}
