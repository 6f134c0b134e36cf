// The single-pass compiler of the baseline tier: visited once per instruction by validate::Checked, it emits machine
// code at once. No IR; what it knows between instructions is the operand stack's shadow (value_stack.h), the open
// blocks, and where the locals are. One object per thread, reused; begin() forgets the last function.
//
//   frame, from rsp up:  saved registers | locals | operand slots        (return address above)
//   code:                prologue | body | epilogue | out-of-line steps and traps | jump tables | constants
//
// At a merge of control flow (a label) the state is fixed: values below the block are in their slots or constant, a
// single result is in rax or xmm0, several are in the slots from the block's height up, a loop's parameters are in
// their slots, and every pinned local is in its register. Which slots of pinned locals are up to date is the
// intersection over all edges (for a loop: what holds at entry, without the locals that the loop writes).
//
// The handlers live in control.cpp calls.cpp numeric.cpp float.cpp convert.cpp memory.cpp atomic.cpp table.cpp
// exceptions.cpp simd.cpp; here is what they share.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "abi/builtins.h"
#include "abi/calling_convention.h"
#include "abi/prefetch.h"
#include "abi/tier.h"
#include "baseline/parallel_move.h"
#include "baseline/prescan.h"
#include "baseline/value_stack.h"
#include "binary/body_reader.h"

namespace heddle::baseline {

class Compiler : public binary::CategoryVisitor<Compiler>, private OperandState {
 public:
  using Status = base::Status;
  using Opcode = spec::Opcode;
  using None = binary::imm::None;
  using Alu = machine::Alu;
  using Shift = machine::Shift;
  using FloatOp = machine::FloatOp;
  using Rounding = machine::Rounding;
  using TrapCode = spec::TrapCode;

  Compiler() : OperandState(masm_storage_) {}

  /// Makes code for a processor that can do no more than this. Between functions only.
  void limit_cpu(const base::CpuFeatures& cpu) { masm_.limit_cpu(cpu); }

  /// Starts a function; prescan.run() comes first. `big_frame` is what needs_big_frame() said after a first try.
  void begin(const abi::CompileRequest& request, bool big_frame);
  /// True if the frame outgrew what the prologue checks for: compile again with big_frame.
  bool needs_big_frame() const;
  bool is_unsupported() const { return unsupported_ != nullptr; }
  bool is_exhausted() const { return exhausted_; }
  /// An on-stack replacement was asked for that cannot be had.
  bool lacks_osr() const { return osr_loop_ && !osr_met_; }
  abi::Unsupported unsupported() const { return {unsupported_offset_, unsupported_}; }
  abi::CodeArtifact take_artifact(module::ValidatedBody body);
  Prescan& prescan() { return prescan_; }
  /// After a function: gives back what only huge ones need.
  void trim();

  // ---- what validate::Checked calls
  void begin_body(std::span<const binary::LocalRun> runs);
  void begin_instruction(std::uint64_t body_offset, bool reachable) {
    body_offset_ = static_cast<std::uint32_t>(body_offset);
    ip_ = bytes_ + body_offset;
    reachable_ = reachable;
    if (__builtin_expect(flags_wait_, 0) && !consumes_flags(*ip_)) settle_flags();
    if (__builtin_expect(masm_.is_listing(), 0)) note_instruction();
  }

  // Control (control.cpp).
  Status on_unreachable(const None&);
  Status on_nop(const None&) { return {}; }
  Status on_block(const binary::imm::BlockType&);
  Status on_loop(const binary::imm::BlockType&);
  Status on_if_(const binary::imm::BlockType&);
  Status on_else_(const None&);
  Status on_end(const None&);
  Status on_br(const binary::imm::Label&);
  Status on_br_if(const binary::imm::Label&);
  Status on_br_table(const binary::imm::BrTable&);
  Status on_return_(const None&);
  Status on_br_on_null(const binary::imm::Label&);
  Status on_br_on_non_null(const binary::imm::Label&);
  Status on_drop(const None&);
  Status on_select(const None&);
  Status on_select_t(const binary::imm::SelectTypes&) { return on_select(None{}); }

