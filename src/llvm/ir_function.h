// IrFunction: builds the LLVM function of one wasm function, as the visitor of validate::Checked (or of a walk over a
// body already validated). SSA for the operand stack, allocas for locals (sroa turns them into SSA).
//
// The calling convention is abi/calling_convention.h: swiftcc with the vmctx as swiftself (r13); i32 zero-extended;
// what does not fit the registers travels in VmStore::overflow. Memory accesses are volatile and align 1, because their
// trap is an effect; the "line" of each instruction's debug location stands for its body offset (LineRange), from
// which object_reader.cpp makes the artifact's tables.
//
// Small callees are built in place (inlining.cpp); `body_` is the one that is being built.
//
// Split by family: control.cpp numeric.cpp convert.cpp memory.cpp atomic.cpp calls.cpp exceptions.cpp variables.cpp
// simd.cpp.
#pragma once

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "abi/builtins.h"
#include "abi/calling_convention.h"
#include "abi/tier.h"
#include "abi/vmctx.h"
#include "binary/body_reader.h"
#include "llvm/loop_versioning.h"
#include "llvm/object_reader.h"
#include "spec/trap_codes.h"

namespace heddle::llvm_tier {

class IrFunction : public binary::CategoryVisitor<IrFunction> {
  using Status = base::Status;
  using Opcode = spec::Opcode;
  using Value = llvm::Value;

 public:
  /// `out` (prepare_module()) gets the function, named by its index. All borrowed for the builder's life.
  IrFunction(llvm::Module& out, const abi::CompileRequest& request);

  /// Validates the body and builds the function. Once.
  base::Result<module::ValidatedBody> build();

  /// Set if an instruction came up that this tier leaves to the baseline; the walk has then ended with an error.
  const std::optional<std::string>& unsupported() const { return unsupported_; }

  const std::vector<abi::InlinedCall>& inlined_calls() const { return inlined_calls_; }
  /// What the lines of debug locations mean.
  const std::vector<LineRange>& lines() const { return lines_; }
  /// Memory 0, if its accesses are marked for loop_versioning.h.
  std::optional<UnsharedMemory> unshared_memory() const;
  /// nullptr before build(). Whoever leaves it to the baseline erases it from the module.
  llvm::Function* function() const { return function_; }

  /// To be asked when the walk is done, of code for an on-stack replacement: false if its loop did not come up, or has
  /// too many values around it. Takes away what is not reached from the loop.
  bool finish_osr();

  // The visitor's side (validate/checked.h).
  void begin_body(std::span<const binary::LocalRun> runs);
  void begin_instruction(std::uint64_t body_offset, bool reachable);

#define HEDDLE_FAMILY(name)                 \
  template <class Imm>                      \
  Status on_##name(Opcode op, const Imm&) { \
    return leave_to_baseline(op);           \
  }
  HEDDLE_FAMILY(Control)
  HEDDLE_FAMILY(Parametric)
  HEDDLE_FAMILY(Variable)
  HEDDLE_FAMILY(Memory)
  HEDDLE_FAMILY(Table)
  HEDDLE_FAMILY(Reference)
  HEDDLE_FAMILY(Exception)
  HEDDLE_FAMILY(Const)
  HEDDLE_FAMILY(Gc)
  HEDDLE_FAMILY(Wide)
#undef HEDDLE_FAMILY

  // control.cpp
  Status on_unreachable(const binary::imm::None&);
  Status on_nop(const binary::imm::None&) { return {}; }
  Status on_block(const binary::imm::BlockType&);
  Status on_loop(const binary::imm::BlockType&);
  Status on_if_(const binary::imm::BlockType&);
  Status on_else_(const binary::imm::None&);
  Status on_end(const binary::imm::None&);
  Status on_br(const binary::imm::Label&);
  Status on_br_if(const binary::imm::Label&);
  Status on_br_table(const binary::imm::BrTable&);
  Status on_br_on_null(const binary::imm::Label&);
  Status on_br_on_non_null(const binary::imm::Label&);
  Status on_return_(const binary::imm::None&);

  // calls.cpp
  Status on_call(const binary::imm::Func&);
  Status on_call_indirect(const binary::imm::CallIndirect&);
  Status on_call_ref(const binary::imm::Type&);
  Status on_return_call(const binary::imm::Func&);
  Status on_return_call_indirect(const binary::imm::CallIndirect&);
  Status on_return_call_ref(const binary::imm::Type&);

