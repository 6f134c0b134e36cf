// The operand stack as the compiler sees it: each value is known by where it is (a constant, a register, its frame
// slot, a local not read yet, a compare whose flags wait), and code that moves it appears only when somebody needs it
// elsewhere. Also the locals (pinned in a register or in the frame) and the machine's registers, since all three trade
// places.
//
// Rules the rest of the compiler relies on:
//   - every value has a frame slot of its own (`slot`), fixed by the types below it: the place it goes to when spilled,
//     and where control-flow merges expect it;
//   - a temporary register holds at most one value; a value in a pinned register is a local, never a stack entry;
//   - flags wait only for the topmost value, and only until the next instruction that does not consume them;
//   - pop() hands the value's register to the caller ("held"), who releases it or pushes it again.
#pragma once

#include <vector>

#include "abi/vmctx.h"
#include "baseline/operand.h"
#include "baseline/x64/macro_assembler.h"

namespace heddle::baseline {

namespace machine = x64;

enum class Where : std::uint8_t { constant, reg, slot, local, flags };

struct Value {
  static constexpr std::uint32_t kNone = 0xffffffffu;
  Kind kind = Kind::i32;
  Where where = Where::constant;
  Reg reg;                           ///< if reg
  Cond cond = Cond::ne;              ///< if flags
  std::uint8_t scale_log2 = 0;       ///< the add that follows shall shift it left by this (in a register or pinned)
  std::uint32_t slot = 0;            ///< byte offset from rsp
  std::uint64_t bits = 0;            ///< if constant; i32 zero-extended; v128: index into v128_consts_
  std::uint32_t local = 0;           ///< if local
  std::uint32_t next_alias = kNone;  ///< if local: stack index of the next older value that names it

  bool is_const() const { return where == Where::constant; }
  bool is_reg() const { return where == Where::reg; }
  bool is_local(std::uint32_t l) const { return where == Where::local && local == l; }
};

struct LocalVar {
  Kind kind = Kind::i32;
  Reg pin;                 ///< if valid, the local lives there
  std::uint32_t slot = 0;  ///< byte offset from rsp; home of a local without pin, refuge of a pinned one around calls
  std::uint32_t alias_head = Value::kNone;  ///< topmost stack value that names it
};

/// Where the result of an operation goes: a temporary, or at once into the local that the next instruction sets.
struct Dest {
  static constexpr std::uint32_t kNoLocal = 0xffffffffu;
  Reg reg;
  std::uint32_t local = kNoLocal;
};

struct V128Const {
  std::uint64_t lo, hi;
};

class OperandState {
 protected:
  using MacroAssembler = machine::MacroAssembler;
  explicit OperandState(MacroAssembler& masm) : masm_(masm) {}

  void reset_operands();

  // Registers.
  Reg alloc_int(RegSet avoid = {}) { return alloc(RegSet::all_ints() - avoid); }
  Reg alloc_float(RegSet avoid = {}) { return alloc(RegSet::all_floats() - avoid); }
  Reg alloc_for(Kind kind, RegSet avoid = {}) { return is_float_class(kind) ? alloc_float(avoid) : alloc_int(avoid); }
  /// Takes this very temporary; a stack value in it moves elsewhere. It must not be held.
  void claim(Reg r);
  void free_reg(Reg r) { free_.add(r); }
  void release(const Value& v) {
    if (v.where == Where::reg) free_.add(v.reg);
  }

  // The stack.
  std::size_t height() const { return stack_.size(); }
  Value& top() { return stack_.back(); }
  void push(Value v);
  void push_const(Kind kind, std::uint64_t bits);
  void push_reg(Kind kind, Reg r);
  void push_slot(Kind kind);
  void push_local(std::uint32_t local, Kind kind);
  void push_local(std::uint32_t local) { push_local(local, locals_[local].kind); }
  void push_flags(Cond c);
  void push_dest(const Dest& d, Kind kind);
  /// Back where it was popped from (or on top of what is there now).
  void repush(const Value& v);
  Value pop();
  void drop_to(std::size_t height);
  /// Slot the next pushed value of this kind would get.
  std::uint32_t next_slot(Kind kind) const;

  // One popped value.
  /// In some register, possibly a pinned one: read only.
  Reg to_reg(Value& v, RegSet avoid = {});
  /// In a temporary that may be overwritten.
  Reg to_temp(Value& v, RegSet avoid = {});
  /// Moves it to dst; the value itself stays where it is.
  void load_to(const Value& v, Reg dst);
  /// As an instruction's source without moving it if possible; a wide constant goes to kScratch.
  Src source(Value& v);
  Src float_source(Value& v);
  /// A register or memory, never an immediate.
  Src source_no_imm(Value& v);
  bool in_temp(const Value& v) const { return v.where == Where::reg; }

  // Values on the stack.
  /// All values to their slots (constants stay, unless at or above `constants_from`).
  void flush(std::size_t constants_from = ~std::size_t{0});
  void spill(std::size_t index);
  /// All values in registers to their slots; the rest as it is.
  void spill_registers() { spill_registers_below(stack_.size()); }
  void spill_registers_below(std::size_t height);
  /// The waiting compare, if any, becomes 0 or 1 in a register.
  void settle_flags();
  /// Puts the stack value at `index` into exactly this register.
  void place(std::size_t index, Reg r);
  /// Writes a value (popped or not) to memory. May use the scratch registers, so `to` must not.
  void store_value(const Value& v, const Address& to);
  /// Copies a value into another one's slot through a scratch register.
  void copy_slot(Kind kind, std::uint32_t from, std::uint32_t to);

  // Locals.
  Address slot(std::uint32_t byte_offset) const {
    return Address::at(machine::kStack, static_cast<std::int32_t>(byte_offset));
  }
  /// The pinned local's register, loaded if a call had sent it to the frame.
  Reg pinned(std::uint32_t local);
  void mark_written(std::uint32_t local);
  /// Gives every stack value that names the local a place of its own, since the local is about to change.
  void detach_aliases(std::uint32_t local);
  /// Everything a call destroys is in the frame / is known to be only there.
  void save_pins();
  void forget_pins() { pin_valid_ = pin_valid_ - caller_pins_; }
  void load_pins();

  MacroAssembler& masm_;
  std::vector<Value> stack_;
  std::vector<LocalVar> locals_;
  std::vector<V128Const> v128_consts_;
  RegSet temps_, free_;
  RegSet caller_pins_;  ///< pinned registers that calls destroy
  RegSet pin_valid_;    ///< pinned registers that hold their local
  RegSet slot_valid_;   ///< pinned registers whose local's slot is up to date
  std::uint32_t pin_local_[kRegCount] = {};
  std::uint32_t operand_base_ = 0;  ///< where operand slots begin
  std::uint32_t operand_end_ = 0;   ///< highest slot byte used so far
  bool flags_wait_ = false;
  /// An operation held every temporary: our own mistake, and the code is useless. The tier then answers Unsupported
  /// rather than end a user's process; debug builds stop at the place.
  bool exhausted_ = false;

 private:
  static constexpr std::uint32_t kHeld = 0xffffffffu;
  Reg alloc(RegSet from);
  void store_to_slot(Value& v);
  void touch(const Value& v) {
    if (v.slot + size_of(v.kind) > operand_end_) operand_end_ = v.slot + size_of(v.kind);
  }

  std::uint32_t owner_[kRegCount] = {};  ///< stack index of the value in it, or kHeld
  std::size_t flushed_ = 0;              ///< values below are constants or in their slots
};

}  // namespace heddle::baseline
