// Checks the instructions of one function body (or constant expression), one handler for each row of opcodes.def, by
// the algorithm of https://webassembly.github.io/spec/core/appendix/algorithm.html: a stack of operand types and a
// stack of control frames. Relies on the module-level rules (CheckedModule): every type the module declares is valid.
//
// Plain rows are checked from their signature (signature.h). Special rows have a rule of their own in
//   control.cpp calls.cpp variables.cpp memory.cpp (tables too) reference.cpp gc.cpp exceptions.cpp
// and each rule names its section of the specification. The reader that walks the body stands outside; the handler of
// an instruction is called right after the instruction has been read, so reader.instruction_offset() is its place.
//
// Costs nothing but compares on the hot path; errors are built out of line (errors.h). One thread per object.
#pragma once

#include <bit>
#include <span>
#include <vector>

#include "base/result.h"
#include "binary/body_reader.h"
#include "module/module.h"
#include "validate/operand_stack.h"
#include "validate/signature.h"

namespace heddle::validate {

class FunctionValidator : public SignatureRules<FunctionValidator> {
  using Status = base::Status;
  using ValType = spec::ValType;
  using Types = std::span<const ValType>;

 public:
  /// Whether the visitor sees the instruction, and whether control can reach it (see checked.h).
  struct Decision {
    bool visit;
    bool reachable;
  };

  /// For the body of `func`, which `reader` is about to read. Both outlive the validator.
  FunctionValidator(const module::Module& m, spec::FuncIndex func, binary::BodyReader& reader);
  /// For a constant expression with one result of type `result`; no locals.
  FunctionValidator(const module::Module& m, ValType result, binary::BodyReader& reader);

  /// Reads the declarations of locals. Returns the runs without parameters; valid as long as the reader's.
  base::Result<std::span<const binary::LocalRun>> begin_body();
  /// True after the `end` that closes the body.
  bool done() const { return control_.empty(); }
  /// Nothing may follow that `end`.
  Status end_body();
  spec::FuncIndex func() const { return func_; }
  /// Control frames now open, the function's own included.
  std::size_t control_depth() const { return control_.size(); }

  /// Call before the instruction's handler.
  Decision before(spec::Opcode opcode) const {
    switch (opcode) {
      case spec::Opcode::else_:
      case spec::Opcode::end:
      case spec::Opcode::catch_:
      case spec::Opcode::catch_all:
      case spec::Opcode::delegate: return {control_.back().visited, !control_.back().unreachable};
      default: return {visiting_, true};
    }
  }

  // Special rows. A handler returns an Error{invalid, malformed or limit} whose offset is the instruction's.
  // clang-format off
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
  Status on_return_(const binary::imm::None&);
  Status on_drop(const binary::imm::None&);
  Status on_select(const binary::imm::None&);
  Status on_select_t(const binary::imm::SelectTypes&);

  Status on_call(const binary::imm::Func&);
  Status on_call_indirect(const binary::imm::CallIndirect&);
  Status on_call_ref(const binary::imm::Type&);
  Status on_return_call(const binary::imm::Func&);
  Status on_return_call_indirect(const binary::imm::CallIndirect&);
  Status on_return_call_ref(const binary::imm::Type&);

  Status on_throw_(const binary::imm::Tag&);
  Status on_throw_ref(const binary::imm::None&);
  Status on_try_table(const binary::imm::TryTable&);
  Status on_try_(const binary::imm::BlockType&);
  Status on_catch_(const binary::imm::Tag&);
  Status on_catch_all(const binary::imm::None&);
  Status on_delegate(const binary::imm::Label&);
  Status on_rethrow(const binary::imm::Label&);

  Status on_local_get(const binary::imm::Local& imm);
  Status on_local_set(const binary::imm::Local& imm);
  Status on_local_tee(const binary::imm::Local& imm);
  Status on_global_get(const binary::imm::Global&);
  Status on_global_set(const binary::imm::Global&);

  Status on_memory_init(const binary::imm::MemoryInit&);
  Status on_memory_copy(const binary::imm::MemoryCopy&);
  Status on_table_get(const binary::imm::Table&);
  Status on_table_set(const binary::imm::Table&);
  Status on_table_init(const binary::imm::TableInit&);
  Status on_elem_drop(const binary::imm::Elem&);
  Status on_table_copy(const binary::imm::TableCopy&);
  Status on_table_grow(const binary::imm::Table&);
  Status on_table_size(const binary::imm::Table&);
  Status on_table_fill(const binary::imm::Table&);