  // exceptions.cpp
  Status on_throw_(const binary::imm::Tag&);
  Status on_throw_ref(const binary::imm::None&);
  Status on_try_table(const binary::imm::TryTable&);
  Status on_try_(const binary::imm::BlockType&);
  Status on_catch_(const binary::imm::Tag&);
  Status on_catch_all(const binary::imm::None&);
  Status on_delegate(const binary::imm::Label&);
  Status on_rethrow(const binary::imm::Label&);

  // variables.cpp
  Status on_drop(const binary::imm::None&);
  Status on_select(const binary::imm::None&);
  Status on_select_t(const binary::imm::SelectTypes&) { return on_select({}); }
  Status on_local_get(const binary::imm::Local&);
  Status on_local_set(const binary::imm::Local&);
  Status on_local_tee(const binary::imm::Local&);
  Status on_global_get(const binary::imm::Global&);
  Status on_global_set(const binary::imm::Global&);
  Status on_ref_null(const binary::imm::HeapType&);
  Status on_ref_is_null(const binary::imm::None&);
  Status on_ref_func(const binary::imm::Func&);
  Status on_ref_as_non_null(const binary::imm::None&);
  Status on_ref_eq(const binary::imm::None&);

  // numeric.cpp, convert.cpp
  Status on_i32_const(const binary::imm::I32Const&);
  Status on_i64_const(const binary::imm::I64Const&);
  Status on_f32_const(const binary::imm::F32Const&);
  Status on_f64_const(const binary::imm::F64Const&);
  Status on_Unary(Opcode, const binary::imm::None&);
  Status on_Binary(Opcode, const binary::imm::None&);
  Status on_Test(Opcode, const binary::imm::None&);
  Status on_Compare(Opcode, const binary::imm::None&);
  Status on_Convert(Opcode, const binary::imm::None&);

  // memory.cpp
  Status on_Load(Opcode, const binary::imm::MemArg&);
  Status on_Store(Opcode, const binary::imm::MemArg&);
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

  // atomic.cpp
  Status on_AtomicLoad(Opcode, const binary::imm::MemArg&);
  Status on_AtomicStore(Opcode, const binary::imm::MemArg&);
  Status on_AtomicRmw(Opcode, const binary::imm::MemArg&);
  Status on_AtomicCmpxchg(Opcode, const binary::imm::MemArg&);
  Status on_AtomicWait(Opcode, const binary::imm::MemArg&);
  Status on_AtomicNotify(Opcode, const binary::imm::MemArg&);
  Status on_AtomicFence(Opcode, const binary::imm::Fence&);

  // simd.cpp
  Status on_SimdLoad(Opcode, const binary::imm::MemArg&);
  Status on_SimdStore(Opcode, const binary::imm::MemArg&);
  Status on_SimdLoadLane(Opcode, const binary::imm::MemArgLane&);
  Status on_SimdStoreLane(Opcode, const binary::imm::MemArgLane&);
  Status on_SimdConst(Opcode, const binary::imm::V128Const&);
  Status on_SimdShuffle(Opcode, const binary::imm::Shuffle&);
  Status on_SimdSplat(Opcode, const binary::imm::None&);
  Status on_SimdExtractLane(Opcode, const binary::imm::Lane&);
  Status on_SimdReplaceLane(Opcode, const binary::imm::Lane&);
  Status on_SimdUnary(Opcode, const binary::imm::None&);
  Status on_SimdBinary(Opcode, const binary::imm::None&);
  Status on_SimdTernary(Opcode, const binary::imm::None&);
  Status on_SimdShift(Opcode, const binary::imm::None&);
  Status on_SimdTest(Opcode, const binary::imm::None&);

 private:
  enum class FrameKind : std::uint8_t { function, block, loop, if_, else_, try_table, try_, catch_ };

