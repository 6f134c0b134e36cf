// Entry: the code of one module in one file.
//
//   Header | Row for each function, by index | records (record.h)
//
// Opening reads header and rows and checks their hash, and the seal if there is one: it is over both. A record is read,
// checked against its row's digest and decoded when its function is first asked for. Reading copies: what is checked is
// what is used, whatever becomes of the file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "spec/types.h"

#include "cache/folder.h"
#include "cache/key.h"

namespace heddle::cache {

/// A function's record, and whether better code may be made than it holds.
struct Piece {
  std::vector<std::uint8_t> record;
  bool improvable = false;
};
using Pieces = std::map<std::uint32_t, Piece>;  // by function index

class Entry {
 public:
  /// The entry is `place` of the file, in bytes. Errors: malformed: not a sound entry with this key, or not as sealed.
  static base::Result<Entry> read(File file, base::ByteRange place, const Key& key,
                                  const std::optional<Key>& seal = std::nullopt);
  static std::vector<std::uint8_t> write(const Key& key, const Pieces& pieces);
  /// How much of what write() made is to be sealed, from its beginning: all digests are among it.
  static std::size_t sealed_bytes(const Pieces& pieces);

  /// Any thread. nullopt: it has none of this function. Errors: malformed.
  std::optional<base::Result<Piece>> find(std::uint32_t func) const;
  /// Whether it has the function, in code that is as good.
  bool has(std::uint32_t func, bool improvable) const;
  Pieces all() const;
  std::size_t count() const { return rows_.size(); }
  /// Functions with code that is not improvable: earlier runs found them hot. Ascending.
  std::vector<spec::FuncIndex> hot() const;

 private:
  struct Header;
  struct Row {
    std::uint32_t func = 0;
    std::uint32_t improvable = 0;  ///< 0 or 1
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;
    Key digest = {};  ///< SHA-256 of the record
  };
  Entry() = default;
  const Row* row(std::uint32_t func) const;
  base::Result<Piece> read(const Row& row) const;

  File file_;
  std::uint64_t begin_ = 0;  ///< in the file; offsets count from here
  std::vector<Row> rows_;
};

}  // namespace heddle::cache
