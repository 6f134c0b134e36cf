// Module: the decoded binary as plain immutable data, in the words of the core specification (Structure, Modules).
// Built once by binary/decoder.cpp, then const and shared by all threads. Holds no rule and no code.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/span.h"
#include "module/canonical_type.h"
#include "spec/features.h"
#include "spec/limits.h"
#include "spec/types.h"

namespace heddle::module {

/// Where function bodies lie: one behind the other.
struct BodyPlaces {
  class Place {
   public:
    Place() = default;
    /// `gap_bytes` lie between the body before and this one, whose size stands there: up to 7.
    Place(std::uint32_t size_bytes, std::uint32_t gap_bytes) : bits_(size_bytes << 3 | gap_bytes) {}
    std::uint32_t size_bytes() const { return bits_ >> 3; }
    std::uint32_t gap_bytes() const { return bits_ & 7; }

   private:
    std::uint32_t bits_ = 0;
  };
  static_assert(spec::kMaxFunctionBodyBytes < 1 << 29);
  std::uint32_t begin = 0;  ///< of the first, whose gap does not count
  std::span<const Place> places;
};

/// The module's bytes; everything else refers to them by offset. They may be read from where they lie only when they
/// are needed: until then they are zeros.
class WireBytes {
 public:
  virtual ~WireBytes() = default;
  base::Bytes bytes() const { return bytes_; }
  /// Makes sure that a part of bytes() is there. False: it cannot be had any more. Any thread.
  bool need(base::ByteRange range) const { return complete_ || fill(range); }
  /// Copies the contents of a data segment, which for a large one costs less than need() and a copy. False: it must be
  /// had that way, and `to` may have been written to.
  virtual bool copy_data(base::ByteRange, std::uint8_t*) const { return false; }
  /// The bodies, if they are known without reading the code section.
  virtual std::optional<BodyPlaces> known_bodies() const { return std::nullopt; }

 protected:
  virtual bool fill(base::ByteRange) const { return true; }
  base::Bytes bytes_;
  bool complete_ = true;  ///< all is there from the start
};

/// A copy in memory.
class OwnedBytes final : public WireBytes {
 public:
  explicit OwnedBytes(std::vector<std::uint8_t> data) : data_(std::move(data)) { bytes_ = data_; }

 private:
  std::vector<std::uint8_t> data_;
};

/// A part of bytes that are all there, which it keeps.
class PartOfBytes final : public WireBytes {
 public:
  PartOfBytes(std::shared_ptr<const WireBytes> whole, base::Bytes part) : whole_(std::move(whole)) { bytes_ = part; }

 private:
  std::shared_ptr<const WireBytes> whole_;
};

/// A constant expression: its bytes including the final `end`. Evaluated by runtime/const_eval.
struct ConstExpr {
  base::ByteRange range;
};

struct Import {
  std::string_view module;  ///< into the wire bytes
  std::string_view name;
  spec::ExternKind kind = spec::ExternKind::func;
  std::uint32_t index = 0;  ///< in the index space of its kind
  std::uint64_t offset = 0;
};

struct Export {
  std::string_view name;
  spec::ExternKind kind = spec::ExternKind::func;
  std::uint32_t index = 0;
  std::uint64_t offset = 0;
};

struct Function {
  spec::TypeIndex type;
  std::uint32_t offset = 0;  ///< of the declaration (import or function section)
};

struct Table {
  spec::TableType type;
  bool has_init = false;
  ConstExpr init;  ///< if has_init
  std::uint64_t offset = 0;
};

struct Memory {
  spec::MemType type;
  std::uint64_t offset = 0;
};

struct Global {
  spec::GlobalType type;
  ConstExpr init;  ///< defined globals only
  std::uint64_t offset = 0;
};

struct Tag {
  spec::TagType type;
  std::uint64_t offset = 0;
};

enum class SegmentMode : std::uint8_t { active, passive, declarative };

struct ElemSegment {
  SegmentMode mode = SegmentMode::passive;
  spec::TableIndex table;  ///< if active
  ConstExpr table_offset;  ///< if active
  spec::ValType type = spec::kFuncRef;
  /// Either function indices or expressions (then `funcs` is empty).
  bool uses_expressions = false;
  std::vector<spec::FuncIndex> funcs;
  std::vector<ConstExpr> expressions;
  std::uint64_t offset = 0;
  std::size_t size() const { return uses_expressions ? expressions.size() : funcs.size(); }
};

struct DataSegment {
  SegmentMode mode = SegmentMode::passive;
  spec::MemIndex memory;    ///< if active
  ConstExpr memory_offset;  ///< if active
  base::ByteRange bytes;
  std::uint64_t offset = 0;
};

/// A function body: locals and instructions, without the size in front, including the final `end`.
struct Body {
  /// As base::ByteRange, in half the space: a module has very many.
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint64_t size_bytes() const { return end - begin; }
    operator base::ByteRange() const { return {begin, end}; }
  };
  Range range;
};

