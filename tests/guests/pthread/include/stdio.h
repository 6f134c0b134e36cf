// <stdio.h> with a lock: comes before the C library's own, whose streams were compiled for one thread.
//
// A call of a stream function in the guest's sources becomes a call of its locked twin in stdio_lock.c. One recursive
// lock per stream, as POSIX has it, so a thread that reads a silent pipe through stdin holds up nobody's printf.
#include_next <stdio.h>

#ifndef GUESTS_PTHREAD_STDIO_H
#define GUESTS_PTHREAD_STDIO_H
#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif
#define GUESTS_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define GUESTS_SCANF(text, first) __attribute__((format(scanf, text, first)))

void locked_flockfile(FILE*);
int locked_ftrylockfile(FILE*);
void locked_funlockfile(FILE*);

int locked_printf(const char*, ...) GUESTS_PRINTF(1, 2);
int locked_fprintf(FILE*, const char*, ...) GUESTS_PRINTF(2, 3);
int locked_vprintf(const char*, va_list) GUESTS_PRINTF(1, 0);
int locked_vfprintf(FILE*, const char*, va_list) GUESTS_PRINTF(2, 0);
int locked_scanf(const char*, ...) GUESTS_SCANF(1, 2);
int locked_fscanf(FILE*, const char*, ...) GUESTS_SCANF(2, 3);
int locked_puts(const char*);
int locked_fputs(const char*, FILE*);
int locked_putchar(int);
int locked_fputc(int, FILE*);
int locked_getchar(void);
int locked_fgetc(FILE*);
int locked_ungetc(int, FILE*);
char* locked_fgets(char*, int, FILE*);
ssize_t locked_getdelim(char**, size_t*, int, FILE*);
size_t locked_fread(void*, size_t, size_t, FILE*);
size_t locked_fwrite(const void*, size_t, size_t, FILE*);
int locked_fseek(FILE*, long, int);
int locked_fseeko(FILE*, off_t, int);
long locked_ftell(FILE*);
off_t locked_ftello(FILE*);
int locked_fflush(FILE*);
FILE* locked_fopen(const char*, const char*);
FILE* locked_fdopen(int, const char*);
int locked_fclose(FILE*);
void locked_perror(const char*);
#ifdef __cplusplus
}
#endif

#ifndef GUESTS_STDIO_UNLOCKED  // stdio_lock.c itself wants the C library's
#undef getchar
#undef getc
#undef putc
#undef putchar
#define flockfile locked_flockfile
#define ftrylockfile locked_ftrylockfile
#define funlockfile locked_funlockfile
#define printf locked_printf
#define fprintf locked_fprintf
#define vprintf locked_vprintf
#define vfprintf locked_vfprintf
#define scanf locked_scanf
#define fscanf locked_fscanf
#define puts locked_puts
#define fputs locked_fputs
#define putchar locked_putchar
#define putc locked_fputc
#define fputc locked_fputc
#define getchar locked_getchar
#define getc locked_fgetc
#define fgetc locked_fgetc
#define ungetc locked_ungetc
#define fgets locked_fgets
#define getdelim locked_getdelim
#define getline(line, size, stream) locked_getdelim((line), (size), '\n', (stream))
#define fread locked_fread
#define fwrite locked_fwrite
#define fseek locked_fseek
#define fseeko locked_fseeko
#define ftell locked_ftell
#define ftello locked_ftello
#define fflush locked_fflush
#define fopen locked_fopen
#define fdopen locked_fdopen
#define fclose locked_fclose
#define perror locked_perror
#endif
#endif
