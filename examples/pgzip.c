// A parallel gzip: blocks are deflated by N threads and leave as one gzip member, in order.
//
//     pgzip [-p THREADS] [-1..-9] [FILE] > FILE.gz          (standard input when no file is given)
//
// The main thread reads blocks, hands them out and writes the results in order; workers deflate. A block ends on a byte
// boundary (Z_SYNC_FLUSH, the last one Z_FINISH) and starts with the 32 KiB before it as dictionary, so the pieces
// join into one deflate stream and compress nearly as well as one piece would. Each worker computes the CRC of its
// block; the main thread combines them. The bytes written do not depend on the number of threads.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { kBlock = 128 * 1024, kDictionary = 32 * 1024, kMaxThreads = 256, kSlotsPerThread = 4 };

// A slot goes round: empty -> filled (by main) -> taken -> done (by a worker) -> empty (by main, once written).
enum slot_state { kEmpty, kFilled, kTaken, kDone };

struct slot {
  enum slot_state state;
  int is_last;
  unsigned char input[kDictionary + kBlock];  // the dictionary, then the block
  size_t dictionary_size, block_size;
  unsigned char* output;
  size_t output_room, output_size;
  unsigned long crc;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;  // guards the states, next_to_take and no_more
static pthread_cond_t work_ready = PTHREAD_COND_INITIALIZER, work_done = PTHREAD_COND_INITIALIZER;
static struct slot* slots;
static int slot_count, no_more;
static size_t next_to_take;
static int level = Z_DEFAULT_COMPRESSION;

static void fail(const char* what) {
  fprintf(stderr, "pgzip: %s\n", what);
  exit(1);
}

static void write_all(const void* bytes, size_t size) {
  for (const char* at = bytes; size > 0;) {
    ssize_t written = write(STDOUT_FILENO, at, size);
    if (written <= 0) fail("cannot write");
    at += written;
    size -= (size_t)written;
  }
}

static size_t read_block(int fd, unsigned char* to) {
  size_t size = 0;
  while (size < kBlock) {
    ssize_t got = read(fd, to + size, kBlock - size);
    if (got < 0) fail("cannot read");
    if (got == 0) break;
    size += (size_t)got;
  }
  return size;
}

// A new deflate state for every block, not deflateReset: what zlib-ng chooses after a reset depends a little on what
// the state compressed before, and so on which thread took which block.
static void compress_slot(struct slot* slot) {
  unsigned char* block = slot->input + slot->dictionary_size;
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) fail("no memory");
  if (slot->dictionary_size > 0) deflateSetDictionary(&stream, slot->input, (uInt)slot->dictionary_size);
  stream.next_in = block;
  stream.avail_in = (uInt)slot->block_size;
  stream.next_out = slot->output;
  stream.avail_out = (uInt)slot->output_room;
  int result = deflate(&stream, slot->is_last ? Z_FINISH : Z_SYNC_FLUSH);
  if (result != (slot->is_last ? Z_STREAM_END : Z_OK) || stream.avail_in != 0) fail("deflate failed");
  slot->output_size = slot->output_room - stream.avail_out;
  slot->crc = crc32(0, block, (uInt)slot->block_size);
  deflateEnd(&stream);
}

static void* worker(void* unused) {
  pthread_mutex_lock(&lock);
  for (;;) {
    struct slot* slot = &slots[next_to_take % (size_t)slot_count];
    if (slot->state == kFilled) {
      slot->state = kTaken;
      ++next_to_take;
      pthread_mutex_unlock(&lock);
      compress_slot(slot);
      pthread_mutex_lock(&lock);
      slot->state = kDone;
      pthread_cond_signal(&work_done);
    } else if (no_more) {
      break;
    } else {
      pthread_cond_wait(&work_ready, &lock);
    }
  }
  pthread_mutex_unlock(&lock);
  return unused;
}

