// Functions of descriptors.
#include <stdlib.h>
#include <string.h>

#include "preview1.h"

#define CALL(...) invoke(f, (const u64[9]){__VA_ARGS__})
#define POINTERS(valid, ...)                                                          \
  do {                                                                                \
    const struct pointer pointers_[] = {__VA_ARGS__};                                 \
    bad_pointers(f, valid, pointers_, (int)(sizeof pointers_ / sizeof pointers_[0])); \
  } while (0)

static u32 out32[8];
static u64 out64[16];

u32 open_at(u32 dir, const char* path, u32 oflags, u64 rights, u32 fdflags, u32* fd) {
  const u32 e = invoke(named("path_open"),
                       (const u64[9]){dir, 1, text(path), text_size(path), oflags, rights, R_ALL, fdflags, at(fd)});
  return e;
}

static void put(u32 fd, const char* bytes) {
  invoke(named("fd_write"), (const u64[9]){fd, iovs(0, bytes, (u32)strlen(bytes)), 1, at(out32)});
}

void write_file(const char* path, const char* contents) {
  const u32 fd = open_or_die(path, CREAT | TRUNC, R_WRITE);
  put(fd, contents);
  invoke(named("fd_close"), (const u64[9]){fd});
}

static u32 file(const char* contents) {
  write_file("file", contents);
  return open_or_die("file", 0, R_READ | R_WRITE);
}

void cases_fd_advise(const struct function* f) {
  const u32 fd = file("x");
  for (u32 advice = 0; advice < 6; ++advice) expect(f, "success", CALL(fd, 0, 0, advice), SUCCESS);
  expect(f, "no such advice", CALL(fd, 0, 0, 6), INVAL);
  expect(f, "offset beyond what files have", CALL(fd, 1ull << 63, 0, 0), INVAL);
  expect(f, "badf", CALL(99, 0, 0, 0), BADF);
  expect(f, "a stream", CALL(2, 0, 0, 0), SPIPE);
  expect(f, "without the right", CALL(open_or_die("file", 0, 1 << 6), 0, 0, 0), NOTCAPABLE);
}

void cases_fd_allocate(const struct function* f) {
  const u32 fd = file("x");
  expect(f, "success", CALL(fd, 0, 100), SUCCESS);
  invoke(named("fd_filestat_get"), (const u64[9]){fd, at(out64)});
  expect_true(f, "the size grew", out64[4] == 100);
  expect(f, "nothing", CALL(fd, 0, 0), INVAL);
  expect(f, "offset beyond what files have", CALL(fd, 1ull << 63, 1), INVAL);
  expect(f, "sum beyond what files have", CALL(fd, (1ull << 63) - 2, (1ull << 63) - 2), FBIG);
  expect(f, "badf", CALL(99, 0, 1), BADF);
  expect(f, "a stream", CALL(2, 0, 1), SPIPE);
  expect(f, "a directory", CALL(RW, 0, 1), BADF);
  expect(f, "opened for reading", CALL(open_or_die("file", 0, R_READ), 0, 1), NOTCAPABLE);
}

void cases_fd_close(const struct function* f) {
  const u32 fd = file("x");
  expect(f, "success", CALL(fd), SUCCESS);
  expect(f, "badf: closed already", CALL(fd), BADF);
  expect(f, "badf: never open", CALL(0x7fffffff), BADF);
  expect(f, "badf: not a number of a descriptor", CALL(0xffffffffu), BADF);
}

static void sync_cases(const struct function* f, u64 right) {
  expect(f, "success", CALL(file("x")), SUCCESS);
  expect(f, "success: a directory", CALL(RW), SUCCESS);
  expect(f, "badf", CALL(99), BADF);
  expect(f, "without the right", CALL(open_or_die("file", 0, R_READ & ~right)), NOTCAPABLE);
}
void cases_fd_datasync(const struct function* f) {
  sync_cases(f, 1);
}
void cases_fd_sync(const struct function* f) {
  sync_cases(f, 16);
}

void cases_fd_fdstat_get(const struct function* f) {
  const u32 fd = file("x");
  expect(f, "success: a file", CALL(fd, at(out64)), SUCCESS);
  expect_true(f, "regular, rights as asked for", (out64[0] & 0xff) == 4 && (out64[1] | 1 << 14) == (R_READ | R_WRITE));
  expect(f, "success: a directory", CALL(RW, at(out64)), SUCCESS);
  expect_true(f, "is one", (out64[0] & 0xff) == 3);
  expect(f, "badf", CALL(99, at(out64)), BADF);
  const u64 valid[9] = {fd, at(out64)};
  POINTERS(valid, {1, 24});
}

void cases_fd_fdstat_set_flags(const struct function* f) {
  const u32 fd = file("abc");
  expect(f, "success: append", CALL(fd, 1), SUCCESS);
  put(fd, "d");
  invoke(named("fd_filestat_get"), (const u64[9]){fd, at(out64)});
  expect_true(f, "appended", out64[4] == 4);
  for (u32 flags = 0; flags < 32; ++flags) expect(f, "success: any", CALL(fd, flags), SUCCESS);
  expect(f, "no such flag", CALL(fd, 32), INVAL);
  expect(f, "badf", CALL(99, 0), BADF);
  expect(f, "without the right", CALL(open_or_die("file", 0, 2), 0), NOTCAPABLE);
}

