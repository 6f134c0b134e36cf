// One walk for all: decodes a function body (or constant expression) and calls a visitor once per instruction.
//
// walk_instruction(reader, visitor) reads one opcode with its immediates and calls visitor.on_<name>(imm), for example
// on_i32_add(imm::None), on_br_table(const imm::BrTable&). A visitor without a handler does not compile. Handlers
// return base::Status. CategoryVisitor<Self> supplies every on_<name> by forwarding to on_<Family>(Opcode, imm), so
// that a reader overrides one opcode (by defining on_<name> itself) or a whole family.
//
// BodyReader checks only that the bytes are well-formed (opcode known and its feature on, integers short enough,
// reserved bytes zero); meaning is the validator's.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "base/result.h"
#include "binary/immediates.h"
#include "binary/reader.h"
#include "module/module.h"
#include "spec/opcodes.h"

namespace heddle::binary {

/// A run of locals of one type, as the body declares them.
struct LocalRun {
  std::uint32_t count = 0;
  spec::ValType type;
};

/// Feature that a plain opcode needs; kCount if the byte is a prefix or no opcode.
extern const std::array<spec::Feature, 256> kPlainOpcodeFeatures;

class BodyReader {
 public:
  /// `range` lies in module.bytes(). The module must outlive the reader. If the bytes cannot be had any more, the range
  /// is empty: no body and no expression is.
  BodyReader(const module::Module& m, base::ByteRange range)
      : module_(m),
        reader_(m.bytes(), {range.begin, m.bytes().size()}),
        end_(m.wire->need(range) ? range.end : range.begin) {}

  /// Reads what is in memory already, from `begin` to wherever it ends.
  static BodyReader to_the_end(const module::Module& m, std::uint64_t begin) {
    BodyReader reader(m, {begin, begin});
    reader.end_ = m.bytes().size();
    return reader;
  }

  const module::Module& module() const { return module_; }
  std::uint64_t offset() const { return reader_.offset(); }
  /// An immediate may run past the range (it is read up to the module's end); then no further opcode can be read, so
  /// that a body is well-formed only if its final `end` is the range's last byte.
  bool at_end() const { return reader_.offset() >= end_; }

  /// Constant expressions stand in front of the data count section, and only function bodies need it.
  void in_constant_expression() { data_count_matters_ = false; }

  /// The vector of local declarations in front of a body. The sum (with `params`) is checked against kMaxFunctionLocals
  /// ("too many locals") before anything is reserved for it. Storage is reused.
  base::Result<std::span<const LocalRun>> local_runs(std::uint32_t params);

  /// Opcode of the next instruction; its offset is kept in instruction_offset(). Error "illegal opcode" if unknown or
  /// off. At the end of the range: what the suite expects there.
  bool read_opcode(spec::Opcode& out, base::Error& error) {
    instruction_offset_ = reader_.offset();
    if (__builtin_expect(instruction_offset_ < end_, 1)) {
      const std::uint8_t byte = *reader_.cursor();
      const spec::Feature feature = kPlainOpcodeFeatures[byte];
      if (__builtin_expect(feature != spec::Feature::kCount && module_.features.has(feature), 1)) {
        reader_.advance(1);
        out = static_cast<spec::Opcode>(byte);
        return true;
      }
    }
    return read_other_opcode(out, error);
  }
  std::uint64_t instruction_offset() const { return instruction_offset_; }
  /// Where a walk may let errors be written, instead of making one for each instruction.
  base::Error& error_slot() { return error_; }

  // One reader for each kind of immediate; false and `error` set on failure.
  bool read(imm::None&, base::Error&) { return true; }
  bool read(imm::BlockType&, base::Error&);
  bool read(imm::Label& out, base::Error& error) { return index(out.depth.value, error); }
  bool read(imm::BrTable&, base::Error&);
  bool read(imm::Func& out, base::Error& error) { return index(out.func.value, error); }
  bool read(imm::CallIndirect&, base::Error&);
  bool read(imm::Type&, base::Error&);
  bool read(imm::Local& out, base::Error& error) { return index(out.local.value, error); }
  bool read(imm::Global& out, base::Error& error) { return index(out.global.value, error); }
  bool read(imm::Table&, base::Error&);
  bool read(imm::TableCopy&, base::Error&);
  bool read(imm::TableInit&, base::Error&);
  bool read(imm::Elem&, base::Error&);
  bool read(imm::Data&, base::Error&);
  bool read(imm::Memory&, base::Error&);
  bool read(imm::MemoryCopy&, base::Error&);
  bool read(imm::MemoryInit&, base::Error&);
  bool read(imm::MemArg&, base::Error&);
  bool read(imm::MemArgLane&, base::Error&);
  bool read(imm::Lane&, base::Error&);
  bool read(imm::Shuffle&, base::Error&);
  bool read(imm::V128Const&, base::Error&);
  bool read(imm::I32Const& out, base::Error& error) { return reader_.leb(out.value, error); }
  bool read(imm::I64Const&, base::Error&);
  bool read(imm::F32Const&, base::Error&);
  bool read(imm::F64Const&, base::Error&);
  bool read(imm::HeapType&, base::Error&);
  bool read(imm::SelectTypes&, base::Error&);
  bool read(imm::Tag&, base::Error&);
  bool read(imm::TryTable&, base::Error&);
  bool read(imm::Fence&, base::Error&);
  bool read(imm::TypeField&, base::Error&);
  bool read(imm::TypeLen&, base::Error&);
  bool read(imm::TypeData&, base::Error&);
  bool read(imm::TypeElem&, base::Error&);
  bool read(imm::TypeType&, base::Error&);
  bool read(imm::BrOnCast&, base::Error&);

