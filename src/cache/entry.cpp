#include "cache/entry.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace heddle::cache {
namespace {

constexpr std::array<char, 8> kMagic = {'\0', 'h', 'e', 'd', 'd', 'l', 'e', '3'};

/// Measured with yosys -V (1,471 functions, 1.6 MB): groups of 16 to 128 KiB take the same time. Of small ones less is
/// read in vain.
constexpr std::size_t kGroupBytes = 32 << 10;

base::Error broken(const char* what) {
  return {base::ErrorKind::malformed, base::kNoOffset, what};
}

}  // namespace

struct Entry::Header {
  std::array<char, 8> magic = kMagic;
  Key key = {};
  std::uint64_t file_bytes = 0;
  std::uint64_t groups = 0;
  std::uint64_t functions = 0;
  std::uint64_t hash = 0;  ///< XXH3 of the rows behind, seeded with that of what stands before in the header

  std::uint64_t hash_with(base::Bytes rows) const {
    return XXH3_64bits_withSeed(rows.data(), rows.size(), XXH3_64bits(this, offsetof(Header, hash)));
  }
  /// Together with this header; any counts.
  bool rows_fit(std::uint64_t size_bytes) const {
    return groups <= size_bytes / sizeof(GroupRow) && functions <= size_bytes / sizeof(FunctionRow) &&
           sizeof(Header) + rows_bytes() <= size_bytes;
  }
  std::uint64_t rows_bytes() const { return groups * sizeof(GroupRow) + functions * sizeof(FunctionRow); }
};

/// Stands in front of a record in its group.
struct Entry::RecordHead {
  std::uint32_t func = 0;
  std::uint32_t size_bytes = 0;
};

base::Result<Entry> Entry::read(File file, base::ByteRange place, const Key& key, const std::optional<Key>& seal) {
  const std::uint64_t size_bytes = place.size_bytes();
  Header header;
  if (size_bytes < sizeof header || !file.read_at(&header, sizeof header, place.begin) || header.magic != kMagic)
    return broken("it is not an entry");
  if (header.key != key) return broken("it is for something else");
  if (header.file_bytes != size_bytes || !header.rows_fit(size_bytes)) return broken("it is cut off");
  std::vector<std::uint8_t> rows(header.rows_bytes());
  if (!file.read_at(rows.data(), rows.size(), place.begin + sizeof header)) return broken("it cannot be read");
  if (seal) {
    base::Sha256 hash;
    hash.add(base::raw_bytes(header));
    hash.add(rows);
    if (*seal != hash.finish()) return broken("it is not what was sealed");
  }
  if (header.hash != header.hash_with(rows)) return broken("its index is damaged");
  Entry entry;
  entry.groups_.resize(header.groups);
  entry.functions_.resize(header.functions);
  const std::size_t of_groups = header.groups * sizeof(GroupRow);
  if (of_groups != 0) std::memcpy(entry.groups_.data(), rows.data(), of_groups);
  if (of_groups != rows.size()) std::memcpy(entry.functions_.data(), &rows[of_groups], rows.size() - of_groups);
  if (!entry.index_is_sound(size_bytes)) return broken("its index is wrong");
  entry.file_ = std::move(file);
  entry.begin_ = place.begin;
  return entry;
}

bool Entry::index_is_sound(std::uint64_t size_bytes) const {
  std::uint64_t after = 0;  // the lowest index that may come next
  for (const FunctionRow& row : functions_) {
    if (row.func < after || row.improvable > 1 || row.group >= groups_.size()) return false;
    after = std::uint64_t{row.func} + 1;
  }
  return std::all_of(groups_.begin(), groups_.end(), [size_bytes](const GroupRow& group) {
    return group.offset <= size_bytes && group.size_bytes <= size_bytes - group.offset;
  });
}

