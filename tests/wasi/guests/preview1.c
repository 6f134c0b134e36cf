// Runs the cases of one function (or of all) and prints the table. See preview1.h.
#include "preview1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t arena[65536];
static u32 arena_used;
static int wrong;

u32 at(const void* p) {
  return (u32)(uintptr_t)p;
}

u32 text(const char* s) {
  const u32 size = (u32)strlen(s) + 1;
  if (arena_used + size > 32768) arena_used = 0;
  memcpy(arena + arena_used, s, size);
  const u32 address = at(arena + arena_used);
  arena_used += size;
  return address;
}
u32 text_size(const char* s) {
  return (u32)strlen(s);
}

u32 iovs(u32 slot, const void* buffer, u32 size) {
  u32* iov = (u32*)(arena + 40960) + slot * 2;
  iov[0] = at(buffer);
  iov[1] = size;
  return at(arena + 40960);
}

u32 invoke(const struct function* f, const u64* args) {
  return f->call(args);
}

const struct function* named(const char* name) {
  for (int i = 0; i < function_count; ++i)
    if (strcmp(functions[i].name, name) == 0) return &functions[i];
  fprintf(stderr, "no function \"%s\"\n", name);
  exit(2);
}

void expect(const struct function* f, const char* what, u32 got, u32 want) {
  printf("%s | %s | %u | %s\n", f->name, what, got, got == want ? "ok" : "WRONG");
  if (got != want) {
    fprintf(stderr, "%s, %s: errno %u, wanted %u\n", f->name, what, got, want);
    wrong = 1;
  }
}

void expect_true(const struct function* f, const char* what, int holds) {
  printf("%s | %s | - | %s\n", f->name, what, holds ? "ok" : "WRONG");
  if (!holds) {
    fprintf(stderr, "%s, %s: does not hold\n", f->name, what);
    wrong = 1;
  }
}

static u32 with(const struct function* f, const u64* valid, int param, u32 value) {
  u64 args[9];
  memcpy(args, valid, sizeof args);
  args[param] = value;
  return invoke(f, args);
}

void bad_pointers(const struct function* f, const u64* valid, const struct pointer* pointers, int count) {
  const u32 end = (u32)__builtin_wasm_memory_size(0) * 65536u;
  char what[64];
  for (int i = 0; i < count; ++i) {
    const int param = pointers[i].at;
    const u32 bytes = pointers[i].bytes;
    snprintf(what, sizeof what, "pointer %d, reaching over the end", param);
    expect(f, what, with(f, valid, param, end - bytes + 1), FAULT);
    if (bytes > 1) {
      snprintf(what, sizeof what, "pointer %d, at the last byte", param);
      expect(f, what, with(f, valid, param, end - 1), FAULT);
    }
    snprintf(what, sizeof what, "pointer %d, behind the end", param);
    expect(f, what, with(f, valid, param, end + 1), FAULT);
    snprintf(what, sizeof what, "pointer %d, wrapping around", param);
    expect(f, what, with(f, valid, param, 0xffffffffu), FAULT);
    // Null is an address like any other in linear memory (the low end of the stack, unused), and so is one that another
    // parameter has: no fault, whatever else comes of it.
    memset((void*)(uintptr_t)16, 0, 240);
    snprintf(what, sizeof what, "pointer %d, low", param);
    expect_true(f, what, with(f, valid, param, 16) != FAULT);
    for (int j = 0; j < count; ++j) {
      if (j == i) continue;
      snprintf(what, sizeof what, "pointers %d and %d, the same", param, pointers[j].at);
      with(f, valid, param, (u32)valid[pointers[j].at]);
      expect_true(f, what, 1);  // it came back
    }
  }
}

u32 open_at(u32 dir, const char* path, u32 oflags, u64 rights, u32 fdflags, u32* fd);

u32 open_or_die(const char* path, u32 oflags, u64 rights) {
  u32 fd = 0;
  const u32 e = open_at(RW, path, oflags, rights, 0, &fd);
  if (e != SUCCESS) {
    fprintf(stderr, "cannot open %s: errno %u\n", path, e);
    exit(2);
  }
  return fd;
}

// One call as text: the function's name and its parameters, apart by blanks. 'text is a path (two parameters: where it
// is and how long), %N an iovec of N bytes (two as well), @ room for a result, $ the descriptor that the last call
// with an @ gave, anything else a number.
static u32 call_text(char* line) {
  static u32 results[64];
  static u32 given;
  u64 args[12] = {0};
  int count = 0, outs = 0;
  const char* name = strtok(line, " ");
  for (char* word; (word = strtok(NULL, " ")) != NULL && count < 9;) {
    if (*word == '\'') {
      args[count++] = text(word + 1);
      args[count++] = text_size(word + 1);
    } else if (*word == '%') {
      const u32 size = (u32)strtoul(word + 1, NULL, 0);
      args[count++] = iovs(0, size <= sizeof arena / 2 ? (const void*)arena : NULL, size);
      args[count++] = 1;
    } else if (*word == '@') {
      args[count++] = at(results + 16 * outs++);
    } else {
      args[count++] = *word == '$' ? given : strtoull(word, NULL, 0);
    }
  }
  const u32 error = invoke(named(name), args);
  if (outs > 0 && error == SUCCESS) given = results[0];
  return error;
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "call") == 0) {
    // Told all at once at the end, on stderr: stdout may be what the calls are about.
    u32 errors[128];
    const int calls = argc - 2 < 128 ? argc - 2 : 128;
    for (int i = 0; i < calls; ++i) errors[i] = call_text(argv[i + 2]);
    for (int i = 0; i < calls; ++i) fprintf(stderr, "errno %u\n", errors[i]);
    return 0;
  }
  const char* wanted = argc > 1 ? argv[1] : "all";
  int ran = 0;
  if (strcmp(wanted, "machine") == 0) {
    cases_of_the_machine();
    fflush(stdout);
    return wrong;
  }
  for (int i = 0; i < function_count; ++i) {
    if (strcmp(wanted, "all") != 0 && strcmp(wanted, functions[i].name) != 0) continue;
    functions[i].cases(&functions[i]);
    fflush(stdout);
    ++ran;
  }
  return ran == 0 ? 2 : wrong;
}
