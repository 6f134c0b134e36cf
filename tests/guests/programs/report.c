// Says what a program sees of its surroundings: `report args|environment|clocks|random|exit N|open PATH|write
// PATH|cat`.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char** environ;

static int arguments(int argc, char** argv) {
  printf("%d arguments\n", argc - 1);
  for (int i = 1; i < argc; ++i) printf("%d: %s\n", i, argv[i]);
  return 0;
}

static int environment(void) {
  int count = 0;
  for (char** variable = environ; variable != NULL && *variable != NULL; ++variable, ++count) puts(*variable);
  printf("%d variables\n", count);
  return 0;
}

static long long nanoseconds(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) return -1;
  return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int clocks(void) {
  long long start = nanoseconds(CLOCK_MONOTONIC);
  struct timespec pause = {0, 30 * 1000 * 1000};
  nanosleep(&pause, NULL);
  long long slept = nanoseconds(CLOCK_MONOTONIC) - start;
  const long long year_2020 = 1577836800ll * 1000000000;
  int ok = start >= 0 && slept >= 30 * 1000 * 1000 && nanoseconds(CLOCK_REALTIME) > year_2020;
  puts(ok ? "clocks ok" : "clocks WRONG");
  return !ok;
}

static int random_bytes(void) {
  unsigned char first[32] = {0}, second[32] = {0};
  int ok = getentropy(first, sizeof first) == 0 && getentropy(second, sizeof second) == 0;
  ok = ok && memcmp(first, second, sizeof first) != 0;
  puts(ok ? "random ok" : "random WRONG");
  return !ok;
}

static int open_file(const char* path) {
  FILE* file = fopen(path, "r");
  puts(file != NULL ? "open" : "cannot open");
  return file == NULL;
}

static int write_file(const char* path) {
  FILE* file = fopen(path, "w");
  puts(file != NULL && fputs("text\n", file) >= 0 && fclose(file) == 0 ? "written" : "cannot write");
  return file == NULL;
}

static int copy_input(void) {
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, stdin)) > 0;) fwrite(buffer, 1, size, stdout);
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "args";
  if (strcmp(what, "environment") == 0) return environment();
  if (strcmp(what, "clocks") == 0) return clocks();
  if (strcmp(what, "random") == 0) return random_bytes();
  if (strcmp(what, "cat") == 0) return copy_input();
  if (strcmp(what, "exit") == 0 && argc > 2) return atoi(argv[2]);
  if (strcmp(what, "open") == 0 && argc > 2) return open_file(argv[2]);
  if (strcmp(what, "write") == 0 && argc > 2) return write_file(argv[2]);
  return arguments(argc, argv);
}
