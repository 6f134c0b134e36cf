// A small LZ compressor and its decompressor on text-like bytes: hash table, match search, copies, branches.
#include <string.h>

#include "kernel.h"

enum { kInput = 1 << 20, kHashBits = 14, kShortest = 4, kLongest = 255 + kShortest, kFarthest = 65535 };

static unsigned char input[kInput], packed[kInput * 2], unpacked[kInput];
static uint32_t last_seen[1 << kHashBits];

static void make_text(void) {
  static const char* const words[] = {"the ",    "thread ", "waits ", "for ",  "another ", "memory ", "is ",
                                      "shared ", "and ",    "a ",     "loop ", "runs ",    "until ",  "notify ",
                                      "wakes ",  "it ",     "again,", "so ",   "that ",    "none "};
  uint32_t seed = 99;
  for (size_t at = 0; at < kInput;) {
    const char* word = words[next_random(&seed) % (sizeof words / sizeof *words)];
    for (; *word != 0 && at < kInput; ++word) input[at++] = (unsigned char)*word;
    if (at < kInput && next_random(&seed) % 16 == 0) input[at++] = (unsigned char)('0' + next_random(&seed) % 10);
  }
}

static uint32_t read32(const unsigned char* at) {
  uint32_t value;
  memcpy(&value, at, sizeof value);
  return value;
}

// Tokens: 0, count, bytes... for literals; length - 3 (1..255), distance in two bytes for a match.
static size_t compress(void) {
  size_t out = 0, at = 0, literals = 0;
  memset(last_seen, 0, sizeof last_seen);
  while (at < kInput) {
    size_t length = 0, distance = 0;
    if (at + kShortest <= kInput) {
      uint32_t slot = read32(input + at) * 2654435761u >> (32 - kHashBits);
      size_t before = last_seen[slot];
      last_seen[slot] = (uint32_t)at + 1;
      if (before != 0 && at - (before - 1) <= kFarthest) {
        distance = at - (before - 1);
        while (at + length < kInput && length < kLongest - 1 && input[at + length] == input[before - 1 + length]) {
          ++length;
        }
      }
    }
    if (length < kShortest) {
      ++literals;
      ++at;
      if (literals < 255 && at < kInput) continue;
      length = 0;
    }
    if (literals > 0) {
      packed[out++] = 0;
      packed[out++] = (unsigned char)literals;
      memcpy(packed + out, input + at - literals, literals);
      out += literals;
      literals = 0;
    }
    if (length >= kShortest) {
      packed[out++] = (unsigned char)(length - 3);
      packed[out++] = (unsigned char)(distance & 255);
      packed[out++] = (unsigned char)(distance >> 8);
      at += length;
    }
  }
  return out;
}

static size_t decompress(size_t size) {
  size_t in = 0, out = 0;
  while (in < size) {
    unsigned token = packed[in++];
    if (token == 0) {
      size_t count = packed[in++];
      memcpy(unpacked + out, packed + in, count);
      in += count;
      out += count;
    } else {
      size_t distance = packed[in] | (size_t)packed[in + 1] << 8;
      in += 2;
      for (size_t left = token + 3; left > 0; --left, ++out) unpacked[out] = unpacked[out - distance];
    }
  }
  return out;
}

int kernel(int argc, char** argv) {
  unsigned rounds = work_size(argc, argv, 60);
  uint32_t sum = 0;
  make_text();
  for (unsigned round = 0; round < rounds; ++round) {
    input[round * 977 % kInput] ^= (unsigned char)(round & 31);
    size_t size = compress();
    if (decompress(size) != kInput || memcmp(input, unpacked, kInput) != 0) return 1;
    sum = mix(sum, (uint32_t)size);
  }
  return report("lz", sum);
}
