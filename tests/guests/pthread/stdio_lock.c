// The locked twins of the stream functions; include/stdio.h leads to them.
//
// stdin, stdout and stderr have a lock each; other streams share a few by address, which can only make two of them
// wait for each other. The C library's list of open streams has a lock too, taken after a stream's.
#define GUESTS_STDIO_UNLOCKED
#include <stdio.h>

#include "layer.h"

struct stream_lock {
  struct word_lock lock;
  _Atomic(pthread_t) owner;  // only the owner's own comparison can succeed, so relaxed is enough
  int depth;
};

enum { kStandard = 3, kOthers = 13 };
static struct stream_lock stream_locks[kStandard + kOthers];
static struct word_lock open_streams_lock;

static struct stream_lock* lock_of(FILE* stream) {
  if (stream == stdin) return &stream_locks[0];
  if (stream == stdout) return &stream_locks[1];
  if (stream == stderr) return &stream_locks[2];
  return &stream_locks[kStandard + ((uintptr_t)stream / 16) % kOthers];
}

static int held_by_me(struct stream_lock* lock) {
  return atomic_load_explicit(&lock->owner, memory_order_relaxed) == pthread_self();
}
static void now_mine(struct stream_lock* lock) {
  atomic_store_explicit(&lock->owner, pthread_self(), memory_order_relaxed);
  lock->depth = 1;
}

void locked_flockfile(FILE* stream) {
  struct stream_lock* lock = lock_of(stream);
  if (held_by_me(lock)) {
    ++lock->depth;
    return;
  }
  word_lock_wait(&lock->lock);
  now_mine(lock);
}

int locked_ftrylockfile(FILE* stream) {
  struct stream_lock* lock = lock_of(stream);
  if (held_by_me(lock)) {
    ++lock->depth;
    return 0;
  }
  if (!word_lock_try(&lock->lock)) return -1;
  now_mine(lock);
  return 0;
}

void locked_funlockfile(FILE* stream) {
  struct stream_lock* lock = lock_of(stream);
  if (--lock->depth > 0) return;
  atomic_store_explicit(&lock->owner, NULL, memory_order_relaxed);
  word_lock_release(&lock->lock);
}

// LOCKED(result type, stream, call): the call with the stream's lock held.
#define LOCKED(type, stream, call) \
  do {                             \
    locked_flockfile(stream);      \
    type result = call;            \
    locked_funlockfile(stream);    \
    return result;                 \
  } while (0)

int locked_vfprintf(FILE* f, const char* format, va_list list) {
  LOCKED(int, f, vfprintf(f, format, list));
}
int locked_vprintf(const char* format, va_list list) {
  return locked_vfprintf(stdout, format, list);
}

int locked_fprintf(FILE* f, const char* format, ...) {
  va_list list;
  va_start(list, format);
  int result = locked_vfprintf(f, format, list);
  va_end(list);
  return result;
}

int locked_printf(const char* format, ...) {
  va_list list;
  va_start(list, format);
  int result = locked_vfprintf(stdout, format, list);
  va_end(list);
  return result;
}

static int locked_vfscanf(FILE* f, const char* format, va_list list) {
  LOCKED(int, f, vfscanf(f, format, list));
}

int locked_fscanf(FILE* f, const char* format, ...) {
  va_list list;
  va_start(list, format);
  int result = locked_vfscanf(f, format, list);
  va_end(list);
  return result;
}

int locked_scanf(const char* format, ...) {
  va_list list;
  va_start(list, format);
  int result = locked_vfscanf(stdin, format, list);
  va_end(list);
  return result;
}

int locked_puts(const char* text) {
  LOCKED(int, stdout, puts(text));
}
int locked_fputs(const char* text, FILE* f) {
  LOCKED(int, f, fputs(text, f));
}
int locked_putchar(int c) {
  LOCKED(int, stdout, putc(c, stdout));
}
int locked_fputc(int c, FILE* f) {
  LOCKED(int, f, putc(c, f));
}
int locked_getchar(void) {
  LOCKED(int, stdin, getc(stdin));
}
int locked_fgetc(FILE* f) {
  LOCKED(int, f, getc(f));
}
int locked_ungetc(int c, FILE* f) {
  LOCKED(int, f, ungetc(c, f));
}
char* locked_fgets(char* to, int size, FILE* f) {
  LOCKED(char*, f, fgets(to, size, f));
}
ssize_t locked_getdelim(char** line, size_t* size, int delimiter, FILE* f) {
  LOCKED(ssize_t, f, getdelim(line, size, delimiter, f));
}
size_t locked_fread(void* to, size_t size, size_t count, FILE* f) {
  LOCKED(size_t, f, fread(to, size, count, f));
}
size_t locked_fwrite(const void* from, size_t size, size_t count, FILE* f) {
  LOCKED(size_t, f, fwrite(from, size, count, f));
}
int locked_fseek(FILE* f, long offset, int whence) {
  LOCKED(int, f, fseek(f, offset, whence));
}
int locked_fseeko(FILE* f, off_t offset, int whence) {
  LOCKED(int, f, fseeko(f, offset, whence));
}
long locked_ftell(FILE* f) {
  LOCKED(long, f, ftell(f));
}
off_t locked_ftello(FILE* f) {
  LOCKED(off_t, f, ftello(f));
}

int locked_fflush(FILE* f) {
  if (f != NULL) LOCKED(int, f, fflush(f));
  // All output streams. stdin is left out: somebody may wait for input with its lock held.
  locked_flockfile(stdout);
  locked_flockfile(stderr);
  word_lock_wait(&open_streams_lock);
  int result = fflush(NULL);
  word_lock_release(&open_streams_lock);
  locked_funlockfile(stderr);
  locked_funlockfile(stdout);
  return result;
}

FILE* locked_fopen(const char* path, const char* mode) {
  word_lock_wait(&open_streams_lock);
  FILE* stream = fopen(path, mode);
  word_lock_release(&open_streams_lock);
  return stream;
}

FILE* locked_fdopen(int fd, const char* mode) {
  word_lock_wait(&open_streams_lock);
  FILE* stream = fdopen(fd, mode);
  word_lock_release(&open_streams_lock);
  return stream;
}

int locked_fclose(FILE* f) {
  locked_flockfile(f);
  word_lock_wait(&open_streams_lock);
  int result = fclose(f);
  word_lock_release(&open_streams_lock);
  locked_funlockfile(f);  // the lock is ours, not the stream's: `f` serves as a number only
  return result;
}

void locked_perror(const char* text) {
  locked_flockfile(stderr);
  perror(text);
  locked_funlockfile(stderr);
}