  // Calls (calls.cpp).
  Status on_call(const binary::imm::Func&);
  Status on_call_indirect(const binary::imm::CallIndirect&);
  Status on_call_ref(const binary::imm::Type&);
  Status on_return_call(const binary::imm::Func&);
  Status on_return_call_indirect(const binary::imm::CallIndirect&);
  Status on_return_call_ref(const binary::imm::Type&);

  // Locals, globals, references (variables.cpp).
  Status on_local_get(const binary::imm::Local&);
  Status on_local_set(const binary::imm::Local&);
  Status on_local_tee(const binary::imm::Local&);
  Status on_global_get(const binary::imm::Global&);
  Status on_global_set(const binary::imm::Global&);
  Status on_ref_null(const binary::imm::HeapType&);
  Status on_ref_is_null(const None&);
  Status on_ref_func(const binary::imm::Func&);
  Status on_ref_eq(const None&);
  Status on_ref_as_non_null(const None&);

  Status on_i32_const(const binary::imm::I32Const& i) {
    push_const(Kind::i32, static_cast<std::uint32_t>(i.value));
    return {};
  }
  Status on_i64_const(const binary::imm::I64Const& i) {
    push_const(Kind::i64, static_cast<std::uint64_t>(i.value));
    return {};
  }
  Status on_f32_const(const binary::imm::F32Const& i) {
    push_const(Kind::f32, i.bits);
    return {};
  }
  Status on_f64_const(const binary::imm::F64Const& i) {
    push_const(Kind::f64, i.bits);
    return {};
  }

  // Memory and tables (memory.cpp, table.cpp).
  Status on_Load(Opcode op, const binary::imm::MemArg&);
  Status on_Store(Opcode op, const binary::imm::MemArg&);
  Status on_memory_size(const binary::imm::Memory&);
  Status on_memory_grow(const binary::imm::Memory&);
  Status on_memory_fill(const binary::imm::Memory&);
  Status on_memory_copy(const binary::imm::MemoryCopy&);
  Status on_memory_init(const binary::imm::MemoryInit&);
  Status on_data_drop(const binary::imm::Data&);
  Status on_table_get(const binary::imm::Table&);
  Status on_table_set(const binary::imm::Table&);
  Status on_table_size(const binary::imm::Table&);
  Status on_table_grow(const binary::imm::Table&);
  Status on_table_fill(const binary::imm::Table&);
  Status on_table_copy(const binary::imm::TableCopy&);
  Status on_table_init(const binary::imm::TableInit&);
  Status on_elem_drop(const binary::imm::Elem&);

  // Atomics (atomic.cpp).
  Status on_AtomicLoad(Opcode op, const binary::imm::MemArg&);
  Status on_AtomicStore(Opcode op, const binary::imm::MemArg&);
  Status on_AtomicRmw(Opcode op, const binary::imm::MemArg&);
  Status on_AtomicCmpxchg(Opcode op, const binary::imm::MemArg&);
  Status on_AtomicFence(Opcode, const binary::imm::Fence&);
  Status on_memory_atomic_notify(const binary::imm::MemArg&);
  Status on_memory_atomic_wait32(const binary::imm::MemArg&);
  Status on_memory_atomic_wait64(const binary::imm::MemArg&);

#include "baseline/numeric_handlers.inc"

  // Exceptions (exceptions.cpp).
  Status on_throw_(const binary::imm::Tag&);
  Status on_throw_ref(const None&);
  Status on_try_table(const binary::imm::TryTable&);
  Status on_try_(const binary::imm::BlockType&);
  Status on_catch_(const binary::imm::Tag&);
  Status on_catch_all(const None&);
  Status on_delegate(const binary::imm::Label&);
  Status on_rethrow(const binary::imm::Label&);

