// Asks for prefetches of addresses in its memory and of some where there is none.
#include "../../../examples/prefetch.h"

#include <stdint.h>
#include <stdio.h>

static int values[1000];

__attribute__((noinline)) static int ask(const char* address) {
  __builtin_prefetch(address);
  __builtin_prefetch(address + 64, 1);
  __builtin_prefetch(address + 128, 0, 2);
  __builtin_prefetch(values, 0, 0);
  return values[(uintptr_t)address % 1000];
}

int main(void) {
  for (int i = 0; i < 1000; ++i) values[i] = i;
  int sum = ask((const char*)values) >= 0;
  for (unsigned i = 0; i < 64; ++i) sum += ask((const char*)(uintptr_t)(i << 26 | 0x3ffffff));
  printf("%d\n", sum);
  return 0;
}
