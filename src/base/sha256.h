// SHA-256 (FIPS 180-4), by nettle.
#pragma once

#include <array>
#include <cstdint>
#include <nettle/sha2.h>

#include "base/span.h"

namespace heddle::base {

using Digest = std::array<std::uint8_t, SHA256_DIGEST_SIZE>;

class Sha256 {
 public:
  Sha256() { sha256_init(&context_); }
  void add(Bytes bytes) { sha256_update(&context_, bytes.size(), bytes.data()); }
  /// Of all that was added. Nothing may be added afterwards.
  Digest finish() {
    Digest digest;
    sha256_digest(&context_, digest.size(), digest.data());
    return digest;
  }

  static Digest of(Bytes bytes) {
    Sha256 hash;
    hash.add(bytes);
    return hash.finish();
  }

 private:
  sha256_ctx context_;
};

}  // namespace heddle::base