  // Vectors (simd.cpp).
  Status on_SimdLoad(Opcode op, const binary::imm::MemArg&);
  Status on_SimdStore(Opcode op, const binary::imm::MemArg&);
  Status on_SimdLoadLane(Opcode op, const binary::imm::MemArgLane&);
  Status on_SimdStoreLane(Opcode op, const binary::imm::MemArgLane&);
  Status on_SimdConst(Opcode op, const binary::imm::V128Const&);
  Status on_SimdShuffle(Opcode op, const binary::imm::Shuffle&);
  Status on_SimdSplat(Opcode op, const None&);
  Status on_SimdExtractLane(Opcode op, const binary::imm::Lane&);
  Status on_SimdReplaceLane(Opcode op, const binary::imm::Lane&);
  Status on_SimdUnary(Opcode op, const None&);
  Status on_SimdBinary(Opcode op, const None&);
  Status on_SimdTernary(Opcode op, const None&);
  Status on_SimdShift(Opcode op, const None&);
  Status on_SimdTest(Opcode op, const None&);

  // Not here: the caller keeps the other tier.
  template <class I>
  Status on_Gc(Opcode, const I&) {
    return not_supported("heap objects");
  }

 private:
  using Types = std::span<const spec::ValType>;

  /// An open block.
  struct Control {
    enum class Form : std::uint8_t { func, block, loop, if_, else_, try_table, try_, catch_ } form = Form::block;
    bool branched = false;                 ///< some branch goes to `label`
    Label label;                           ///< end of the block, or the loop's header
    Label else_label;                      ///< if_: where a false condition goes
    std::uint32_t height = 0;              ///< values below the block's parameters
    std::uint32_t base_slot = 0;           ///< where the slots above `height` begin
    const spec::FuncType* type = nullptr;  ///< if given by a type index
    spec::ValType single;                  ///< else one result, unless bottom
    RegSet merged_slots = RegSet(~0u);     ///< slot_valid_, intersected over the branches so far
    RegSet else_slots;
    std::uint32_t osr_point = 0;       ///< loop: in osr_points_
    std::uint32_t code_begin = 0;      ///< try_table, try_: where the guarded code begins
    std::uint32_t code_end = 0;        ///< catch_: where it ended
    std::uint32_t first_catch = 0;     ///< try_table: in catches_
    std::uint32_t first_delegate = 0;  ///< try_table, try_: in delegates_

    Types params() const { return type != nullptr ? Types(type->params) : Types(); }
    Types results() const {
      if (type != nullptr) return type->results;
      return single.kind() == Kind::bottom ? Types() : Types(&single, 1);
    }
    Types label_types() const { return form == Form::loop ? params() : results(); }
    /// Results of functions and blocks travel in a register if there is one of them.
    bool one_in_register() const { return form != Form::loop && results().size() == 1; }
  };

  /// Code behind the function: reached by a jump, may jump back.
  struct OutOfLine {
    enum class Form : std::uint8_t {
      trap,             ///< ud2
      float_trap,       ///< invalid conversion if `x` is NaN, else integer overflow
      saturate,         ///< dst = NaN ? 0 : x < 0 ? low : high
      exact_min,        ///< x must be exactly the lowest integer, else as float_trap
      divide_overflow,  ///< divisor is -1: overflow if rax is the lowest integer
      remainder_zero,   ///< divisor is -1: rdx = 0
      negated_code,     ///< trap with the code -rax
      foreign_call,     ///< tail call that must come back: [rax] with r13 = kScratch, then to `resume`
    } form = Form::trap;
    Label entry, resume;
    std::uint32_t body_offset = 0;
    TrapCode code = TrapCode::none;
    Kind kind = Kind::i32;
    Width width = Width::w32;
    Reg dst, x;
    std::uint64_t low = 0, high = 0;
  };

  struct JumpTable {
    Label table;
    std::uint32_t first, count;  // in jump_targets_
  };

  /// A catch clause of an open try_table.
  struct OpenCatch {
    binary::imm::Catch clause;
    std::uint32_t target = 0;  ///< in controls_
  };
  /// Code that a catch clause lands in, before it goes on to the clause's label.
  struct Landing {
    Control target;
    binary::imm::Catch clause;
    std::uint32_t body_offset = 0;
    std::uint32_t first_handler = 0, handler_count = 0;  ///< in handlers_
  };
  /// Code whose exceptions pass over every handler inside controls_[target].
  struct Delegate {
    std::uint32_t begin = 0, end = 0;
    std::uint32_t target = 0;
  };