std::vector<std::uint8_t> Entry::write(const Key& key, const std::vector<Piece>& pieces, Order order) {
  std::vector<FunctionRow> functions;
  std::vector<GroupRow> groups;
  std::vector<std::uint8_t> records;
  std::size_t begin = 0;  // of the last group, in `records`
  const auto append = [&records](base::Bytes bytes) { records.insert(records.end(), bytes.begin(), bytes.end()); };
  const auto end_group = [&] {
    const std::size_t size_bytes = records.size() - begin;
    if (size_bytes != 0) groups.push_back({begin, size_bytes, base::Sha256::of({&records[begin], size_bytes})});
    begin = records.size();
  };
  for (const Piece& piece : pieces) {
    if (order == Order::none || records.size() - begin + piece.record.size() > kGroupBytes) end_group();
    functions.push_back({piece.func.value, static_cast<std::uint32_t>(groups.size()), piece.improvable});
    append(base::raw_bytes(RecordHead{piece.func.value, static_cast<std::uint32_t>(piece.record.size())}));
    append(piece.record);
  }
  end_group();
  std::sort(functions.begin(), functions.end(), [](const auto& a, const auto& b) { return a.func < b.func; });

  Header header;
  header.key = key;
  header.groups = groups.size();
  header.functions = functions.size();
  const std::uint64_t first = sizeof header + header.rows_bytes();
  header.file_bytes = first + records.size();
  for (GroupRow& group : groups) group.offset += first;
  std::vector<std::uint8_t> bytes(sizeof header);
  bytes.reserve(header.file_bytes);
  for (const base::Bytes part : {base::raw_bytes(groups), base::raw_bytes(functions), base::Bytes(records)})
    bytes.insert(bytes.end(), part.begin(), part.end());
  header.hash = header.hash_with(base::Bytes(bytes).subspan(sizeof header, header.rows_bytes()));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::size_t Entry::sealed_bytes(base::Bytes entry) {
  Header header;
  std::memcpy(&header, entry.data(), sizeof header);
  return sizeof header + header.rows_bytes();
}

const Entry::FunctionRow* Entry::row(spec::FuncIndex func) const {
  const auto at = std::lower_bound(functions_.begin(), functions_.end(), func.value,
                                   [](const FunctionRow& row, std::uint32_t wanted) { return row.func < wanted; });
  return at != functions_.end() && at->func == func.value ? &*at : nullptr;
}

std::optional<std::uint32_t> Entry::group_of(spec::FuncIndex func) const {
  const FunctionRow* found = row(func);
  return found == nullptr ? std::nullopt : std::optional(found->group);
}

base::Result<Entry::Group> Entry::read_group(std::uint32_t number) const {
  const GroupRow& place = groups_[number];
  // Not zeroed first.
  std::unique_ptr<std::uint8_t[]> memory(new std::uint8_t[place.size_bytes]);
  base::Bytes rest(memory.get(), place.size_bytes);
  if (!file_.read_at(memory.get(), place.size_bytes, begin_ + place.offset)) return broken("it cannot be read");
  if (base::Sha256::of(rest) != place.digest) return broken("its records are damaged");
  Group group;
  group.memory = std::move(memory);
  while (!rest.empty()) {
    RecordHead head;
    if (rest.size() < sizeof head) return broken("its records are wrong");
    std::memcpy(&head, rest.data(), sizeof head);
    rest = rest.subspan(sizeof head);
    const FunctionRow* function = row(spec::FuncIndex(head.func));
    if (head.size_bytes > rest.size() || function == nullptr || function->group != number)
      return broken("its records are wrong");
    group.records.push_back({spec::FuncIndex(head.func), function->improvable != 0, rest.first(head.size_bytes)});
    rest = rest.subspan(head.size_bytes);
  }
  return group;
}

bool Entry::has(spec::FuncIndex func, bool improvable) const {
  const FunctionRow* found = row(func);
  return found != nullptr && (improvable || found->improvable == 0);
}

std::vector<spec::FuncIndex> Entry::hot() const {
  std::vector<spec::FuncIndex> result;
  for (const FunctionRow& row : functions_)
    if (row.improvable == 0) result.emplace_back(row.func);
  return result;
}

std::vector<Piece> Entry::all() const {
  std::vector<Piece> result;
  for (std::uint32_t number = 0; number < groups(); ++number) {
    const auto group = read_group(number);
    if (!group.ok()) continue;
    for (const Group::Record& record : group->records)
      result.push_back({record.func, record.improvable, {record.bytes.begin(), record.bytes.end()}});
  }
  return result;
}

}  // namespace heddle::cache
