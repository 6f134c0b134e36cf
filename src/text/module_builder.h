// Collects the sections of a module that is being made from text and puts them together with their SourceMap. Knows the
// order of sections (core spec, Binary Format, Modules) and nothing of what is in them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "binary/encoder.h"
#include "text/source.h"

namespace heddle::text {

/// Bytes and where they came from (entries relative to the buffer's start).
struct CodeBuffer {
  binary::Encoder enc;
  std::vector<SourceMap::Entry> map;

  /// What is written next comes from this place in the source.
  void mark(std::uint32_t source_offset) {
    map.push_back({static_cast<std::uint32_t>(enc.size_bytes()), source_offset});
  }
  void append(const CodeBuffer& other);
  void clear() {
    enc.bytes().clear();
    map.clear();
  }
};

/// In the order in which they stand in a module.
enum class SectionKind : std::uint8_t {
  type,
  import,
  func,
  table,
  memory,
  tag,
  global,
  export_,
  start,
  elem,
  data_count,
  code,
  data,
};
inline constexpr std::size_t kSectionKinds = 13;

/// A section that is a vector; `start` and `data_count` are bare numbers.
struct SectionBuffer {
  std::uint32_t count = 0;
  CodeBuffer body;
  /// Next entry, from this place in the source.
  binary::Encoder& entry(std::uint32_t source_offset) {
    ++count;
    body.mark(source_offset);
    return body.enc;
  }
};

class ModuleBuilder {
 public:
  SectionBuffer& section(SectionKind kind) { return sections_[static_cast<std::size_t>(kind)]; }

  /// Slots for custom sections: around each section, and at both ends.
  static std::size_t slot_before(SectionKind kind) { return 1 + 2 * static_cast<std::size_t>(kind); }
  static std::size_t slot_after(SectionKind kind) { return 2 + 2 * static_cast<std::size_t>(kind); }
  static constexpr std::size_t kFirst = 0;
  static constexpr std::size_t kLast = 2 * kSectionKinds + 1;

  /// `contents`: what follows the section's name.
  void add_custom(std::size_t slot, std::string_view name, const std::vector<std::uint8_t>& contents,
                  std::uint32_t source_offset);

  /// The whole module.
  void finish(std::vector<std::uint8_t>& bytes, SourceMap& map);

 private:
  struct Custom {
    std::vector<std::uint8_t> contents;
    std::uint32_t source_offset;
  };
  void write_customs(std::size_t slot, CodeBuffer& out) const;
  void write_section(SectionKind kind, CodeBuffer& out);

  std::array<SectionBuffer, kSectionKinds> sections_;
  std::array<std::vector<Custom>, 2 * kSectionKinds + 2> customs_;
};

}  // namespace heddle::text
