#include "baseline/parallel_move.h"

namespace heddle::baseline {

void ParallelMove::add(Kind kind, Reg dst, Reg src) {
  if (dst == src) return;
  source_[dst.id] = src;
  kind_[dst.id] = kind;
  pending_.add(dst);
}

void ParallelMove::run(x64::MacroAssembler& masm) {
  while (!pending_.empty()) {
    RegSet needed;
    for (RegSet rest = pending_; !rest.empty();) needed.add(source_[rest.take_first().id]);
    const RegSet ready = pending_ - needed;
    if (!ready.empty()) {
      for (RegSet rest = ready; !rest.empty();) {
        const Reg dst = rest.take_first();
        masm.mov(kind_[dst.id], dst, source_[dst.id]);
        pending_.remove(dst);
      }
      continue;
    }
    // Only cycles are left: free one register, and let its reader read the copy.
    const Reg dst = pending_.first();
    if (dst.is_float()) {
      masm.mov(Kind::v128, x64::kFloatScratch, dst);
      for (RegSet rest = pending_; !rest.empty();) {
        const Reg r = rest.take_first();
        if (source_[r.id] == dst) source_[r.id] = x64::kFloatScratch;
      }
    } else {
      masm.mov(Width::w64, x64::kScratch, dst);
      for (RegSet rest = pending_; !rest.empty();) {
        const Reg r = rest.take_first();
        if (source_[r.id] == dst) source_[r.id] = x64::kScratch;
      }
    }
  }
}

}  // namespace heddle::baseline
