// args, environ, clocks, random, poll, proc, sched, sock: functions that need no file.
#include <stdio.h>
#include <string.h>

#include "preview1.h"

#define CALL(...) invoke(f, (const u64[9]){__VA_ARGS__})
#define POINTERS(valid, ...)                                                          \
  do {                                                                                \
    const struct pointer pointers_[] = {__VA_ARGS__};                                 \
    bad_pointers(f, valid, pointers_, (int)(sizeof pointers_ / sizeof pointers_[0])); \
  } while (0)

static u32 out32[8];
static u64 out64[64];

static void sizes(const struct function* f) {
  expect(f, "success", CALL(at(out32), at(out32 + 1)), SUCCESS);
  const u64 valid[9] = {at(out32), at(out32 + 1)};
  POINTERS(valid, {0, 4}, {1, 4});
}
void cases_args_sizes_get(const struct function* f) {
  sizes(f);
}
void cases_environ_sizes_get(const struct function* f) {
  sizes(f);
}

void cases_args_get(const struct function* f) {
  expect(f, "success", CALL(at(arena), at(arena + 4096)), SUCCESS);
  expect_true(f, "the first pointer is the buffer's start", *(u32*)arena == at(arena + 4096));
  expect_true(f, "argv[0] is the file's name", strstr((char*)arena + 4096, "preview1") != NULL);
  const u64 valid[9] = {at(arena), at(arena + 4096)};
  POINTERS(valid, {0, 4}, {1, 8});
}

void cases_environ_get(const struct function* f) {
  expect(f, "success", CALL(at(arena), at(arena + 4096)), SUCCESS);
  expect_true(f, "what was given", strcmp((char*)arena + 4096, "GIVEN=yes") == 0);
  const u64 valid[9] = {at(arena), at(arena + 4096)};
  POINTERS(valid, {0, 4}, {1, 10});
}

void cases_clock_res_get(const struct function* f) {
  for (u32 id = 0; id < 4; ++id) expect(f, "success", CALL(id, at(out64)), SUCCESS);
  expect_true(f, "not zero", out64[0] > 0);
  expect(f, "no such clock", CALL(4, at(out64)), INVAL);
  const u64 valid[9] = {0, at(out64)};
  POINTERS(valid, {1, 8});
}

void cases_clock_time_get(const struct function* f) {
  for (u32 id = 0; id < 4; ++id) expect(f, "success", CALL(id, 0, at(out64)), SUCCESS);
  CALL(1, 0, at(out64));
  CALL(1, 0, at(out64 + 1));
  expect_true(f, "monotonic does not run back", out64[1] >= out64[0]);
  expect(f, "no such clock", CALL(77, 0, at(out64)), INVAL);
  const u64 valid[9] = {0, 0, at(out64)};
  POINTERS(valid, {2, 8});
}

void cases_random_get(const struct function* f) {
  memset(arena, 0, 64);
  expect(f, "success", CALL(at(arena), 64), SUCCESS);
  int zeros = 0;
  for (int i = 0; i < 64; ++i) zeros += arena[i] == 0;
  expect_true(f, "bytes differ", zeros < 16);
  expect(f, "nothing asked for", CALL(at(arena), 0), SUCCESS);
  expect(f, "more than there is memory", CALL(at(arena), 0xffffffffu), FAULT);
  const u64 valid[9] = {at(arena), 64};
  POINTERS(valid, {0, 64});
}

void cases_sched_yield(const struct function* f) {
  expect(f, "success", CALL(0), SUCCESS);
}

void cases_proc_exit(const struct function* f) {
  printf("%s | success: the runner sees exit code 42 | - | ok\n", f->name);
  fflush(stdout);
  CALL(42);
  expect_true(f, "does not come back", 0);
}

void cases_proc_raise(const struct function* f) {
  expect(f, "no signal", CALL(0), SUCCESS);
  expect(f, "an ignored one", CALL(16), SUCCESS);
  expect(f, "one that would stop the host", CALL(18), NOTSUP);
  expect(f, "no such signal", CALL(31), INVAL);
}

static u32 subscription(u32 slot, u64 userdata, u32 tag, u32 what, u64 timeout, u32 flags) {
  u64* s = (u64*)(arena + 49152) + slot * 6;
  s[0] = userdata;
  s[1] = tag;
  s[2] = what;
  s[3] = timeout;
  s[4] = 0;
  s[5] = flags;
  return at(arena + 49152);
}

void cases_poll_oneoff(const struct function* f) {
  u32 in = subscription(0, 11, 0, 1, 1000000, 0);
  expect(f, "success: a relative deadline", CALL(in, at(out64), 1, at(out32)), SUCCESS);
  expect_true(f, "its event", out32[0] == 1 && out64[0] == 11 && out64[1] == 0);
  in = subscription(0, 12, 0, 0, 1, 1);
  expect(f, "success: an absolute one, passed", CALL(in, at(out64), 1, at(out32)), SUCCESS);
  in = subscription(0, 13, 1, 99, 0, 0);
  expect(f, "success: no such descriptor", CALL(in, at(out64), 1, at(out32)), SUCCESS);
  expect_true(f, "its event says badf", (out64[1] & 0xffff) == BADF && out64[0] == 13);
  in = subscription(0, 14, 0, 9, 0, 0);
  CALL(in, at(out64), 1, at(out32));
  expect_true(f, "no such clock: its event says inval", (out64[1] & 0xffff) == INVAL);
  const u32 file = open_or_die("polled", CREAT, R_READ | R_WRITE);
  in = subscription(0, 15, 1, file, 0, 0);
  subscription(1, 16, 2, file, 0, 0);
  expect(f, "success: a file is ready", CALL(in, at(out64), 2, at(out32)), SUCCESS);
  expect_true(f, "both ways", out32[0] == 2);
  expect(f, "nothing to wait for", CALL(in, at(out64), 0, at(out32)), INVAL);
  subscription(0, 15, 3, file, 0, 0);
  expect(f, "no such type", CALL(in, at(out64), 1, at(out32)), INVAL);
  expect(f, "too many for 32 bits", CALL(in, at(out64), 0x05555556, at(out32)), FAULT);
  in = subscription(0, 17, 0, 1, 0, 0);
  subscription(1, 18, 0, 1, 0, 0);
  expect(f, "in and out overlap", CALL(in, in + 8, 2, at(out32)), SUCCESS);
  expect_true(f, "and both are told", out32[0] == 2 && *(u64*)(arena + 49152 + 8) == 17);
  in = subscription(0, 17, 0, 1, 0, 0);
  const u64 valid[9] = {in, at(out64), 1, at(out32)};
  POINTERS(valid, {0, 48}, {1, 32}, {3, 4});
}

