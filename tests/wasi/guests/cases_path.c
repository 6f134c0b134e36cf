// Functions of paths.
#include <stdlib.h>
#include <string.h>

#include "preview1.h"

#define CALL(...) invoke(f, (const u64[9]){__VA_ARGS__})
#define PATH(s) text(s), text_size(s)
#define POINTERS(valid, ...)                                                          \
  do {                                                                                \
    const struct pointer pointers_[] = {__VA_ARGS__};                                 \
    bad_pointers(f, valid, pointers_, (int)(sizeof pointers_ / sizeof pointers_[0])); \
  } while (0)

static u32 out32[8];
static u64 out64[16];

static u32 run(const char* name, const u64* args) {
  return invoke(named(name), args);
}
static void make_directory(const char* path) {
  run("path_create_directory", (const u64[9]){RW, PATH(path)});
}
static void unlink_file(const char* path) {
  run("path_unlink_file", (const u64[9]){RW, PATH(path)});
}
static void symlink_to(const char* contents, const char* path) {
  unlink_file(path);
  run("path_symlink", (const u64[9]){PATH(contents), RW, PATH(path)});
}

static char long_name[300];
static const char* too_long(void) {
  memset(long_name, 'x', 256);
  return long_name;
}

// What every call on a directory and a path answers the same way. `args` up to `path_at` are the call's; a path that
// exists is already there.
static void common(const struct function* f, const u64* args, int dir_at, int path_at) {
  struct {
    const char *what, *path;
    u32 wanted;
  } const rows[] = {
      {"outside: dots", "../x", PERM},
      {"outside: absolute", "/x", PERM},
      {"outside: dots later", "d/../../x", PERM},
      {"noent: on the way", "none/x", NOENT},
      {"notdir: on the way", "plain/x", NOTDIR},
      {"nametoolong: a component", NULL, NAMETOOLONG},
      {"loop: on the way", "loop/x", LOOP},
      {"outside: through a link", "outlink/x", PERM},
  };
  make_directory("d");
  write_file("plain", "x");
  symlink_to("loop", "loop");
  symlink_to("..", "outlink");
  u64 a[9];
  for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    const char* path = rows[i].path != NULL ? rows[i].path : too_long();
    memcpy(a, args, sizeof a);
    a[path_at] = text(path);
    a[path_at + 1] = text_size(path);
    expect(f, rows[i].what, invoke(f, a), rows[i].wanted);
  }
  memcpy(a, args, sizeof a);
  a[path_at + 1] = 5000;
  expect(f, "nametoolong: the whole", invoke(f, a), NAMETOOLONG);
  a[path_at] = at("a\0b");
  a[path_at + 1] = 3;
  expect(f, "a NUL inside", invoke(f, a), INVAL);
  a[path_at + 1] = 0;
  expect(f, "noent: nothing", invoke(f, a), NOENT);
  memcpy(a, args, sizeof a);
  a[dir_at] = 99;
  expect(f, "badf", invoke(f, a), BADF);
  a[dir_at] = open_or_die("plain", 0, R_READ);
  expect(f, "not a directory's descriptor", invoke(f, a), NOTDIR);
  u32 limited = 0;
  open_at(RW, "d", DIRECTORY, 1 << 14, 0, &limited);
  a[dir_at] = limited;
  expect(f, "without the right", invoke(f, a), NOTCAPABLE);
}

void cases_path_create_directory(const struct function* f) {
  run("path_remove_directory", (const u64[9]){RW, PATH("new")});
  expect(f, "success", CALL(RW, PATH("new")), SUCCESS);
  expect(f, "exist", CALL(RW, PATH("new")), EXIST);
  expect(f, "exist: dot", CALL(RW, PATH(".")), EXIST);
  expect(f, "success: trailing slash", CALL(RW, PATH("new/er/")), SUCCESS);
  run("path_remove_directory", (const u64[9]){RW, PATH("new/er")});
  expect(f, "read-only preopen", CALL(RO, PATH("new")), ROFS);
  const u64 valid[9] = {RW, PATH("new")};
  common(f, valid, 0, 1);
  POINTERS(valid, {1, 3});
}

void cases_path_remove_directory(const struct function* f) {
  make_directory("gone");
  make_directory("gone/inner");
  expect(f, "notempty", CALL(RW, PATH("gone")), NOTEMPTY);
  expect(f, "success: trailing slash", CALL(RW, PATH("gone/inner/")), SUCCESS);
  expect(f, "success", CALL(RW, PATH("gone")), SUCCESS);
  expect(f, "noent", CALL(RW, PATH("gone")), NOENT);
  write_file("plain", "");
  expect(f, "notdir", CALL(RW, PATH("plain")), NOTDIR);
  expect(f, "inval: dot", CALL(RW, PATH(".")), INVAL);
  expect(f, "read-only preopen", CALL(RO, PATH("dir")), ROFS);
  const u64 valid[9] = {RW, PATH("gone")};
  common(f, valid, 0, 1);
  POINTERS(valid, {1, 4});
}

