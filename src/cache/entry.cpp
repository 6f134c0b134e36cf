#include "cache/entry.h"

#include <algorithm>
#include <cstddef>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace heddle::cache {
namespace {

constexpr std::array<char, 8> kMagic = {'\0', 'h', 'e', 'd', 'd', 'l', 'e', '2'};

base::Error broken(const char* what) {
  return {base::ErrorKind::malformed, base::kNoOffset, what};
}

}  // namespace

struct Entry::Header {
  std::array<char, 8> magic = kMagic;
  Key key = {};
  std::uint64_t file_bytes = 0;
  std::uint64_t count = 0;  ///< rows
  std::uint64_t hash = 0;   ///< XXH3 of the rows, seeded with that of what stands before in the header
};
namespace {
template <class Header, class Row>
std::uint64_t hash_of(const Header& header, const std::vector<Row>& rows) {
  const std::uint64_t seed = XXH3_64bits(&header, offsetof(Header, hash));
  return XXH3_64bits_withSeed(rows.data(), rows.size() * sizeof(Row), seed);
}

template <class Header, class Row>
Key digest_of(const Header& header, const std::vector<Row>& rows) {
  base::Sha256 hash;
  hash.add({reinterpret_cast<const std::uint8_t*>(&header), sizeof header});
  hash.add({reinterpret_cast<const std::uint8_t*>(rows.data()), rows.size() * sizeof(Row)});
  return hash.finish();
}
}  // namespace

base::Result<Entry> Entry::read(File file, base::ByteRange place, const Key& key, const std::optional<Key>& seal) {
  const std::uint64_t size_bytes = place.size_bytes();
  Header header;
  if (size_bytes < sizeof header || !file.read_at(&header, sizeof header, place.begin) || header.magic != kMagic)
    return broken("it is not an entry");
  if (header.key != key) return broken("it is for something else");
  if (header.file_bytes != size_bytes || header.count > (size_bytes - sizeof header) / sizeof(Row))
    return broken("it is cut off");
  Entry entry;
  entry.rows_.resize(header.count);
  if (!file.read_at(entry.rows_.data(), header.count * sizeof(Row), place.begin + sizeof header))
    return broken("it cannot be read");
  if (seal && *seal != digest_of(header, entry.rows_)) return broken("it is not what was sealed");
  if (header.hash != hash_of(header, entry.rows_)) return broken("its index is damaged");
  std::uint64_t after = 0;  // the lowest index that may come next
  for (const Row& row : entry.rows_) {
    if (row.func < after || row.improvable > 1 || row.offset > size_bytes || row.size_bytes > size_bytes - row.offset)
      return broken("its index is wrong");
    after = std::uint64_t{row.func} + 1;
  }
  entry.file_ = std::move(file);
  entry.begin_ = place.begin;
  return entry;
}

std::vector<std::uint8_t> Entry::write(const Key& key, const Pieces& pieces) {
  Header header;
  header.key = key;
  header.count = pieces.size();
  std::uint64_t offset = sizeof header + pieces.size() * sizeof(Row);
  std::vector<Row> rows;
  for (const auto& [func, piece] : pieces) {
    rows.push_back({func, piece.improvable, offset, piece.record.size(), base::Sha256::of(piece.record)});
    offset += piece.record.size();
  }
  header.file_bytes = offset;
  header.hash = hash_of(header, rows);
  std::vector<std::uint8_t> bytes;
  bytes.reserve(offset);
  const auto append = [&bytes](const void* from, std::size_t size_bytes) {
    const auto* at = static_cast<const std::uint8_t*>(from);
    bytes.insert(bytes.end(), at, at + size_bytes);
  };
  append(&header, sizeof header);
  append(rows.data(), rows.size() * sizeof(Row));
  for (const auto& [func, piece] : pieces) append(piece.record.data(), piece.record.size());
  return bytes;
}

std::size_t Entry::sealed_bytes(const Pieces& pieces) {
  return sizeof(Header) + pieces.size() * sizeof(Row);
}

const Entry::Row* Entry::row(std::uint32_t func) const {
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), func,
                                   [](const Row& row, std::uint32_t wanted) { return row.func < wanted; });
  return at != rows_.end() && at->func == func ? &*at : nullptr;
}

base::Result<Piece> Entry::read(const Row& row) const {
  Piece piece{std::vector<std::uint8_t>(row.size_bytes), row.improvable != 0};
  if (!file_.read_at(piece.record.data(), row.size_bytes, begin_ + row.offset)) return broken("it cannot be read");
  if (base::Sha256::of(piece.record) != row.digest) return broken("a function's record is damaged");
  return piece;
}

std::optional<base::Result<Piece>> Entry::find(std::uint32_t func) const {
  const Row* found = row(func);
  if (found == nullptr) return std::nullopt;
  return read(*found);
}

bool Entry::has(std::uint32_t func, bool improvable) const {
  const Row* found = row(func);
  return found != nullptr && (improvable || found->improvable == 0);
}

std::vector<spec::FuncIndex> Entry::hot() const {
  std::vector<spec::FuncIndex> result;
  for (const Row& row : rows_)
    if (row.improvable == 0) result.emplace_back(row.func);
  return result;
}

Pieces Entry::all() const {
  Pieces result;
  for (const Row& row : rows_) {
    auto piece = read(row);
    if (piece.ok()) result.emplace(row.func, std::move(*piece));
  }
  return result;
}

}  // namespace heddle::cache
