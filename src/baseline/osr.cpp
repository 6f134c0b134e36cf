// On-stack replacement, the baseline's half (abi/tier.h, CompileRequest::osr_loop). The compiler is deterministic, so
// that a second run over the body knows where everything is at the header of a loop that the code of the first run is
// in. State there: pinned locals in their registers, the others in the frame, operands in their slots or constant, and
// no temporary in use.
#include "base/check.h"
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::kScratch;
using machine::kVmctx;

void Compiler::add_osr_point() {
  controls_.back().osr_point = static_cast<std::uint32_t>(osr_points_.size());
  osr_points_.push_back({masm_.offset(), 0, body_offset_});
  masm_.patchable_nop();
  if (osr_loop_ != body_offset_) return;
  osr_met_ = locals_.size() + stack_.size() <= spec::kMaxParams;
  osr_stack_ = stack_;
}

void Compiler::emit_osr_stub() {
  masm_.align_code(16);
  osr_begin_ = masm_.offset();
  masm_.restart_listing();
  pin_valid_ |= caller_pins_;
  load_overflow_base();
  std::uint32_t index = 0;
  for (std::uint32_t local = 0; local < locals_.size(); ++local, ++index) {
    if (!prescan_.locals[local].used) continue;  // nobody reads it
    Value v;
    v.where = Where::local;
    v.local = local;
    v.kind = locals_[local].kind;
    store_overflow(index, v);
  }
  for (const Value& v : osr_stack_) {
    if (v.is_const() && v.kind == Kind::v128) {  // not from the constants behind the function: the stub leaves them
      const Address to = Address::at(kScratch, abi::kStoreOffsetOverflow + static_cast<std::int32_t>(index * 16));
      const V128Const& c = v128_consts_[v.bits];
      const std::uint64_t words[] = {c.lo, c.hi};
      for (std::int32_t part = 0; part < 4; ++part)
        masm_.store_imm(to.plus(part * 4), static_cast<std::int32_t>(words[part / 2] >> (part % 2 * 32)), 4);
    } else {
      store_overflow(index, v);
    }
    ++index;
  }
  restore_registers();
  frame_patches_.push_back(masm_.shrink_stack_patchable());
  osr_popped_ = masm_.offset();
  const Label target = masm_.new_label();
  masm_.jump_to(Address{{}, {}, 0, 0, target});
  masm_.bind(target);
  masm_.embed_zero_word();
  osr_end_ = masm_.offset();
  masm_.stop_listing();
}

abi::CodeArtifact Compiler::take_osr_stub(module::ValidatedBody body) {
  abi::CodeArtifact stub(body);
  const std::vector<std::uint8_t> code = masm_.take_code();
  stub.code.assign(code.begin() + osr_begin_, code.begin() + osr_end_);
  stub.frame.size_bytes = frame_.size_bytes;
  stub.frame.saved = frame_.saved;
  stub.frame.rows = {{0, frame_.size_bytes}, {osr_popped_ - osr_begin_, 0}};
  stub.listing = masm_.listing();
  stub.sites_by_range = true;
  stub.offset_rows = {{0, *osr_loop_, 0}};
  return stub;
}

}  // namespace heddle::baseline
