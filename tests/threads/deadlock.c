// Threads that wait for each other.
//
//     deadlock cycle       two threads take two locks in opposite order, three more queue behind them
//     deadlock last_leaves  main waits for a thread that ends without telling
//     deadlock owner_leaves  a thread exits with a lock held that all others want
//     deadlock none ROUNDS  every thread but one waits, again and again: no deadlock, must end by itself
//     deadlock one_of_many  of 100 threads, 99 wait for ever and one for a moment, then it wakes them: no deadlock
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t both_hold;

static void* take_second_then_first(void* argument) {
  pthread_mutex_lock(&second);
  pthread_barrier_wait(&both_hold);
  pthread_mutex_lock(&first);
  return argument;
}

static void* queue_for_first(void* argument) {
  pthread_mutex_lock(&first);
  return argument;
}

static void* leave_silently(void* argument) {
  pthread_barrier_wait(&both_hold);
  return argument;
}

static void* leave_with_the_lock(void* argument) {
  pthread_mutex_lock(&first);
  return argument;
}

enum { kMany = 99, kMomentMs = 100 };
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int waiting, woken, may_go;

static void* wait_to_be_woken(void* argument) {
  pthread_mutex_lock(&first);
  ++waiting;
  pthread_cond_signal(&never);
  while (!may_go) pthread_cond_wait(&turned, &first);
  ++woken;
  pthread_mutex_unlock(&first);
  return argument;
}

/// What pthread_cond_timedwait answered when a moment had passed in which all others waited.
static int wait_a_moment_then_wake_all(void) {
  pthread_mutex_lock(&first);
  while (waiting < kMany) pthread_cond_wait(&never, &first);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += kMomentMs * 1000 * 1000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  const int answer = pthread_cond_timedwait(&never, &first, &until);
  may_go = 1;
  pthread_cond_broadcast(&turned);
  pthread_mutex_unlock(&first);
  return answer;
}

static int one_of_many(void) {
  pthread_t threads[kMany];
  for (int i = 0; i < kMany; ++i)
    if (pthread_create(&threads[i], NULL, wait_to_be_woken, NULL) != 0) return 1;
  const int answer = wait_a_moment_then_wake_all();
  for (int i = 0; i < kMany; ++i) pthread_join(threads[i], NULL);
  printf("%s, %d woken\n", answer == ETIMEDOUT ? "timed out" : "answered", woken);
  return 0;
}

static void owner_leaves(void) {
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, leave_with_the_lock, NULL);
  pthread_join(threads[0], NULL);
  for (int i = 1; i < 3; ++i) pthread_create(&threads[i], NULL, queue_for_first, NULL);
  puts("ending");
  fflush(stdout);
  pthread_mutex_lock(&first);
}

static int turn, rounds;

/// Player `n` of 4 has every fourth turn; the others sleep meanwhile.
static void* play(void* number) {
  int n = (int)(long)number;
  pthread_mutex_lock(&first);
  while (turn < rounds) {
    if (turn % 4 != n) {
      pthread_cond_wait(&turned, &first);
      continue;
    }
    ++turn;
    pthread_cond_broadcast(&turned);
  }
  pthread_cond_broadcast(&turned);
  pthread_mutex_unlock(&first);
  return NULL;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  pthread_t threads[4];
  pthread_barrier_init(&both_hold, NULL, 2);
  if (strcmp(what, "cycle") == 0) {
    pthread_create(&threads[0], NULL, take_second_then_first, NULL);
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&both_hold);
    for (int i = 1; i < 4; ++i) pthread_create(&threads[i], NULL, queue_for_first, NULL);
    puts("ending");
    fflush(stdout);
    pthread_mutex_lock(&second);
  } else if (strcmp(what, "last_leaves") == 0) {
    pthread_create(&threads[0], NULL, leave_silently, NULL);
    puts("ending");
    fflush(stdout);
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&both_hold);
    for (;;) pthread_cond_wait(&turned, &first);
  } else if (strcmp(what, "owner_leaves") == 0) {
    owner_leaves();
  } else if (strcmp(what, "one_of_many") == 0) {
    return one_of_many();
  } else if (strcmp(what, "none") == 0) {
    rounds = argc > 2 ? atoi(argv[2]) : 1000;
    for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, play, (void*)(long)i);
    for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
    printf("%d turns\n", turn);
    return 0;
  }
  return 2;
}
