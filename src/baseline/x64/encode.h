// Our registers and addresses as asmjit's operands.
#pragma once

#include <asmjit/x86.h>

#include "base/check.h"
#include "baseline/operand.h"

namespace heddle::baseline::x64 {

inline asmjit::x86::Gpd r32(Reg r) {
  return asmjit::x86::gpd(r.number());
}
inline asmjit::x86::Gpq r64(Reg r) {
  return asmjit::x86::gpq(r.number());
}
inline asmjit::x86::GpbLo r8(Reg r) {
  return asmjit::x86::gpb_lo(r.number());
}
inline asmjit::x86::Xmm rx(Reg r) {
  return asmjit::x86::xmm(r.number());
}
inline asmjit::x86::Gp sized(Reg r, unsigned bytes) {
  switch (bytes) {
    case 1: return asmjit::x86::gpb_lo(r.number());
    case 2: return asmjit::x86::gpw(r.number());
    case 4: return asmjit::x86::gpd(r.number());
    default: return asmjit::x86::gpq(r.number());
  }
}
inline asmjit::x86::Mem encode(const Address& a, std::uint32_t size) {
  namespace x86 = asmjit::x86;
  if (a.label.valid()) return x86::ptr(asmjit::Label(a.label.id), a.disp, size);
  if (a.index.valid()) return x86::ptr(r64(a.base), r64(a.index), a.scale_log2, a.disp, size);
  return x86::ptr(r64(a.base), a.disp, size);
}

}  // namespace heddle::baseline::x64