  /// A linear-memory place, ready to be used; its registers are held.
  struct Access {
    Value index;  ///< held for the address; a constant if `disp` says all
    std::int32_t disp = 0;
    spec::MemIndex memory;
    bool checked = false;  ///< bounds were compared: the access itself cannot fault
  };

  // ---- compiler.cpp
  static bool consumes_flags(std::uint8_t opcode) {
    return opcode == 0x0d || opcode == 0x04 || opcode == 0x1b || opcode == 0x1c || opcode == 0x45 || opcode == 0x50;
  }
  Status not_supported(const char* what);
  void choose_pins();
  void declare_locals(std::span<const binary::LocalRun> runs);
  void lay_out_frame();
  void emit_prologue();
  void receive_params();
  void zero_locals();
  void zero_slots(std::uint32_t begin, std::uint32_t end);
  void emit_epilogue();
  void restore_registers();
  void emit_out_of_line();
  void emit_step(const OutOfLine& step);
  void emit_jump_tables();

  /// The local that the next instruction sets from this result, if that saves a move. `next` is the next opcode.
  std::uint32_t hinted_local(Kind kind, const std::uint8_t* next) const;
  std::uint8_t next_opcode() const { return ip_ + 1 < body_end_ ? ip_[1] : 0; }
  /// Skips `count` LEB128 numbers of this instruction (after a one-byte opcode).
  const std::uint8_t* after_immediates(unsigned count) const;
  /// Where a result goes. May reuse lhs's temporary; never a register that rhs needs. Sources come after this call.
  Dest dest_for(Kind kind, const Value* lhs, const Value* rhs, const std::uint8_t* next);
  /// Releases what the operands held (unless it became the result) and pushes the result.
  void finish(const Dest& d, Kind kind, const Value& lhs);
  void finish(const Dest& d, Kind kind, const Value& lhs, const Value& rhs);

  /// Of the instruction that comes next.
  void trap_site(TrapCode code) { sites_.add_trap(masm_.offset(), body_offset_, code); }
  /// An unconditional trap here.
  void trap_now(TrapCode code);
  void trap_if(Cond c, TrapCode code);
  OutOfLine& out_of_line(OutOfLine::Form form);
  /// In the listing: what follows belongs to the wasm instruction at body_offset_.
  void note_instruction();
  void record_call() { sites_.add_call(masm_.offset(), body_offset_); }

  // ---- osr.cpp
  /// At a loop's header, its label just bound.
  void add_osr_point();
  /// Behind the function: what moves a thread out of the loop that was asked for.
  void emit_osr_stub();
  abi::CodeArtifact take_osr_stub(module::ValidatedBody body);

  // ---- control.cpp
  Control& target(spec::LabelDepth depth) { return controls_[controls_.size() - 1 - depth.value]; }
  void open_block(Control::Form form, const binary::imm::BlockType& type);
  Cond pop_condition();
  void arrange_results(Control& c);
  void store_overflow(std::uint32_t index, const Value& v);
  /// A whole VmValue; only the scratch registers are used, `to` may be based on kScratch.
  void store_vm_value(const Address& to, const Value& v);
  void load_overflow_base();
  void return_values(std::size_t first);
  void merge_into(Control& c);
  void copy_results_down(const Control& c);
  bool results_in_place(const Control& c) const {
    const std::size_t n = c.label_types().size();
    return n == 0 || c.one_in_register() || c.form == Control::Form::func || height() - n == c.height;
  }
  void branch_to(Control& c);
  void branch_if(Cond cond, Control& c);
  void push_results(const Control& c);
  void reset_to_block(const Control& c);
  void end_block(Control& c);
  void end_if_without_else(Control& c);
  void end_function();
  void all_pins_loaded(RegSet slots) {
    pin_valid_ |= caller_pins_;
    slot_valid_ = slots & caller_pins_;
  }
  Label branch_stub(Control& c);
  void dispatch(Value index, const binary::imm::BrTable& table);
  static Reg result_reg(Kind kind) { return is_float_class(kind) ? machine::kFloatResult : machine::kIntResult; }