void cases_fd_fdstat_set_rights(const struct function* f) {
  const u32 fd = file("x");
  expect(f, "more than before", CALL(fd, R_ALL, 0), NOTCAPABLE);
  expect(f, "success: fewer", CALL(fd, 1 << 1, 0), SUCCESS);
  expect(f, "and no way back", CALL(fd, 1 << 1 | 1 << 6, 0), NOTCAPABLE);
  expect(f, "badf", CALL(99, 0, 0), BADF);
}

void cases_fd_filestat_get(const struct function* f) {
  const u32 fd = file("12345");
  expect(f, "success", CALL(fd, at(out64)), SUCCESS);
  expect_true(f, "size, links, type", out64[4] == 5 && out64[3] == 1 && (out64[2] & 0xff) == 4);
  expect(f, "badf", CALL(99, at(out64)), BADF);
  expect(f, "without the right", CALL(open_or_die("file", 0, 2), at(out64)), NOTCAPABLE);
  const u64 valid[9] = {fd, at(out64)};
  POINTERS(valid, {1, 64});
}

void cases_fd_filestat_set_size(const struct function* f) {
  const u32 fd = file("12345");
  expect(f, "success: shorter", CALL(fd, 2), SUCCESS);
  expect(f, "success: longer", CALL(fd, 1000), SUCCESS);
  expect(f, "beyond what files have", CALL(fd, 1ull << 63), INVAL);
  expect(f, "badf", CALL(99, 0), BADF);
  expect(f, "a directory", CALL(RW, 0), INVAL);
  expect(f, "opened for reading", CALL(open_or_die("file", 0, R_READ), 0), NOTCAPABLE);
}

void cases_fd_filestat_set_times(const struct function* f) {
  const u32 fd = file("x");
  expect(f, "success", CALL(fd, 1000000000, 2000000000, 1 | 4), SUCCESS);
  invoke(named("fd_filestat_get"), (const u64[9]){fd, at(out64)});
  expect_true(f, "both set", out64[5] == 1000000000 && out64[6] == 2000000000);
  expect(f, "success: now", CALL(fd, 0, 0, 2 | 8), SUCCESS);
  expect(f, "success: neither", CALL(fd, 0, 0, 0), SUCCESS);
  expect(f, "given and now", CALL(fd, 0, 0, 3), INVAL);
  expect(f, "given and now, the other", CALL(fd, 0, 0, 12), INVAL);
  expect(f, "no such flag", CALL(fd, 0, 0, 16), INVAL);
  expect(f, "badf", CALL(99, 0, 0, 0), BADF);
  expect(f, "without the right", CALL(open_or_die("file", 0, 2), 0, 0, 0), NOTCAPABLE);
  u32 ro = 0;
  open_at(RO, "file", 0, R_READ, 0, &ro);
  expect(f, "read-only preopen", CALL(ro, 0, 0, 2), ROFS);
}

static void io_cases(const struct function* f, int positioned, int writes) {
  const u32 fd = file("0123456789");
  u32 io = iovs(0, arena, 3);
  iovs(1, arena + 100, 4);
  u64 args[9] = {fd, io, 2, positioned ? 0 : at(out32), at(out32)};
  expect(f, "success: two buffers", invoke(f, args), SUCCESS);
  expect_true(f, "all of both", out32[0] == 7);
  args[2] = 0;
  expect(f, "success: no buffer", invoke(f, args), SUCCESS);
  iovs(0, arena, 0);
  args[2] = 1;
  expect(f, "success: an empty buffer", invoke(f, args), SUCCESS);
  args[0] = 99;
  expect(f, "badf", invoke(f, args), BADF);
  args[0] = RW;
  expect(f, "a directory", invoke(f, args), writes || positioned ? (writes ? BADF : ISDIR) : ISDIR);
  args[0] = open_or_die("file", 0, writes ? R_READ : R_WRITE);
  expect(f, "without the right", invoke(f, args), NOTCAPABLE);
  if (positioned) {
    args[0] = writes ? 1 : 0;
    expect(f, "a stream", invoke(f, args), SPIPE);
    args[0] = fd;
    args[3] = 1ull << 63;
    expect(f, "offset beyond what files have", invoke(f, args), INVAL);
    args[3] = 0;
  }
  args[0] = fd;
  iovs(0, (void*)0xfffffffeu, 4);
  expect(f, "buffer that wraps around", invoke(f, args), FAULT);
  iovs(0, (void*)(__builtin_wasm_memory_size(0) * 65536u - 3), 4);
  expect(f, "buffer that reaches over the end", invoke(f, args), FAULT);
  args[2] = 0x20000000;
  expect(f, "count that overflows 32 bits", invoke(f, args), FAULT);
  iovs(0, arena, 1);
  args[2] = 1;
  if (positioned)
    POINTERS(args, {1, 8}, {4, 4});
  else
    POINTERS(args, {1, 8}, {3, 4});
}
void cases_fd_read(const struct function* f) {
  io_cases(f, 0, 0);
}
void cases_fd_write(const struct function* f) {
  io_cases(f, 0, 1);
}
void cases_fd_pread(const struct function* f) {
  io_cases(f, 1, 0);
}
void cases_fd_pwrite(const struct function* f) {
  io_cases(f, 1, 1);
}

