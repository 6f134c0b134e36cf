// Places in text sources: where an offset lies (line and column), how an error is shown, and SourceMap, which leads
// from a byte of a module that was made from text back to the text. Relies on nothing but base; keeps no source alive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::text {

/// Both count from 1. The column counts bytes, as most compilers do.
struct SourcePlace {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  bool operator==(const SourcePlace&) const = default;
};

/// Place of a byte offset; offsets beyond the end mean the end. Linear: for messages.
SourcePlace place_of(std::string_view source, std::uint64_t offset);

/// Three lines: "file:line:column: error: message", the line of source, a caret below the column. Ends with a newline.
/// Tabs are kept under the caret; very long lines are cut around it.
std::string render_error(std::string_view source, std::string_view file, SourcePlace place, std::string_view message);

/// Byte offsets of a module -> offsets in the source it was made from. Inside bodies and constant expressions one entry
/// an instruction, outside one a declaration.
class SourceMap {
 public:
  struct Entry {
    std::uint32_t byte_offset = 0;
    std::uint32_t source_offset = 0;
  };

  SourceMap() = default;
  /// `entries` ascend by byte offset.
  explicit SourceMap(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  bool empty() const { return entries_.empty(); }
  const std::vector<Entry>& entries() const { return entries_; }

  /// Source offset of what covers the byte: the last entry at or before it; the first entry for bytes before all; 0 for
  /// an empty map or base::kNoOffset. O(log n).
  std::uint32_t source_offset(std::uint64_t byte_offset) const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace heddle::text
