// Prefetches that reach the processor. Compilers drop __builtin_prefetch when they compile for WebAssembly, which has
// no instruction for it. With this header in front of the source they become instructions that do nothing, by which
// Heddle knows what is meant; other engines leave them out.
//
//     clang --target=wasm32-wasip1-threads -include prefetch.h -O2 ...
//
// As natively, any address will do, also one where there is no memory.
#ifndef HEDDLE_PREFETCH_H
#define HEDDLE_PREFETCH_H

#if defined(__wasm32__) && !defined(__ASSEMBLER__)
#define HEDDLE_PREFETCH_HINT(address, write, locality)                               \
  __asm__ volatile("local.get %0\n\ti32.const %1\n\ti32.xor\n\tdrop" ::"r"(address), \
                   "i"(0x70726560 + 4 * ((write) != 0) + (locality)))
#define HEDDLE_PREFETCH_1(address) HEDDLE_PREFETCH_HINT(address, 0, 3)
#define HEDDLE_PREFETCH_2(address, write) HEDDLE_PREFETCH_HINT(address, write, 3)
#define HEDDLE_PREFETCH_3(address, write, locality) HEDDLE_PREFETCH_HINT(address, write, locality)
#define HEDDLE_PREFETCH_OF(one, two, three, name, ...) name
#define __builtin_prefetch(...) \
  HEDDLE_PREFETCH_OF(__VA_ARGS__, HEDDLE_PREFETCH_3, HEDDLE_PREFETCH_2, HEDDLE_PREFETCH_1, )(__VA_ARGS__)
#endif

#endif