struct CustomSection {
  std::string_view name;
  base::ByteRange contents;
};

/// Index spaces hold imports first, then definitions (core spec, Indices).
struct Module {
  std::shared_ptr<const WireBytes> wire;
  spec::Features features;  ///< what it was decoded with

  std::vector<spec::SubType> types;
  std::vector<RecGroupRange> rec_groups;
  CanonicalTypes canonical;

  std::vector<Import> imports;
  std::vector<Function> functions;
  std::vector<Table> tables;
  std::vector<Memory> memories;
  std::vector<Global> globals;
  std::vector<Tag> tags;
  std::uint32_t imported_functions = 0;
  std::uint32_t imported_tables = 0;
  std::uint32_t imported_memories = 0;
  std::uint32_t imported_globals = 0;
  std::uint32_t imported_tags = 0;

  std::vector<Export> exports;
  bool has_start = false;
  spec::FuncIndex start;
  std::uint64_t start_offset = 0;
  std::vector<ElemSegment> elems;
  bool has_data_count = false;
  std::uint32_t data_count = 0;
  std::vector<DataSegment> datas;
  std::vector<Body> bodies;  ///< one per defined function
  std::vector<CustomSection> customs;
  /// Bit per function: named by an export, element segment, global initialiser or `ref.func` in a constant expression
  /// outside function bodies (core spec, "declared" references: context refs C.refs). Sized like `functions`.
  std::vector<bool> declared_funcs;

  base::Bytes bytes() const { return wire->bytes(); }
  /// Empty if they cannot be had any more.
  base::Bytes bytes_of(base::ByteRange range) const {
    return wire->need(range) ? base::slice(bytes(), range) : base::Bytes();
  }
  bool is_imported(spec::FuncIndex f) const { return f.value < imported_functions; }
  const Body& body(spec::FuncIndex f) const { return bodies[f.value - imported_functions]; }
  const spec::FuncType& func_type(spec::TypeIndex t) const { return types[t.value].func; }
  const spec::FuncType& type_of(spec::FuncIndex f) const { return func_type(functions[f.value].type); }
  const CanonicalType* canonical_of(spec::FuncIndex f) const {
    return canonical.by_index[functions[f.value].type.value];
  }
  /// Linear; for hosts and tools.
  const Export* find_export(std::string_view name) const;
  const CustomSection* find_custom(std::string_view name) const;
};

/// Subtyping of value types within one module (core spec, Matching): concrete types through their canonical identity.
/// Both sides' type indices must exist.
bool matches(const Module& m, spec::HeapType a, spec::HeapType b);
bool matches(const Module& m, spec::ValType a, spec::ValType b);
/// The same across modules: `a` belongs to `ma`, `b` to `mb`.
bool matches(const Module& ma, spec::ValType a, const Module& mb, spec::ValType b);

}  // namespace heddle::module
