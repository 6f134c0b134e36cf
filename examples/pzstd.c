// zstd with its own worker threads: threads that somebody else wrote.
//
//     pzstd [-p WORKERS] [-1..-19] [FILE] > FILE.zst        (standard input when no file is given)
//
// The compressor cuts its input into jobs and deals them out to ZSTD_c_nbWorkers threads. The bytes written do not
// depend on the number of workers, as long as there is one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

static void fail(const char* what) {
  fprintf(stderr, "pzstd: %s\n", what);
  exit(1);
}

static void check(size_t result) {
  if (ZSTD_isError(result)) fail(ZSTD_getErrorName(result));
}

static void compress_stream(ZSTD_CCtx* context, FILE* file) {
  size_t input_room = ZSTD_CStreamInSize(), output_room = ZSTD_CStreamOutSize();
  void *input = malloc(input_room), *output = malloc(output_room);
  if (input == NULL || output == NULL) fail("no memory");
  for (int is_last = 0; !is_last;) {
    ZSTD_inBuffer in = {input, fread(input, 1, input_room, file), 0};
    is_last = in.size < input_room;
    if (is_last && ferror(file)) fail("cannot read");
    for (size_t left = 1; is_last ? left != 0 : in.pos < in.size;) {
      ZSTD_outBuffer out = {output, output_room, 0};
      left = ZSTD_compressStream2(context, &out, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
      check(left);
      if (fwrite(output, 1, out.pos, stdout) != out.pos) fail("cannot write");
    }
  }
  free(input);
  free(output);
}

int main(int argc, char** argv) {
  int workers = 1, level = 3;
  FILE* file = stdin;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "-p") == 0 && i + 1 < argc) {
      workers = atoi(argv[++i]);
    } else if (argv[i][0] == '-' && atoi(argv[i] + 1) >= 1 && atoi(argv[i] + 1) <= 19) {
      level = atoi(argv[i] + 1);
    } else if (file == stdin && argv[i][0] != '-') {
      file = fopen(argv[i], "rb");
      if (file == NULL) fail("cannot open the file");
    } else {
      fail("usage: pzstd [-p WORKERS] [-1..-19] [FILE] > FILE.zst");
    }
  }
  if (workers < 1 || workers > 200) fail("-p takes 1 to 200 workers");

  ZSTD_CCtx* context = ZSTD_createCCtx();
  if (context == NULL) fail("no memory");
  check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level));
  check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1));
  check(ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, workers));
  compress_stream(context, file);
  if (fflush(stdout) != 0) fail("cannot write");
  ZSTD_freeCCtx(context);
  return 0;
}
