// Threads that spawn threads. `spawn_tree DEPTH`: every thread spawns two more and joins them; prints how many there
// were. `spawn_tree DEPTH return`: nobody is joined and main returns in the middle of it.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int count, refused;
static int join_them = 1;

static void* grow(void* depth) {
  pthread_t children[2];
  int started[2] = {0, 0};
  ++count;
  if ((size_t)depth == 0) return NULL;
  for (int i = 0; i < 2; ++i) {
    started[i] = pthread_create(&children[i], NULL, grow, (void*)((size_t)depth - 1)) == 0;
    if (!started[i]) ++refused;
  }
  for (int i = 0; i < 2; ++i) {
    if (started[i]) join_them ? pthread_join(children[i], NULL) : pthread_detach(children[i]);
  }
  return NULL;
}

int main(int argc, char** argv) {
  size_t depth = argc > 1 ? strtoul(argv[1], NULL, 10) : 7;
  if (argc > 2 && strcmp(argv[2], "return") == 0) {
    join_them = 0;
    grow((void*)depth);
    puts("ending");
    return 0;
  }
  grow((void*)depth);
  printf("%d threads, %d refused\n", count, refused);
  return 0;
}
