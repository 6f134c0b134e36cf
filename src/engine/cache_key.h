// Under which key a module's code is kept.
#pragma once

#include "base/span.h"
#include "engine/config.h"

#include "cache/key.h"

namespace heddle::engine {

/// Of a module of these bytes with these settings, in this build on this machine. Any thread.
cache::Key cache_key(base::Bytes wire, const Config& config);

}  // namespace heddle::engine
