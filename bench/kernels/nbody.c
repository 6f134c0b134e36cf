// The outer planets, moved by gravity: double arithmetic on a few values that stay in registers or near them.
#include <math.h>

#include "kernel.h"

enum { kBodies = 5 };
struct body {
  double position[3], velocity[3], mass;
};

static struct body bodies[kBodies];

static void place_bodies(void) {
  uint32_t seed = 2463534242u;
  for (int i = 0; i < kBodies; ++i) {
    bodies[i].mass = i == 0 ? 39.5 : 0.002 + 0.01 * i;
    for (int k = 0; k < 3; ++k) {
      bodies[i].position[k] = i == 0 ? 0.0 : (double)next_random(&seed) / 4294967296.0 * 40.0 - 20.0;
      bodies[i].velocity[k] = i == 0 ? 0.0 : (double)next_random(&seed) / 4294967296.0 - 0.5;
    }
  }
}

static void advance(double step) {
  for (int i = 0; i < kBodies; ++i) {
    struct body* a = &bodies[i];
    for (int j = i + 1; j < kBodies; ++j) {
      struct body* b = &bodies[j];
      double d[3], square = 0.0;
      for (int k = 0; k < 3; ++k) {
        d[k] = a->position[k] - b->position[k];
        square += d[k] * d[k];
      }
      double pull = step / (square * sqrt(square));
      for (int k = 0; k < 3; ++k) {
        a->velocity[k] -= d[k] * b->mass * pull;
        b->velocity[k] += d[k] * a->mass * pull;
      }
    }
  }
  for (int i = 0; i < kBodies; ++i) {
    for (int k = 0; k < 3; ++k) bodies[i].position[k] += step * bodies[i].velocity[k];
  }
}

static double energy(void) {
  double sum = 0.0;
  for (int i = 0; i < kBodies; ++i) {
    for (int k = 0; k < 3; ++k) sum += 0.5 * bodies[i].mass * bodies[i].velocity[k] * bodies[i].velocity[k];
    for (int j = i + 1; j < kBodies; ++j) {
      double square = 0.0;
      for (int k = 0; k < 3; ++k) {
        double d = bodies[i].position[k] - bodies[j].position[k];
        square += d * d;
      }
      sum -= bodies[i].mass * bodies[j].mass / sqrt(square);
    }
  }
  return sum;
}

int kernel(int argc, char** argv) {
  unsigned steps = work_size(argc, argv, 5000000);
  place_bodies();
  for (unsigned i = 0; i < steps; ++i) advance(0.001);
  double result = energy();
  uint64_t bits;
  __builtin_memcpy(&bits, &result, sizeof bits);
  return report("nbody", (uint32_t)(bits ^ bits >> 32));
}
