// .wat -> the binary format (core spec, Text Format). The result is what a decoder reads; meaning is the validator's.
// Names become a "name" section, (@custom ...) custom sections, (@metadata.code.branch_hint ...) its section.
// Cost: linear in the source. Nesting is bounded by memory only: no recursion on what a user nests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "spec/features.h"
#include "text/source.h"

namespace heddle::text {

struct Parsed {
  std::vector<std::uint8_t> bytes;
  SourceMap map;            ///< bytes -> source, for errors found later
  std::string module_name;  ///< $id without the dollar sign, empty if none
};

/// Parses one module: (module ...), or its fields alone. Errors carry the offset in `source` (place_of, render_error);
/// the kind is malformed. Instructions whose feature is off are unknown operators. Any thread.
base::Result<Parsed> parse_wat(std::string_view source, spec::Features features);

}  // namespace heddle::text
