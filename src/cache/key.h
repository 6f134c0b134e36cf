// Key: what code is for. Two runs that could need different code have different keys.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "base/span.h"

namespace heddle::cache {

using Key = base::Digest;

/// A module is hashed in pieces, so that one of them can be checked without the others. Chosen: a function body is
/// about 1 KiB, and the digests of 69 MB are hashed in less than 0.1 ms.
inline constexpr std::size_t kChunkBytes = 16 << 10;

/// SHA-256 of each chunk; the last one may be shorter.
std::vector<Key> chunk_digests(base::Bytes module);
/// What stands for a module's bytes: SHA-256 over its length and its chunks' digests.
Key content_of(std::uint64_t size_bytes, std::span<const Key> chunks);

/// SHA-256 over `what` code is for, the build, this processor's features, and `settings`: whatever else changes code.
Key key_of(const Key& what, const std::string& settings);
/// The same for a module of these bytes.
Key key_of(base::Bytes module, const std::string& settings);
std::string hex(const Key& key);

}  // namespace heddle::cache