// The runner listens for us: the last descriptor before the first closed one is the socket, and somebody connects.
static u32 listener(void) {
  return RO + 1;
}
static u32 accepted;

void cases_sock_accept(const struct function* f) {
  expect(f, "badf", CALL(99, 0, at(out32)), BADF);
  expect(f, "no socket", CALL(RW, 0, at(out32)), NOTSOCK);
  expect(f, "unknown flags", CALL(listener(), 0x100, at(out32)), INVAL);
  const u64 valid[9] = {listener(), 0, at(out32)};
  POINTERS(valid, {2, 4});
  // The one at a low address was accepted; closed, it lets the peer come again.
  invoke(named("fd_close"), (const u64[9]){*(volatile u32*)16});
  expect(f, "success", CALL(listener(), 0, at(out32)), SUCCESS);
  accepted = out32[0];
}

static u32 connection(void) {
  if (accepted == 0) {
    const u64 args[9] = {listener(), 0, at(out32)};
    if (invoke(named("sock_accept"), args) == SUCCESS) accepted = out32[0];
  }
  return accepted;
}

// The peer sends back what it gets.
void cases_sock_send(const struct function* f) {
  const u32 fd = connection();
  u32 io = iovs(0, "ping", 4);
  expect(f, "success", CALL(fd, io, 1, 0, at(out32)), SUCCESS);
  expect_true(f, "all of it", out32[0] == 4);
  expect(f, "flags that do not exist", CALL(fd, io, 1, 1, at(out32)), INVAL);
  expect(f, "badf", CALL(99, io, 1, 0, at(out32)), BADF);
  expect(f, "no socket", CALL(open_or_die("f", CREAT, R_WRITE), io, 1, 0, at(out32)), NOTSOCK);
  iovs(0, (void*)0xfffffff0u, 4);
  expect(f, "buffer outside", CALL(fd, io, 1, 0, at(out32)), FAULT);
  io = iovs(0, "", 0);
  const u64 valid[9] = {fd, io, 1, 0, at(out32)};
  POINTERS(valid, {1, 8}, {4, 4});
}

void cases_sock_recv(const struct function* f) {
  const u32 fd = connection();
  u32 io = iovs(0, "hello", 5);
  invoke(named("sock_send"), (const u64[9]){fd, io, 1, 0, at(out32)});
  io = iovs(0, arena, 5);
  expect(f, "success: peek", CALL(fd, io, 1, 1, at(out32), at(out32 + 1)), SUCCESS);
  expect(f, "success: all of it", CALL(fd, io, 1, 2, at(out32), at(out32 + 1)), SUCCESS);
  expect_true(f, "the bytes", out32[0] == 5);
  expect(f, "flags that do not exist", CALL(fd, io, 1, 4, at(out32), at(out32 + 1)), INVAL);
  expect(f, "badf", CALL(99, io, 1, 0, at(out32), at(out32 + 1)), BADF);
  expect(f, "no socket", CALL(open_or_die("f", CREAT, R_READ), io, 1, 0, at(out32), at(out32 + 1)), NOTSOCK);
  iovs(0, (void*)0xfffffff0u, 5);
  expect(f, "buffer outside", CALL(fd, io, 1, 0, at(out32), at(out32 + 1)), FAULT);
  iovs(0, arena, 0);
  // An empty buffer on a stream does not wait.
  const u64 valid[9] = {fd, io, 1, 0, at(out32), at(out32 + 1)};
  POINTERS(valid, {1, 8}, {4, 4}, {5, 2});
}

void cases_sock_shutdown(const struct function* f) {
  const u32 fd = connection();
  expect(f, "neither way", CALL(fd, 0), INVAL);
  expect(f, "unknown way", CALL(fd, 4), INVAL);
  expect(f, "badf", CALL(99, 1), BADF);
  expect(f, "no socket", CALL(RW, 1), NOTSOCK);
  expect(f, "success: write", CALL(fd, 2), SUCCESS);
  // The peer ends its side when it sees ours ended; once that has come, nothing is connected any more.
  u32 io = iovs(0, arena, 1);
  const u32 e = invoke(named("sock_recv"), (const u64[9]){fd, io, 1, 0, at(out32), at(out32 + 1)});
  expect_true(f, "the peer's end", e == SUCCESS && out32[0] == 0);
  expect(f, "not connected", CALL(fd, 3), NOTCONN);
  accepted = 0;
  expect(f, "success: both", CALL(connection(), 3), SUCCESS);
}
