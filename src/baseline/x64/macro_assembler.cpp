// Integer, control and data movement half of the macro assembler; floats are in macro_assembler_float.cpp.
#include "baseline/x64/macro_assembler.h"

#include <cstring>

#include "abi/artifact.h"
#include "base/check.h"
#include "baseline/x64/encode.h"

namespace heddle::baseline::x64 {

namespace x86 = asmjit::x86;
namespace Inst = x86::Inst;

namespace {

constexpr asmjit::InstId kAlu[] = {Inst::kIdAdd, Inst::kIdSub, Inst::kIdAnd, Inst::kIdOr, Inst::kIdXor};

asmjit::x86::CondCode code_of(Cond c) {
  using C = x86::CondCode;
  switch (c) {
    case Cond::eq:
    case Cond::float_eq: return C::kE;
    case Cond::ne:
    case Cond::float_ne: return C::kNE;
    case Cond::lt_s: return C::kL;
    case Cond::ge_s: return C::kGE;
    case Cond::gt_s: return C::kG;
    case Cond::le_s: return C::kLE;
    case Cond::lt_u: return C::kB;
    case Cond::ge_u: return C::kAE;
    case Cond::gt_u: return C::kA;
    case Cond::le_u: return C::kBE;
    case Cond::negative: return C::kS;
    case Cond::not_negative: return C::kNS;
    case Cond::overflow: return C::kO;
    case Cond::no_overflow: return C::kNO;
    case Cond::unordered: return C::kP;
    case Cond::ordered: return C::kNP;
  }
  HEDDLE_UNREACHABLE("every condition has a code");
}

}  // namespace

MacroAssembler::MacroAssembler() : cpu_(base::host_cpu_features()) {}

void MacroAssembler::begin(bool want_listing) {
  code_.reset();
  code_.init(asmjit::Environment::host());
  logger_.clear();
  logger_.setFlags(asmjit::FormatFlags::kMachineCode);
  logger_.setIndentation(asmjit::FormatIndentationGroup::kCode, 4);
  if (want_listing) code_.setLogger(&logger_);
  code_.attach(&a_);
  pool_.clear();
  keep_flags_ = false;
  ok_ = true;
}

void MacroAssembler::trim() {
  constexpr std::size_t kKeptBytes = 1 << 20;
  if (code_.textSection()->buffer().capacity() > kKeptBytes) code_.reset(asmjit::ResetPolicy::kHard);
  if (pool_.capacity() * sizeof(PoolEntry) > kKeptBytes) std::vector<PoolEntry>().swap(pool_);
}

void MacroAssembler::finish() {
  if (pool_.empty()) return;
  a_.align(asmjit::AlignMode::kData, 16);
  for (const PoolEntry& entry : pool_) {
    bind(entry.label);
    a_.embed(&entry.lo, 8);
    a_.embed(&entry.hi, 8);
  }
}

std::vector<std::uint8_t> MacroAssembler::take_code() const {
  const asmjit::CodeBuffer& buffer = code_.textSection()->buffer();
  return {buffer.data(), buffer.data() + buffer.size()};
}

void MacroAssembler::note(const std::string& text) {
  logger_.logf("+0x%x %s\n", offset(), text.c_str());
}

void MacroAssembler::embed(const void* bytes, std::size_t size_bytes, const char* what) {
  if (is_listing()) logger_.logf("    %s\n", what);
  check(a_.embed(bytes, size_bytes));
}

std::string MacroAssembler::listing() const {
  return {logger_.data(), logger_.dataSize()};
}

void MacroAssembler::jump(Label label) {
  emit(Inst::kIdJmp, asmjit::Label(label.id));
}

void MacroAssembler::jump(Cond c, Label label) {
  if (c == Cond::float_eq) {
    const Label skip = new_label();
    jump_near(Cond::unordered, skip);
    emit(Inst::kIdJz, asmjit::Label(label.id));
    bind(skip);
    return;
  }
  if (c == Cond::float_ne) emit(Inst::kIdJp, asmjit::Label(label.id));
  emit(Inst::jccFromCond(code_of(c)), asmjit::Label(label.id));
}

void MacroAssembler::jump_near(Cond c, Label label) {
  if (c == Cond::float_eq) {
    const Label skip = new_label();
    jump_near(Cond::unordered, skip);
    jump_near(Cond::eq, label);
    bind(skip);
    return;
  }
  if (c == Cond::float_ne) jump_near(Cond::unordered, label);
  a_.short_();
  emit(Inst::jccFromCond(code_of(c)), asmjit::Label(label.id));
}

void MacroAssembler::jump_near(Label label) {
  a_.short_();
  emit(Inst::kIdJmp, asmjit::Label(label.id));
}

void MacroAssembler::jump_to(const Address& target) {
  emit(Inst::kIdJmp, encode(target, 8));
}

void MacroAssembler::jump_to(Reg target) {
  emit(Inst::kIdJmp, r64(target));
}

void MacroAssembler::call(const Address& target) {
  emit(Inst::kIdCall, encode(target, 8));
}

std::uint32_t MacroAssembler::call_slot() {
  constexpr std::uint8_t bytes[] = {0xff, 0x15, 0, 0, 0, 0};
  embed(bytes, sizeof bytes, "call qword ptr [the callee's slot]");
  return offset() - 4;
}

std::uint32_t MacroAssembler::jump_slot() {
  constexpr std::uint8_t bytes[] = {0xff, 0x25, 0, 0, 0, 0};
  embed(bytes, sizeof bytes, "jmp qword ptr [the callee's slot]");
  return offset() - 4;
}

void MacroAssembler::ret() {
  emit(Inst::kIdRet);
}

void MacroAssembler::trap() {
  emit(Inst::kIdUd2);
}

void MacroAssembler::patchable_nop() {
  embed(abi::kOsrNop.data(), abi::kOsrNop.size(), "nop, where the loop may be left for better code");
}

void MacroAssembler::embed_zero_word() {
  constexpr std::uint64_t kZero = 0;
  check(a_.embed(&kZero, sizeof kZero));
}

void MacroAssembler::embed_distance(Label target, Label base) {
  const auto distance = static_cast<std::uint32_t>(offset_of(target) - offset_of(base));
  check(a_.embed(&distance, 4));
}

std::uint32_t MacroAssembler::grow_stack_patchable() {
  a_.setInlineComment("the frame's bytes are put in at the end");
  a_.long_();  // four bytes of immediate
  emit(Inst::kIdSub, x86::rsp, asmjit::Imm(0));
  return offset() - 4;
}

std::uint32_t MacroAssembler::shrink_stack_patchable() {
  a_.setInlineComment("the frame's bytes are put in at the end");
  a_.long_();
  emit(Inst::kIdAdd, x86::rsp, asmjit::Imm(0));
  return offset() - 4;
}

void MacroAssembler::patch_u32(std::uint32_t at, std::uint32_t value) {
  std::memcpy(code_.textSection()->buffer().data() + at, &value, 4);
}

void MacroAssembler::mov(Width w, Reg dst, Reg src) {
  if (dst == src) return;
  if (w == Width::w32)
    emit(Inst::kIdMov, r32(dst), r32(src));
  else
    emit(Inst::kIdMov, r64(dst), r64(src));
}

void MacroAssembler::mov_zero_extend(Reg dst, Reg src) {
  emit(Inst::kIdMov, r32(dst), r32(src));
}

void MacroAssembler::mov(Kind kind, Reg dst, Reg src) {
  if (dst == src) return;
  if (is_float_class(kind))
    emit(cpu_.avx ? Inst::kIdVmovaps : Inst::kIdMovaps, rx(dst), rx(src));
  else
    mov(width_of(kind), dst, src);
}

void MacroAssembler::mov_imm(Reg dst, std::uint64_t value) {
  if (value == 0 && !keep_flags_)
    emit(Inst::kIdXor, r32(dst), r32(dst));
  else if (value <= 0xffffffffu)
    emit(Inst::kIdMov, r32(dst), asmjit::Imm(value));
  else
    emit(Inst::kIdMov, r64(dst), asmjit::Imm(value));
}

void MacroAssembler::load(Kind kind, Reg dst, const Address& src) {
  switch (kind) {
    case Kind::i32: emit(Inst::kIdMov, r32(dst), encode(src, 4)); return;
    case Kind::i64:
    case Kind::ref: emit(Inst::kIdMov, r64(dst), encode(src, 8)); return;
    case Kind::f32: emit(cpu_.avx ? Inst::kIdVmovss : Inst::kIdMovss, rx(dst), encode(src, 4)); return;
    case Kind::f64: emit(cpu_.avx ? Inst::kIdVmovsd : Inst::kIdMovsd, rx(dst), encode(src, 8)); return;
    case Kind::v128: emit(cpu_.avx ? Inst::kIdVmovups : Inst::kIdMovups, rx(dst), encode(src, 16)); return;
    case Kind::bottom: break;
  }
  HEDDLE_UNREACHABLE("a value has a type");
}

void MacroAssembler::store(Kind kind, const Address& dst, Reg src) {
  switch (kind) {
    case Kind::i32: emit(Inst::kIdMov, encode(dst, 4), r32(src)); return;
    case Kind::i64:
    case Kind::ref: emit(Inst::kIdMov, encode(dst, 8), r64(src)); return;
    case Kind::f32: emit(cpu_.avx ? Inst::kIdVmovss : Inst::kIdMovss, encode(dst, 4), rx(src)); return;
    case Kind::f64: emit(cpu_.avx ? Inst::kIdVmovsd : Inst::kIdMovsd, encode(dst, 8), rx(src)); return;
    case Kind::v128: emit(cpu_.avx ? Inst::kIdVmovups : Inst::kIdMovups, encode(dst, 16), rx(src)); return;
    case Kind::bottom: break;
  }
  HEDDLE_UNREACHABLE("a value has a type");
}

void MacroAssembler::load_int(Reg dst, const Address& src, unsigned bytes, bool sign_extend, Width w) {
  const bool wide = w == Width::w64;
  const auto mem = encode(src, bytes);
  if (bytes == 8 || (bytes == 4 && !(sign_extend && wide))) {
    if (bytes == 8)
      emit(Inst::kIdMov, r64(dst), mem);
    else
      emit(Inst::kIdMov, r32(dst), mem);
  } else if (!sign_extend) {
    emit(Inst::kIdMovzx, r32(dst), mem);
  } else {
    const auto id = bytes == 4 ? Inst::kIdMovsxd : Inst::kIdMovsx;
    if (wide)
      emit(id, r64(dst), mem);
    else
      emit(id, r32(dst), mem);
  }
}

void MacroAssembler::store_int(const Address& dst, Reg src, unsigned bytes) {
  emit(Inst::kIdMov, encode(dst, bytes), sized(src, bytes));
}

void MacroAssembler::store_imm(const Address& dst, std::int32_t value, unsigned bytes) {
  std::int64_t imm = value;
  if (bytes == 1) imm = static_cast<std::int8_t>(value);
  if (bytes == 2) imm = static_cast<std::int16_t>(value);
  emit(Inst::kIdMov, encode(dst, bytes), asmjit::Imm(imm));
}

Address MacroAssembler::pool(std::uint64_t lo, std::uint64_t hi) {
  // Only the latest entries are searched: a function full of constants must not cost quadratic time.
  const std::size_t first = pool_.size() > 16 ? pool_.size() - 16 : 0;
  for (std::size_t i = pool_.size(); i > first; --i) {
    const PoolEntry& entry = pool_[i - 1];
    if (entry.lo == lo && entry.hi == hi) return Address{{}, {}, 0, 0, entry.label};
  }
  pool_.push_back({lo, hi, new_label()});
  return Address{{}, {}, 0, 0, pool_.back().label};
}

void MacroAssembler::xchg(Reg a, Reg b) {
  emit(Inst::kIdXchg, r64(a), r64(b));
}

void MacroAssembler::lea(Width w, Reg dst, const Address& a) {
  if (w == Width::w32)
    emit(Inst::kIdLea, r32(dst), encode(a, 0));
  else
    emit(Inst::kIdLea, r64(dst), encode(a, 0));
}

void MacroAssembler::lea(Reg dst, Label label) {
  emit(Inst::kIdLea, r64(dst), x86::ptr(asmjit::Label(label.id)));
}

void MacroAssembler::sign_extend(Width w, Reg dst, Reg src, unsigned from_bytes) {
  const auto id = from_bytes == 4 ? Inst::kIdMovsxd : Inst::kIdMovsx;
  const auto from = sized(src, from_bytes);
  if (w == Width::w32)
    emit(id, r32(dst), from);
  else
    emit(id, r64(dst), from);
}

void MacroAssembler::zero_extend(Reg dst, Reg src, unsigned from_bytes) {
  if (from_bytes >= 4)
    emit(Inst::kIdMov, r32(dst), r32(src));
  else
    emit(Inst::kIdMovzx, r32(dst), sized(src, from_bytes));
}

void MacroAssembler::emit_src(asmjit::InstId id, Width w, Reg dst, const Src& src) {
  const x86::Gp d = w == Width::w32 ? x86::Gp(r32(dst)) : x86::Gp(r64(dst));
  switch (src.form) {
    case Src::Form::reg:
      if (w == Width::w32)
        emit(id, d, r32(src.reg));
      else
        emit(id, d, r64(src.reg));
      return;
    case Src::Form::imm: emit(id, d, asmjit::Imm(src.imm)); return;
    case Src::Form::mem: emit(id, d, encode(src.mem, w == Width::w32 ? 4 : 8)); return;
  }
}

void MacroAssembler::alu(Alu op, Width w, Reg dst, const Src& src) {
  emit_src(kAlu[static_cast<int>(op)], w, dst, src);
}

void MacroAssembler::alu3(Alu op, Width w, Reg dst, const Src& a, const Src& b) {
  if (a.is_reg() && a.reg != dst) {
    if (op == Alu::add && b.is_reg()) return lea(w, dst, Address{a.reg, b.reg, 0, 0, {}});
    if (op == Alu::add && b.is_imm()) return lea(w, dst, Address::at(a.reg, b.imm));
    if (op == Alu::sub && b.is_imm() && b.imm != INT32_MIN) return lea(w, dst, Address::at(a.reg, -b.imm));
  }
  if (!(a.is_reg() && a.reg == dst)) {
    if (a.is_imm())
      mov_imm(dst,
              w == Width::w32 ? static_cast<std::uint32_t>(a.imm) : static_cast<std::uint64_t>(std::int64_t{a.imm}));
    else
      emit_src(Inst::kIdMov, w, dst, a);
  }
  alu(op, w, dst, b);
}

void MacroAssembler::cmp(Width w, const Src& a, const Src& b) {
  if (a.is_reg()) {
    emit_src(Inst::kIdCmp, w, a.reg, b);
    return;
  }
  const auto mem = encode(a.mem, w == Width::w32 ? 4 : 8);
  if (b.is_imm())
    emit(Inst::kIdCmp, mem, asmjit::Imm(b.imm));
  else if (w == Width::w32)
    emit(Inst::kIdCmp, mem, r32(b.reg));
  else
    emit(Inst::kIdCmp, mem, r64(b.reg));
}

void MacroAssembler::test(Width w, const Src& a, const Src& b) {
  if (a.is_reg() && b.is_imm() && b.imm >= 0 && b.imm <= 0x7f)  // the short form reads the low byte alone
    return emit(Inst::kIdTest, r8(a.reg), asmjit::Imm(b.imm));
  if (a.is_reg() && !b.is_mem()) return emit_src(Inst::kIdTest, w, a.reg, b);
  const Src& mem = a.is_mem() ? a : b;
  const Src& other = a.is_mem() ? b : a;
  const auto m = encode(mem.mem, w == Width::w32 ? 4 : 8);
  if (other.is_imm())
    emit(Inst::kIdTest, m, asmjit::Imm(other.imm));
  else if (w == Width::w32)
    emit(Inst::kIdTest, m, r32(other.reg));
  else
    emit(Inst::kIdTest, m, r64(other.reg));
}

void MacroAssembler::multiply(Width w, Reg dst, const Src& a, const Src& b) {
  if (b.is_imm()) {
    const auto imm = asmjit::Imm(b.imm);
    const std::uint32_t size = w == Width::w32 ? 4 : 8;
    if (a.is_mem()) {
      if (w == Width::w32) return emit(Inst::kIdImul, r32(dst), encode(a.mem, size), imm);
      return emit(Inst::kIdImul, r64(dst), encode(a.mem, size), imm);
    }
    if (w == Width::w32) return emit(Inst::kIdImul, r32(dst), r32(a.reg), imm);
    return emit(Inst::kIdImul, r64(dst), r64(a.reg), imm);
  }
  if (!(a.is_reg() && a.reg == dst)) emit_src(Inst::kIdMov, w, dst, a);
  emit_src(Inst::kIdImul, w, dst, b);
}

void MacroAssembler::shift_imm(Shift op, Width w, Reg dst, Reg src, std::uint8_t count) {
  constexpr asmjit::InstId ids[] = {Inst::kIdShl, Inst::kIdSar, Inst::kIdShr, Inst::kIdRol, Inst::kIdRor};
  const bool rotation = op == Shift::rotl || op == Shift::rotr;
  if (rotation && dst != src && cpu_.bmi2) {
    const unsigned bits = w == Width::w32 ? 32 : 64;
    const unsigned right = op == Shift::rotr ? count : (bits - count) & (bits - 1);
    if (w == Width::w32) return emit(Inst::kIdRorx, r32(dst), r32(src), asmjit::Imm(right));
    return emit(Inst::kIdRorx, r64(dst), r64(src), asmjit::Imm(right));
  }
  if (op == Shift::shl && dst != src && count >= 1 && count <= 3) {
    if (count == 1) return lea(w, dst, Address{src, src, 0, 0, {}});
    return emit(Inst::kIdLea, w == Width::w32 ? x86::Gp(r32(dst)) : x86::Gp(r64(dst)), x86::ptr(0, r64(src), count));
  }
  mov(w, dst, src);
  if (w == Width::w32)
    emit(ids[static_cast<int>(op)], r32(dst), asmjit::Imm(count));
  else
    emit(ids[static_cast<int>(op)], r64(dst), asmjit::Imm(count));
}

void MacroAssembler::shift_bmi(Shift op, Width w, Reg dst, const Src& src, Reg count) {
  const auto id = op == Shift::shl ? Inst::kIdShlx : op == Shift::shr_s ? Inst::kIdSarx : Inst::kIdShrx;
  if (w == Width::w32) {
    if (src.is_mem()) return emit(id, r32(dst), encode(src.mem, 4), r32(count));
    return emit(id, r32(dst), r32(src.reg), r32(count));
  }
  if (src.is_mem()) return emit(id, r64(dst), encode(src.mem, 8), r64(count));
  emit(id, r64(dst), r64(src.reg), r64(count));
}

void MacroAssembler::shift_rcx(Shift op, Width w, Reg dst) {
  constexpr asmjit::InstId ids[] = {Inst::kIdShl, Inst::kIdSar, Inst::kIdShr, Inst::kIdRol, Inst::kIdRor};
  if (w == Width::w32)
    emit(ids[static_cast<int>(op)], r32(dst), x86::cl);
  else
    emit(ids[static_cast<int>(op)], r64(dst), x86::cl);
}

void MacroAssembler::add_carry(Reg dst, const Src& src) {
  emit_src(Inst::kIdAdc, Width::w64, dst, src);
}

void MacroAssembler::sub_borrow(Reg dst, const Src& src) {
  emit_src(Inst::kIdSbb, Width::w64, dst, src);
}

void MacroAssembler::neg(Width w, Reg dst) {
  if (w == Width::w32)
    emit(Inst::kIdNeg, r32(dst));
  else
    emit(Inst::kIdNeg, r64(dst));
}

void MacroAssembler::not_(Width w, Reg dst) {
  if (w == Width::w32)
    emit(Inst::kIdNot, r32(dst));
  else
    emit(Inst::kIdNot, r64(dst));
}

void MacroAssembler::divide_signed(Width w, Reg divisor) {
  if (w == Width::w32) {
    check(a_.cdq());
    emit(Inst::kIdIdiv, x86::edx, x86::eax, r32(divisor));
  } else {
    check(a_.cqo());
    emit(Inst::kIdIdiv, x86::rdx, x86::rax, r64(divisor));
  }
}

void MacroAssembler::divide_unsigned(Width w, Reg divisor) {
  emit(Inst::kIdXor, x86::edx, x86::edx);
  if (w == Width::w32)
    emit(Inst::kIdDiv, x86::edx, x86::eax, r32(divisor));
  else
    emit(Inst::kIdDiv, x86::rdx, x86::rax, r64(divisor));
}

void MacroAssembler::multiply_high(Width w, Reg src, bool is_signed) {
  const auto id = is_signed ? Inst::kIdImul : Inst::kIdMul;
  if (w == Width::w32)
    emit(id, x86::edx, x86::eax, r32(src));
  else
    emit(id, x86::rdx, x86::rax, r64(src));
}

void MacroAssembler::count_leading_zeros(Width w, Reg dst, Reg src) {
  if (cpu_.lzcnt) {
    if (dst != src) emit(Inst::kIdXor, r32(dst), r32(dst));  // older processors wait for the old value
    if (w == Width::w32) return emit(Inst::kIdLzcnt, r32(dst), r32(src));
    return emit(Inst::kIdLzcnt, r64(dst), r64(src));
  }
  // bsr leaves nothing for 0: 2 * bits - 1 xor (bits - 1) gives bits.
  const int bits = w == Width::w32 ? 32 : 64;
  if (w == Width::w32)
    emit(Inst::kIdBsr, r32(kScratch), r32(src));
  else
    emit(Inst::kIdBsr, r64(kScratch), r64(src));
  emit(Inst::kIdMov, r32(dst), asmjit::Imm(2 * bits - 1));
  emit(Inst::kIdCmovnz, r32(dst), r32(kScratch));
  emit(Inst::kIdXor, r32(dst), asmjit::Imm(bits - 1));
}

void MacroAssembler::count_trailing_zeros(Width w, Reg dst, Reg src) {
  if (cpu_.bmi1) {
    if (dst != src) emit(Inst::kIdXor, r32(dst), r32(dst));
    if (w == Width::w32) return emit(Inst::kIdTzcnt, r32(dst), r32(src));
    return emit(Inst::kIdTzcnt, r64(dst), r64(src));
  }
  if (w == Width::w32)
    emit(Inst::kIdBsf, r32(kScratch), r32(src));
  else
    emit(Inst::kIdBsf, r64(kScratch), r64(src));
  emit(Inst::kIdMov, r32(dst), asmjit::Imm(w == Width::w32 ? 32 : 64));
  emit(Inst::kIdCmovnz, r32(dst), r32(kScratch));
}

void MacroAssembler::count_ones(Width w, Reg dst, Reg src) {
  if (cpu_.popcnt) {
    if (dst != src) emit(Inst::kIdXor, r32(dst), r32(dst));
    if (w == Width::w32) return emit(Inst::kIdPopcnt, r32(dst), r32(src));
    return emit(Inst::kIdPopcnt, r64(dst), r64(src));
  }
  // Kernighan's loop: one round for each set bit.
  const Label loop = new_label(), done = new_label();
  mov(Width::w64, kScratch, src);
  emit(Inst::kIdXor, r32(dst), r32(dst));
  emit(Inst::kIdTest, r64(kScratch), r64(kScratch));
  jump_near(Cond::eq, done);
  bind(loop);
  emit(Inst::kIdInc, r32(dst));
  emit(Inst::kIdLea, r64(src), x86::ptr(r64(kScratch), -1));
  emit(Inst::kIdAnd, r64(kScratch), r64(src));
  jump(Cond::ne, loop);
  bind(done);
}

void MacroAssembler::set_cond(Cond c, Reg dst) {
  emit(Inst::setccFromCond(code_of(c)), r8(dst));
  if (c == Cond::float_eq) {
    emit(Inst::kIdSetnp, r8(kScratch));
    emit(Inst::kIdAnd, r8(dst), r8(kScratch));
  } else if (c == Cond::float_ne) {
    emit(Inst::kIdSetp, r8(kScratch));
    emit(Inst::kIdOr, r8(dst), r8(kScratch));
  }
  emit(Inst::kIdMovzx, r32(dst), r8(dst));
}

void MacroAssembler::move_if(Cond c, Width w, Reg dst, const Src& src) {
  if (c == Cond::float_eq) {  // only if equal and ordered: leave if unordered
    const Label skip = new_label();
    jump_near(Cond::unordered, skip);
    emit_src(Inst::kIdCmovz, w, dst, src);
    bind(skip);
    return;
  }
  if (c == Cond::float_ne) emit_src(Inst::kIdCmovp, w, dst, src);
  emit_src(Inst::cmovccFromCond(code_of(c)), w, dst, src);
}

void MacroAssembler::atomic_add(const Address& a, Reg value_and_result, unsigned bytes) {
  a_.lock();
  emit(Inst::kIdXadd, encode(a, bytes), sized(value_and_result, bytes));
}

void MacroAssembler::atomic_exchange(const Address& a, Reg value_and_result, unsigned bytes) {
  emit(Inst::kIdXchg, encode(a, bytes), sized(value_and_result, bytes));
}

void MacroAssembler::atomic_compare_exchange(const Address& a, Reg replacement, unsigned bytes) {
  a_.lock();
  emit(Inst::kIdCmpxchg, encode(a, bytes), sized(replacement, bytes), sized(kRax, bytes));
}

void MacroAssembler::fence() {
  // A locked operation on the stack orders everything that a wasm program can see, in a third of mfence's time.
  a_.lock();
  emit(Inst::kIdOr, x86::ptr(x86::rsp, 0, 4), asmjit::Imm(0));
}

void MacroAssembler::prefetch(const Address& a, bool write, unsigned locality) {
  constexpr Inst::Id kReads[] = {Inst::kIdPrefetchnta, Inst::kIdPrefetcht2, Inst::kIdPrefetcht1, Inst::kIdPrefetcht0};
  emit(write ? Inst::kIdPrefetchw : kReads[locality], encode(a, 1));
}

}  // namespace heddle::baseline::x64
