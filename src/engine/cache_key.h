// Under which key a module's code is kept.
#pragma once

#include <string>

#include "base/span.h"
#include "engine/config.h"

#include "cache/key.h"

namespace heddle::engine {

/// What changes the code of a module of this size besides its bytes, the build and the processor. Any thread.
std::string cache_settings(std::uint64_t module_bytes, const Config& config);

/// Of a module of these bytes with these settings, in this build on this machine. Any thread.
cache::Key cache_key(base::Bytes wire, const Config& config);

}  // namespace heddle::engine
