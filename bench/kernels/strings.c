// Words counted in a hash table, searched, compared, turned to upper case, joined: the C library's functions on short
// strings. (Not strtok: the one that comes with zig 0.17.1 measures the rest of the text for every word.)
#include <ctype.h>
#include <string.h>

#include "kernel.h"

enum { kBuckets = 1 << 16, kText = 200000 };
struct word {
  struct word* next;
  uint32_t count;
  char text[24];
};

static struct word* buckets[kBuckets];
static char text[kText + 1], joined[kText * 2];

static void make_text(uint32_t seed) {
  size_t at = 0;
  while (at < kText - 16) {
    size_t length = 2 + next_random(&seed) % 7;
    for (size_t i = 0; i < length; ++i) text[at++] = (char)('a' + next_random(&seed) % 6);
    text[at++] = next_random(&seed) % 9 == 0 ? '\n' : ' ';
  }
  text[at] = 0;
}

static uint32_t hash(const char* word) {
  uint32_t sum = 2166136261u;
  for (; *word != 0; ++word) sum = mix(sum, (unsigned char)*word);
  return sum;
}

static void count_word(const char* word) {
  struct word** link = &buckets[hash(word) % kBuckets];
  while (*link != NULL && strcmp((*link)->text, word) != 0) link = &(*link)->next;
  if (*link == NULL) {
    *link = calloc(1, sizeof **link);
    strncpy((*link)->text, word, sizeof(*link)->text - 1);
  }
  ++(*link)->count;
}

int kernel(int argc, char** argv) {
  unsigned rounds = work_size(argc, argv, 40);
  uint32_t sum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    make_text(round * 2 + 1);
    char* end = joined;
    for (char *word = text, *after; *word != 0; word = after) {
      size_t letters = 0;
      while (word[letters] != 0 && word[letters] != ' ' && word[letters] != '\n') ++letters;
      after = word + letters + (word[letters] != 0);
      word[letters] = 0;
      if (strstr(word, "cab") != NULL) sum = mix(sum, (uint32_t)(word - text));
      count_word(word);
      size_t length = strlen(word);
      memcpy(end, word, length + 1);
      for (size_t i = 0; i < length; ++i) end[i] = (char)toupper((unsigned char)end[i]);
      end += length;
      if (strchr(word, 'f') == NULL) *end++ = '-';
    }
    *end = 0;
    sum = mix(sum, hash(joined));
  }
  for (int i = 0; i < kBuckets; ++i) {
    for (struct word* word = buckets[i]; word != NULL; word = word->next) sum += word->count * hash(word->text);
  }
  return report("strings", sum);
}
