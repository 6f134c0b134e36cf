// long heddle_interruptible_syscall(rdi VmStore*, rsi number, rdx a, rcx b, r8 c, r9 d, [rsp+8] e, [rsp+16] f)
//
// interruptible.h says why no interrupt is lost. The signal handler sets PC = heddle_syscall_cancel if it finds
// heddle_syscall_begin <= PC < heddle_syscall_end; nothing is held and rsp is as at entry throughout. A system call that
// the kernel restarts after the handler has its PC moved back onto the syscall instruction, so it counts as inside.
  .text
  .hidden heddle_interruptible_syscall
  .hidden heddle_syscall_begin
  .hidden heddle_syscall_end
  .hidden heddle_syscall_cancel
  .globl heddle_interruptible_syscall
  .globl heddle_syscall_begin
  .globl heddle_syscall_end
  .globl heddle_syscall_cancel
  .type heddle_interruptible_syscall, @function
  .balign 16
heddle_interruptible_syscall:
  .cfi_startproc
heddle_syscall_begin:
  cmpl $0, 16(%rdi)                     // VmStore::interrupt
  jne heddle_syscall_cancel
  mov %rsi, %rax
  mov %rdx, %rdi
  mov %rcx, %rsi
  mov %r8, %rdx
  mov %r9, %r10
  mov 8(%rsp), %r8
  mov 16(%rsp), %r9
  syscall
heddle_syscall_end:
  ret
heddle_syscall_cancel:
  mov $-4096, %rax                      // kCancelled
  ret
  .cfi_endproc
  .size heddle_interruptible_syscall, . - heddle_interruptible_syscall

  .section .note.GNU-stack, "", @progbits
