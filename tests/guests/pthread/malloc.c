// The allocator: size classes for small blocks, runs of 4 KiB units for large ones, one lock around both.
//
// Every block has a 16-byte header before it. Small blocks (up to 32 KiB) come from a list of free blocks of their
// class, else from the end of the current region; they return to their list. Large blocks are runs, kept in a list
// sorted by address so that neighbours join again; first fit. New memory comes from memory.grow only.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layer.h"

enum {
  kUnit = 4096,
  kWasmPage = 65536,
  kRegionUnits = 64,  // chosen: 256 KiB at a time for small blocks; at most 1/8 of it is lost at its end
  kLargestSmall = 32 * 1024,
  kClasses = 40,
  kLarge = 255,
  kMagic = 0x6b0c,
};

struct header {
  uint16_t magic;
  uint16_t size_class;  // or kLarge
  uint32_t units;       // of a large block
  uint32_t shift;       // of an over-aligned block: distance from the block that malloc gave
  uint32_t unused;
};
_Static_assert(sizeof(struct header) == 16, "keeps blocks aligned to 16");

struct free_block {
  struct free_block* next;
};
struct run {
  uint32_t units;
  struct run* next;
};

static struct word_lock heap_lock;  // guards everything below
static struct free_block* free_blocks[kClasses];
static char *region, *region_end;
static struct run* runs;

// Classes: 16, 32, 48, 64, then four steps in each doubling.
static unsigned class_of(size_t size) {
  if (size <= 64) return size == 0 ? 0 : (unsigned)(size - 1) / 16;
  unsigned log = 31 - (unsigned)__builtin_clz((uint32_t)size - 1);  // 2^log < size <= 2^(log+1)
  return 4 * (log - 5) + ((uint32_t)(size - 1) >> (log - 2)) % 4;
}
static size_t class_size(unsigned size_class) {
  if (size_class < 4) return 16 * (size_class + 1);
  return (size_t)(5 + size_class % 4) << (size_class / 4 + 3);
}

static void give_run_locked(void* memory, uint32_t units) {
  struct run **link = &runs, *before = NULL;
  while (*link != NULL && (void*)*link < memory) {
    before = *link;
    link = &(*link)->next;
  }
  struct run *run = memory, *after = *link;
  *run = (struct run){units, after};
  *link = run;
  if (after != NULL && (char*)run + run->units * kUnit == (char*)after) {
    run->units += after->units;
    run->next = after->next;
  }
  if (before != NULL && (char*)before + before->units * kUnit == (char*)run) {
    before->units += run->units;
    before->next = run->next;
  }
}

static void* find_run_locked(uint32_t units) {
  for (struct run** link = &runs; *link != NULL; link = &(*link)->next) {
    struct run* run = *link;
    if (run->units < units) continue;
    struct run* rest = run->next;
    if (run->units > units) {
      struct run* tail = (struct run*)((char*)run + units * kUnit);
      *tail = (struct run){run->units - units, run->next};
      rest = tail;
    }
    *link = rest;
    return run;
  }
  return NULL;
}

static void* take_run_locked(uint32_t units) {
  void* found = find_run_locked(units);
  if (found != NULL) return found;
  size_t pages = ((size_t)units * kUnit + kWasmPage - 1) / kWasmPage;
  size_t old = __builtin_wasm_memory_grow(0, pages);
  if (old == (size_t)-1) return NULL;
  give_run_locked((void*)(old * kWasmPage), (uint32_t)(pages * (kWasmPage / kUnit)));
  return find_run_locked(units);
}

static struct header* take_small_locked(unsigned size_class) {
  struct free_block* block = free_blocks[size_class];
  if (block != NULL) {
    free_blocks[size_class] = block->next;
    return (struct header*)block - 1;
  }
  size_t size = class_size(size_class) + sizeof(struct header);
  if ((size_t)(region_end - region) < size) {
    char* fresh = take_run_locked(kRegionUnits);
    if (fresh == NULL) return NULL;
    region = fresh;
    region_end = fresh + kRegionUnits * kUnit;
  }
  struct header* header = (struct header*)region;
  region += size;
  return header;
}

