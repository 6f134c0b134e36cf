// The seam to the machine: operations a single-pass compiler asks for, encoded for x86-64 with asmjit. Knows no wasm,
// no stack, no locals; picks among encodings (VEX or not, lea or add, short forms) by base::host_cpu_features().
//
// i32 values live zero-extended in 64-bit registers: every 32-bit operation here keeps that up. Destination and sources
// may be the same register unless said otherwise. kScratch and kFloatScratch are free for use inside an operation only
// where its comment says so.
#pragma once

#include <asmjit/x86.h>
#include <cstdint>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "baseline/operand.h"
#include "baseline/x64/machine.h"
#include "baseline/x64/vex.h"
#include "spec/opcodes.h"

namespace heddle::baseline::x64 {

enum class Alu : std::uint8_t { add, sub, and_, or_, xor_ };
enum class Shift : std::uint8_t { shl, shr_s, shr_u, rotl, rotr };
enum class FloatOp : std::uint8_t { add, sub, mul, div, min, max };
enum class BitOp : std::uint8_t { and_, andn, or_, xor_ };
enum class Rounding : std::uint8_t { nearest = 0, floor = 1, ceil = 2, trunc = 3 };

/// Operations on vectors are named by the opcode that asks for them: a second list of 230 names would say the same.
using VectorOp = spec::Opcode;

/// How a vector operation wants its operands.
struct VectorForm {
  bool commutes = false;
  bool swapped = false;   ///< give them the other way round
  bool one_step = false;  ///< needs no `temp`; of two operands the last may be memory, aligned to 16
  bool any_dst = false;   ///< the destination may be any operand's register; else only the first one's
};

class MacroAssembler {
 public:
  MacroAssembler();
  MacroAssembler(const MacroAssembler&) = delete;
  MacroAssembler& operator=(const MacroAssembler&) = delete;

  /// Starts a new function; storage of the last one is reused.
  void begin(bool want_listing);
  /// Gives back storage that a huge function left behind; the code is gone then.
  void trim();
  /// Appends the constant pool; nothing may be emitted afterwards.
  void finish();
  std::uint32_t offset() const { return static_cast<std::uint32_t>(a_.offset()); }
  std::vector<std::uint8_t> take_code() const;
  /// Whether the instructions are kept as text, too. A note is a line of its own, with the place of the next one.
  bool is_listing() const { return code_.logger() != nullptr; }
  void note(const std::string& text);
  /// What was listed so far is forgotten; nothing more is listed.
  void restart_listing() { logger_.clear(); }
  void stop_listing() { code_.setLogger(nullptr); }
  std::string listing() const;
  /// Pretends that the processor can do no more than this. Between functions only.
  void limit_cpu(const base::CpuFeatures& cpu) { cpu_ = cpu; }
  /// False if asmjit refused an instruction (our own mistake, or no memory).
  bool ok() const { return ok_; }
  const base::CpuFeatures& cpu() const { return cpu_; }
  asmjit::x86::Assembler& raw() { return a_; }

  /// While on, no move touches the flags (a compare waits for its consumer).
  void keep_flags(bool on) { keep_flags_ = on; }

  Label new_label() { return Label{a_.newLabel().id()}; }
  void bind(Label label) { check(a_.bind(asmjit::Label(label.id))); }
  bool is_bound(Label label) const { return code_.isLabelBound(label.id); }
  std::uint32_t offset_of(Label label) const { return static_cast<std::uint32_t>(code_.labelOffset(label.id)); }

  // Control.
  void jump(Label label);
  void jump(Cond c, Label label);
  /// A few bytes ahead only (one byte of distance).
  void jump_near(Cond c, Label label);
  void jump_near(Label label);
  void jump_to(const Address& target);
  void jump_to(Reg target);
  void call(const Address& target);
  /// call/jmp through a jump-table slot; returns the offset of the four bytes to relocate.
  std::uint32_t call_slot();
  std::uint32_t jump_slot();
  void ret();
  /// Always faults.
  void trap();
  void align_code(std::uint32_t bytes) { a_.align(asmjit::AlignMode::kCode, bytes); }
  /// The five bytes of an abi::OsrPoint; the offset is a multiple of 8.
  void patchable_nop();
  /// Data between functions' code: eight bytes of zero.
  void embed_zero_word();
  /// The same: four bytes `target - base`, both bound.
  void embed_distance(Label target, Label base);
  /// rsp = rsp - N with four bytes to patch; returns their offset.
  std::uint32_t grow_stack_patchable();
  std::uint32_t shrink_stack_patchable();
  void patch_u32(std::uint32_t at, std::uint32_t value);

