// Writes the binary format: numbers, names, sections, instructions. Used by the text format and by tests. Knows no
// rules: it writes what it is told, so that tests can write broken modules too.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "spec/opcodes.h"
#include "spec/types.h"

namespace heddle::binary {

class Encoder {
 public:
  std::vector<std::uint8_t>& bytes() { return bytes_; }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  std::size_t size_bytes() const { return bytes_.size(); }

  Encoder& byte(std::uint8_t value);
  Encoder& u32(std::uint32_t value);
  Encoder& u64(std::uint64_t value);
  Encoder& s32(std::int32_t value);
  Encoder& s33(std::int64_t value);
  Encoder& s64(std::int64_t value);
  Encoder& fixed_u32(std::uint32_t value);
  Encoder& fixed_u64(std::uint64_t value);
  Encoder& raw(const std::vector<std::uint8_t>& data);
  Encoder& name(std::string_view text);

  /// Opcode only: byte, or prefix and LEB128 sub-opcode.
  Encoder& op(spec::Opcode opcode);
  Encoder& heap_type(spec::HeapType type);
  Encoder& val_type(spec::ValType type);
  Encoder& limits(const spec::Limits& limits, spec::AddressType address, bool shared, std::uint8_t page_log2);
  Encoder& table_type(const spec::TableType& type);
  Encoder& mem_type(const spec::MemType& type);
  Encoder& global_type(const spec::GlobalType& type);
  /// With its form (0x60) in front.
  Encoder& func_type(const spec::FuncType& type);

  /// "\0asm", version 1.
  Encoder& header();
  /// A section with its size; `contents` has been written already.
  Encoder& section(std::uint8_t id, const std::vector<std::uint8_t>& contents);

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace heddle::binary