void* malloc(size_t size) {
  if (size > SIZE_MAX - 2 * kWasmPage) {
    errno = ENOMEM;
    return NULL;
  }
  struct header* header;
  unsigned size_class = kLarge;
  uint32_t units = 0;
  word_lock_wait(&heap_lock);
  if (size <= kLargestSmall) {
    size_class = class_of(size);
    header = take_small_locked(size_class);
  } else {
    units = (uint32_t)((size + sizeof(struct header) + kUnit - 1) / kUnit);
    header = take_run_locked(units);
  }
  word_lock_release(&heap_lock);
  if (header == NULL) {
    errno = ENOMEM;
    return NULL;
  }
  *header = (struct header){.magic = kMagic, .size_class = (uint16_t)size_class, .units = units};
  return header + 1;
}

static struct header* header_of(void* block) {
  struct header* header = (struct header*)block - 1;
  if (header->shift != 0) header = (struct header*)((char*)block - header->shift) - 1;
  if (header->magic != kMagic) __builtin_trap();  // freed twice, or never ours
  return header;
}

void free(void* block) {
  if (block == NULL) return;
  struct header* header = header_of(block);
  header->magic = 0;
  word_lock_wait(&heap_lock);
  if (header->size_class == kLarge) {
    give_run_locked(header, header->units);
  } else {
    struct free_block* freed = (struct free_block*)(header + 1);
    freed->next = free_blocks[header->size_class];
    free_blocks[header->size_class] = freed;
  }
  word_lock_release(&heap_lock);
}

size_t malloc_usable_size(void* block) {
  if (block == NULL) return 0;
  struct header* header = header_of(block);
  size_t size = header->size_class == kLarge ? header->units * (size_t)kUnit - sizeof(struct header)
                                             : class_size(header->size_class);
  return size - (size_t)((char*)block - (char*)(header + 1));
}

void* calloc(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) {
    errno = ENOMEM;
    return NULL;
  }
  void* block = malloc(total);
  return block == NULL ? NULL : memset(block, 0, total);
}

void* realloc(void* block, size_t size) {
  if (block == NULL) return malloc(size);
  size_t room = malloc_usable_size(block);
  if (size <= room && size >= room / 2) return block;
  void* moved = malloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, size < room ? size : room);
  free(block);
  return moved;
}

void* reallocarray(void* block, size_t count, size_t size) {
  size_t total;
  if (!__builtin_mul_overflow(count, size, &total)) return realloc(block, total);
  errno = ENOMEM;
  return NULL;
}

void* aligned_alloc(size_t alignment, size_t size) {
  if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > SIZE_MAX / 4 || size > SIZE_MAX / 2) {
    errno = EINVAL;
    return NULL;
  }
  if (alignment <= 16) return malloc(size);
  char* block = malloc(size + alignment);
  if (block == NULL) return NULL;
  char* aligned = (char*)(((uintptr_t)block + alignment - 1) & -(uintptr_t)alignment);
  if (aligned != block) {
    ((struct header*)aligned)[-1] = (struct header){.shift = (uint32_t)(aligned - block)};
  }
  return aligned;
}

void* memalign(size_t alignment, size_t size) {
  return aligned_alloc(alignment, size);
}
void* valloc(size_t size) {
  return aligned_alloc(kWasmPage, size);
}

int posix_memalign(void** out, size_t alignment, size_t size) {
  if (alignment < sizeof(void*) || (alignment & (alignment - 1)) != 0) return EINVAL;
  int saved = errno;
  *out = aligned_alloc(alignment, size);
  errno = saved;
  return *out == NULL ? ENOMEM : 0;
}