  // Moves.
  void mov(Kind kind, Reg dst, Reg src);
  void mov(Width w, Reg dst, Reg src);
  /// As mov, but the 32-bit one is never left out where dst == src (cuts off the upper half).
  void mov_zero_extend(Reg dst, Reg src);
  void mov_imm(Reg dst, std::uint64_t value);
  void load(Kind kind, Reg dst, const Address& src);
  void store(Kind kind, const Address& dst, Reg src);
  void load_int(Reg dst, const Address& src, unsigned bytes, bool sign_extend, Width w);
  void store_int(const Address& dst, Reg src, unsigned bytes);
  void store_imm(const Address& dst, std::int32_t value, unsigned bytes);
  /// A constant of f32, f64 (bits) or v128 (lo, hi).
  void load_float_const(Kind kind, Reg dst, std::uint64_t lo, std::uint64_t hi = 0);
  /// A 16-byte aligned constant behind the code.
  Address pool(std::uint64_t lo, std::uint64_t hi);
  void xchg(Reg a, Reg b);
  void lea(Width w, Reg dst, const Address& a);
  void lea(Reg dst, Label label);
  void sign_extend(Width w, Reg dst, Reg src, unsigned from_bytes);

  // Integers.
  void alu(Alu op, Width w, Reg dst, const Src& src);
  /// dst = a op b; dst may be a's register, not b's (unless a's too).
  void alu3(Alu op, Width w, Reg dst, const Src& a, const Src& b);
  void cmp(Width w, const Src& a, const Src& b);
  /// a is a register or memory.
  void test(Width w, const Src& a, const Src& b);
  void multiply(Width w, Reg dst, const Src& a, const Src& b);
  void shift_imm(Shift op, Width w, Reg dst, Reg src, std::uint8_t count);
  /// With BMI2; not for rotations.
  void shift_bmi(Shift op, Width w, Reg dst, const Src& src, Reg count);
  /// Count in rcx.
  void shift_rcx(Shift op, Width w, Reg dst);
  /// With the carry of the add (borrow of the sub) just before. 64 bits.
  void add_carry(Reg dst, const Src& src);
  void sub_borrow(Reg dst, const Src& src);
  void neg(Width w, Reg dst);
  void not_(Width w, Reg dst);
  /// rdx:rax by src.
  void divide_signed(Width w, Reg divisor);
  void divide_unsigned(Width w, Reg divisor);
  /// rdx:rax = rax * src (unsigned / signed).
  void multiply_high(Width w, Reg src, bool is_signed);
  void count_leading_zeros(Width w, Reg dst, Reg src);
  void count_trailing_zeros(Width w, Reg dst, Reg src);
  /// Without the popcnt instruction: uses kScratch, destroys src, and dst != src.
  void count_ones(Width w, Reg dst, Reg src);
  /// dst = condition ? 1 : 0. For float_eq / float_ne uses kScratch.
  void set_cond(Cond c, Reg dst);
  /// dst = condition ? src : dst. src is a register or memory.
  void move_if(Cond c, Width w, Reg dst, const Src& src);

  // Floats. `kind` is f32 or f64.
  void float_op(FloatOp op, Kind kind, Reg dst, Reg a, const Src& b);
  void float_sqrt(Kind kind, Reg dst, const Src& src);
  void float_round(Kind kind, Rounding mode, Reg dst, const Src& src);
  /// Bitwise on all 128 bits; b is a register or a pool constant. andn: ~a & b.
  void float_bits(BitOp op, Reg dst, Reg a, const Src& b);
  void float_zero(Reg dst);
  void float_compare(Kind kind, Reg a, const Src& b);
  void int_to_float(Width from, Kind to, Reg dst, const Src& src);
  void float_to_int(Kind from, Width to, Reg dst, Reg src);
  void promote(Reg dst, const Src& src);
  void demote(Reg dst, const Src& src);
  void move_bits_to_int(Width w, Reg dst, Reg src);
  void move_bits_to_float(Width w, Reg dst, Reg src);

