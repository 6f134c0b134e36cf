// Traps in the way that is asked for, after saying `before`. C forbids most of this, so the instructions are hidden
// from the optimiser behind volatile values and inline assembly.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static volatile int zero = 0, minus_one = -1, smallest = -2147483647 - 1;
static volatile double huge = 1e300;

#ifdef __wasm__
static int divide(int a, int b) {
  int result;
  __asm__ volatile("local.get %1\n local.get %2\n i32.div_s\n local.set %0" : "=r"(result) : "r"(a), "r"(b));
  return result;
}
static int convert(double a) {
  int result;
  __asm__ volatile("local.get %1\n i32.trunc_f64_s\n local.set %0" : "=r"(result) : "r"(a));
  return result;
}
#else
static int divide(int a, int b) {
  return a / b;
}
static int convert(double a) {
  return (int)a;
}
#endif

static int takes_two(int a, int b) {
  return a + b;
}
static void* volatile function = (void*)takes_two;

// Endless recursion that uses no linear memory, so that only the engine's own stack can run out.
static int (*volatile self)(int);
static int recurse(int depth) {
  return self(depth + 1) + depth;
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "unreachable";
  puts("before");
  fflush(stdout);
  if (strcmp(how, "unreachable") == 0) __builtin_trap();
  if (strcmp(how, "divide") == 0) return divide(1, zero);
  if (strcmp(how, "overflow") == 0) return divide(smallest, minus_one);
  if (strcmp(how, "convert") == 0) return convert(huge);
  if (strcmp(how, "load") == 0) return *(volatile int*)((uintptr_t)0xfffffff0u + (uintptr_t)zero);
  if (strcmp(how, "store") == 0) *(volatile int*)((uintptr_t)0xfffffff0u + (uintptr_t)zero) = 1;
  if (strcmp(how, "indirect") == 0) ((void (*)(double, double))function)(1.0, 2.0);
  if (strcmp(how, "recursion") == 0) {
    self = recurse;
    return recurse(zero);
  }
  puts("after");
  return 0;
}
