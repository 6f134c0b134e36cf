// Key: what code is for. Two runs that could need different code have different keys.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/span.h"

namespace heddle::cache {

using Key = std::array<std::uint8_t, 32>;

/// SHA-256 over the module, the build, this processor's features, and `settings`: whatever else changes code.
Key key_of(base::Bytes module, const std::string& settings);
/// SHA-256.
Key digest_of(base::Bytes bytes);
std::string hex(const Key& key);

}  // namespace heddle::cache
