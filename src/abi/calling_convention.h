// How wasm functions call each other, whatever tier compiled them. x86-64; aarch64 gets a table of its own.
//
//   vmctx of the callee     r13 (callee-saved: a wasm function returns with r13 as it was at entry)
//   integer and reference   rdi rsi rdx rcx r8 r9, in parameter order; i32 is zero-extended to 64 bits, always
//   f32 f64 v128            xmm0 .. xmm7, in parameter order; upper bits of f32/f64 are undefined
//   further parameters      VmStore::overflow[0], [1], ... in parameter order, 16 bytes each (there are no stack
//   arguments,
//                           so a tail call never needs more stack than its caller has)
//   first result            rax (i32 zero-extended) or xmm0
//   further results         VmStore::overflow[0], [1], ... in result order (second result in [0])
//   callee-saved            rbx rbp r12 r13 r14 r15; everything else, all xmm included, is the caller's
//   stack                   rsp is 16-byte aligned at the call instruction; no red zone (signal frames are on another
//   stack,
//                           but builtins run here)
//   flags                   DF clear, MXCSR as the ABI has it (round to nearest, exceptions masked)
//
// The overflow buffer belongs to the thread. It is written right before a call (or return) and read first thing in the
// callee (or after the call), before any other call or builtin: nothing else runs on the thread in between, except the
// lazy compile stub, which does not touch it.
//
// Every call to a function of the same module goes through its jump-table slot (call [rip + slot]); an imported
// function through VmFuncImport, an indirect one through VmFuncRef: load the slot's address, load r13, call [slot]. The
// slot is a code::Slot: an aligned 8-byte word, stored with release by the publisher (code/module_code.cpp), loaded by
// hardware.
//
// r13 is not loaded from a VmFuncRef whose vmctx is the caller's own: that is tested, and a test is predicted. As data,
// r13 would make every memory access of the callee wait for the loads that found the reference (table, element,
// reference), and so would the next call, whose index comes from those accesses: 11.6 instead of about 5.6 ns for each
// instruction of an interpreter with a table of functions (bench/kernels/interpreter.c, Zen 3).
//
// Builtins (builtins.def) are called as C functions by the System V ABI: first argument the vmctx; r13 is callee-saved
// there too.
//
// Frames: rsp is moved once in the prologue and once in each epilogue (no push, no frame pointer), so that a FrameInfo
// (artifact.h) describes the frame at every instruction between.
#pragma once

#include <cstdint>

#include "spec/types.h"

namespace heddle::abi {

inline constexpr unsigned kIntArgRegs = 6;
inline constexpr unsigned kFloatArgRegs = 8;

/// Where one parameter or result travels.
struct Location {
  enum class Kind : std::uint8_t { int_reg, float_reg, overflow } kind = Kind::int_reg;
  std::uint32_t index = 0;  ///< which register of its class, or which overflow slot
};

inline constexpr bool is_float_class(spec::ValType type) {
  using K = spec::ValType::Kind;
  return type.kind() == K::f32 || type.kind() == K::f64 || type.kind() == K::v128;
}

/// Hands out parameter locations in order.
class ParamLocations {
 public:
  constexpr Location next(spec::ValType type) {
    if (is_float_class(type)) {
      if (floats_ < kFloatArgRegs) return {Location::Kind::float_reg, floats_++};
    } else if (ints_ < kIntArgRegs) {
      return {Location::Kind::int_reg, ints_++};
    }
    return {Location::Kind::overflow, overflow_++};
  }

 private:
  std::uint32_t ints_ = 0;
  std::uint32_t floats_ = 0;
  std::uint32_t overflow_ = 0;
};

/// Location of result `i`.
inline constexpr Location result_location(spec::ValType type, std::uint32_t i) {
  if (i > 0) return {Location::Kind::overflow, i - 1};
  return {is_float_class(type) ? Location::Kind::float_reg : Location::Kind::int_reg, 0};
}

}  // namespace heddle::abi
