// How a precompiled file begins (precompiled.h): told apart from a module without reading more of it.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/span.h"

namespace heddle::engine {

constexpr std::array<char, 8> kPrecompiledMagic = {'\0', 'h', 'e', 'd', 'd', 'l', 'e', 'M'};
constexpr std::size_t kPrecompiledHeadBytes = kPrecompiledMagic.size() + sizeof(std::uint64_t);

/// How long the file says that its module is, which follows the head; nothing if this is no such file.
inline std::optional<std::uint64_t> precompiled_module_bytes(base::Bytes file) {
  if (file.size() < kPrecompiledHeadBytes) return std::nullopt;
  if (std::memcmp(file.data(), kPrecompiledMagic.data(), kPrecompiledMagic.size()) != 0) return std::nullopt;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, file.data() + kPrecompiledMagic.size(), sizeof bytes);
  return bytes;
}

}  // namespace heddle::engine
