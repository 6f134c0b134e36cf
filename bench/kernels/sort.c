// Quicksort and merge sort on the same numbers, and qsort with a comparison through a pointer.
#include <string.h>

#include "kernel.h"

static void insertion_sort(uint32_t* a, size_t n) {
  for (size_t i = 1; i < n; ++i) {
    uint32_t value = a[i];
    size_t at = i;
    for (; at > 0 && a[at - 1] > value; --at) a[at] = a[at - 1];
    a[at] = value;
  }
}

static void quick_sort(uint32_t* a, size_t n) {
  while (n > 16) {
    uint32_t pivot = a[n / 2];
    size_t low = 0, high = n - 1;
    for (;;) {
      while (a[low] < pivot) ++low;
      while (a[high] > pivot) --high;
      if (low >= high) break;
      uint32_t swap = a[low];
      a[low++] = a[high];
      a[high--] = swap;
    }
    quick_sort(a, low);
    a += low;
    n -= low;
  }
  insertion_sort(a, n);
}

static void merge_sort(uint32_t* a, uint32_t* scratch, size_t n) {
  if (n <= 16) {
    insertion_sort(a, n);
    return;
  }
  size_t half = n / 2, left = 0, right = half;
  merge_sort(a, scratch, half);
  merge_sort(a + half, scratch, n - half);
  for (size_t i = 0; i < n; ++i) {
    int from_left = right == n || (left < half && a[left] <= a[right]);
    scratch[i] = from_left ? a[left++] : a[right++];
  }
  memcpy(a, scratch, n * sizeof *a);
}

static int compare(const void* a, const void* b) {
  uint32_t x = *(const uint32_t*)a, y = *(const uint32_t*)b;
  return (x > y) - (x < y);
}

int kernel(int argc, char** argv) {
  size_t n = work_size(argc, argv, 2000000);
  uint32_t *first = malloc(n * sizeof *first), *second = malloc(n * sizeof *second), *third = malloc(n * sizeof *third);
  uint32_t seed = 12345, sum = 0;
  for (size_t i = 0; i < n; ++i) first[i] = second[i] = third[i] = next_random(&seed);
  uint32_t* scratch = malloc(n * sizeof *scratch);
  quick_sort(first, n);
  merge_sort(second, scratch, n);
  qsort(third, n, sizeof *third, compare);
  if (memcmp(first, second, n * sizeof *first) != 0 || memcmp(first, third, n * sizeof *first) != 0) return 1;
  for (size_t i = 0; i < n; i += 97) sum = mix(sum, first[i]);
  return report("sort", sum);
}
