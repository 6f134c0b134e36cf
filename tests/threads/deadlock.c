// Threads that wait for each other.
//
//     deadlock cycle       two threads take two locks in opposite order, three more queue behind them
//     deadlock last_leaves  main waits for a thread that ends without telling
//     deadlock none ROUNDS  every thread but one waits, again and again: no deadlock, must end by itself
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  } else if (strcmp(what, "none") == 0) {
    rounds = argc > 2 ? atoi(argv[2]) : 1000;
    for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, play, (void*)(long)i);
    for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
    printf("%d turns\n", turn);
    return 0;
  }
  return 2;
}