void cases_path_unlink_file(const struct function* f) {
  write_file("gone", "");
  expect(f, "notdir: trailing slash", CALL(RW, PATH("gone/")), NOTDIR);
  expect(f, "success", CALL(RW, PATH("gone")), SUCCESS);
  expect(f, "noent", CALL(RW, PATH("gone")), NOENT);
  make_directory("d");
  expect(f, "isdir", CALL(RW, PATH("d")), ISDIR);
  symlink_to("nowhere", "dangling");
  expect(f, "success: a dangling link", CALL(RW, PATH("dangling")), SUCCESS);
  expect(f, "read-only preopen", CALL(RO, PATH("file")), ROFS);
  const u64 valid[9] = {RW, PATH("gone")};
  common(f, valid, 0, 1);
  POINTERS(valid, {1, 4});
}

void cases_path_filestat_get(const struct function* f) {
  write_file("plain", "12345");
  symlink_to("plain", "link");
  symlink_to("nowhere", "dangling");
  symlink_to("loop", "loop");
  expect(f, "success", CALL(RW, 0, PATH("plain"), at(out64)), SUCCESS);
  expect_true(f, "size and type", out64[4] == 5 && (out64[2] & 0xff) == 4);
  expect(f, "success: the link", CALL(RW, 0, PATH("link"), at(out64)), SUCCESS);
  expect_true(f, "type", (out64[2] & 0xff) == 7);
  expect(f, "success: its target", CALL(RW, 1, PATH("link"), at(out64)), SUCCESS);
  expect_true(f, "type", (out64[2] & 0xff) == 4);
  expect(f, "success: the directory", CALL(RW, 0, PATH("."), at(out64)), SUCCESS);
  expect(f, "noent: dangling", CALL(RW, 1, PATH("dangling"), at(out64)), NOENT);
  expect(f, "loop", CALL(RW, 1, PATH("loop"), at(out64)), LOOP);
  expect(f, "notdir: trailing slash", CALL(RW, 0, PATH("plain/"), at(out64)), NOTDIR);
  expect(f, "success: read-only preopen", CALL(RO, 0, PATH("file"), at(out64)), SUCCESS);
  const u64 valid[9] = {RW, 0, PATH("plain"), at(out64)};
  common(f, valid, 0, 2);
  POINTERS(valid, {2, 5}, {4, 64});
}

void cases_path_filestat_set_times(const struct function* f) {
  write_file("plain", "12345");
  symlink_to("plain", "link");
  expect(f, "success", CALL(RW, 0, PATH("plain"), 1000000000, 2000000000, 5), SUCCESS);
  run("path_filestat_get", (const u64[9]){RW, 0, PATH("plain"), at(out64)});
  expect_true(f, "both set", out64[5] == 1000000000 && out64[6] == 2000000000);
  expect(f, "success: the link's own", CALL(RW, 0, PATH("link"), 7, 7, 5), SUCCESS);
  run("path_filestat_get", (const u64[9]){RW, 0, PATH("plain"), at(out64)});
  expect_true(f, "the target's untouched", out64[6] == 2000000000);
  expect(f, "success: through the link", CALL(RW, 1, PATH("link"), 0, 0, 10), SUCCESS);
  expect(f, "given and now", CALL(RW, 0, PATH("plain"), 0, 0, 3), INVAL);
  expect(f, "no such flag", CALL(RW, 0, PATH("plain"), 0, 0, 16), INVAL);
  expect(f, "noent", CALL(RW, 0, PATH("none"), 0, 0, 2), NOENT);
  expect(f, "read-only preopen", CALL(RO, 0, PATH("file"), 0, 0, 2), ROFS);
  const u64 valid[9] = {RW, 0, PATH("plain"), 0, 0, 10};
  common(f, valid, 0, 2);
  POINTERS(valid, {2, 5});
}

