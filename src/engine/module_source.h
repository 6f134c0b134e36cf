// ModuleSource: where a module comes from (a file, binary or text), and how an error in it is shown to a user.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "module/module.h"
#include "spec/features.h"
#include "text/source.h"

#include "cache/module_file.h"

namespace heddle::engine {

struct ModuleSource {
  std::string file;                               ///< for messages
  std::shared_ptr<const module::WireBytes> wire;  ///< the binary format; nullptr if reading or parsing failed
  std::string text;                               ///< the source, if it was text
  text::SourceMap map;                            ///< byte offsets to places in `text`
  /// Of the file, if `wire` is all of it and a later version of it would differ; only of large ones.
  std::optional<cache::FileVersion> version;
  std::shared_ptr<const cache::ModuleFile> known;  ///< `wire`, if it is read as it is needed (known_start.h)

  /// One sentence (text: with the line and a caret), ending in a newline, for an error of any later stage.
  std::string render(const base::Error& error) const;
};

/// From which size on it pays to note what a start needs to know of a module. Chosen: to read and hash as much takes
/// 0.2 ms, to find the note 0.05 ms.
inline constexpr std::uint64_t kLargeModuleBytes = 256 << 10;

/// Reads a module's file into memory that nobody else can change (a mapped file can, even by the guest itself, after it
/// has been checked). Text is told from binary by its first bytes, whatever the file is called. `source` is usable for
/// render() after an error too. Errors: io, malformed (text).
base::Status read_module(const std::string& path, spec::Features features, ModuleSource& source);

/// A whole file (a script) as it is. Errors: io, the system's words without the path.
base::Status read_file(const std::string& path, std::string& contents);

/// read_module for bytes in memory (which are copied, unless text).
base::Status read_module(base::Bytes bytes, std::string name, spec::Features features, ModuleSource& source);

}  // namespace heddle::engine