  struct Frame {
    FrameKind kind;
    std::size_t height;  ///< operands below the block's parameters
    spec::ResultType params;
    spec::ResultType results;
    llvm::BasicBlock* label;  ///< where a branch goes: the header of a loop, else `end`
    llvm::BasicBlock* end;
    llvm::BasicBlock* else_block = nullptr;
    std::vector<llvm::PHINode*> label_phis = {};  ///< of a loop's header
    std::vector<llvm::PHINode*> end_phis = {};
    std::vector<Value*> else_params = {};   ///< if: the parameters again, for else
    std::optional<std::size_t> guard = {};  ///< try_table and try_ (until its first clause): place in guards_
    std::size_t clauses_of = 0;             ///< legacy try and its clauses: place in guards_
    Value* exception = nullptr;             ///< of a legacy catch clause, for rethrow
    llvm::AllocaInst* kept = nullptr;       ///< the same, where osr.cpp has it in memory
    const std::vector<llvm::PHINode*>& branch_phis() const { return kind == FrameKind::loop ? label_phis : end_phis; }
  };

  /// A wasm function whose body is built: the compiled one, or one that is inlined.
  struct Body {
    spec::FuncIndex func;
    const spec::FuncType* type;
    std::uint32_t inlined = 0;    ///< as abi::OffsetRow::inlined
    std::size_t first_frame = 0;  ///< in frames_: its function frame
    std::uint32_t first_line = 1;
    std::vector<llvm::AllocaInst*> locals = {};
  };

  struct BlockSignature {
    spec::ResultType params;
    spec::ResultType results;
  };

  /// A catch clause: control goes to `block` with the exception in `exception`.
  struct Clause {
    bool catches_all = false;
    spec::TagIndex tag;
    llvm::BasicBlock* block = nullptr;
    llvm::PHINode* exception = nullptr;
  };

  /// What guards calls: a try_table or the guarded part of a legacy try. Its clauses may come after its calls, so that
  /// landing pads are filled in at the end of the function (emit_landings).
  struct Guard {
    std::optional<std::size_t> outer;  ///< who gets what the clauses do not take; stands before it in guards_
    std::vector<Clause> clauses;
    unsigned line = 0;
    llvm::BasicBlock* pad = nullptr;       ///< if a call directly inside it lands here
    llvm::BasicBlock* dispatch = nullptr;  ///< tests the clauses in order; `exception` is its phi
    llvm::PHINode* exception = nullptr;
  };

  Status leave_to_baseline(Opcode op);
  Status leave_to_baseline(std::string reason);

  // Types.
  llvm::Type* type_of(spec::ValType type) const;
  /// In a register, from function to function.
  llvm::Type* travelling_type(spec::ValType type) const;
  Value* to_travel(Value* value);
  Value* arrived(Value* value, spec::ValType type);
  llvm::FunctionType* function_type(const spec::FuncType& type) const;
  void set_convention(llvm::Function& function, const spec::FuncType& type) const;
  llvm::AttributeList call_attributes(const spec::FuncType& type) const;

  /// The locals get their first values.
  void receive_params();
  void drop_stack_check_of_leaf();
  /// In the entry block: elsewhere an alloca moves the stack pointer each time, and sroa leaves it alone.
  llvm::AllocaInst* entry_alloca(llvm::Type* type);

  // inlining.cpp
  /// `likely`: it has been seen in a hot call.
  bool may_inline(spec::FuncIndex func, bool likely);
  Status inline_call(spec::FuncIndex func);
  void begin_inlined(std::span<const binary::LocalRun> runs);
  /// Reserves lines for the places of body_.
  void add_lines();