 private:
  /// Prefixed opcodes, and all that is wrong with an opcode.
  bool read_other_opcode(spec::Opcode& out, base::Error& error);
  bool fail(base::Error& out, base::Error error) const;
  bool index(std::uint32_t& out, base::Error& error) { return reader_.leb(out, error); }
  bool byte(std::uint8_t& out, base::Error& error);
  bool bytes(std::uint8_t* out, std::uint64_t size_bytes, base::Error& error);
  /// Length of a vector whose elements lie in the range.
  bool vector_length(std::uint32_t& out, base::Error& error);
  bool memory_index(std::uint32_t& out, base::Error& error);
  bool table_index(std::uint32_t& out, base::Error& error);
  bool data_index(std::uint32_t& out, base::Error& error);
  bool sub_opcode(std::uint32_t& code, base::Error& error);

  const module::Module& module_;
  Reader reader_;
  std::uint64_t end_;
  base::Error error_;
  std::uint64_t instruction_offset_ = 0;
  bool data_count_matters_ = true;
  std::vector<LocalRun> runs_;
  std::vector<std::uint32_t> targets_;
  std::vector<spec::ValType> types_;
  std::vector<imm::Catch> catches_;
};

/// Names of the immediate structs by their column value, so that the table can name them.
namespace imm_by_kind {
using none = imm::None;
using block_type = imm::BlockType;
using label = imm::Label;
using br_table = imm::BrTable;
using func = imm::Func;
using call_indirect = imm::CallIndirect;
using type = imm::Type;
using local = imm::Local;
using global = imm::Global;
using table = imm::Table;
using table_copy = imm::TableCopy;
using table_init = imm::TableInit;
using elem = imm::Elem;
using data = imm::Data;
using memory = imm::Memory;
using memory_copy = imm::MemoryCopy;
using memory_init = imm::MemoryInit;
using memarg = imm::MemArg;
using memarg_lane = imm::MemArgLane;
using lane = imm::Lane;
using shuffle = imm::Shuffle;
using v128_const = imm::V128Const;
using i32_const = imm::I32Const;
using i64_const = imm::I64Const;
using f32_const = imm::F32Const;
using f64_const = imm::F64Const;
using heap_type = imm::HeapType;
using select_types = imm::SelectTypes;
using tag = imm::Tag;
using try_table = imm::TryTable;
using fence = imm::Fence;
using type_field = imm::TypeField;
using type_len = imm::TypeLen;
using type_data = imm::TypeData;
using type_elem = imm::TypeElem;
using type_type = imm::TypeType;
using br_on_cast = imm::BrOnCast;
}  // namespace imm_by_kind

/// Reads one instruction and calls its handler.
template <class Visitor>
base::Status walk_instruction(BodyReader& reader, Visitor& visitor) {
  spec::Opcode opcode;
  base::Error& error = reader.error_slot();
  if (!reader.read_opcode(opcode, error)) return error;
  switch (opcode) {
#define OP(name, code, text, imm_kind, signature, memory, family, feature) \
  case spec::Opcode::name: {                                               \
    imm_by_kind::imm_kind immediate;                                       \
    if (!reader.read(immediate, error)) return error;                      \
    return visitor.on_##name(immediate);                                   \
  }
#include "spec/opcodes.def"
  }
  HEDDLE_UNREACHABLE("read_opcode returns only opcodes of the table");
}

/// Forwards on_<name>(imm) to self().on_<Family>(Opcode, imm).
template <class Self>
class CategoryVisitor {
 public:
#define OP(name, code, text, imm_kind, signature, memory, family, feature)       \
  base::Status on_##name(const imm_by_kind::imm_kind& immediate) {               \
    return static_cast<Self*>(this)->on_##family(spec::Opcode::name, immediate); \
  }
#include "spec/opcodes.def"
};

}  // namespace heddle::binary
