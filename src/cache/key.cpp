#include "cache/key.h"

#include <algorithm>

#include "base/cpu_features.h"

namespace heddle::cache {
std::vector<Key> chunk_digests(base::Bytes module) {
  std::vector<Key> digests;
  digests.reserve((module.size() + kChunkBytes - 1) / kChunkBytes);
  for (; !module.empty(); module = module.subspan(std::min(kChunkBytes, module.size())))
    digests.push_back(base::Sha256::of(module.first(std::min(kChunkBytes, module.size()))));
  return digests;
}

Key content_of(std::uint64_t size_bytes, std::span<const Key> chunks) {
  base::Sha256 hash;
  hash.add(base::raw_bytes(size_bytes));
  hash.add(base::raw_bytes(chunks));
  return hash.finish();
}

Key key_of(const Key& what, const std::string& settings) {
  std::string made_by = "heddle code " HEDDLE_BUILD_ID;
  made_by += '\0';
  made_by += base::host_cpu_identity();
  made_by += settings;
  const std::uint64_t length = made_by.size();
  base::Sha256 hash;
  hash.add(base::raw_bytes(length));
  hash.add(base::raw_bytes(made_by));
  hash.add(what);
  return hash.finish();
}

Key key_of(base::Bytes module, const std::string& settings) {
  return key_of(content_of(module.size(), chunk_digests(module)), settings);
}

std::string hex(const Key& key) {
  std::string result;
  for (const std::uint8_t byte : key) {
    result += "0123456789abcdef"[byte >> 4];
    result += "0123456789abcdef"[byte & 15];
  }
  return result;
}

}  // namespace heddle::cache
