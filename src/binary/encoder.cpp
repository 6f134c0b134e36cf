#include "binary/encoder.h"

#include "base/check.h"
#include "base/leb128.h"

namespace heddle::binary {

Encoder& Encoder::byte(std::uint8_t value) {
  bytes_.push_back(value);
  return *this;
}
Encoder& Encoder::u32(std::uint32_t value) {
  base::write_leb128(bytes_, value);
  return *this;
}
Encoder& Encoder::u64(std::uint64_t value) {
  base::write_leb128(bytes_, value);
  return *this;
}
Encoder& Encoder::s32(std::int32_t value) {
  base::write_leb128(bytes_, value);
  return *this;
}
Encoder& Encoder::s33(std::int64_t value) {
  base::write_leb128(bytes_, value);
  return *this;
}
Encoder& Encoder::s64(std::int64_t value) {
  base::write_leb128(bytes_, value);
  return *this;
}

Encoder& Encoder::fixed_u32(std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<std::uint8_t>(value >> shift));
  return *this;
}
Encoder& Encoder::fixed_u64(std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8) bytes_.push_back(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

Encoder& Encoder::raw(const std::vector<std::uint8_t>& data) {
  bytes_.insert(bytes_.end(), data.begin(), data.end());
  return *this;
}

Encoder& Encoder::name(std::string_view text) {
  u32(static_cast<std::uint32_t>(text.size()));
  bytes_.insert(bytes_.end(), text.begin(), text.end());
  return *this;
}

Encoder& Encoder::op(spec::Opcode opcode) {
  const auto code = static_cast<std::uint32_t>(opcode);
  if (code < 256) return byte(static_cast<std::uint8_t>(code));
  return byte(static_cast<std::uint8_t>(code >> 16)).u32(code & 0xffff);
}

// https://webassembly.github.io/spec/core/binary/types.html
Encoder& Encoder::heap_type(spec::HeapType type) {
  return type.is_concrete() ? s33(type.index().value) : byte(type.code());
}

Encoder& Encoder::val_type(spec::ValType type) {
  using Kind = spec::ValType::Kind;
  switch (type.kind()) {
    case Kind::i32: return byte(0x7f);
    case Kind::i64: return byte(0x7e);
    case Kind::f32: return byte(0x7d);
    case Kind::f64: return byte(0x7c);
    case Kind::v128: return byte(0x7b);
    case Kind::ref: break;
    case Kind::bottom: HEDDLE_UNREACHABLE("the bottom type has no encoding");
  }
  if (!type.nullable()) return byte(0x64).heap_type(type.heap());
  if (type.heap().is_concrete()) return byte(0x63).heap_type(type.heap());
  return heap_type(type.heap());
}

Encoder& Encoder::limits(const spec::Limits& limits, spec::AddressType address, bool shared, std::uint8_t page_log2) {
  const bool own_page_size = page_log2 != 16;
  byte(static_cast<std::uint8_t>((limits.max ? 1 : 0) | (shared ? 2 : 0) | (address == spec::AddressType::i64 ? 4 : 0) |
                                 (own_page_size ? 8 : 0)));
  u64(limits.min);
  if (limits.max) u64(*limits.max);
  if (own_page_size) u32(page_log2);
  return *this;
}

Encoder& Encoder::table_type(const spec::TableType& type) {
  return val_type(type.element).limits(type.limits, type.address, false, 16);
}

Encoder& Encoder::mem_type(const spec::MemType& type) {
  return limits(type.limits, type.address, type.shared, type.page_log2);
}

Encoder& Encoder::global_type(const spec::GlobalType& type) {
  return val_type(type.type).byte(type.mutable_ ? 1 : 0);
}

Encoder& Encoder::func_type(const spec::FuncType& type) {
  byte(0x60);
  for (const spec::ResultType* types : {&type.params, &type.results}) {
    u32(static_cast<std::uint32_t>(types->size()));
    for (spec::ValType t : *types) val_type(t);
  }
  return *this;
}

Encoder& Encoder::header() {
  return byte(0).byte('a').byte('s').byte('m').fixed_u32(1);
}

Encoder& Encoder::section(std::uint8_t id, const std::vector<std::uint8_t>& contents) {
  return byte(id).u32(static_cast<std::uint32_t>(contents.size())).raw(contents);
}

}  // namespace heddle::binary