  // The operand stack.
  void push(Value* value) { stack_.push_back(value); }
  Value* pop() {
    Value* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  std::vector<Value*> pop_n(std::size_t n);
  /// A comparison's i1 as wasm's i32.
  void push_bool(Value* i1) { push(ir_.CreateZExt(i1, ir_.getInt32Ty())); }
  Value* pop_condition() { return ir_.CreateICmpNE(pop(), ir_.getInt32(0)); }

  // Control.
  BlockSignature signature_of(const binary::imm::BlockType& type) const;
  llvm::BasicBlock* new_block(const char* name);
  std::vector<llvm::PHINode*> make_phis(llvm::BasicBlock* block, const spec::ResultType& types);
  void enter_frame(FrameKind kind, const BlockSignature& signature, llvm::BasicBlock* label, llvm::BasicBlock* end);
  /// An if's frame; what follows is built in its first arm.
  void enter_if(Value* condition, const BlockSignature& signature, llvm::MDNode* weights = nullptr);
  /// Adds the operands on top of the stack to the target's phis; the branch itself is the caller's.
  void pass_operands(Frame& target);
  Frame& frame_at(spec::LabelDepth depth) { return frames_[frames_.size() - 1 - depth.value]; }
  void finish_frame();
  void emit_return();

  // osr.cpp: code that is entered at a loop (abi::CompileRequest::osr_loop).
  /// The end of the set-up: what follows is the function's real beginning, which nobody reaches.
  void begin_osr();
  void enter_at_loop(Frame& loop);
  /// Operands below a frame are in memory where control flow meets, since their definitions may not be on the way from
  /// the entry (sroa makes phis of it). Only for such code; else nothing happens.
  void spill_below(std::size_t height);
  void reload_below(std::size_t height);
  /// The same for the exception of a legacy catch clause.
  void keep_exception(Frame& clause);
  Value* caught_exception(const Frame& clause);
  llvm::AllocaInst* osr_slot(std::size_t index, llvm::Type* type);

  // Traps.
  void trap_if(Value* condition, spec::TrapCode code);
  void trap_now(Value* code);
  void trap_if_status(Value* status);
  /// A builtin's result64: traps if negative, else gives the value.
  Value* checked_result64(Value* result);

  // The vmctx.
  Value* vm_field(std::int32_t offset) {
    return ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), vmctx_, static_cast<std::uint64_t>(offset));
  }
  llvm::LoadInst* load_invariant(llvm::Type* type, Value* address);
  Value* store_pointer();
  Value* overflow_slot(std::uint32_t index);
  Value* table_pointer(spec::TableIndex table);
  Value* global_pointer(spec::GlobalIndex global);
  Value* builtin_address(abi::Builtin builtin);
  /// Stores rsp to VmStore::exit_sp, as before every call of a builtin.
  void note_exit();
  Value* builtin_call(abi::Builtin builtin, llvm::Type* result, std::initializer_list<Value*> args);
  Value* zext64(Value* value) {
    return value->getType()->isIntegerTy(64) ? value : ir_.CreateZExt(value, ir_.getInt64Ty());
  }

  // Memory.
  Value* memory_base(spec::MemIndex memory);
  Value* memory_size_bytes(spec::MemIndex memory);
  /// Checked address of an access of `width` bytes whose operand is `index`.
  Value* address_of(Value* index, const binary::imm::MemArg& memarg, std::uint32_t width, bool must_be_aligned);
  /// If the value that is dropped says so (abi/prefetch.h).
  void prefetch_if_asked(Value* dropped);
  /// A plain access, for loop_versioning.h.
  void mark(llvm::Instruction& access, const binary::imm::MemArg& memarg) const;
  Value* checked_element(spec::TableIndex table, Value* index);
  Value* narrow_index(Value* value, spec::AddressType address);

  // Calls.
  /// Pops the operands; those beyond the registers are stored. The others and the vmctx are the result.
  std::vector<Value*> take_arguments(const spec::FuncType& type, Value* callee_vmctx);
  void call_function(const spec::FuncType& type, Value* callee, Value* callee_vmctx);
  void tail_call(const spec::FuncType& type, Value* callee);
  void tail_call_through(const spec::FuncType& type, Value* slot, Value* callee_vmctx);
  struct Callee {
    Value* slot;
    Value* vmctx;
  };
  Callee callee_at(Value* from);
  Callee predict_vmctx(Callee callee);
  Value* own_slot(spec::FuncIndex func);
  Value* load_code(Value* slot);
  /// Index on the stack -> VmFuncRef*, null or of any type.
  Value* pop_element(const binary::imm::CallIndirect& i);
  /// Traps unless it is a function of the type.
  void check_element(Value* reference, const binary::imm::CallIndirect& i);
  void check_func_ref(Value* reference);
  Value* pop_func_ref() { return ir_.CreateIntToPtr(pop(), ir_.getPtrTy()); }
  /// A function of this instance.
  Status call_own(spec::FuncIndex func, bool likely);
  /// Whom the call here has been seen to reach.
  std::optional<spec::FuncIndex> seen_callee() const;
  /// The same, if it is a function of exactly this type that the module defines.
  std::optional<spec::FuncIndex> likely_callee(spec::TypeIndex type) const;
  /// The call by a reference to a function of `type`: `check` comes before what cannot be done without a type, but not
  /// before a test whether it is the likely callee.
  Status call_reference(Value* reference, spec::TypeIndex type, llvm::function_ref<void()> check);
  Value* own_func_ref(spec::FuncIndex func);

  // Exceptions.
  /// A call that may throw: an invoke if something guards it.
  llvm::CallBase* call_or_invoke(llvm::FunctionType* type, Value* callee, llvm::ArrayRef<Value*> args);
  std::optional<std::size_t> guard_outside(std::size_t frame) const;
  std::size_t add_guard();
  llvm::BasicBlock* dispatch_of(Guard& guard);
  Clause make_clause(bool catches_all, spec::TagIndex tag);
  void push_values(spec::TagIndex tag, Value* exception);
  void throw_exception(Value* exception);
  void begin_catch(bool catches_all, spec::TagIndex tag);
  void emit_pad(const Guard& guard);
  void emit_dispatch(const Guard& guard);
  void emit_landings();

  // Numbers.
  Value* checked_trunc(Opcode op, Value* value);
  /// Hides a float constant from folds that drop the quieting of a signalling NaN (x * 1.0 -> x).
  Value* opaque_if_constant(Value* value);
  /// minimum or maximum; a NaN operand gives a quiet NaN (the intrinsics may pass a signalling one through).
  Value* quiet_min_max(llvm::Intrinsic::ID id, Value* a, Value* b);
  /// Branches to `usual` unless the divisor is 0, which traps, or -1, for which the builder goes on. Its block then.
  llvm::BasicBlock* begin_rare_divisor(Value* divisor, llvm::BasicBlock* usual);
  Value* signed_quotient(Value* dividend, Value* divisor);
  Value* signed_remainder(Value* dividend, Value* divisor);
  Value* float_intrinsic(llvm::Intrinsic::ID id, Value* value) { return ir_.CreateUnaryIntrinsic(id, value); }

  void set_debug_place();

  llvm::Module& out_;
  const module::CheckedModule& checked_;
  const module::Module& module_;
  const abi::VmLayout& layout_;
  std::span<const abi::LikelyCall> likely_calls_;
  Body body_;
  llvm::IRBuilder<> ir_;
  llvm::Function* function_ = nullptr;
  llvm::DISubprogram* subprogram_ = nullptr;
  llvm::MDNode* invariant_ = nullptr;
  llvm::MDNode* unlikely_ = nullptr;
  llvm::MDNode* likely_ = nullptr;
  Value* vmctx_ = nullptr;
  llvm::Instruction* stack_check_ = nullptr;
  Value* memory0_base_ = nullptr;
  std::vector<Value*> stack_;
  std::vector<Frame> frames_;
  std::vector<Guard> guards_;
  bool reachable_ = true;
  bool has_loop_ = false;
  std::uint64_t body_offset_ = 0;
  std::optional<std::string> unsupported_;
  std::optional<std::uint32_t> osr_loop_;
  llvm::BasicBlock* osr_entry_ = nullptr;  ///< end of the set-up, until the loop comes up
  bool osr_entered_ = false;
  std::vector<LineRange> lines_;
  std::uint32_t next_line_ = 1;
  std::vector<abi::InlinedCall> inlined_calls_;
  std::uint64_t inlined_bytes_ = 0;
  /// Who was asked for, and how many operations it has if it is a leaf.
  std::unordered_map<std::uint32_t, std::optional<std::uint32_t>> leaves_;
  std::vector<std::vector<llvm::AllocaInst*>> osr_slots_;  ///< by operand index; one for each type
};

/// "f.12": the symbol of a function of the module, "f.12.loop.345" if it is entered at this loop; "slot.12": of its
/// jump-table slot.
std::string function_symbol(spec::FuncIndex func, std::optional<std::uint32_t> osr_loop);
std::string slot_symbol(spec::FuncIndex func);
/// "tag.12": what a landing pad's clauses call a tag; object_reader.cpp reads it back. Names, never addresses.
std::string tag_symbol(spec::TagIndex tag);

}  // namespace heddle::llvm_tier
