// x86-64: which register does what (abi/calling_convention.h), and which ones the baseline tier hands out.
//
//   rsp  the frame             r13  vmctx              r15  base of memory 0, if the function uses it
//   r11  scratch               xmm15 scratch           (never hold a value across an emitted step)
//   rbx rbp r12 r14 (r15)      locals pinned for the whole function; saved by the prologue
//   rsi rdi r8 r9, xmm5-14     locals pinned, stored around calls; temporaries if not needed for that
//   rax rcx rdx r10, xmm0-4    always temporaries: division, shifts, cmpxchg and results want these
#pragma once

#include <array>

#include "baseline/registers.h"

namespace heddle::baseline::x64 {

inline constexpr Reg gp(std::uint8_t n) {
  return Reg{n};
}
inline constexpr Reg xmm(std::uint8_t n) {
  return Reg{static_cast<std::uint8_t>(Reg::kFirstFloat + n)};
}

inline constexpr Reg kRax = gp(0), kRcx = gp(1), kRdx = gp(2), kRbx = gp(3), kRsp = gp(4), kRbp = gp(5), kRsi = gp(6),
                     kRdi = gp(7), kR8 = gp(8), kR9 = gp(9), kR10 = gp(10), kR11 = gp(11), kR12 = gp(12), kR13 = gp(13),
                     kR14 = gp(14), kR15 = gp(15);

inline constexpr Reg kStack = kRsp;
inline constexpr Reg kVmctx = kR13;
inline constexpr Reg kMemoryBase = kR15;
inline constexpr Reg kScratch = kR11;
inline constexpr Reg kFloatScratch = xmm(15);
inline constexpr Reg kIntResult = kRax;
inline constexpr Reg kFloatResult = xmm(0);

inline constexpr std::array<Reg, 6> kIntArgs = {kRdi, kRsi, kRdx, kRcx, kR8, kR9};
inline constexpr Reg float_arg(std::uint32_t i) {
  return xmm(static_cast<std::uint8_t>(i));
}

/// Order of abi::FrameInfo::saved.
inline constexpr std::array<Reg, 6> kCalleeSaved = {kRbx, kRbp, kR12, kR13, kR14, kR15};
inline constexpr RegSet kCalleePins = RegSet::of(kRbx, kRbp, kR12, kR14);
inline constexpr RegSet kCallerIntPins = RegSet::of(kRsi, kRdi, kR8, kR9);
inline constexpr RegSet kCallerFloatPins =
    RegSet::of(xmm(5), xmm(6), xmm(7), xmm(8), xmm(9), xmm(10), xmm(11), xmm(12), xmm(13), xmm(14));
inline constexpr RegSet kTemps = RegSet::of(kRax, kRcx, kRdx, kR10) | kCallerIntPins |
                                 RegSet::of(xmm(0), xmm(1), xmm(2), xmm(3), xmm(4)) | kCallerFloatPins;

}  // namespace heddle::baseline::x64
