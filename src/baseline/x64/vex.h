// Pairs of encodings of one vector operation: the two-operand one of SSE and the three-operand one of AVX. Which is
// used is decided once per process (by processor), so a function never mixes them and never pays for a transition.
#pragma once

#include <asmjit/x86.h>
#include <cstdint>

namespace heddle::baseline::x64 {

struct Vex {
  std::uint16_t sse = 0, avx = 0;
};

// HEDDLE_VEX(Addps, addps) is {addps, vaddps}; HEDDLE_P(addb) is {paddb, vpaddb}.
#define HEDDLE_VEX(upper, lower)                                      \
  ::heddle::baseline::x64::Vex {                                      \
    ::asmjit::x86::Inst::kId##upper, ::asmjit::x86::Inst::kIdV##lower \
  }
#define HEDDLE_P(rest) HEDDLE_VEX(P##rest, p##rest)

}  // namespace heddle::baseline::x64
