// Binary trees built and torn down, node by node: malloc, free and pointers.
#include "kernel.h"

struct node {
  struct node *left, *right;
};

static struct node* build(unsigned depth) {
  struct node* node = malloc(sizeof *node);
  if (node == NULL) abort();
  node->left = depth > 0 ? build(depth - 1) : NULL;
  node->right = depth > 0 ? build(depth - 1) : NULL;
  return node;
}

static uint32_t count_and_free(struct node* node) {
  if (node == NULL) return 0;
  uint32_t count = 1 + count_and_free(node->left) + count_and_free(node->right);
  free(node);
  return count;
}

int kernel(int argc, char** argv) {
  unsigned deepest = work_size(argc, argv, 16);
  uint32_t sum = 0;
  struct node* long_lived = build(deepest);
  for (unsigned depth = 4; depth <= deepest; depth += 4) {
    unsigned rounds = 1u << (deepest - depth + 4);
    for (unsigned i = 0; i < rounds; ++i) sum = mix(sum, count_and_free(build(depth)));
  }
  return report("tree", mix(sum, count_and_free(long_lived)));
}