static void set_state(struct slot* slot, enum slot_state state) {
  pthread_mutex_lock(&lock);
  slot->state = state;
  if (state == kFilled) pthread_cond_signal(&work_ready);
  pthread_mutex_unlock(&lock);
}

static int is_empty(struct slot* slot) {
  pthread_mutex_lock(&lock);
  int empty = slot->state == kEmpty;
  pthread_mutex_unlock(&lock);
  return empty;
}

static void wait_until_done(struct slot* slot) {
  pthread_mutex_lock(&lock);
  while (slot->state != kDone) pthread_cond_wait(&work_done, &lock);
  pthread_mutex_unlock(&lock);
}

static void put_le32(unsigned char* to, unsigned long value) {
  for (int i = 0; i < 4; ++i) to[i] = (unsigned char)(value >> (8 * i));
}

static void compress_stream(int fd) {
  static const unsigned char header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
  static unsigned char tail[kDictionary], ahead[kBlock];
  size_t tail_size = 0, filled = 0, written = 0;
  unsigned long crc = crc32(0, NULL, 0), total = 0;
  int at_end = 0;

  write_all(header, sizeof header);
  size_t ahead_size = read_block(fd, ahead);  // one block ahead, to know which is the last
  while (!at_end || written < filled) {
    struct slot* slot = &slots[filled % (size_t)slot_count];
    if (!at_end && is_empty(slot)) {
      memcpy(slot->input, tail, tail_size);
      memcpy(slot->input + tail_size, ahead, ahead_size);
      slot->dictionary_size = tail_size;
      slot->block_size = ahead_size;
      total += ahead_size;
      if (ahead_size >= kDictionary) {
        tail_size = kDictionary;
        memcpy(tail, ahead + ahead_size - kDictionary, kDictionary);
      }
      ahead_size = read_block(fd, ahead);
      slot->is_last = at_end = ahead_size == 0;
      set_state(slot, kFilled);
      ++filled;
      continue;
    }
    slot = &slots[written % (size_t)slot_count];
    wait_until_done(slot);
    write_all(slot->output, slot->output_size);
    crc = crc32_combine(crc, slot->crc, (z_off_t)slot->block_size);
    set_state(slot, kEmpty);
    ++written;
  }
  unsigned char trailer[8];
  put_le32(trailer, crc);
  put_le32(trailer + 4, total);
  write_all(trailer, sizeof trailer);
}

int main(int argc, char** argv) {
  int threads = 1;
  FILE* file = stdin;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "-p") == 0 && i + 1 < argc) {
      threads = atoi(argv[++i]);
    } else if (argv[i][0] == '-' && argv[i][1] >= '1' && argv[i][1] <= '9' && argv[i][2] == 0) {
      level = argv[i][1] - '0';
    } else if (file == stdin && argv[i][0] != '-') {
      file = fopen(argv[i], "rb");
      if (file == NULL) fail("cannot open the file");
    } else {
      fail("usage: pgzip [-p THREADS] [-1..-9] [FILE] > FILE.gz");
    }
  }
  if (threads < 1 || threads > kMaxThreads) fail("-p takes 1 to 256 threads");

  slot_count = threads * kSlotsPerThread;
  slots = calloc((size_t)slot_count, sizeof *slots);
  if (slots == NULL) fail("no memory");
  for (int i = 0; i < slot_count; ++i) {
    slots[i].output_room = compressBound(kBlock) + 64;  // the flush marker besides
    slots[i].output = malloc(slots[i].output_room);
    if (slots[i].output == NULL) fail("no memory");
  }
  pthread_t workers[kMaxThreads];
  for (int i = 0; i < threads; ++i) {
    if (pthread_create(&workers[i], NULL, worker, NULL) != 0) fail("cannot start a thread");
  }
  compress_stream(fileno(file));
  pthread_mutex_lock(&lock);
  no_more = 1;
  pthread_cond_broadcast(&work_ready);
  pthread_mutex_unlock(&lock);
  for (int i = 0; i < threads; ++i) pthread_join(workers[i], NULL);
  return 0;
}
