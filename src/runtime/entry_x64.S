// Host <-> wasm (entry.h says what each routine promises). System V; wasm's convention is abi/calling_convention.h.
//
// Windows: pairs of labels heddle_<x>_window_begin / _end around the instructions between a test of VmStore::interrupt
// and wasm. A signal that finds the PC inside redirects it to heddle_unwind, so the flag cannot be set unnoticed after
// its last test. Everything a window does can be abandoned at any instruction: the EntryFrame is linked, nothing else
// is held.
//
// Offsets (static_asserts in store.cpp):
//   VmStore     entry 0, exit_sp 8, interrupt 16 (u32), host_trap 20 (u32)
//   VmCtx       store 16             VmHostFunc  handler 0, store 16
//   VmHostArgs  ints 0, floats 64, size 192
//   EntryFrame  previous 0, store 8, args 16, exit_sp 24, size 32

#define ENTRY_FRAME 40   /* EntryFrame and 8 bytes to align the stack */
#define THUNK_FRAME 200  /* VmHostArgs and 8 bytes to align the stack */

#define STATUS_INTERRUPTED 2

.macro window name
  .hidden \name
  .globl \name
\name:
.endm

.macro function name
  .hidden \name
  .globl \name
  .type \name, @function
  .balign 16
\name:
.endm

  .text
window heddle_entry_text_begin          // inside, exit_sp and the stack may not agree (stack captures wait a moment)

// u32 heddle_enter(rdi VmStore*, rsi const Slot*, rdx vmctx, rcx VmHostArgs*)
function heddle_enter
  .cfi_startproc
  push %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp, 0
  push %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  push %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12, 0
  push %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13, 0
  push %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14, 0
  push %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15, 0
  sub $ENTRY_FRAME, %rsp
  .cfi_adjust_cfa_offset ENTRY_FRAME
  mov 0(%rdi), %rax
  mov %rax, 0(%rsp)                     // previous
  mov %rdi, 8(%rsp)                     // store
  mov %rcx, 16(%rsp)                    // args
  mov 8(%rdi), %rax
  mov %rax, 24(%rsp)                    // exit_sp
  movq $0, 8(%rdi)                      // no frames of this entry yet
  mov %rsp, 0(%rdi)                     // linked: from here on heddle_unwind comes back to this frame
window heddle_enter_window_begin
  cmpl $0, 16(%rdi)                     // a flag set before is seen here; one set later redirects the PC
  jne 1f
  mov %rdx, %r13
  mov %rsi, %rax
  movups 64(%rcx), %xmm0
  movups 80(%rcx), %xmm1
  movups 96(%rcx), %xmm2
  movups 112(%rcx), %xmm3
  movups 128(%rcx), %xmm4
  movups 144(%rcx), %xmm5
  movups 160(%rcx), %xmm6
  movups 176(%rcx), %xmm7
  mov 0(%rcx), %rdi
  mov 8(%rcx), %rsi
  mov 16(%rcx), %rdx
  mov 32(%rcx), %r8
  mov 40(%rcx), %r9
  mov 24(%rcx), %rcx
  call *(%rax)
window heddle_enter_window_end
  mov 16(%rsp), %rdi
  mov %rax, 0(%rdi)
  movups %xmm0, 64(%rdi)
  xor %eax, %eax                        // EntryStatus::returned
.Lleave:                                // rsp: the EntryFrame; eax: the status
  mov 8(%rsp), %rdi
  mov 24(%rsp), %rcx
  mov %rcx, 8(%rdi)
  mov 0(%rsp), %rcx
  mov %rcx, 0(%rdi)
  .cfi_remember_state
  add $ENTRY_FRAME, %rsp
  .cfi_adjust_cfa_offset -ENTRY_FRAME
  pop %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  pop %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  pop %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  pop %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  pop %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  pop %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
  ret
1:
  .cfi_restore_state
  mov $STATUS_INTERRUPTED, %eax
  jmp .Lleave
  .cfi_endproc
  .size heddle_enter, . - heddle_enter

