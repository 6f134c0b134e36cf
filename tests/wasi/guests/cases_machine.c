// What the machine, not the request, refuses: a full file system, a limit on file sizes, a folder that belongs to
// others, a program that runs, a peer that is gone. tests/wasi/machine.sh makes all of that in namespaces of its own,
// with canary folders only, and starts the guest with no privilege:
//   3 a folder to write to, 4 read-only, 5 a small tmpfs, full as far as this file fills it; 6 a folder without write
//   permission, with "file" (no permission at all) and "closed" (no search permission); 7 a mount that is read-only;
//   8 a listening socket; stdin is a file that cannot be read (EIO). In folder 3: "fifo", "socket", "running".
#include <stdlib.h>
#include <string.h>

#include "preview1.h"

#define ARGS(...) ((const u64[9]){__VA_ARGS__})
#define PATH(s) text(s), text_size(s)
#define EXPECT(name, what, wanted, ...) expect(named(name), what, invoke(named(name), ARGS(__VA_ARGS__)), wanted)

enum { SMALL = 5, LOCKED = 6, READ_ONLY_MOUNT = 7, LISTENER = 8, NONBLOCK = 4 };

static u32 out32[8];
static u64 out64[16];
static uint8_t page[4096];

static u32 open_in(u32 dir, const char* path, u32 oflags, u64 rights) {
  u32 fd = 0;
  if (open_at(dir, path, oflags, rights, 0, &fd) != SUCCESS) abort();
  return fd;
}

static void close_fd(u32 fd) {
  invoke(named("fd_close"), ARGS(fd));
}

// The small tmpfs has 64 KiB and eight inodes.
static void no_space(void) {
  const u32 fd = open_in(SMALL, "filler", CREAT, R_READ | R_WRITE | 1 << 8);
  EXPECT("fd_allocate", "nospc: more than the file system has", NOSPC, fd, 0, 1 << 20);
  u32 io = iovs(0, page, sizeof page);
  for (int i = 0; i < 16; ++i) invoke(named("fd_write"), ARGS(fd, io, 1, at(out32)));
  EXPECT("fd_write", "nospc", NOSPC, fd, io, 1, at(out32));
  EXPECT("fd_pwrite", "nospc", NOSPC, fd, io, 1, 1 << 16, at(out32));
  char name[] = "inode-0";
  for (; name[6] < '9'; ++name[6])
    if (invoke(named("path_create_directory"), ARGS(SMALL, PATH(name))) != SUCCESS) break;
  EXPECT("path_create_directory", "nospc: no inode", NOSPC, SMALL, PATH("one-more"));
  EXPECT("path_open", "nospc: no inode to create", NOSPC, SMALL, 0, PATH("one-more"), CREAT, R_WRITE, 0, 0, at(out32));
  EXPECT("path_symlink", "nospc: no inode", NOSPC, PATH("x"), SMALL, PATH("one-more"));
  EXPECT("path_link", "nospc: no inode", NOSPC, SMALL, 0, PATH("filler"), SMALL, PATH("one-more"));
  close_fd(fd);
}

static void two_file_systems(void) {
  write_file("here", "x");
  EXPECT("path_rename", "xdev", XDEV, RW, PATH("here"), SMALL, PATH("there"));
  EXPECT("path_link", "xdev", XDEV, RW, 0, PATH("here"), SMALL, PATH("there"));
}

// The limit on file sizes is 1 MiB.
static void too_big(void) {
  const u32 fd = open_or_die("big", CREAT | TRUNC, R_READ | R_WRITE | 1 << 8);
  const u32 io = iovs(0, page, sizeof page);
  EXPECT("fd_filestat_set_size", "fbig: the limit on file sizes", FBIG, fd, 2 << 20);
  EXPECT("fd_allocate", "fbig: the limit on file sizes", FBIG, fd, 0, 2 << 20);
  EXPECT("fd_pwrite", "fbig: the limit on file sizes", FBIG, fd, io, 1, 1 << 20, at(out32));
  invoke(named("fd_seek"), ARGS(fd, 1 << 20, 0, at(out64)));
  EXPECT("fd_write", "fbig: the limit on file sizes", FBIG, fd, io, 1, at(out32));
  close_fd(fd);
}

static void not_permitted(void) {
  EXPECT("path_open", "acces: no permission to read", ACCES, LOCKED, 0, PATH("file"), 0, R_READ, 0, 0, at(out32));
  EXPECT("path_open", "acces: no permission to create", ACCES, LOCKED, 0, PATH("new"), CREAT, R_WRITE, 0, 0, at(out32));
  EXPECT("path_create_directory", "acces", ACCES, LOCKED, PATH("new"));
  EXPECT("path_remove_directory", "acces", ACCES, LOCKED, PATH("empty"));
  EXPECT("path_unlink_file", "acces", ACCES, LOCKED, PATH("file"));
  EXPECT("path_symlink", "acces", ACCES, PATH("x"), LOCKED, PATH("new"));
  EXPECT("path_rename", "acces: source", ACCES, LOCKED, PATH("file"), RW, PATH("new"));
  write_file("here", "x");
  EXPECT("path_rename", "acces: target", ACCES, RW, PATH("here"), LOCKED, PATH("new"));
  EXPECT("path_link", "acces: target", ACCES, LOCKED, 0, PATH("open-file"), LOCKED, PATH("new"));
  EXPECT("path_filestat_get", "acces: no permission to search", ACCES, LOCKED, 0, PATH("closed/x"), at(out64));
  EXPECT("path_filestat_set_times", "acces: no permission to search", ACCES, LOCKED, 0, PATH("closed/x"), 0, 0, 10);
  EXPECT("path_readlink", "acces: no permission to search", ACCES, LOCKED, PATH("closed/x"), at(page), 10, at(out32));
}

