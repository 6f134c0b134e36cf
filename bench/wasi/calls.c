// What a WASI call costs: the same four operations natively and through preview1, `calls FOLDER ROUNDS`. Prints one
// line "name nanoseconds-per-operation" each. FOLDER is where a scratch file may be made (in wasm: descriptor 3 is
// used).
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kBlock = 4096, kBlocks = 256 };
static char block[kBlock];

#ifdef __wasi__
#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
IMPORT(fd_write) int wasi_fd_write(int fd, const void* iovs, int count, uint32_t* done);
IMPORT(fd_read) int wasi_fd_read(int fd, const void* iovs, int count, uint32_t* done);
IMPORT(clock_time_get) int wasi_clock_time_get(int id, uint64_t precision, uint64_t* time);
IMPORT(path_open)
int wasi_path_open(int fd, int flags, const char* path, int size, int oflags, uint64_t base, uint64_t inheriting,
                   int fdflags, int* opened);
IMPORT(fd_close) int wasi_fd_close(int fd);

static void write_nothing(int fd) {
  static const uint32_t iov[2] = {0, 0};
  uint32_t done;
  if (wasi_fd_write(fd, iov, 1, &done) != 0) abort();
}
static uint64_t clock_once(void) {
  uint64_t time;
  if (wasi_clock_time_get(1, 0, &time) != 0) abort();
  return time;
}
static void read_block(int fd) {
  const uint32_t iov[2] = {(uint32_t)(uintptr_t)block, kBlock};
  uint32_t done;
  if (wasi_fd_read(fd, iov, 1, &done) != 0 || done != kBlock) abort();
}
static void open_and_close(int dir, const char* name) {
  int fd;
  if (wasi_path_open(dir, 1, name, (int)strlen(name), 0, 1 << 1, 0, 0, &fd) != 0 || wasi_fd_close(fd) != 0) abort();
}
static int open_folder(const char* path) {
  (void)path;
  return 3;
}
#else
static void write_nothing(int fd) {
  if (write(fd, block, 0) != 0) abort();
}
static uint64_t clock_once(void) {
  struct timespec time;
  if (clock_gettime(CLOCK_MONOTONIC, &time) != 0) abort();
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}
static void read_block(int fd) {
  if (read(fd, block, kBlock) != kBlock) abort();
}
static void open_and_close(int dir, const char* name) {
  const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || close(fd) != 0) abort();
}
static int open_folder(const char* path) {
  return open(path, O_RDONLY | O_DIRECTORY);
}
#endif

static void report(const char* name, uint64_t begin, long rounds) {
  printf("%s %.1f\n", name, (double)(clock_once() - begin) / (double)rounds);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const long rounds = atol(argv[2]);
  const int dir = open_folder(argv[1]);
  char path[1024];
  snprintf(path, sizeof path, "%s/scratch", argv[1]);
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (dir < 0 || fd < 0) return 1;
  for (int i = 0; i < kBlocks; ++i)
    if (write(fd, block, kBlock) != kBlock) return 1;

  uint64_t begin = clock_once();
  for (long i = 0; i < rounds; ++i) write_nothing(fd);
  report("fd_write_of_0_bytes", begin, rounds);

  begin = clock_once();
  for (long i = 0; i < rounds; ++i) clock_once();
  report("clock_time_get", begin, rounds);

  begin = clock_once();
  for (long i = 0; i < rounds; ++i) {
    if (i % kBlocks == 0) lseek(fd, 0, SEEK_SET);
    read_block(fd);
  }
  report("fd_read_of_4_KiB", begin, rounds);

  begin = clock_once();
  for (long i = 0; i < rounds; ++i) open_and_close(dir, "scratch");
  report("path_open_and_close", begin, rounds);
  return 0;
}
