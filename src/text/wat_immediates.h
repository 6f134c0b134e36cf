// One instruction of the text format with its immediates -> the binary format. The kind of immediate (opcodes.def,
// column imm) chooses the reader. Knows nothing of nesting or folding.
#pragma once

#include <array>
#include <cstdint>

#include "binary/encoder.h"
#include "spec/opcodes.h"
#include "text/cursor.h"
#include "text/labels.h"
#include "text/module_context.h"

namespace heddle::text {

/// (v128.const shape lane*): the shape's word, how many lanes, how wide.
struct VectorShape {
  std::string_view word;
  std::uint8_t lanes;
  std::uint8_t lane_bits;
  bool is_float;
};
/// Shape of a word, or nullptr.
const VectorShape* find_vector_shape(std::string_view word);
/// Number literals of the right range, as bits in the low end; "constant out of range" otherwise.
std::uint64_t parse_number(Cursor& cursor, unsigned bits, bool is_float);

class Immediates {
 public:
  Immediates(Cursor& cursor, ModuleContext& module, Labels& labels, const SymbolTable& locals)
      : cursor_(cursor), module_(module), labels_(labels), locals_(locals) {}

  /// The cursor is behind the instruction's word. Writes opcode and immediates.
  void write(const spec::OpcodeInfo& row, binary::Encoder& out);

  /// Also for blocks: their type, and a label.
  void write_block_type(binary::Encoder& out);
  std::uint32_t parse_label();
  void write_catches(binary::Encoder& out);
  std::uint32_t parse_tag();

 private:
  std::uint32_t parse_local();
  std::uint32_t parse_field(std::uint32_t type);
  std::uint8_t parse_lane();
  void write_call_indirect(binary::Encoder& out);
  void write_br_table(binary::Encoder& out);
  void write_select(binary::Encoder& out);
  void write_ref_test(const spec::OpcodeInfo& row, binary::Encoder& out);
  void write_br_on_cast(binary::Encoder& out);
  void write_pair(const IndexSpace& first, const IndexSpace& second, binary::Encoder& out);
  void write_init(const IndexSpace& segments, const IndexSpace& spaces, binary::Encoder& out);
  void write_memarg(const spec::OpcodeInfo& row, bool has_lane, binary::Encoder& out);
  void write_vector(binary::Encoder& out);
  void write_shuffle(binary::Encoder& out);
  std::uint32_t parse_data();

  Cursor& cursor_;
  ModuleContext& module_;
  Labels& labels_;
  const SymbolTable& locals_;
};

}  // namespace heddle::text