  // ---- calls.cpp
  void marshal_args(const spec::FuncType& type, Reg extra_from, Reg extra_to);
  void take_results(const spec::FuncType& type);
  /// Pops the index; the checked VmFuncRef* is left in a held temporary.
  Value pop_indirect_callee(const binary::imm::CallIndirect& i);
  void check_signature(Value& func_ref, spec::TypeIndex type);
  Value pop_func_ref();
  /// Moves the arguments and calls what `callee` (a VmFuncRef*) names.
  void call_through(Value callee, const spec::FuncType& type);
  void return_call_through(Value callee, const spec::FuncType& type);
  void emit_builtin_call(abi::Builtin builtin);
  /// The pin of the local that a value names; none if it has no pin.
  Reg pin_of(const Value& v) const { return locals_[v.local].pin; }
  void leave_frame();
  /// Calls a host service. `args` are popped values or constants after the vmctx; their registers are released.
  void call_builtin(abi::Builtin b, std::span<Value> args);
  void call_status_builtin(abi::Builtin b, std::span<Value> args);
  void restore_vmctx();
  static Value constant(Kind kind, std::uint64_t bits) {
    Value v;
    v.kind = kind;
    v.bits = bits;
    return v;
  }

  // ---- exceptions.cpp
  void throw_exception(Value exception);
  Status add_handlers(const Control& c, std::uint32_t end, std::uint32_t landing_offset, bool catches_all,
                      spec::TagIndex tag);
  Status end_try_table(Control& c);
  void begin_catch(const spec::FuncType* type);
  Status close_guarded(bool catches_all, spec::TagIndex tag);
  void emit_landings();
  void emit_landing(const Landing& landing);

  // ---- memory.cpp
  /// Pops the address operand and checks what the hardware will not. `avoid`: registers the address must not be in.
  Access access(const binary::imm::MemArg& memarg, unsigned bytes, bool atomic = false, RegSet avoid = {});
  void check_bounds(Access& a, std::uint64_t offset, unsigned bytes, RegSet avoid);
  void check_alignment(const Value& index, std::uint64_t offset, unsigned bytes);
  /// The operand for the instruction, which must come next: the base of another memory than 0 is in kScratch.
  Address ready(const Access& a);
  /// Right before an instruction that touches linear memory.
  void memory_site(const Access& a) {
    if (!a.checked) trap_site(TrapCode::memory_out_of_bounds);
  }
  void load(const binary::imm::MemArg& memarg, Kind kind, unsigned bytes, bool sign_extend, bool atomic = false);
  void store(const binary::imm::MemArg& memarg, unsigned bytes);
  /// Small blocks of a known size without a call: all of it is read before any of it is written, and the last bytes are
  /// written first, so that a block that is not wholly inside traps with nothing written.
  bool copy_inline(const Value& size, const binary::imm::MemoryCopy& imm);
  bool fill_inline(const Value& size, const Value& value, const binary::imm::Memory& imm);
  void load_memory_size(Reg dst, spec::MemIndex memory);
  void prefetch(const abi::Prefetch& wish, Value address);
  const std::uint8_t* after_memarg() const { return after_immediates((ip_[1] & 0x40) != 0 ? 3 : 2); }

  // ---- simd.cpp
  void push_vector_const(std::uint64_t lo, std::uint64_t hi);
  Reg vector_operand(Value& v, const Dest& d, const Value* busy);
  Reg vector_temp(Opcode op);
  const std::uint8_t* after_vector_memarg(unsigned more) const;

  // ---- atomic.cpp
  enum class Rmw : std::uint8_t { add, sub, and_, or_, xor_, xchg };
  void atomic_store(const binary::imm::MemArg& memarg, unsigned bytes);
  void atomic_rmw(Rmw op, const binary::imm::MemArg& memarg, Kind kind, unsigned bytes);
  void atomic_loop(Alu op, const binary::imm::MemArg& memarg, Kind kind, unsigned bytes);
  void atomic_cmpxchg(const binary::imm::MemArg& memarg, Kind kind, unsigned bytes);
  void atomic_wait(abi::Builtin builtin, const binary::imm::MemArg& memarg);
  void push_atomic_result(Kind kind, Reg r, unsigned bytes);
  /// rax: a value, or minus a trap code.
  void push_result64();