void cases_path_link(const struct function* f) {
  write_file("plain", "12345");
  make_directory("d");
  unlink_file("second");
  expect(f, "success", CALL(RW, 0, PATH("plain"), RW, PATH("second")), SUCCESS);
  expect(f, "exist", CALL(RW, 0, PATH("plain"), RW, PATH("second")), EXIST);
  expect(f, "noent: source", CALL(RW, 0, PATH("none"), RW, PATH("third")), NOENT);
  expect(f, "perm: a directory", CALL(RW, 0, PATH("d"), RW, PATH("third")), PERM);
  expect(f, "notdir: trailing slash", CALL(RW, 0, PATH("plain/"), RW, PATH("third")), NOTDIR);
  expect(f, "noent: target's trailing slash", CALL(RW, 0, PATH("plain"), RW, PATH("third/")), NOENT);
  expect(f, "read-only source", CALL(RO, 0, PATH("file"), RW, PATH("third")), ROFS);
  expect(f, "read-only target", CALL(RW, 0, PATH("plain"), RO, PATH("third")), ROFS);
  expect(f, "badf: target", CALL(RW, 0, PATH("plain"), 99, PATH("third")), BADF);
  unlink_file("third");
  symlink_to("plain", "link");
  expect(f, "success: through a link", CALL(RW, 1, PATH("link"), RW, PATH("third")), SUCCESS);
  run("path_filestat_get", (const u64[9]){RW, 0, PATH("third"), at(out64)});
  expect_true(f, "is the file", (out64[2] & 0xff) == 4);
  unlink_file("third");
  const u64 valid[9] = {RW, 0, PATH("plain"), RW, PATH("second")};
  common(f, valid, 0, 2);
  POINTERS(valid, {2, 5}, {5, 6});
}

void cases_path_open(const struct function* f) {
  write_file("plain", "12345");
  make_directory("d");
  symlink_to("plain", "link");
  const u64 rw = R_READ | R_WRITE;
  unlink_file("made");
  expect(f, "success: create", CALL(RW, 0, PATH("made"), CREAT, rw, 0, 0, at(out32)), SUCCESS);
  expect(f, "exist: create exclusively", CALL(RW, 0, PATH("made"), CREAT | EXCL, rw, 0, 0, at(out32)), EXIST);
  expect(f, "success: truncate", CALL(RW, 0, PATH("made"), TRUNC, rw, 0, 0, at(out32)), SUCCESS);
  expect(f, "success: a directory", CALL(RW, 0, PATH("d"), DIRECTORY, R_READ, R_ALL, 0, at(out32)), SUCCESS);
  expect(f, "notdir", CALL(RW, 0, PATH("plain"), DIRECTORY, R_READ, 0, 0, at(out32)), NOTDIR);
  expect(f, "notdir: trailing slash", CALL(RW, 0, PATH("plain/"), 0, R_READ, 0, 0, at(out32)), NOTDIR);
  expect(f, "isdir: for writing", CALL(RW, 0, PATH("d"), 0, rw, 0, 0, at(out32)), ISDIR);
  expect(f, "isdir: create with trailing slash", CALL(RW, 0, PATH("x/"), CREAT, rw, 0, 0, at(out32)), ISDIR);
  expect(f, "noent", CALL(RW, 0, PATH("none"), 0, R_READ, 0, 0, at(out32)), NOENT);
  expect(f, "loop: not following", CALL(RW, 0, PATH("link"), 0, R_READ, 0, 0, at(out32)), LOOP);
  expect(f, "success: following", CALL(RW, 1, PATH("link"), 0, R_READ, 0, 0, at(out32)), SUCCESS);
  expect(f, "inval: create a directory", CALL(RW, 0, PATH("e"), CREAT | DIRECTORY, rw, 0, 0, at(out32)), INVAL);
  expect(f, "inval: unknown oflags", CALL(RW, 0, PATH("plain"), 16, R_READ, 0, 0, at(out32)), INVAL);
  expect(f, "inval: unknown fdflags", CALL(RW, 0, PATH("plain"), 0, R_READ, 0, 32, at(out32)), INVAL);
  expect(f, "read-only preopen: create", CALL(RO, 0, PATH("new"), CREAT, R_READ, 0, 0, at(out32)), ROFS);
  expect(f, "read-only preopen: truncate", CALL(RO, 0, PATH("file"), TRUNC, R_READ, 0, 0, at(out32)), ROFS);
  expect(f, "read-only preopen: write", CALL(RO, 0, PATH("file"), 0, rw, 0, 0, at(out32)), ROFS);
  expect(f, "success: read-only preopen", CALL(RO, 0, PATH("file"), 0, R_READ, 0, 0, at(out32)), SUCCESS);
  u32 few = 0;
  CALL(RW, 0, PATH("d"), DIRECTORY, 1 << 13 | 1 << 14, 1 << 1, 0, at(&few));
  expect(f, "more rights than are inherited", CALL(few, 0, PATH("x"), 0, rw, 0, 0, at(out32)), NOTCAPABLE);
  int opened = 0;
  u32 e = SUCCESS;
  u32* fds = (u32*)(arena + 32768);
  while (opened < 2000 && (e = CALL(RW, 0, PATH("plain"), 0, R_READ, 0, 0, at(fds + opened))) == SUCCESS) ++opened;
  expect(f, "mfile", e, MFILE);
  for (int i = 0; i < opened; ++i) run("fd_close", (const u64[9]){fds[i]});
  const u64 valid[9] = {RW, 0, PATH("plain"), 0, R_READ, 0, 0, at(out32)};
  common(f, valid, 0, 2);
  POINTERS(valid, {2, 5}, {8, 4});
}