  // Atomics: [address] with `bytes` 1, 2, 4, 8.
  void atomic_add(const Address& a, Reg value_and_result, unsigned bytes);
  void atomic_exchange(const Address& a, Reg value_and_result, unsigned bytes);
  /// Expected and result in rax.
  void atomic_compare_exchange(const Address& a, Reg replacement, unsigned bytes);
  void fence();
  /// Never faults. Locality from 0 (used once) to 3 (keep in all caches).
  void prefetch(const Address& a, bool write, unsigned locality);
  void zero_extend(Reg dst, Reg src, unsigned from_bytes);

  // Vectors (macro_assembler_simd*.cpp). All may use kFloatScratch; none keeps flags. `temp` is a float temporary that
  // differs from every operand, wanted unless the form says one_step. Sources are registers unless they are a Src.
  VectorForm vector_form(VectorOp op) const;
  void vector_unary(VectorOp op, Reg dst, Reg a, Reg temp);
  void vector_binary(VectorOp op, Reg dst, Reg a, const Src& b, Reg temp);
  /// dst may be a's register, not b's or c's.
  void vector_ternary(VectorOp op, Reg dst, Reg a, Reg b, const Src& c);
  /// Shifts by the count modulo the lane's bits. Uses kScratch. dst may be a's register.
  void vector_shift(VectorOp op, Reg dst, Reg a, Reg count, Reg temp);
  void vector_shift_imm(VectorOp op, Reg dst, Reg a, unsigned count, Reg temp);
  /// dst may be a's register, not b's.
  void vector_shuffle(const std::array<std::uint8_t, 16>& lanes, Reg dst, Reg a, Reg b);
  void vector_splat(VectorOp op, Reg dst, Reg scalar);
  void vector_extract(VectorOp op, unsigned lane, Reg dst, Reg a);
  /// dst may be a's register, not b's.
  void vector_replace(VectorOp op, unsigned lane, Reg dst, Reg a, const Src& b);
  /// any_true, all_true: sets the flags; the condition that says yes.
  Cond vector_test(VectorOp op, Reg a);
  void vector_bitmask(VectorOp op, Reg dst, Reg a);
  // The first instruction of these is the one that touches memory, and the only one.
  void vector_load(VectorOp op, Reg dst, const Address& from);
  /// Without AVX dst must be a.
  void vector_load_lane(unsigned bytes, unsigned lane, Reg dst, Reg a, const Address& from);
  void vector_store_lane(unsigned bytes, unsigned lane, const Address& to, Reg a);

