// See wat_instructions.h.
#include "text/wat_instructions.h"

#include <fmt/core.h>

#include "text/keywords.h"

namespace heddle::text {

using spec::Opcode;
using spec::OpcodeInfo;

namespace {

/// Parts of blocks that have a row of their own but are no instructions.
bool is_delimiter(Opcode opcode) {
  return opcode == Opcode::else_ || opcode == Opcode::end || opcode == Opcode::catch_ || opcode == Opcode::catch_all ||
         opcode == Opcode::delegate;
}

bool can_be_hinted(Opcode opcode) {
  return opcode == Opcode::if_ || opcode == Opcode::br_if;
}

}  // namespace

void InstructionParser::body(CodeBuffer& out, std::vector<BranchHint>& hints) {
  run(out, State::base, &hints);
}
void InstructionParser::expression(CodeBuffer& out) {
  run(out, State::base, nullptr);
}
void InstructionParser::folded_expression(CodeBuffer& out) {
  run(out, State::one, nullptr);
}

void InstructionParser::run(CodeBuffer& out, State state, std::vector<BranchHint>* hints) {
  out_ = &out;
  hints_ = hints;
  labels_.clear();
  labels_.push({});  // the function's own
  frames_.clear();
  waiting_.bytes().clear();
  push(state, cursor_.offset());
  do {
    switch (cursor_.kind()) {
      case TokenKind::open: open(); break;
      case TokenKind::keyword: plain(); break;
      case TokenKind::close:
        if (frames_.size() != 1) {
          close();
          break;
        }
        [[fallthrough]];
      default:
        if (frames_.size() == 1 && state == State::base && cursor_.at(TokenKind::close)) {
          out_->mark(cursor_.offset());
          out_->enc.op(Opcode::end);
          return;
        }
        cursor_.unexpected("an instruction");
    }
  } while (!cursor_.failed() && !(state == State::one && frames_.size() == 1));
  out_->mark(cursor_.offset());
  out_->enc.op(Opcode::end);
}

void InstructionParser::push(State state, std::uint32_t source_offset) {
  Frame frame;
  frame.state = state;
  frame.source_offset = source_offset;
  frame.waiting = static_cast<std::uint32_t>(waiting_.size_bytes());
  frames_.push_back(frame);
}

bool InstructionParser::takes_plain_instructions() const {
  switch (frames_.back().state) {
    case State::base:
    case State::plain_block:
    case State::plain_if:
    case State::plain_else:
    case State::plain_try:
    case State::plain_catch:
    case State::plain_catch_all:
    case State::folded_block:
    case State::folded_then:
    case State::folded_else:
    case State::folded_do:
    case State::folded_catch: return true;
    case State::one:
    case State::folded_operator:
    case State::folded_if:
    case State::after_then:
    case State::after_else:
    case State::folded_try:
    case State::after_do:
    case State::folded_delegated: return false;
  }
  HEDDLE_UNREACHABLE("all states are listed");
}

void InstructionParser::emit(Opcode opcode, std::uint32_t source_offset) {
  out_->mark(source_offset);
  out_->enc.op(opcode);
}

/// The instruction that waits in the top frame goes out.
void InstructionParser::flush_waiting() {
  const Frame& frame = top();
  if (frame.hint && hints_ != nullptr)
    hints_->push_back({static_cast<std::uint32_t>(out_->enc.size_bytes()), *frame.hint});
  out_->mark(frame.source_offset);
  std::vector<std::uint8_t>& waiting = waiting_.bytes();
  std::vector<std::uint8_t>& bytes = out_->enc.bytes();
  bytes.insert(bytes.end(), waiting.begin() + frame.waiting, waiting.end());
  waiting.resize(frame.waiting);
}

std::optional<std::uint8_t> InstructionParser::take_hint(std::uint32_t& offset) {
  offset = cursor_.offset();
  if (module_.annotations.empty() || hints_ == nullptr) return std::nullopt;
  return module_.annotations.take_branch_hint(cursor_);
}

/// A plain instruction with a hint is about to be written.
void InstructionParser::note_hint(const std::optional<std::uint8_t>& hint, const OpcodeInfo& row) {
  if (!hint) return;
  if (!can_be_hinted(row.opcode)) {
    cursor_.fail(cursor_.offset(), "@metadata.code.branch_hint annotation: invalid target", base::ErrorKind::invalid);
  } else if (hints_ != nullptr) {
    hints_->push_back({static_cast<std::uint32_t>(out_->enc.size_bytes()), *hint});
  }
}

/// Row of the word here; an error if there is none, or if it needs a feature that is off.
const OpcodeInfo* InstructionParser::instruction_here() {
  const OpcodeInfo* row = cursor_.at(TokenKind::keyword) ? find_instruction(cursor_.text()) : nullptr;
  if (row == nullptr) {
    cursor_.unexpected("an instruction");
  } else if (!module_.features.has(row->feature)) {
    cursor_.fail(cursor_.offset(),
                 fmt::format("unknown operator {}: feature {} is off", row->text(), spec::feature_name(row->feature)));
    return nullptr;
  }
  return row;
}

// ---- Plain instructions
// ----------------------------------------------------------------------------------------------

void InstructionParser::plain() {
  if (!takes_plain_instructions()) return cursor_.unexpected("( or )");
  const std::string_view word = cursor_.text();
  if (word == "end") return plain_end();
  if (word == "else") return plain_else();
  if (word == "delegate") return plain_delegate();
  if (word == "catch" || word == "catch_all") return plain_catch(word == "catch_all");
  std::uint32_t offset = 0;
  const std::optional<std::uint8_t> hint = take_hint(offset);
  const OpcodeInfo* row = instruction_here();
  if (row == nullptr) return;
  note_hint(hint, *row);
  cursor_.advance();
  if (row->imm == spec::ImmKind::block_type || row->imm == spec::ImmKind::try_table) return block(*row, false, offset);
  out_->mark(offset);
  immediates_.write(*row, out_->enc);
}

/// block, loop, if (plain), try (plain), try_table: behind the word.
void InstructionParser::block(const OpcodeInfo& row, bool folded, std::uint32_t offset) {
  const std::string_view label = cursor_.take_id();
  out_->mark(offset);
  immediates_.write(row, out_->enc);
  State state = folded ? State::folded_block : State::plain_block;
  if (row.opcode == Opcode::if_) state = State::plain_if;
  if (row.opcode == Opcode::try_) state = State::plain_try;
  push(state, offset);
  labels_.push(label);
}

/// end, else and catch may repeat the block's label.
void InstructionParser::check_end_label() {
  const std::uint32_t offset = cursor_.offset();
  const std::string_view label = cursor_.take_id();
  if (!label.empty() && label != labels_.innermost()) cursor_.fail(offset, fmt::format("mismatching label ${}", label));
}

void InstructionParser::plain_else() {
  if (top().state != State::plain_if) return cursor_.fail(cursor_.offset(), "unexpected token else");
  top().state = State::plain_else;
  out_->mark(cursor_.offset());
  out_->enc.op(Opcode::else_);
  cursor_.advance();
  check_end_label();
}

void InstructionParser::plain_end() {
  const State state = top().state;
  if (state < State::plain_block || state > State::plain_catch_all)
    return cursor_.fail(cursor_.offset(), "unexpected token end");
  out_->mark(cursor_.offset());
  out_->enc.op(Opcode::end);
  cursor_.advance();
  check_end_label();
  frames_.pop_back();
  labels_.pop();
}

void InstructionParser::plain_catch(bool all) {
  const State state = top().state;
  if (state != State::plain_try && state != State::plain_catch) return cursor_.unexpected("an instruction or end");
  const std::uint32_t offset = cursor_.offset();
  cursor_.advance();
  out_->mark(offset);
  if (all) {
    check_end_label();
    out_->enc.op(Opcode::catch_all);
  } else {
    // Either the label again and then the tag, or the tag alone.
    if (cursor_.at(TokenKind::id) && Cursor::is_index(cursor_.ahead(1))) check_end_label();
    out_->enc.op(Opcode::catch_).u32(immediates_.parse_tag());
  }
  top().state = all ? State::plain_catch_all : State::plain_catch;
}

void InstructionParser::plain_delegate() {
  if (top().state != State::plain_try) return cursor_.unexpected("an instruction or end");
  emit(Opcode::delegate, cursor_.offset());
  cursor_.advance();
  frames_.pop_back();
  labels_.pop();  // counted from outside the try
  out_->enc.u32(immediates_.parse_label());
}

// ---- Folded instructions
// ---------------------------------------------------------------------------------------------

void InstructionParser::open() {
  switch (top().state) {
    case State::folded_if:
      if (cursor_.at_open("then")) return open_arm();
      return open_folded();
    case State::after_then:
      if (cursor_.at_open("else")) return open_arm();
      return cursor_.unexpected("(else ...) or )");
    case State::folded_try:
    case State::after_do: return open_try_arm();
    case State::after_else:
    case State::folded_delegated: return cursor_.unexpected(")");
    default: return open_folded();
  }
}

void InstructionParser::open_folded() {
  std::uint32_t offset = 0;
  const std::optional<std::uint8_t> hint = take_hint(offset);
  cursor_.advance();
  const std::uint32_t word_offset = cursor_.offset();
  const OpcodeInfo* row = instruction_here();
  if (row == nullptr) return;
  if (hint && !can_be_hinted(row->opcode)) return note_hint(hint, *row);
  if (is_delimiter(row->opcode)) return cursor_.unexpected("an instruction");
  cursor_.advance();
  if (row->opcode == Opcode::if_ || row->opcode == Opcode::try_) {
    const bool is_if = row->opcode == Opcode::if_;
    push(is_if ? State::folded_if : State::folded_try, word_offset);
    top().label = cursor_.take_id();
    top().hint = hint;
    immediates_.write(*row, waiting_);
    // The operands of an if come first; a try has none.
    if (!is_if) flush_waiting();
  } else if (row->imm == spec::ImmKind::block_type || row->imm == spec::ImmKind::try_table) {
    block(*row, true, word_offset);
  } else {
    push(State::folded_operator, word_offset);
    top().hint = hint;
    immediates_.write(*row, waiting_);
  }
}

/// (then or (else.
void InstructionParser::open_arm() {
  cursor_.advance();
  const std::uint32_t offset = cursor_.offset();
  cursor_.advance();
  if (top().state == State::folded_if) {
    flush_waiting();
    labels_.push(top().label);
    top().state = State::after_then;
    push(State::folded_then, offset);
  } else {
    out_->mark(offset);
    out_->enc.op(Opcode::else_);
    top().state = State::after_else;
    push(State::folded_else, offset);
  }
}

/// (do, (catch, (catch_all or (delegate of a legacy try.
void InstructionParser::open_try_arm() {
  const State state = top().state;
  cursor_.advance();
  const std::uint32_t offset = cursor_.offset();
  const std::string_view word = cursor_.at(TokenKind::keyword) ? cursor_.text() : std::string_view();
  const bool is_do = word == "do";
  const bool is_catch = word == "catch" || word == "catch_all" || word == "delegate";
  if (state == State::folded_try ? !is_do : !is_catch || top().saw_catch_all)
    return cursor_.unexpected(state == State::folded_try ? "do" : "catch, catch_all or delegate");
  cursor_.advance();
  if (is_do) {
    labels_.push(top().label);
    top().state = State::after_do;
    push(State::folded_do, offset);
  } else if (word == "delegate") {
    if (top().saw_catch) return cursor_.fail(offset, "unexpected token delegate behind catch");
    labels_.pop();
    emit(Opcode::delegate, offset);
    out_->enc.u32(immediates_.parse_label());
    cursor_.expect_close();
    top().state = State::folded_delegated;
  } else {
    top().saw_catch = true;
    top().saw_catch_all = word == "catch_all";
    out_->mark(offset);
    if (word == "catch_all")
      out_->enc.op(Opcode::catch_all);
    else
      out_->enc.op(Opcode::catch_).u32(immediates_.parse_tag());
    push(State::folded_catch, offset);
  }
}

void InstructionParser::close() {
  const Frame frame = top();
  auto end_block = [&] {
    out_->mark(cursor_.offset());
    out_->enc.op(Opcode::end);
    labels_.pop();
  };
  switch (frame.state) {
    case State::folded_operator: flush_waiting(); break;
    case State::folded_block:
    case State::after_then:
    case State::after_else:
    case State::after_do: end_block(); break;
    case State::folded_then:
    case State::folded_else:
    case State::folded_do:
    case State::folded_catch:
    case State::folded_delegated: break;
    case State::base:
    case State::one:
    case State::plain_block:
    case State::plain_if:
    case State::plain_else:
    case State::plain_try:
    case State::plain_catch:
    case State::plain_catch_all: return cursor_.unexpected("end");
    case State::folded_if: return cursor_.unexpected("(then ...)");
    case State::folded_try: return cursor_.unexpected("(do ...)");
  }
  cursor_.advance();
  frames_.pop_back();
}

// ---- Catch clauses of try_table
// --------------------------------------------------------------------------------------

void Immediates::write_catches(binary::Encoder& out) {
  std::uint32_t count = 0;
  binary::Encoder clauses;
  for (;; ++count) {
    std::uint8_t kind = 0;
    if (cursor_.take_open("catch"))
      kind = 0;
    else if (cursor_.take_open("catch_ref"))
      kind = 1;
    else if (cursor_.take_open("catch_all"))
      kind = 2;
    else if (cursor_.take_open("catch_all_ref"))
      kind = 3;
    else
      break;
    clauses.byte(kind);
    if (kind < 2) clauses.u32(parse_tag());
    clauses.u32(parse_label());
    cursor_.expect_close();
  }
  out.u32(count).raw(clauses.bytes());
}

}  // namespace heddle::text
