// One thread grows the memory while others use what there is: nobody may trap, lose a byte or see a smaller memory.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum { kPage = 65536, kGrows = 400, kUsers = 3 };
static atomic_uint pages;  // known to be there; published after each grow
static atomic_int stop, wrong;
static atomic_uint first_page;

static uint32_t* mark_of(unsigned page, size_t user) {
  return (uint32_t*)((uintptr_t)page * kPage + kPage - 64) + user;
}

static void* use(void* number) {
  size_t user = (size_t)number;
  unsigned seen_size = 0;
  while (!stop) {
    unsigned known = atomic_load(&pages);
    unsigned size = (unsigned)__builtin_wasm_memory_size(0);
    if (size < known || size < seen_size) ++wrong;
    seen_size = size;
    for (unsigned page = first_page; page < known; ++page) {
      uint32_t* mark = mark_of(page, user);  // near the end of the page, the newest one included
      uint32_t value = *mark;
      if (value != 0 && value != page * 4 + user) ++wrong;
      *mark = page * 4 + (uint32_t)user;
    }
  }
  return NULL;
}

int main(void) {
  pthread_t threads[kUsers];
  for (size_t i = 0; i < kUsers; ++i) pthread_create(&threads[i], NULL, use, (void*)(i + 1));
  // The threads' stacks are allocated now; whatever is grown from here on is this test's alone.
  first_page = (uint32_t)__builtin_wasm_memory_size(0);
  atomic_store(&pages, first_page);
  unsigned expected = first_page;
  for (int i = 0; i < kGrows; ++i) {
    unsigned before = (unsigned)__builtin_wasm_memory_grow(0, 1);
    if (before != expected) ++wrong;
    ++expected;
    atomic_store(&pages, expected);
  }
  stop = 1;
  for (int i = 0; i < kUsers; ++i) pthread_join(threads[i], NULL);
  for (unsigned page = first_page; page + 1 < expected; ++page) {
    for (size_t user = 1; user <= kUsers; ++user) {
      uint32_t value = *mark_of(page, user);
      if (value != 0 && value != page * 4 + user) ++wrong;
    }
  }
  printf("grown %d times, %d wrong\n", kGrows, wrong);
  return wrong != 0;
}
