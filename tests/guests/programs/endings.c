// Ends a process while other threads are busy.
//
//     endings HOW WHO WHAT [N]
//
// HOW: trap | exit | return | abort      WHO: main | thread (return: main only)
//      stay: nobody ends it from inside; WHO does WHAT like the others
// WHAT the N (default 8) others do: spin | call | wait | read | sleep | yield | fill | mixed (spin, wait, read in turn)
//      timedwait | poll (standard input) | fifo (open of the file `fifo`) | spawn (threads, one after the other)
// Says `ending` on a line of its own just before; `exit` uses code 7. With `read`, standard input must stay open and
// silent.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int busy;
static const char *how, *what = "mixed";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static volatile unsigned counter;
static char* big;

__attribute__((noinline)) static unsigned step(unsigned x) {
  counter = x;
  return x + 1;
}

static void be_busy(const char* how_busy) {
  if (strcmp(how_busy, "spin") == 0) {
    for (;;) ++counter;
  } else if (strcmp(how_busy, "call") == 0) {
    for (unsigned x = 0;;) x = step(x);
  } else if (strcmp(how_busy, "wait") == 0) {
    pthread_mutex_lock(&lock);
    for (;;) pthread_cond_wait(&never, &lock);
  } else if (strcmp(how_busy, "read") == 0) {
    char byte;
    for (;;) {
      if (read(STDIN_FILENO, &byte, 1) == 0) {
        printf("standard input is at its end\n");
        exit(99);
      }
    }
  } else if (strcmp(how_busy, "sleep") == 0) {
    for (;;) sleep(1000);
  } else if (strcmp(how_busy, "yield") == 0) {
    for (;;) sched_yield();
  } else if (strcmp(how_busy, "fill") == 0) {
    for (;;) memset(big, (int)++counter, 256u << 20);
  }
}

static void* nothing(void* argument) {
  return argument;
}

/// What must not return.
static void block(const char* how_busy) {
  if (strcmp(how_busy, "timedwait") == 0) {
    struct timespec far;
    clock_gettime(CLOCK_REALTIME, &far);
    far.tv_sec += 100000;
    pthread_mutex_lock(&lock);
    for (;;) pthread_cond_timedwait(&never, &lock, &far);
  } else if (strcmp(how_busy, "poll") == 0) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) poll(&input, 1, -1);
  } else if (strcmp(how_busy, "fifo") == 0) {
    int fd = open("/fifo", O_RDONLY);
    printf("opening the FIFO gave %d: %s\n", fd, strerror(errno));
    exit(99);
  } else if (strcmp(how_busy, "spawn") == 0) {
    for (;;) {
      pthread_t thread;
      if (pthread_create(&thread, NULL, nothing, NULL) == 0) pthread_join(thread, NULL);
    }
  }
}

static void* other(void* argument) {
  static const char* const in_turn[] = {"spin", "wait", "read"};
  const char* mine = what;
  if (strcmp(what, "mixed") == 0) mine = in_turn[*(int*)argument % 3];
  ++busy;
  be_busy(mine);
  block(mine);
  return NULL;
}

static void end(void) {
  puts("ending");
  fflush(stdout);
  if (strcmp(how, "trap") == 0) __builtin_trap();
  if (strcmp(how, "exit") == 0) _exit(7);
  if (strcmp(how, "abort") == 0) abort();
}

static void* ender(void* argument) {
  end();
  be_busy(what);
  block(what);
  return argument;
}

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: endings trap|exit|return|abort main|thread WHAT [N]\n");
    return 2;
  }
  how = argv[1];
  what = argv[3];
  int others = argc > 4 ? atoi(argv[4]) : 8;
  if (strcmp(what, "fill") == 0) big = malloc(256u << 20);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  int* numbers = calloc((size_t)others, sizeof *numbers);
  for (int i = 0; i < others; ++i) {
    pthread_t thread;
    numbers[i] = i;
    if (pthread_create(&thread, &attributes, other, &numbers[i]) != 0) {
      printf("thread %d could not be started\n", i);
      return 2;
    }
  }
  while (busy < others) sched_yield();
  struct timespec moment = {0, 20 * 1000 * 1000};  // lets the others reach their call; nothing depends on it
  nanosleep(&moment, NULL);
  if (strcmp(argv[2], "thread") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, ender, NULL);
    be_busy(strcmp(what, "mixed") == 0 ? "wait" : what);
    block(what);
  }
  end();
  if (strcmp(how, "stay") == 0) {
    be_busy(what);
    block(what);
  }
  return 0;
}
