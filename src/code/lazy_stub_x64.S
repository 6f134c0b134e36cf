// Lazy stubs: what a jump-table slot holds until its function is compiled: it says the function's number in eax and goes
// on at heddle_lazy_common. The first 65,536 stand here in .text and cost nothing at start; further ones are made in the
// code region (lazy_stubs.cpp). Those here are packed in groups of 32, so that each takes four bytes and a share of what
// stands behind its group:
//
//   mov al, 0 ; jmp tail ; mov al, 1 ; jmp tail ; ...      tail: movzx eax, al ; add eax, 32 * group ; jmp common
//
// At entry everything is as at the entry of a wasm function (abi/calling_convention.h): arguments in registers, r13 the
// callee's VmCtx, the return address at [rsp]; rax r10 r11 are free. The stub compiles the function and jumps to it.
// If its body is invalid, or the thread shall leave wasm, it calls the builtin raise_trap (through heddle_lazy_leave), which does not return.
//
// Offsets (abi/vmctx.h, checked in lazy_stubs.cpp): VmCtx::store 16; VmStore::exit_sp 8, VmStore::interrupt 16.

#define STUB_GROUPS 2048  /* of 32 */
#define FRAME 184  /* 8 xmm, 6 integer registers, 8 to align */

  .text
  .hidden heddle_lazy_stubs
  .globl heddle_lazy_stubs
  .balign 16
heddle_lazy_stubs:
  .cfi_startproc
  .set group, 0
  .rept STUB_GROUPS
  .set i, 0
  .rept 32
  .byte 0xb0, i                         // mov al, i
  .byte 0xeb, 124 - 4 * i               // jmp to the tail
  .set i, i + 1
  .endr
  movzbl %al, %eax
  .byte 0x05                            // add eax, imm32 and jmp rel32, always the long forms: groups have one size
  .long group * 32
  .byte 0xe9
  .long heddle_lazy_common - (. + 4)
  .byte 0xcc, 0xcc, 0xcc                // to 144 bytes
  .set group, group + 1
  .endr
  .cfi_endproc

  .hidden heddle_lazy_common
  .globl heddle_lazy_common
  .type heddle_lazy_common, @function
  .balign 16
heddle_lazy_common:
  .cfi_startproc
  sub $FRAME, %rsp
  .cfi_adjust_cfa_offset FRAME
  movups %xmm0, 0(%rsp)
  movups %xmm1, 16(%rsp)
  movups %xmm2, 32(%rsp)
  movups %xmm3, 48(%rsp)
  movups %xmm4, 64(%rsp)
  movups %xmm5, 80(%rsp)
  movups %xmm6, 96(%rsp)
  movups %xmm7, 112(%rsp)
  mov %rdi, 128(%rsp)
  mov %rsi, 136(%rsp)
  mov %rdx, 144(%rsp)
  mov %rcx, 152(%rsp)
  mov %r8, 160(%rsp)
  mov %r9, 168(%rsp)
  mov 16(%r13), %r11                    // VmCtx::store
  lea (FRAME + 8)(%rsp), %r10
  mov %r10, 8(%r11)                     // VmStore::exit_sp: the caller's rsp at its call instruction
  mov %r13, %rdi
  mov %eax, %esi
  call heddle_lazy_compile              // (VmCtx*, index) -> code, or null if the body is invalid
  test %rax, %rax
  je 1f
  mov %rax, %r11
  movups 0(%rsp), %xmm0
  movups 16(%rsp), %xmm1
  movups 32(%rsp), %xmm2
  movups 48(%rsp), %xmm3
  movups 64(%rsp), %xmm4
  movups 80(%rsp), %xmm5
  movups 96(%rsp), %xmm6
  movups 112(%rsp), %xmm7
  mov 128(%rsp), %rdi
  mov 136(%rsp), %rsi
  mov 144(%rsp), %rdx
  mov 152(%rsp), %rcx
  mov 160(%rsp), %r8
  mov 168(%rsp), %r9
  .cfi_remember_state
  add $FRAME, %rsp
  .cfi_adjust_cfa_offset -FRAME
  // From here on an interrupt redirects the PC; before, it is seen by the test.
  .hidden heddle_lazy_window_begin
  .globl heddle_lazy_window_begin
heddle_lazy_window_begin:
  mov 16(%r13), %r10
  cmpl $0, 16(%r10)                     // VmStore::interrupt
  jne 2f
  jmp *%r11
  .hidden heddle_lazy_window_end
  .globl heddle_lazy_window_end
heddle_lazy_window_end:
2:
  sub $FRAME, %rsp                      // aligned, and the frame is as at 1
  .cfi_adjust_cfa_offset FRAME
  mov $1, %esi                          // interrupted
  jmp 3f
1:
  .cfi_restore_state
  xor %esi, %esi                        // invalid
3:
  mov %r13, %rdi
  call heddle_lazy_leave                // (VmCtx*, interrupted): does not return
  ud2
  .cfi_endproc
  .size heddle_lazy_common, . - heddle_lazy_common
  .hidden heddle_lazy_text_end
  .globl heddle_lazy_text_end
heddle_lazy_text_end:

  .section .note.GNU-stack, "", @progbits