  Status on_ref_null(const binary::imm::HeapType&);
  Status on_ref_is_null(const binary::imm::None&);
  Status on_ref_func(const binary::imm::Func&);
  Status on_ref_eq(const binary::imm::None&);
  Status on_ref_as_non_null(const binary::imm::None&);
  Status on_br_on_null(const binary::imm::Label&);
  Status on_br_on_non_null(const binary::imm::Label&);
  Status on_ref_test(const binary::imm::HeapType&);
  Status on_ref_test_null(const binary::imm::HeapType&);
  Status on_ref_cast(const binary::imm::HeapType&);
  Status on_ref_cast_null(const binary::imm::HeapType&);
  Status on_br_on_cast(const binary::imm::BrOnCast&);
  Status on_br_on_cast_fail(const binary::imm::BrOnCast&);
  Status on_any_convert_extern(const binary::imm::None&);
  Status on_extern_convert_any(const binary::imm::None&);
  Status on_ref_i31(const binary::imm::None&);
  Status on_i31_get_s(const binary::imm::None&);
  Status on_i31_get_u(const binary::imm::None&);

  Status on_struct_new(const binary::imm::Type&);
  Status on_struct_new_default(const binary::imm::Type&);
  Status on_struct_get(const binary::imm::TypeField&);
  Status on_struct_get_s(const binary::imm::TypeField&);
  Status on_struct_get_u(const binary::imm::TypeField&);
  Status on_struct_set(const binary::imm::TypeField&);
  Status on_array_new(const binary::imm::Type&);
  Status on_array_new_default(const binary::imm::Type&);
  Status on_array_new_fixed(const binary::imm::TypeLen&);
  Status on_array_new_data(const binary::imm::TypeData&);
  Status on_array_new_elem(const binary::imm::TypeElem&);
  Status on_array_get(const binary::imm::Type&);
  Status on_array_get_s(const binary::imm::Type&);
  Status on_array_get_u(const binary::imm::Type&);
  Status on_array_set(const binary::imm::Type&);
  Status on_array_len(const binary::imm::None&);
  Status on_array_fill(const binary::imm::Type&);
  Status on_array_copy(const binary::imm::TypeType&);
  Status on_array_init_data(const binary::imm::TypeData&);
  Status on_array_init_elem(const binary::imm::TypeElem&);
  // clang-format on

  // Plain rows, by their immediate. Called by SignatureRules.
  template <class Imm>
  Status apply(const Signature& signature, const Imm&) {
    return apply_with(signature, ValType::Kind::bottom);  // constants: the value is no concern of ours
  }
  Status apply(const Signature& signature, const binary::imm::MemArg& imm);
  Status apply(const Signature& signature, const binary::imm::MemArgLane& imm);
  Status apply(const Signature& signature, const binary::imm::Memory& imm);
  Status apply(const Signature& signature, const binary::imm::Lane& imm);
  Status apply(const Signature& signature, const binary::imm::Shuffle& imm);
  Status apply(const Signature& signature, const binary::imm::Data& imm);

 private:
  enum class FrameKind : std::uint8_t { function, block, loop, if_, else_, try_, catch_, catch_all, try_table };
  struct Frame {
    FrameKind kind = FrameKind::block;
    bool visited = true;       ///< the visitor saw its opening
    bool unreachable = false;  ///< after a br, return, unreachable ...
    bool has_value = false;    ///< one result, `value`, instead of `type`
    ValType value;
    const spec::FuncType* type = nullptr;  ///< borrowed from the module
    std::size_t height = 0;                ///< operands below it
    std::size_t init_height = 0;           ///< locals that were set when it opened
    std::uint64_t br_table_mark = 0;       ///< number of the br_table that checked this label last

    Types params() const { return type != nullptr && kind != FrameKind::function ? Types(type->params) : Types(); }
    Types results() const { return has_value ? Types(&value, 1) : type != nullptr ? Types(type->results) : Types(); }
    /// What a branch to it takes.
    Types label() const { return kind == FrameKind::loop ? params() : results(); }
  };

