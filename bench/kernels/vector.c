// Vector arithmetic through the compiler's vector types: 128-bit lanes of several widths (simd128 on wasm).
#include <string.h>

#include "kernel.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));

enum { kPixels = 1 << 14 };
static u8x16 image[kPixels / 16], blended[kPixels / 16];
static f32x4 points[kPixels / 4];

static void blend(uint16_t weight) {
  for (size_t i = 0; i + 1 < kPixels / 16; ++i) {
    u8x16 here = image[i], there = image[i + 1];
    u16x8 low = __builtin_convertvector(__builtin_shufflevector(here, here, 0, 1, 2, 3, 4, 5, 6, 7), u16x8);
    u16x8 high = __builtin_convertvector(__builtin_shufflevector(there, there, 8, 9, 10, 11, 12, 13, 14, 15), u16x8);
    u16x8 mixed = (low * weight + high * (uint16_t)(256 - weight)) >> 8;
    u8x16 bytes = (u8x16)mixed;
    blended[i] = (here ^ bytes) + (u8x16)(here > there);
  }
  memcpy(image, blended, sizeof image - 16);
}

static void turn(float c, float s) {
  f32x4 cosine = {c, c, c, c}, sine = {-s, s, -s, s};
  for (size_t i = 0; i < kPixels / 4; ++i) {
    f32x4 p = points[i];
    points[i] = p * cosine + __builtin_shufflevector(p, p, 1, 0, 3, 2) * sine;
  }
}

int kernel(int argc, char** argv) {
  unsigned rounds = work_size(argc, argv, 100000);
  uint32_t seed = 31, sum = 0;
  unsigned char* bytes = (unsigned char*)image;
  for (size_t i = 0; i < sizeof image; ++i) bytes[i] = (unsigned char)next_random(&seed);
  for (size_t i = 0; i < kPixels / 4; ++i) points[i] = (f32x4){(float)(i % 61), (float)(i % 53), 1.0f, -2.0f};
  for (unsigned round = 0; round < rounds; ++round) {
    blend((uint16_t)(round % 256));
    turn(0.8f, 0.6f);
    if (round % 64 == 0) bytes[round % sizeof image] ^= (unsigned char)round;
  }
  for (size_t i = 0; i < sizeof image; ++i) sum = mix(sum, bytes[i]);
  i32x4 last;
  for (size_t i = 0; i < kPixels / 4; i += 7) {
    memcpy(&last, &points[i], sizeof last);
    sum = mix(sum, (uint32_t)(last[0] ^ last[1] ^ last[2] ^ last[3]));
  }
  return report("vector", sum);
}
