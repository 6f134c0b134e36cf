// What follows an opcode, decoded: one struct for each kind of immediate in opcodes.def (column `imm`).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "spec/types.h"

namespace heddle::binary::imm {

struct None {};

/// Core spec, Block Types: empty, one value type, or a function type's index.
struct BlockType {
  enum class Form : std::uint8_t { empty, value, type_index } form = Form::empty;
  spec::ValType value;
  spec::TypeIndex type;
};
struct Label {
  spec::LabelDepth depth;
};
/// Valid until the next instruction is read (the reader owns the storage).
struct BrTable {
  std::span<const std::uint32_t> targets;  ///< label depths
  spec::LabelDepth default_target;
};
struct Func {
  spec::FuncIndex func;
};
struct CallIndirect {
  spec::TypeIndex type;
  spec::TableIndex table;
};
struct Type {
  spec::TypeIndex type;
};
struct Local {
  spec::LocalIndex local;
};
struct Global {
  spec::GlobalIndex global;
};
struct Table {
  spec::TableIndex table;
};
struct TableCopy {
  spec::TableIndex dst;
  spec::TableIndex src;
};
struct TableInit {
  spec::ElemIndex elem;
  spec::TableIndex table;
};
struct Elem {
  spec::ElemIndex elem;
};
struct Data {
  spec::DataIndex data;
};
struct Memory {
  spec::MemIndex memory;
};
struct MemoryCopy {
  spec::MemIndex dst;
  spec::MemIndex src;
};
struct MemoryInit {
  spec::DataIndex data;
  spec::MemIndex memory;
};
/// align_log2 is as written (not yet checked); offset in bytes.
struct MemArg {
  std::uint32_t align_log2 = 0;
  spec::MemIndex memory;
  std::uint64_t offset = 0;
};
struct MemArgLane {
  MemArg memarg;
  std::uint8_t lane = 0;
};
struct Lane {
  std::uint8_t lane = 0;
};
struct Shuffle {
  std::array<std::uint8_t, 16> lanes{};
};
struct V128Const {
  std::array<std::uint8_t, 16> bytes{};
};
struct I32Const {
  std::int32_t value = 0;
};
struct I64Const {
  std::int64_t value = 0;
};
/// Bits, so that NaN payloads survive.
struct F32Const {
  std::uint32_t bits = 0;
};
struct F64Const {
  std::uint64_t bits = 0;
};
struct HeapType {
  spec::HeapType heap;
};
/// Exactly the annotated types; valid until the next instruction is read.
struct SelectTypes {
  std::span<const spec::ValType> types;
};
struct Tag {
  spec::TagIndex tag;
};
/// Core spec, Catch clauses: kind 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref.
struct Catch {
  enum class Kind : std::uint8_t { catch_ = 0, catch_ref = 1, catch_all = 2, catch_all_ref = 3 } kind = Kind::catch_;
  spec::TagIndex tag;  ///< if catch_ or catch_ref
  spec::LabelDepth label;
};
/// Valid until the next instruction is read.
struct TryTable {
  BlockType type;
  std::span<const Catch> catches;
};
struct Fence {};
struct TypeField {
  spec::TypeIndex type;
  spec::FieldIndex field;
};
struct TypeLen {
  spec::TypeIndex type;
  std::uint32_t length = 0;
};
struct TypeData {
  spec::TypeIndex type;
  spec::DataIndex data;
};
struct TypeElem {
  spec::TypeIndex type;
  spec::ElemIndex elem;
};
struct TypeType {
  spec::TypeIndex dst;
  spec::TypeIndex src;
};
/// br_on_cast, br_on_cast_fail: (ref null1? ht1) to (ref null2? ht2).
struct BrOnCast {
  spec::LabelDepth depth;
  spec::ValType from;
  spec::ValType to;
};

}  // namespace heddle::binary::imm
