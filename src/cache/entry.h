// Entry: the code of one module in one file.
//
//   Header | place and digest of each group | group of each function, by index | groups of records (record.h)
//
// Opening reads all but the groups and checks the hash, and the seal if there is one: it is over both. Records that are
// likely to be wanted together lie in a group, which is read and checked against its digest as a whole when one of its
// functions is first asked for. Reading copies: what is checked is what is used, whatever becomes of the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "spec/types.h"

#include "cache/folder.h"
#include "cache/key.h"

namespace heddle::cache {

/// A function's record, and whether better code may be made than it holds.
struct Piece {
  spec::FuncIndex func;
  bool improvable = false;
  std::vector<std::uint8_t> record;
};

/// What the order of pieces that are written says.
enum class Order : std::uint8_t {
  by_use,  ///< neighbours were first used one after the other: they make groups
  none,    ///< nothing: each is a group of its own
};

class Entry {
 public:
  /// As it was read: records are in `memory`.
  struct Group {
    struct Record {
      spec::FuncIndex func;
      bool improvable = false;
      base::Bytes bytes;
    };
    std::unique_ptr<const std::uint8_t[]> memory;
    std::vector<Record> records;
  };

  /// The entry is `place` of the file, in bytes. Errors: malformed: not a sound entry with this key, or not as sealed.
  static base::Result<Entry> read(File file, base::ByteRange place, const Key& key,
                                  const std::optional<Key>& seal = std::nullopt);
  /// `pieces` are of one function each.
  static std::vector<std::uint8_t> write(const Key& key, const std::vector<Piece>& pieces, Order order);
  /// How much of an entry that write() made is to be sealed, from its beginning: all digests are among it.
  static std::size_t sealed_bytes(base::Bytes entry);

  /// Which group the function is in; nullopt: there is none of it. Any thread.
  std::optional<std::uint32_t> group_of(spec::FuncIndex func) const;
  /// Any thread. Errors: malformed.
  base::Result<Group> read_group(std::uint32_t number) const;
  std::uint32_t groups() const { return static_cast<std::uint32_t>(groups_.size()); }
  /// Whether it has the function, in code that is as good.
  bool has(spec::FuncIndex func, bool improvable) const;
  /// All that can be read, in the order in which they were written.
  std::vector<Piece> all() const;
  std::size_t count() const { return functions_.size(); }
  /// Functions with code that is not improvable: earlier runs found them hot. Ascending.
  std::vector<spec::FuncIndex> hot() const;

 private:
  struct Header;
  struct GroupRow {
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;
    Key digest = {};  ///< SHA-256 of it
  };
  struct FunctionRow {
    std::uint32_t func = 0;
    std::uint32_t group = 0;
    std::uint32_t improvable = 0;  ///< 0 or 1
  };
  struct RecordHead;
  Entry() = default;
  bool index_is_sound(std::uint64_t size_bytes) const;
  const FunctionRow* row(spec::FuncIndex func) const;

  File file_;
  std::uint64_t begin_ = 0;  ///< in the file; offsets count from here
  std::vector<GroupRow> groups_;
  std::vector<FunctionRow> functions_;  ///< ascending
};

}  // namespace heddle::cache
