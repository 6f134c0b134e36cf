// The functions of wasi_snapshot_preview1 as plain imports (no libc between), a table of them with their pointer
// parameters, and how a case is told: one line "function | case | errno | ok".
#pragma once
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
typedef uint32_t u32;
typedef uint64_t u64;

// A pointer parameter: which one, and how many bytes it means (in the call that `valid` makes).
struct pointer {
  int at;
  u32 bytes;
};

struct function {
  const char* name;
  int params;
  u32 (*call)(const u64* a);
  void (*cases)(const struct function* f);
};

extern const struct function functions[];
extern const int function_count;

// What the errno numbers are called.
enum {
  SUCCESS = 0,
  ACCES = 2,
  AGAIN = 6,
  BADF = 8,
  BUSY = 10,
  CONNRESET = 15,
  EXIST = 20,
  FAULT = 21,
  FBIG = 22,
  INVAL = 28,
  IO = 29,
  ISDIR = 31,
  LOOP = 32,
  MFILE = 33,
  NAMETOOLONG = 37,
  NOENT = 44,
  NOSPC = 51,
  NOTCONN = 53,
  NOTDIR = 54,
  NOTEMPTY = 55,
  NOTSOCK = 57,
  NOTSUP = 58,
  NXIO = 60,
  OVERFLOW = 61,
  PERM = 63,
  PIPE = 64,
  ROFS = 69,
  SPIPE = 70,
  TXTBSY = 74,
  XDEV = 75,
  NOTCAPABLE = 76
};

u32 invoke(const struct function* f, const u64* args);
// The function of this name, which there must be.
const struct function* named(const char* name);
// Prints a line; a wrong errno makes the program's exit code 1.
void expect(const struct function* f, const char* what, u32 got, u32 want);
void expect_true(const struct function* f, const char* what, int holds);
// Calls with each pointer bad in turn: null, last byte, behind the end, wrapping around, on top of the others.
void bad_pointers(const struct function* f, const u64* valid, const struct pointer* pointers, int count);

// Memory for arguments, apart from the stack.
extern uint8_t arena[65536];
u32 at(const void* p);
u32 text(const char* s);  // a copy in the arena; length by text_size
u32 text_size(const char* s);
u32 iovs(u32 slot, const void* buffer, u32 size);  // writes iovec number `slot`; address of number 0

// The commonest steps.
u32 open_at(u32 dir, const char* path, u32 oflags, u64 rights, u32 fdflags, u32* fd);
u32 open_or_die(const char* path, u32 oflags, u64 rights);
void write_file(const char* path, const char* contents);
#define R_READ ((u64)(1 << 1 | 1 << 2 | 1 << 5 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 23 | 1 << 27 | 1 << 3))
#define R_WRITE ((u64)(1 << 0 | 1 << 4 | 1 << 6 | 1 << 8 | 1 << 22))
#define R_ALL ((u64)((1 << 30) - 1))
enum { CREAT = 1, DIRECTORY = 2, EXCL = 4, TRUNC = 8 };
// Descriptors that the runner gives: 3 is writable, 4 is the same kind of folder read-only.
enum { RW = 3, RO = 4 };
// cases_machine.c: what the machine refuses, of several functions.
void cases_of_the_machine(void);