  // ---- table.cpp
  Address table_field(spec::TableIndex table, std::int32_t field);
  /// Bounds-checked address of an entry: [kScratch + index * 8]; the index is held.
  Address table_entry(spec::TableIndex table, Value& index, TrapCode code);
  void push_builtin_result(Kind kind);
  void push_grow_result(spec::AddressType address);

  // ---- numeric.cpp, float.cpp, convert.cpp
  void int_alu(Alu op, Width w);
  bool prefetch_if_asked(const Value& address, const Value& hint);
  void add_scaled(Width w, Value lhs, Value rhs);
  bool and_low_bytes(Width w, Value& lhs, std::uint64_t mask);
  void int_multiply(Width w);
  void int_divide(Width w, bool is_signed, bool remainder);
  bool divide_by_constant(Width w, bool is_signed, bool remainder, const Value& lhs, const Value& rhs);
  bool divide_by_constant_s32(std::int32_t divisor, bool remainder, const Value& lhs);
  void divide_by_power_of_two(Width w, std::uint64_t divisor, bool remainder, Value v);
  void divide_by_multiplying(Width w, std::uint64_t divisor, bool remainder, Value v);
  void finish_quotient(Width w, std::uint64_t divisor, bool remainder, Value& dividend);
  void int_shift(Shift op, Width w);
  void int_compare(Cond c, Width w);
  void int_eqz(Width w);
  void count_leading(Width w);
  void count_trailing(Width w);
  void count_ones(Width w);
  void int_extend(Width w, unsigned from_bytes);
  void float_binary(FloatOp op, Kind kind);
  void float_min_max(FloatOp op, Kind kind);
  void float_copysign(Kind kind);
  void float_compare(Cond c, Kind kind, bool swap);
  void float_abs(Kind kind);
  void float_neg(Kind kind);
  void float_round(Rounding mode, Kind kind);
  void float_sqrt(Kind kind);
  void wrap();
  void extend_i32(bool is_signed);
  void convert_int(Width from, bool is_signed, Kind to);
  void truncate(Kind from, Width to, bool is_signed, bool saturating);
  void truncate_u64(Kind from, Reg dst, Reg x, Label bad);
  void wide_add(bool subtract);
  void wide_multiply(bool is_signed);
  void promote();
  void demote();
  void reinterpret(Kind from, Kind to);

  machine::MacroAssembler masm_storage_;
  Prescan prescan_;

  const module::Module* module_ = nullptr;
  const abi::VmLayout* layout_ = nullptr;
  spec::FuncIndex func_;
  const spec::FuncType* type_ = nullptr;
  const std::uint8_t* bytes_ = nullptr;
  const std::uint8_t* body_end_ = nullptr;
  const std::uint8_t* ip_ = nullptr;
  std::uint32_t body_offset_ = 0;
  bool reachable_ = true;
  bool big_frame_ = false;
  bool stack_checked_ = false;
  const char* unsupported_ = nullptr;
  std::uint64_t unsupported_offset_ = 0;
  std::size_t next_loop_ = 0;  // in prescan_.loops

  std::vector<Control> controls_;
  std::vector<OutOfLine> steps_;
  std::vector<JumpTable> jump_tables_;
  std::vector<Label> jump_targets_;
  std::vector<Label> stub_labels_;
  std::vector<std::uint32_t> frame_patches_;
  abi::Sites sites_;
  std::vector<abi::SlotRelocation> relocations_;
  std::vector<abi::ExceptionHandler> handlers_;
  std::vector<OpenCatch> catches_;
  std::vector<Landing> landings_;
  std::vector<Delegate> delegates_;
  std::vector<abi::OsrPoint> osr_points_;
  std::optional<std::uint32_t> osr_loop_;  // CompileRequest's
  bool osr_met_ = false;                   // its header has come, and osr_stack_ is its stack
  std::vector<Value> osr_stack_;
  std::uint32_t osr_begin_ = 0, osr_popped_ = 0, osr_end_ = 0;  // of the stub
  abi::FrameInfo frame_;
  RegSet saved_;  // callee-saved registers that the prologue stores
  std::uint32_t locals_end_ = 0;
};

}  // namespace heddle::baseline
