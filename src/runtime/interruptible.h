// The one way to make a system call that may block on a thread of a group (design: ending threads by a signal, no
// polling).
//
// States of a thread inside a host call: (1) before `begin`: the flag VmStore::interrupt is tested after `begin`, so a
// flag set earlier is seen; (2) between `begin` and the syscall instruction, or in it: the signal handler moves the PC
// to `cancel`; (3) after it: the call has completed and its result is kept; the flag is seen when the host call returns
// to wasm. So no interrupt is lost, and no completed call's result either.
#pragma once

#include <cerrno>
#include <cstdint>

#include "abi/vmctx.h"

namespace heddle::runtime {

/// What interruptible_syscall returns if the thread shall leave wasm: nothing was done. Not a value the kernel returns.
inline constexpr long kCancelled = -4096;

/// Makes system call `number`. Result as the kernel gives it: >= 0, or -errno; -EINTR if another signal came (the
/// caller decides to repeat); kCancelled. Only on the thread that owns `store`; async-signal-safe.
extern "C" long heddle_interruptible_syscall(abi::VmStore* store, long number, long a = 0, long b = 0, long c = 0,
                                             long d = 0, long e = 0, long f = 0);

}  // namespace heddle::runtime