void cases_fd_prestat_get(const struct function* f) {
  expect(f, "success", CALL(RW, at(out32)), SUCCESS);
  expect_true(f, "a directory with a name of one byte", out32[0] == 0 && out32[1] == 1);
  expect(f, "no preopen", CALL(0, at(out32)), BADF);
  expect(f, "badf", CALL(99, at(out32)), BADF);
  const u64 valid[9] = {RW, at(out32)};
  POINTERS(valid, {1, 8});
}

void cases_fd_prestat_dir_name(const struct function* f) {
  expect(f, "success", CALL(RW, at(arena), 1), SUCCESS);
  expect_true(f, "the name", arena[0] == '/');
  expect(f, "success: room to spare", CALL(RW, at(arena), 100), SUCCESS);
  expect(f, "too short", CALL(RO, at(arena), 1), NAMETOOLONG);
  expect(f, "no preopen", CALL(1, at(arena), 10), BADF);
  const u64 valid[9] = {RO, at(arena), 2};
  POINTERS(valid, {1, 2});
}

void cases_fd_readdir(const struct function* f) {
  write_file("a-name", "");
  u32 dir = 0;
  open_at(RW, ".", DIRECTORY, R_ALL & ~(u64)(1 << 6 | 1 << 8 | 1 << 22), 0, &dir);
  expect(f, "success", CALL(dir, at(arena), 32768, 0, at(out32)), SUCCESS);
  const u32 whole = out32[0];
  expect_true(f, "less than the buffer: the end", whole > 24 && whole < 32768);
  const u64 second = *(u64*)arena;
  expect(f, "success: from a cookie on", CALL(dir, at(arena), 32768, second, at(out32)), SUCCESS);
  expect_true(f, "one entry less", out32[0] < whole);
  expect(f, "success: a small buffer", CALL(dir, at(arena), 20, 0, at(out32)), SUCCESS);
  expect_true(f, "is filled wholly", out32[0] == 20);
  expect(f, "cookie that no directory has", CALL(dir, at(arena), 100, 1ull << 63, at(out32)), INVAL);
  expect(f, "a file", CALL(open_or_die("a-name", 0, R_READ), at(arena), 100, 0, at(out32)), NOTDIR);
  expect(f, "badf", CALL(99, at(arena), 100, 0, at(out32)), BADF);
  const u64 valid[9] = {dir, at(arena), 512, 0, at(out32)};
  POINTERS(valid, {1, 512}, {4, 4});
}

void cases_fd_renumber(const struct function* f) {
  const u32 a = file("a"), b = file("b");
  expect(f, "badf: source", CALL(99, a), BADF);
  expect(f, "badf: target beyond the table", CALL(a, 100000), BADF);
  expect(f, "success: to a free number", CALL(a, 99), SUCCESS);
  expect(f, "success: and back", CALL(99, a), SUCCESS);
  expect(f, "success: itself", CALL(a, a), SUCCESS);
  expect(f, "success", CALL(a, b), SUCCESS);
  expect(f, "badf: moved away", CALL(a, b), BADF);
}

void cases_fd_seek(const struct function* f) {
  const u32 fd = file("0123456789");
  expect(f, "success: set", CALL(fd, 4, 0, at(out64)), SUCCESS);
  expect(f, "success: cur", CALL(fd, (u64)-1, 1, at(out64)), SUCCESS);
  expect_true(f, "position", out64[0] == 3);
  expect(f, "success: end", CALL(fd, 0, 2, at(out64)), SUCCESS);
  expect(f, "before the start", CALL(fd, (u64)-11, 2, at(out64)), INVAL);
  expect(f, "no such whence", CALL(fd, 0, 3, at(out64)), INVAL);
  expect(f, "badf", CALL(99, 0, 0, at(out64)), BADF);
  expect(f, "a stream", CALL(0, 0, 0, at(out64)), SPIPE);
  expect(f, "without the right", CALL(open_or_die("file", 0, 2), 0, 0, at(out64)), NOTCAPABLE);
  const u64 valid[9] = {fd, 0, 0, at(out64)};
  POINTERS(valid, {3, 8});
}

void cases_fd_tell(const struct function* f) {
  const u32 fd = file("0123456789");
  invoke(named("fd_seek"), (const u64[9]){fd, 4, 0, at(out64)});
  expect(f, "success", CALL(fd, at(out64)), SUCCESS);
  expect_true(f, "position", out64[0] == 4);
  expect(f, "badf", CALL(99, at(out64)), BADF);
  expect(f, "a stream", CALL(0, at(out64)), SPIPE);
  const u64 valid[9] = {fd, at(out64)};
  POINTERS(valid, {1, 8});
}