  // Operands (operands.cpp).
  std::uint64_t at() const { return reader_.instruction_offset(); }
  /// Number of operands that this frame may pop.
  std::size_t available() const { return operands_.size() - height_; }
  bool is_unreachable() const { return control_.back().unreachable; }
  bool fits(ValType actual, ValType expected) const {
    return actual == expected || fits_by_subtyping(actual, expected);
  }
  bool fits_by_subtyping(ValType actual, ValType expected) const;
  bool all_fit(Types actual, Types expected) const;
  /// The top operands have these types; nothing is popped.
  Status check_top(Types expected);
  Status pop(Types expected);
  Status pop(ValType expected) {
    if (available() > 0 && operands_.peek(0) == expected) {
      operands_.pop(1);
      return {};
    }
    return pop(Types(&expected, 1));
  }
  /// Any type; bottom if there is none and the code is unreachable.
  Status pop_any(ValType& out);
  /// Any reference; (ref bot) under unreachable code.
  Status pop_ref(ValType& out);
  void push(ValType type) { operands_.push(type); }
  Status push_all(Types types);
  /// [operands] -> [results]
  Status apply_types(Types operands, Types results);
  Status apply_with(const Signature& signature, ValType::Kind address);
  Status apply_slow(const Signature& signature, ValType::Kind address);
  base::Error operand_error(Types expected) const;
  base::Error operand_class_error(const char* required) const;

  // Frames (control.cpp).
  Status push_frame(FrameKind kind, const binary::imm::BlockType& type);
  /// The operands are exactly the frame's results.
  Status close_arm();
  /// Starts another arm of the top frame: else, catch.
  void restart_arm(FrameKind kind);
  /// After close_arm: the frame goes, its results stay.
  Status pop_frame();
  void set_unreachable();
  Status check_label(spec::LabelDepth depth, const Frame*& out);
  Status check_block_type(const binary::imm::BlockType& type);
  Status open_block(FrameKind kind, const binary::imm::BlockType& type);
  void reset_locals(std::size_t init_height);

  // Index spaces. Each is an "unknown ..." error or sets `out`.
  Status check_type(ValType type) const;
  Status check_heap_type(spec::HeapType type) const;
  Status find_composite(spec::TypeIndex index, spec::CompositeKind kind, const spec::SubType*& out) const;
  Status find_func_type(spec::TypeIndex index, const spec::FuncType*& out) const;
  Status find_table(spec::TableIndex index, const spec::TableType*& out) const;
  Status find_memory(spec::MemIndex index, const spec::MemType*& out) const;
  Status find_elem(spec::ElemIndex index, ValType& out) const;
  Status check_data(spec::DataIndex index) const;
  Status find_tag(spec::TagIndex index, const spec::FuncType*& out) const;
  Status find_callee(spec::FuncIndex index, const spec::FuncType*& out) const;
  Status check_tail_results(const spec::FuncType& callee) const;
  Status find_indirect(const binary::imm::CallIndirect& imm, const spec::FuncType*& callee, ValType& address) const;

  // Locals (variables.cpp).
  Status declare_locals(Types params, std::span<const binary::LocalRun> runs);
  void mark_defaults_set(std::uint32_t params, std::span<const binary::LocalRun> runs);
  bool find_local(spec::LocalIndex index, ValType& out) const;
  /// Unknown, or not yet set.
  base::Error local_error(spec::LocalIndex index) const;
  bool is_local_set(std::uint32_t local) const { return (set_locals_[local / 64] >> (local % 64)) & 1; }
  void set_local(std::uint32_t local);

  bool is_good_access(const Signature& signature, const binary::imm::MemArg& imm) const;
  base::Error access_error(const Signature& signature, const binary::imm::MemArg& imm) const;
  Status check_lane(std::uint32_t lane, std::uint32_t lanes) const;
  Status check_catch(const binary::imm::Catch& clause);
  Status test_reference(spec::HeapType heap, ValType result);
  Status branch_on_cast(const binary::imm::BrOnCast& imm, ValType taken, ValType not_taken);

  // Aggregates (gc.cpp).
  /// Pops `count` operands of types type_at(0) ... type_at(count - 1).
  template <class TypeAt>
  Status pop_fields(std::size_t count, TypeAt&& type_at);
  Status find_field(const binary::imm::TypeField& imm, const spec::FieldType*& out) const;
  Status get_field(const binary::imm::TypeField& imm, bool extends);
  Status find_element(spec::TypeIndex index, const spec::FieldType*& out) const;
  Status find_mutable_element(spec::TypeIndex index, const spec::FieldType*& out) const;
  Status get_element(spec::TypeIndex index, bool extends);
  Status check_packed_access(const spec::FieldType& field, bool extends) const;
  Status check_default(const spec::FieldType& field) const;
  Status check_data_element(const spec::FieldType& element, spec::DataIndex data) const;
  Status check_elem_element(const spec::FieldType& element, spec::ElemIndex elem) const;