void cases_path_readlink(const struct function* f) {
  write_file("plain", "");
  symlink_to("some/where", "link");
  memset(arena, 'z', 64);
  expect(f, "success", CALL(RW, PATH("link"), at(arena + 33000), 100, at(out32)), SUCCESS);
  expect_true(f, "contents", out32[0] == 10 && memcmp(arena + 33000, "some/where", 10) == 0);
  expect(f, "success: cut", CALL(RW, PATH("link"), at(arena + 33000), 4, at(out32)), SUCCESS);
  expect_true(f, "four bytes", out32[0] == 4);
  expect(f, "success: no room", CALL(RW, PATH("link"), at(arena + 33000), 0, at(out32)), SUCCESS);
  expect(f, "inval: no link", CALL(RW, PATH("plain"), at(arena + 33000), 100, at(out32)), INVAL);
  expect(f, "noent", CALL(RW, PATH("none"), at(arena + 33000), 100, at(out32)), NOENT);
  const u64 valid[9] = {RW, PATH("link"), at(arena + 33000), 100, at(out32)};
  common(f, valid, 0, 1);
  POINTERS(valid, {1, 4}, {3, 100}, {5, 4});
}

void cases_path_rename(const struct function* f) {
  write_file("from", "x");
  make_directory("d");
  make_directory("e");
  write_file("e/inner", "x");
  unlink_file("to");
  expect(f, "success", CALL(RW, PATH("from"), RW, PATH("to")), SUCCESS);
  expect(f, "noent", CALL(RW, PATH("from"), RW, PATH("to")), NOENT);
  write_file("from", "x");
  expect(f, "success: replacing", CALL(RW, PATH("from"), RW, PATH("to")), SUCCESS);
  expect(f, "isdir", CALL(RW, PATH("to"), RW, PATH("d")), ISDIR);
  expect(f, "notdir", CALL(RW, PATH("d"), RW, PATH("to")), NOTDIR);
  expect(f, "notempty", CALL(RW, PATH("d"), RW, PATH("e")), NOTEMPTY);
  expect(f, "inval: into itself", CALL(RW, PATH("d"), RW, PATH("d/x")), INVAL);
  expect(f, "notdir: trailing slash", CALL(RW, PATH("to/"), RW, PATH("x")), NOTDIR);
  expect(f, "notdir: target's trailing slash", CALL(RW, PATH("to"), RW, PATH("x/")), NOTDIR);
  expect(f, "busy: dot", CALL(RW, PATH("d/."), RW, PATH("x")), BUSY);
  expect(f, "read-only source", CALL(RO, PATH("file"), RW, PATH("x")), ROFS);
  expect(f, "read-only target", CALL(RW, PATH("to"), RO, PATH("x")), ROFS);
  expect(f, "badf: target", CALL(RW, PATH("to"), 99, PATH("x")), BADF);
  const u64 valid[9] = {RW, PATH("to"), RW, PATH("to")};
  common(f, valid, 0, 1);
  POINTERS(valid, {1, 2}, {4, 2});
}

void cases_path_symlink(const struct function* f) {
  unlink_file("link");
  expect(f, "success", CALL(PATH("anywhere"), RW, PATH("link")), SUCCESS);
  expect(f, "exist", CALL(PATH("anywhere"), RW, PATH("link")), EXIST);
  expect(f, "noent: no contents", CALL(PATH(""), RW, PATH("l2")), NOENT);
  expect(f, "perm: absolute contents", CALL(PATH("/etc"), RW, PATH("l2")), PERM);
  expect(f, "noent: trailing slash", CALL(PATH("x"), RW, PATH("l2/")), NOENT);
  expect(f, "read-only preopen", CALL(PATH("x"), RO, PATH("l2")), ROFS);
  const u64 valid[9] = {PATH("anywhere"), RW, PATH("link")};
  common(f, valid, 2, 3);
  POINTERS(valid, {0, 8}, {3, 4});
}
