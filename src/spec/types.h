// The types of the core specification (Structure, Types), as plain values.
// A concrete heap type is a TypeIndex of the module at hand; identity across modules is module::CanonicalType.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/strong_index.h"

namespace heddle::spec {

struct TypeIndexTag;
struct FuncIndexTag;
struct TableIndexTag;
struct MemIndexTag;
struct GlobalIndexTag;
struct TagIndexTag;
struct ElemIndexTag;
struct DataIndexTag;
struct LocalIndexTag;
struct LabelDepthTag;
struct FieldIndexTag;
using TypeIndex = base::StrongIndex<TypeIndexTag>;
using FuncIndex = base::StrongIndex<FuncIndexTag>;
using TableIndex = base::StrongIndex<TableIndexTag>;
using MemIndex = base::StrongIndex<MemIndexTag>;
using GlobalIndex = base::StrongIndex<GlobalIndexTag>;
using TagIndex = base::StrongIndex<TagIndexTag>;
using ElemIndex = base::StrongIndex<ElemIndexTag>;
using DataIndex = base::StrongIndex<DataIndexTag>;
using LocalIndex = base::StrongIndex<LocalIndexTag>;
using LabelDepth = base::StrongIndex<LabelDepthTag>;
using FieldIndex = base::StrongIndex<FieldIndexTag>;

/// Abstract heap types by their binary code, or a concrete one (a type index).
/// https://webassembly.github.io/spec/core/binary/types.html#heap-types
class HeapType {
 public:
  enum Code : std::uint8_t {
    func = 0x70,
    extern_ = 0x6f,
    any = 0x6e,
    eq = 0x6d,
    i31 = 0x6c,
    struct_ = 0x6b,
    array = 0x6a,
    exn = 0x69,
    none = 0x71,
    noextern = 0x72,
    nofunc = 0x73,
    noexn = 0x74,
  };
  constexpr HeapType() = default;
  constexpr HeapType(Code code) : bits_(code) {}
  constexpr explicit HeapType(TypeIndex index) : bits_(kConcrete | index.value) {}

  constexpr bool is_concrete() const { return (bits_ & kConcrete) != 0; }
  constexpr TypeIndex index() const { return TypeIndex(bits_ & ~kConcrete); }
  constexpr Code code() const { return static_cast<Code>(bits_); }
  constexpr bool operator==(const HeapType&) const = default;

 private:
  friend class ValType;
  static constexpr std::uint32_t kConcrete = 1u << 24;  // type indices stay below 2^20 (limits.h)
  std::uint32_t bits_ = func;
};

/// Number, vector and reference types; `bottom` is the validator's "any value" under unreachable code.
class ValType {
 public:
  enum class Kind : std::uint8_t { bottom, i32, i64, f32, f64, v128, ref };

  constexpr ValType() = default;
  static constexpr ValType of(Kind kind) { return ValType(kind, false, HeapType()); }
  static constexpr ValType ref(HeapType heap, bool nullable) { return ValType(Kind::ref, nullable, heap); }

  constexpr Kind kind() const { return kind_; }
  constexpr bool is_ref() const { return kind_ == Kind::ref; }
  constexpr bool is_num() const { return kind_ >= Kind::i32 && kind_ <= Kind::f64; }
  constexpr bool is_vec() const { return kind_ == Kind::v128; }
  constexpr bool nullable() const { return nullable_; }
  constexpr HeapType heap() const { return heap_; }
  constexpr ValType as_nullable(bool nullable) const { return ValType(kind_, nullable, heap_); }
  /// True if a local of this type has a default value (core spec, Defaultable Types).
  constexpr bool is_defaultable() const { return !is_ref() || nullable_; }
  constexpr bool operator==(const ValType&) const = default;

 private:
  constexpr ValType(Kind kind, bool nullable, HeapType heap) : kind_(kind), nullable_(nullable), heap_(heap) {}
  Kind kind_ = Kind::bottom;
  bool nullable_ = false;
  HeapType heap_;
};

inline constexpr ValType kI32 = ValType::of(ValType::Kind::i32);
inline constexpr ValType kI64 = ValType::of(ValType::Kind::i64);
inline constexpr ValType kF32 = ValType::of(ValType::Kind::f32);
inline constexpr ValType kF64 = ValType::of(ValType::Kind::f64);
inline constexpr ValType kV128 = ValType::of(ValType::Kind::v128);
inline constexpr ValType kBottom = ValType::of(ValType::Kind::bottom);
inline constexpr ValType kFuncRef = ValType::ref(HeapType::func, true);
inline constexpr ValType kExternRef = ValType::ref(HeapType::extern_, true);
inline constexpr ValType kExnRef = ValType::ref(HeapType::exn, true);

using ResultType = std::vector<ValType>;

struct FuncType {
  ResultType params;
  ResultType results;
  bool operator==(const FuncType&) const = default;
};

enum class PackedType : std::uint8_t { none, i8, i16 };

struct FieldType {
  ValType type;  ///< i32 for packed fields
  PackedType packed = PackedType::none;
  bool mutable_ = false;
  bool operator==(const FieldType&) const = default;
};

enum class CompositeKind : std::uint8_t { func, struct_, array };

/// One entry of the type section (core spec, Sub Types), with its place in its recursion group.
struct SubType {
  CompositeKind kind = CompositeKind::func;
  bool final_ = true;
  std::vector<TypeIndex> supertypes;  ///< at most one is valid; the binary format allows a vector
  FuncType func;                      ///< if kind == func
  std::vector<FieldType> fields;      ///< struct: its fields; array: exactly one
  std::uint64_t offset = 0;           ///< bytes, for messages
};

enum class AddressType : std::uint8_t { i32, i64 };
inline constexpr ValType val_type_of(AddressType a) {
  return a == AddressType::i32 ? kI32 : kI64;
}

/// Numbers of pages or of table entries.
struct Limits {
  std::uint64_t min = 0;
  std::optional<std::uint64_t> max;
  bool operator==(const Limits&) const = default;
};

struct MemType {
  Limits limits;  ///< pages of 2^page_log2 bytes
  AddressType address = AddressType::i32;
  bool shared = false;
  std::uint8_t page_log2 = 16;
  bool operator==(const MemType&) const = default;
};

struct TableType {
  ValType element = kFuncRef;
  Limits limits;  ///< entries
  AddressType address = AddressType::i32;
  bool operator==(const TableType&) const = default;
};

struct GlobalType {
  ValType type;
  bool mutable_ = false;
  bool operator==(const GlobalType&) const = default;
};

struct TagType {
  TypeIndex type;  ///< a function type without results
};

enum class ExternKind : std::uint8_t { func = 0, table = 1, memory = 2, global = 3, tag = 4 };

/// "func", "table" ...
const char* extern_kind_name(ExternKind kind);

/// As the text format writes it: "i32", "(ref null 3)", "funcref".
std::string to_string(ValType type);
std::string to_string(HeapType type);
/// "(param i32 i64) (result f32)"; empty for a type without both.
std::string to_string(const FuncType& type);
std::string to_string(const MemType& type);
std::string to_string(const TableType& type);
std::string to_string(const GlobalType& type);

}  // namespace heddle::spec