  const module::Module& module_;
  binary::BodyReader& reader_;
  spec::FuncIndex func_;
  std::uint64_t begin_offset_ = 0;

  OperandStack operands_;
  std::vector<Frame> control_;
  std::size_t height_ = 0;  ///< control_.back().height
  bool visiting_ = true;    ///< the top frame is visited and reachable

  std::uint32_t local_count_ = 0;
  std::vector<ValType> locals_;  ///< the first locals, flat; as many as the body's size pays for
  /// All runs of the declaration: end (exclusive) in the index space, and type.
  std::vector<binary::LocalRun> run_ends_;
  bool tracks_locals_ = false;             ///< some local has no default
  std::vector<std::uint64_t> set_locals_;  ///< bit per local, if tracks_locals_
  std::vector<std::uint32_t> init_stack_;  ///< locals without default in the order they were set
  std::uint64_t br_table_number_ = 0;
};

inline base::Status FunctionValidator::apply_with(const Signature& signature, ValType::Kind address) {
  const std::size_t count = signature.operand_count;
  if (__builtin_expect(available() < count, 0)) return apply_slow(signature, address);
  for (std::size_t i = 0; i < count; ++i) {
    const ValType::Kind letter = signature.operands[i];
    const ValType::Kind expected = letter == ValType::Kind::bottom ? address : letter;
    if (__builtin_expect(operands_.peek(count - 1 - i).kind() != expected, 0)) return apply_slow(signature, address);
  }
  operands_.pop(count);
  for (std::size_t i = 0; i < signature.result_count; ++i) {
    const ValType::Kind letter = signature.results[i];
    push(ValType::of(letter == ValType::Kind::bottom ? address : letter));
  }
  return {};
}

// https://webassembly.github.io/spec/core/valid/instructions.html#memory-arguments
inline bool FunctionValidator::is_good_access(const Signature& signature, const binary::imm::MemArg& imm) const {
  if (imm.memory.value >= module_.memories.size()) return false;
  const auto natural = static_cast<std::uint32_t>(std::countr_zero(signature.memory_bytes));
  if (signature.atomic ? imm.align_log2 != natural : imm.align_log2 > natural) return false;
  return imm.offset <= 0xffff'ffffu || module_.memories[imm.memory.value].type.address == spec::AddressType::i64;
}

inline base::Status FunctionValidator::apply(const Signature& signature, const binary::imm::MemArg& imm) {
  if (__builtin_expect(!is_good_access(signature, imm), 0)) return access_error(signature, imm);
  return apply_with(signature, spec::val_type_of(module_.memories[imm.memory.value].type.address).kind());
}

inline base::Status FunctionValidator::on_local_get(const binary::imm::Local& imm) {
  ValType type;
  if (__builtin_expect(!find_local(imm.local, type), 0)) return local_error(imm.local);
  if (__builtin_expect(tracks_locals_, 0) && !is_local_set(imm.local.value)) return local_error(imm.local);
  push(type);
  return {};
}

inline base::Status FunctionValidator::on_local_set(const binary::imm::Local& imm) {
  ValType type;
  if (__builtin_expect(!find_local(imm.local, type), 0)) return local_error(imm.local);
  HEDDLE_TRY(pop(type));
  if (__builtin_expect(tracks_locals_, 0)) set_local(imm.local.value);
  return {};
}

inline base::Status FunctionValidator::on_local_tee(const binary::imm::Local& imm) {
  HEDDLE_TRY(on_local_set(imm));
  ValType type;
  find_local(imm.local, type);
  push(type);
  return {};
}

inline bool FunctionValidator::find_local(spec::LocalIndex index, ValType& out) const {
  if (__builtin_expect(index.value < locals_.size(), 1)) {
    out = locals_[index.value];
    return true;
  }
  if (index.value >= local_count_) return false;
  std::size_t low = 0;
  for (std::size_t high = run_ends_.size(); low < high;) {  // first run that ends behind the index
    const std::size_t middle = low + (high - low) / 2;
    if (run_ends_[middle].count > index.value)
      high = middle;
    else
      low = middle + 1;
  }
  out = run_ends_[low].type;
  return true;
}

}  // namespace heddle::validate