static void mounted_read_only(void) {
  const u32 fd = open_in(READ_ONLY_MOUNT, "file", 0, R_READ | 1 << 23);
  EXPECT("fd_filestat_set_times", "rofs: the mount", ROFS, fd, 0, 0, 10);
  EXPECT("path_open", "rofs: the mount", ROFS, READ_ONLY_MOUNT, 0, PATH("file"), 0, R_WRITE, 0, 0, at(out32));
  EXPECT("path_open", "rofs: the mount, create", ROFS, READ_ONLY_MOUNT, 0, PATH("new"), CREAT, R_READ, 0, 0, at(out32));
  EXPECT("path_create_directory", "rofs: the mount", ROFS, READ_ONLY_MOUNT, PATH("new"));
  EXPECT("path_remove_directory", "rofs: the mount", ROFS, READ_ONLY_MOUNT, PATH("empty"));
  EXPECT("path_unlink_file", "rofs: the mount", ROFS, READ_ONLY_MOUNT, PATH("file"));
  EXPECT("path_symlink", "rofs: the mount", ROFS, PATH("x"), READ_ONLY_MOUNT, PATH("new"));
  EXPECT("path_rename", "rofs: the mount", ROFS, READ_ONLY_MOUNT, PATH("file"), READ_ONLY_MOUNT, PATH("new"));
  EXPECT("path_link", "rofs: the mount", ROFS, READ_ONLY_MOUNT, 0, PATH("file"), READ_ONLY_MOUNT, PATH("new"));
  EXPECT("path_filestat_set_times", "rofs: the mount", ROFS, READ_ONLY_MOUNT, 0, PATH("file"), 0, 0, 10);
}

static void files_that_are_no_files(void) {
  EXPECT("path_open", "txtbsy: a program that runs", TXTBSY, RW, 0, PATH("running"), 0, R_WRITE, 0, 0, at(out32));
  EXPECT("path_open", "txtbsy: to be truncated", TXTBSY, RW, 0, PATH("running"), TRUNC, R_WRITE, 0, 0, at(out32));
  EXPECT("path_open", "nxio: a socket", NXIO, RW, 0, PATH("socket"), 0, R_READ, 0, 0, at(out32));
  EXPECT("path_open", "nxio: a fifo that nobody reads", NXIO, RW, 0, PATH("fifo"), 0, R_WRITE, 0, NONBLOCK, at(out32));
  u32 reader = 0, writer = 0;
  open_at(RW, "fifo", 0, R_READ, NONBLOCK, &reader);
  open_at(RW, "fifo", 0, R_WRITE, NONBLOCK, &writer);
  const u32 io = iovs(0, page, sizeof page);
  EXPECT("fd_read", "again: nothing there yet", AGAIN, reader, io, 1, at(out32));
  EXPECT("fd_pread", "spipe: a fifo", SPIPE, reader, io, 1, 0, at(out32));
  while (invoke(named("fd_write"), ARGS(writer, io, 1, at(out32))) == SUCCESS) continue;
  EXPECT("fd_write", "again: no room", AGAIN, writer, io, 1, at(out32));
  close_fd(reader);
  EXPECT("fd_write", "pipe: nobody reads", PIPE, writer, io, 1, at(out32));
  close_fd(writer);
  EXPECT("fd_read", "io: the device says so", IO, 0, io, 1, at(out32));
}

// The peer sends back what it gets; at "reset" it drops the connection.
static void peers(void) {
  EXPECT("sock_accept", "success", SUCCESS, LISTENER, 0, at(out32));
  const u32 fd = out32[0];
  u32 io = iovs(0, page, 1);
  EXPECT("fd_fdstat_set_flags", "success: a connection", SUCCESS, fd, NONBLOCK);
  EXPECT("sock_recv", "again: nothing there yet", AGAIN, fd, io, 1, 0, at(out32), at(out32 + 1));
  EXPECT("fd_read", "again: a connection", AGAIN, fd, io, 1, at(out32));
  EXPECT("fd_fdstat_set_flags", "success: waiting again", SUCCESS, fd, 0);
  io = iovs(0, "reset", 5);
  invoke(named("sock_send"), ARGS(fd, io, 1, 0, at(out32)));
  io = iovs(0, page, 1);
  EXPECT("sock_recv", "connreset: the peer dropped it", CONNRESET, fd, io, 1, 0, at(out32), at(out32 + 1));
  EXPECT("sock_send", "pipe: the connection is gone", PIPE, fd, io, 1, 0, at(out32));
  EXPECT("sock_shutdown", "notconn: the connection is gone", NOTCONN, fd, 3);
  close_fd(fd);
  write_file("plain", "x");
  static u32 fds[256];
  int opened = 0;
  while (opened < 256 && open_at(RW, "plain", 0, R_READ, 0, &fds[opened]) == SUCCESS) ++opened;
  EXPECT("sock_accept", "mfile", MFILE, LISTENER, 0, at(out32));
  for (int i = 0; i < opened; ++i) close_fd(fds[i]);
  EXPECT("fd_fdstat_set_flags", "success: the listener", SUCCESS, LISTENER, NONBLOCK);
  // The peer connects once more when it is let; then nobody does for as long as that stays open.
  u32 e = SUCCESS;
  for (int i = 0; i < 1000 && e == SUCCESS; ++i) e = invoke(named("sock_accept"), ARGS(LISTENER, 0, at(out32)));
  expect(named("sock_accept"), "again: nobody connects", e, AGAIN);
}

void cases_of_the_machine(void) {
  no_space();
  two_file_systems();
  too_big();
  not_permitted();
  mounted_read_only();
  files_that_are_no_files();
  peers();
}
