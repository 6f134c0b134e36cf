// A tiny interpreter run twice: with one switch in a loop, and with a table of functions called through pointers.
#include "kernel.h"

enum op { kPush, kAdd, kMultiply, kXor, kDuplicate, kSwap, kDecrementAndLoop, kRotate, kCount, kHalt, kOps };

struct machine {
  uint32_t stack[64];
  uint32_t top, at, counter;
  int running;
};
static const uint8_t program[] = {kCount,  kAdd, kDuplicate,        kPush,      5,     kMultiply, kXor,
                                  kPush,   3,    kRotate,           kDuplicate, kSwap, kPush,     1,
                                  kRotate, kAdd, kDecrementAndLoop, kHalt};

static uint32_t rotate(uint32_t x, uint32_t by) {
  return x << (by & 31) | x >> (-by & 31);
}

static uint32_t run_switch(uint32_t loops) {
  struct machine m = {.top = 1, .counter = loops, .running = 1};
  uint32_t* s = m.stack;
  while (m.running) {
    switch ((enum op)program[m.at++]) {
      case kPush: s[m.top++] = program[m.at++]; break;
      case kAdd: --m.top, s[m.top - 1] += s[m.top]; break;
      case kMultiply: --m.top, s[m.top - 1] *= s[m.top]; break;
      case kXor: --m.top, s[m.top - 1] ^= s[m.top]; break;
      case kDuplicate: s[m.top] = s[m.top - 1], ++m.top; break;
      case kRotate: --m.top, s[m.top - 1] = rotate(s[m.top - 1], s[m.top]); break;
      case kDecrementAndLoop: m.at = --m.counter > 0 ? 0 : m.at; break;
      case kCount: s[m.top++] = m.counter; break;
      case kSwap: {
        uint32_t above = s[m.top - 1];
        s[m.top - 1] = s[m.top - 2];
        s[m.top - 2] = above;
        break;
      }
      case kHalt:
      case kOps: m.running = 0; break;
    }
  }
  return s[m.top - 1];
}

static void op_push(struct machine* m) {
  m->stack[m->top++] = program[m->at++];
}
static void op_add(struct machine* m) {
  --m->top, m->stack[m->top - 1] += m->stack[m->top];
}
static void op_multiply(struct machine* m) {
  --m->top, m->stack[m->top - 1] *= m->stack[m->top];
}
static void op_xor(struct machine* m) {
  --m->top, m->stack[m->top - 1] ^= m->stack[m->top];
}
static void op_duplicate(struct machine* m) {
  m->stack[m->top] = m->stack[m->top - 1], ++m->top;
}
static void op_swap(struct machine* m) {
  uint32_t above = m->stack[m->top - 1];
  m->stack[m->top - 1] = m->stack[m->top - 2];
  m->stack[m->top - 2] = above;
}
static void op_loop(struct machine* m) {
  m->at = --m->counter > 0 ? 0 : m->at;
}
static void op_rotate(struct machine* m) {
  --m->top, m->stack[m->top - 1] = rotate(m->stack[m->top - 1], m->stack[m->top]);
}
static void op_count(struct machine* m) {
  m->stack[m->top++] = m->counter;
}
static void op_halt(struct machine* m) {
  m->running = 0;
}

static void (*const volatile ops[kOps])(struct machine*) = {op_push, op_add,  op_multiply, op_xor,   op_duplicate,
                                                            op_swap, op_loop, op_rotate,   op_count, op_halt};

static uint32_t run_calls(uint32_t loops) {
  struct machine m = {.top = 1, .counter = loops, .running = 1};
  while (m.running) ops[program[m.at++]](&m);
  return m.stack[m.top - 1];
}

int kernel(int argc, char** argv) {
  unsigned loops = work_size(argc, argv, 5000000);
  uint32_t by_switch = run_switch(loops), by_calls = run_calls(loops);
  if (by_switch != by_calls) return 1;
  return report("interpreter", by_switch);
}
