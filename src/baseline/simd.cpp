// Vectors. A v128 is a value like any other to the operand stack: registers xmm0-14, 16-byte slots, constants by index
// into v128_consts_ (Value::bits), pinned locals. Usual shape of a handler:
//
//   Value rhs = pop(), lhs = pop();
//   const Dest d = dest_for(Kind::v128, &lhs, &rhs, after_immediates(n));   // before the sources
//   const Reg a = to_reg(lhs);  const Src b = float_source(rhs);            // register, slot, or constant pool
//   masm_....(d.reg, a, b);                                                 // kFloatScratch (xmm15) is free here
//   finish(d, Kind::v128, lhs, rhs);
//
// Memory: Access a = access(memarg, bytes); ... Address at = ready(a); memory_site(a); one instruction;
// release(a.index).
#include "baseline/compiler.h"

namespace heddle::baseline {

base::Status Compiler::on_SimdLoad(Opcode, const binary::imm::MemArg&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdStore(Opcode, const binary::imm::MemArg&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdLoadLane(Opcode, const binary::imm::MemArgLane&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdStoreLane(Opcode, const binary::imm::MemArgLane&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdConst(Opcode, const binary::imm::V128Const&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdShuffle(Opcode, const binary::imm::Shuffle&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdSplat(Opcode, const None&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdExtractLane(Opcode, const binary::imm::Lane&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdReplaceLane(Opcode, const binary::imm::Lane&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdUnary(Opcode, const None&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdBinary(Opcode, const None&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdTernary(Opcode, const None&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdShift(Opcode, const None&) {
  return not_supported("vectors");
}
base::Status Compiler::on_SimdTest(Opcode, const None&) {
  return not_supported("vectors");
}

}  // namespace heddle::baseline