// void heddle_unwind(rdi VmStore*, esi EntryStatus). Also entered by signal handlers, with any rsp.
function heddle_unwind
  mov 0(%rdi), %rsp
  mov %esi, %eax
  cld
  jmp .Lleave
  .size heddle_unwind, . - heddle_unwind

// Called by wasm: r13 VmHostFunc*, arguments in registers and VmStore::overflow.
function heddle_host_thunk
  .cfi_startproc
  sub $THUNK_FRAME, %rsp
  .cfi_adjust_cfa_offset THUNK_FRAME
  mov %rdi, 0(%rsp)
  mov %rsi, 8(%rsp)
  mov %rdx, 16(%rsp)
  mov %rcx, 24(%rsp)
  mov %r8, 32(%rsp)
  mov %r9, 40(%rsp)
  movups %xmm0, 64(%rsp)
  movups %xmm1, 80(%rsp)
  movups %xmm2, 96(%rsp)
  movups %xmm3, 112(%rsp)
  movups %xmm4, 128(%rsp)
  movups %xmm5, 144(%rsp)
  movups %xmm6, 160(%rsp)
  movups %xmm7, 176(%rsp)
  mov 16(%r13), %rax
  lea (THUNK_FRAME + 8)(%rsp), %rcx
  mov %rcx, 8(%rax)                     // VmStore::exit_sp: the caller's rsp at its call instruction
  mov %r13, %rdi
  mov %rsp, %rsi
  call *0(%r13)
window heddle_thunk_window_begin
  mov 16(%r13), %rax
  cmpq $0, 16(%rax)                     // interrupt and host_trap at once
  jne 1f
  mov 0(%rsp), %rax
  movups 64(%rsp), %xmm0
  add $THUNK_FRAME, %rsp
  .cfi_remember_state
  .cfi_adjust_cfa_offset -THUNK_FRAME
  ret
window heddle_thunk_window_end
1:
  .cfi_restore_state
  mov %rax, %rdi
  call heddle_host_call_ended           // (VmStore*): does not return
  ud2
  .cfi_endproc
  .size heddle_host_thunk, . - heddle_host_thunk

// void heddle_builtin_exception_throw(rdi VmCtx*, rsi VmException*): builtin, called by wasm. Keeps the callee-saved registers
// as the throwing frame has them.
function heddle_builtin_exception_throw
  .cfi_startproc
  sub $56, %rsp
  .cfi_adjust_cfa_offset 56
  mov %rbx, 0(%rsp)                     // the order of FrameInfo::saved
  mov %rbp, 8(%rsp)
  mov %r12, 16(%rsp)
  mov %r13, 24(%rsp)
  mov %r14, 32(%rsp)
  mov %r15, 40(%rsp)
  mov %rsp, %rdx
  call heddle_throw                     // (VmCtx*, VmException*, registers): does not return
  ud2
  .cfi_endproc
  .size heddle_builtin_exception_throw, . - heddle_builtin_exception_throw

// void heddle_land(rdi Landing* {pc, rsp, rbx, rbp, r12, r13, r14, r15, rax, VmStore*}): goes on in a wasm frame.
function heddle_land
  mov 0(%rdi), %rdx
  mov 16(%rdi), %rbx
  mov 24(%rdi), %rbp
  mov 32(%rdi), %r12
  mov 40(%rdi), %r13
  mov 48(%rdi), %r14
  mov 56(%rdi), %r15
  mov 64(%rdi), %rax
  mov 72(%rdi), %rcx
  mov 8(%rdi), %rsp
window heddle_land_window_begin
  cmpl $0, 16(%rcx)
  jne 1f
  jmp *%rdx
window heddle_land_window_end
1:
  mov %rcx, %rdi
  mov $STATUS_INTERRUPTED, %esi
  jmp heddle_unwind
  .size heddle_land, . - heddle_land
window heddle_entry_text_end

  .section .note.GNU-stack, "", @progbits
