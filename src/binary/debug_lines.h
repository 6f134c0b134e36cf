// Source lines from a module's DWARF (custom sections .debug_line, .debug_str, .debug_line_str; versions 2 to 5):
// enough for stacks with file and line. An own reader, because libraries that read DWARF want an object file around it,
// and a WebAssembly module is none for elfutils; LLVM's would load 28 MB to print a stack. Addresses in wasm's DWARF
// count from the start of the code section's contents (https://yurydelendik.github.io/webassembly-dwarf/#pc).
// Broken sections give no lines, never an error: they are custom sections. Inlined calls are not resolved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/span.h"
#include "module/module.h"

namespace heddle::binary {

/// `line` 0: unknown.
struct SourceLine {
  std::string file;  ///< as the compiler was given it, with its directory unless that is the compilation's own
  std::uint32_t line = 0;
};

/// The line of each of `module_offsets` (bytes from the start of the module), in their order. Cost: linear in
/// .debug_line, so ask for all at once.
std::vector<SourceLine> find_source_lines(const module::Module& m, const std::vector<std::uint32_t>& module_offsets);

/// All lines of a module, for who asks again and again. Immutable; 24 bytes for each row of .debug_line.
class SourceLineTable {
 public:
  struct Place {
    std::uint32_t file = 0;  ///< in files()
    std::uint32_t line = 0;  ///< 0: unknown, and `file` means nothing
  };
  explicit SourceLineTable(const module::Module& m);
  Place find(std::uint32_t module_offset) const;
  const std::vector<std::string>& files() const { return files_; }

 private:
  struct Range {
    std::uint64_t begin, end;  // from the start of the code section's contents
    Place place;
  };
  std::uint64_t code_contents_ = 0;
  std::vector<Range> ranges_;  // ascending
  std::vector<std::string> files_;
};

}  // namespace heddle::binary
