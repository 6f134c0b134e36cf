// ModuleSource: where a module comes from (a file, binary or text), and how an error in it is shown to a user.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "module/module.h"
#include "spec/features.h"
#include "text/source.h"

namespace heddle::engine {

struct ModuleSource {
  std::string file;                               ///< for messages
  std::shared_ptr<const module::WireBytes> wire;  ///< the binary format; nullptr if reading or parsing failed
  std::string text;                               ///< the source, if it was text
  text::SourceMap map;                            ///< byte offsets to places in `text`

  /// One sentence (text: with the line and a caret), ending in a newline, for an error of any later stage.
  std::string render(const base::Error& error) const;
};

/// Reads a module's file into memory that nobody else can change (a mapped file can, even by the guest itself, after it
/// has been checked). Text is told from binary by its first bytes, whatever the file is called. `source` is usable for
/// render() after an error too. Errors: io, malformed (text).
base::Status read_module(const std::string& path, spec::Features features, ModuleSource& source);

/// A whole file (a script) as it is. Errors: io, the system's words without the path.
base::Status read_file(const std::string& path, std::string& contents);

/// read_module for bytes in memory (which are copied, unless text).
base::Status read_module(base::Bytes bytes, std::string name, spec::Features features, ModuleSource& source);

}  // namespace heddle::engine