 private:
  struct PoolEntry {
    std::uint64_t lo, hi;
    Label label;
  };
  /// Bytes that asmjit is not asked to encode; the listing says what they are.
  void embed(const void* bytes, std::size_t size_bytes, const char* what);
  using Operand = asmjit::Operand_;
  void emit(asmjit::InstId id) { check(a_.emit(id)); }
  void emit(asmjit::InstId id, const Operand& o0) { check(a_.emit(id, o0)); }
  void emit(asmjit::InstId id, const Operand& o0, const Operand& o1) { check(a_.emit(id, o0, o1)); }
  void emit(asmjit::InstId id, const Operand& o0, const Operand& o1, const Operand& o2) {
    check(a_.emit(id, o0, o1, o2));
  }
  void emit(asmjit::InstId id, const Operand& o0, const Operand& o1, const Operand& o2, const Operand& o3) {
    check(a_.emit(id, o0, o1, o2, o3));
  }
  void emit_src(asmjit::InstId id, Width w, Reg dst, const Src& src);
  // Steps of vector operations. With SSE and dst other than a, b must not be in dst.
  void vex2(Vex op, Reg dst, Reg a);
  void vex2(Vex op, Reg dst, Reg a, unsigned imm);
  void vex3(Vex op, Reg dst, Reg a, const Src& b);
  void vex3(Vex op, Reg dst, Reg a, const Src& b, unsigned imm);
  void vex3(Vex op, Reg dst, Reg a, Reg b) { vex3(op, dst, a, Src::of(b)); }
  /// Shift of all lanes by an immediate.
  void vex_shift(Vex op, Reg dst, Reg a, unsigned count);
  void vector_ones(Reg dst);
  /// A constant with this value in each lane.
  Src splat64(std::uint64_t v) { return Src::of(pool(v, v)); }
  Src splat32(std::uint32_t v) { return splat64(v * 0x100000001u); }
  Src splat16(std::uint16_t v) { return splat64(v * 0x1000100010001u); }
  Src splat8(std::uint8_t v) { return splat64(v * 0x101010101010101u); }
  bool emit_one_step(VectorOp op, Reg dst, Reg a);
  bool emit_one_step(VectorOp op, Reg dst, Reg a, const Src& b);
  void vector_not_equal(Vex equal, Reg dst, Reg a, Reg b);
  void vector_ordered(Vex extreme, Vex equal, Reg dst, Reg a, Reg b, bool invert);
  void vector_greater64(Reg dst, Reg a, Reg b, Reg temp);
  void vector_multiply64(Reg dst, Reg a, Reg b, Reg temp);
  void vector_neg(Vex subtract, Reg dst, Reg a);
  void vector_abs64(Reg dst, Reg a);
  void vector_popcnt(Reg dst, Reg a, Reg temp);
  void extend_high_unsigned(Vex unpack, Reg dst, Reg a);
  void extend_high_signed(Vex extend, Reg dst, Reg a);
  void extended_multiply8(bool high, Vex extend, Reg dst, Reg a, Reg b, Reg temp);
  void extended_multiply16(bool high, Vex high_words, Reg dst, Reg a, Reg b);
  void extended_multiply32(bool high, Vex multiply, Reg dst, Reg a, Reg b);
  void vector_q15_multiply(Reg dst, Reg a, Reg b);
  void vector_swizzle(Reg dst, Reg a, Reg b);
  void extadd_pairwise(VectorOp op, Reg dst, Reg a);
  void vector_min(Kind kind, Reg dst, Reg a, Reg b);
  void vector_max(Kind kind, Reg dst, Reg a, Reg b);
  void clear_payload(Kind kind, Reg dst, Reg nan, Reg v);
  void vector_convert_u32(Reg dst, Reg a);
  void vector_convert_low_u32(Reg dst, Reg a);
  void vector_truncate_f32_s(Reg dst, Reg a);
  void vector_truncate_f32_u(Reg dst, Reg a, Reg temp);
  void vector_truncate_f64_s(Reg dst, Reg a);
  void vector_truncate_f64_u(Reg dst, Reg a);
  void multiply_add(bool negated, bool is_f64, Reg dst, Reg a, Reg b, const Src& c);
  void load_vector(Reg dst, const Src& src);
  void splat_bytes(Reg dst);
  void splat_words(Reg dst);
  void insert_lane(unsigned bytes, unsigned lane, Reg dst, Reg a, const Src& b);
  void shuffle_one(const std::array<std::uint8_t, 16>& lanes, Reg dst, Reg a);
  bool shuffle_two(const std::array<std::uint8_t, 16>& lanes, Reg dst, Reg a, Reg b);
  void shift_bytes(VectorOp op, Reg dst, Reg a, Reg temp);

  void check(asmjit::Error error) {
    if (__builtin_expect(error != asmjit::kErrorOk, 0)) ok_ = false;
  }

  asmjit::CodeHolder code_;
  asmjit::x86::Assembler a_;
  asmjit::StringLogger logger_;
  std::vector<PoolEntry> pool_;
  base::CpuFeatures cpu_;
  bool keep_flags_ = false;
  bool ok_ = true;
};

}  // namespace heddle::baseline::x64
