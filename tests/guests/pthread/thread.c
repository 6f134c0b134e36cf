// Threads: create, join, detach, self. The life of a thread is drawn in layer.h.
#include <errno.h>
#include <stdlib.h>

#include "layer.h"

__attribute__((import_module("wasi"), import_name("thread-spawn"))) int wasi_thread_spawn(void* start_argument);
extern void __wasm_init_tls(void* area);

static struct __pthread main_thread = {.state = kJoinable};
static _Thread_local struct __pthread* current;  // null on the main thread

// Detached threads that have ended, or are about to: nobody joins them, and they cannot free the stack they
// stand on. The next pthread_create frees those that are off it.
static struct __pthread* dead_list;
static struct word_lock dead_lock;

static void bury_the_dead(void) {
  word_lock_wait(&dead_lock);
  for (struct __pthread** link = &dead_list; *link != NULL;) {
    struct __pthread* thread = *link;
    if (atomic_load(&thread->state) != kGone) {
      link = &thread->next_dead;
      continue;
    }
    *link = thread->next_dead;
    free(thread->block);
  }
  word_lock_release(&dead_lock);
}

static uintptr_t round_up(uintptr_t value, uintptr_t alignment) {
  return (value + alignment - 1) & -alignment;
}

static struct __pthread* allocate_thread(size_t stack_size) {
  size_t tls_alignment = __builtin_wasm_tls_align() > 16 ? __builtin_wasm_tls_align() : 16;
  size_t tls_size = round_up(__builtin_wasm_tls_size(), 16);
  stack_size = round_up(stack_size, 16);
  char* block = malloc(stack_size + tls_alignment + tls_size + sizeof(struct __pthread));
  if (block == NULL) return NULL;
  uintptr_t tls = round_up((uintptr_t)block + stack_size, tls_alignment);
  struct __pthread* thread = (struct __pthread*)(tls + tls_size);
  *thread = (struct __pthread){.stack_top = (void*)(tls & ~(uintptr_t)15), .tls_base = (void*)tls, .block = block};
  return thread;
}

int pthread_create(pthread_t* restrict out, const pthread_attr_t* restrict attributes, void* (*function)(void*),
                   void* restrict argument) {
  pthread_attr_t defaults;
  size_t stack_size;
  int detach_state;
  if (attributes == NULL) {
    pthread_attr_init(&defaults);
    attributes = &defaults;
  }
  pthread_attr_getstacksize(attributes, &stack_size);
  pthread_attr_getdetachstate(attributes, &detach_state);

  bury_the_dead();
  struct __pthread* thread = allocate_thread(stack_size);
  if (thread == NULL) return EAGAIN;
  thread->function = function;
  thread->argument = argument;
  atomic_store(&thread->state, detach_state == PTHREAD_CREATE_DETACHED ? kDetached : kJoinable);
  *out = thread;
  if (wasi_thread_spawn(thread) < 0) {
    free(thread->block);
    return EAGAIN;
  }
  return 0;  // `thread` may already be freed: it is not touched after the spawn.
}

// Called by start.S on the new thread's own stack; returns the word that start.S sets to kGone.
_Atomic int* thread_main(int tid, struct __pthread* self) {
  current = self;
  self->tid = tid;
  self->result = self->function(self->argument);
  run_key_destructors();
  if (atomic_exchange(&self->state, kLeaving) == kDetached) {
    word_lock_wait(&dead_lock);
    self->next_dead = dead_list;
    dead_list = self;
    word_lock_release(&dead_lock);
  }
  return &self->state;
}

int pthread_join(pthread_t thread, void** result) {
  if (thread == pthread_self()) return EDEADLK;
  for (;;) {
    int state = atomic_load(&thread->state);
    if (state == kGone) break;
    if (state == kDetached) return EINVAL;
    futex_wait(&thread->state, state, NO_TIMEOUT);
  }
  if (result != NULL) *result = thread->result;
  free(thread->block);
  return 0;
}

int pthread_detach(pthread_t thread) {
  int expected = kJoinable;
  if (atomic_compare_exchange_strong(&thread->state, &expected, kDetached)) return 0;
  // It has ended or is ending: nobody else will free it.
  return expected == kDetached ? EINVAL : pthread_join(thread, NULL);
}

pthread_t pthread_self(void) {
  return current != NULL ? current : &main_thread;
}

int64_t nanoseconds_until(clockid_t clock, const struct timespec* deadline) {
  if (deadline == NULL) return NO_TIMEOUT;
  struct timespec now;
  clock_gettime(clock, &now);
  int64_t seconds = (int64_t)deadline->tv_sec - (int64_t)now.tv_sec;
  if (seconds > INT64_C(1000000000)) return NO_TIMEOUT;  // thirty years: forever
  int64_t left = seconds * INT64_C(1000000000) + (deadline->tv_nsec - now.tv_nsec);
  return left > 0 ? left : 0;
}
