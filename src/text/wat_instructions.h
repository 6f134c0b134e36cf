// Instruction sequences: plain, folded and nested, in one loop over a stack of its own (no recursion on input).
//
// Folded instructions come out behind their operands. Until its parenthesis closes, such an instruction waits in a
// buffer that grows and shrinks like the nesting, so each byte moves once:
//
//   (i32.add (local.get 0) (i32.const 1))       waiting: [i32.add] -> [i32.add][local.get 0] -> flush ...
//
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/cursor.h"
#include "text/labels.h"
#include "text/module_context.h"
#include "text/wat_immediates.h"

namespace heddle::text {

/// Where an instruction of a body with a branch hint lies (bytes from the start of the body, locals included).
struct BranchHint {
  std::uint32_t byte_offset = 0;
  std::uint8_t value = 0;
};

class InstructionParser {
 public:
  InstructionParser(Cursor& cursor, ModuleContext& module)
      : cursor_(cursor), module_(module), immediates_(cursor, module, labels_, locals_) {}

  /// Names that local.get and its like may use; the caller fills it for each function.
  SymbolTable& locals() { return locals_; }

  /// Instructions up to the parenthesis that ends the function, with the final `end`. Hints go to `hints`.
  void body(CodeBuffer& out, std::vector<BranchHint>& hints);
  /// The same outside functions: all up to a closing parenthesis, or exactly one folded instruction.
  void expression(CodeBuffer& out);
  void folded_expression(CodeBuffer& out);

 private:
  enum class State : std::uint8_t {
    base,              ///< up to the parenthesis that closes what is around
    one,               ///< exactly one folded instruction
    plain_block,       ///< block, loop, try_table ... end
    plain_if,          ///< if ... else|end
    plain_else,        ///< else ... end
    plain_try,         ///< legacy: try ... catch|catch_all|delegate|end
    plain_catch,       ///< catch ... catch|catch_all|end
    plain_catch_all,   ///< catch_all ... end
    folded_operator,   ///< (op operand*)
    folded_block,      ///< (block instr*)
    folded_if,         ///< (if operand*, then not seen
    folded_then,       ///< (then instr*)
    after_then,        ///< (if ... (then ...), else may follow
    folded_else,       ///< (else instr*)
    after_else,        ///< only the parenthesis may follow
    folded_try,        ///< legacy: (try, do not seen
    folded_do,         ///< (do instr*)
    after_do,          ///< (catch ...)*, (catch_all ...) or (delegate l) may follow
    folded_catch,      ///< (catch tag instr*) or (catch_all instr*)
    folded_delegated,  ///< only the parenthesis may follow
  };
  struct Frame {
    State state = State::base;
    bool saw_catch = false;
    bool saw_catch_all = false;
    std::optional<std::uint8_t> hint;
    std::uint32_t source_offset = 0;
    std::uint32_t waiting = 0;  ///< where this instruction begins in waiting_
    std::string_view label;     ///< of if and try, whose label comes later than their name
  };

  void run(CodeBuffer& out, State state, std::vector<BranchHint>* hints);
  Frame& top() { return frames_.back(); }
  void push(State state, std::uint32_t source_offset);
  bool takes_plain_instructions() const;
  const spec::OpcodeInfo* instruction_here();

  void plain();
  void plain_else();
  void plain_end();
  void plain_catch(bool all);
  void plain_delegate();
  void check_end_label();
  void block(const spec::OpcodeInfo& row, bool folded, std::uint32_t offset);

  void open();
  void open_folded();
  void open_arm();
  void open_try_arm();
  void close();

  void emit(spec::Opcode opcode, std::uint32_t source_offset);
  void flush_waiting();
  void note_hint(const std::optional<std::uint8_t>& hint, const spec::OpcodeInfo& row);
  std::optional<std::uint8_t> take_hint(std::uint32_t& offset);

  Cursor& cursor_;
  ModuleContext& module_;
  Labels labels_;
  SymbolTable locals_;
  Immediates immediates_;
  std::vector<Frame> frames_;
  binary::Encoder waiting_;
  CodeBuffer* out_ = nullptr;
  std::vector<BranchHint>* hints_ = nullptr;
};

}  // namespace heddle::text
