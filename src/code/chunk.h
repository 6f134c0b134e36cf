// Chunk: a run of executable memory of one ModuleCode, and the code in it by address. Internal to code/.
//
// Readers (Space::find, in signal handlers too) take `index`, then its `count`, both with acquire, and search the first
// `count` entries. The one writer (ModuleCode, under its mutex) appends: entry first, then count with release; a full
// index is copied into one of twice the size, which is then published in `index`. Old ones stay until the chunk goes,
// because a reader may still be in them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "code/space.h"

namespace heddle::code {

/// Unit of the chunk table; code memory is handed out in multiples of it.
inline constexpr std::size_t kGranuleBytes = 64 << 10;

struct ChunkIndex {
  explicit ChunkIndex(std::size_t n) : capacity(n), entries(new const FunctionCode*[n]) {}
  std::atomic<std::size_t> count{0};  // release by the writer; pairs with the acquire in Space::find
  std::size_t capacity;
  std::unique_ptr<const FunctionCode*[]> entries;  // ascending by address
};

struct Chunk {
  std::uint8_t* begin = nullptr;     ///< executable view
  std::uint8_t* writable = nullptr;  ///< the same bytes, writable
  std::size_t size_bytes = 0;
  std::size_t used_bytes = 0;                    // the writer's
  std::atomic<ChunkIndex*> index{nullptr};       // release by the writer; pairs with the acquire in Space::find
  std::vector<std::unique_ptr<ChunkIndex>> all;  // the writer's

  /// `code` lies behind all entries so far.
  void append(const FunctionCode* code);
};

}  // namespace heddle::code
