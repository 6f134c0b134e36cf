// The format of an entry: how records are put into groups, and that no group is trusted whose places, digests or
// records are not what they say. Entries are forged here with digests and hash that are right.
#include "cache/entry.h"

#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "support/temporary_folder.h"

namespace heddle::cache {
namespace {

using Bytes = std::vector<std::uint8_t>;

// As entry.cpp lays it out.
constexpr std::size_t kHashAt = 64, kHeaderBytes = 72, kGroupRowBytes = 48, kDigestAt = 16;

template <class T>
T get(const Bytes& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, &bytes[at], sizeof value);
  return value;
}

template <class T>
void put(Bytes& bytes, std::size_t at, T value) {
  std::memcpy(&bytes[at], &value, sizeof value);
}

std::uint64_t groups_in(const Bytes& entry) {
  return get<std::uint64_t>(entry, 48);
}

std::uint64_t offset_of_group(const Bytes& entry, std::size_t group) {
  return get<std::uint64_t>(entry, kHeaderBytes + group * kGroupRowBytes);
}

/// Makes digests and hash right again.
void forge(Bytes& entry) {
  for (std::size_t group = 0; group < groups_in(entry); ++group) {
    const std::size_t row = kHeaderBytes + group * kGroupRowBytes;
    const auto begin = get<std::uint64_t>(entry, row), size = get<std::uint64_t>(entry, row + 8);
    if (begin <= entry.size() && size <= entry.size() - begin)
      put(entry, row + kDigestAt, base::Sha256::of(base::Bytes(entry).subspan(begin, size)));
  }
  const base::Bytes rows = base::Bytes(entry).first(Entry::sealed_bytes(entry)).subspan(kHeaderBytes);
  put(entry, kHashAt, XXH3_64bits_withSeed(rows.data(), rows.size(), XXH3_64bits(entry.data(), kHashAt)));
}

class EntryTest : public testing::Test {
 protected:
  base::Result<Entry> read(const Bytes& bytes) {
    const std::string path = root_ / "entry";
    File file(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
    EXPECT_EQ(pwrite(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return Entry::read(std::move(file), {0, bytes.size()}, key_);
  }
  /// Function `first`, and so on, of this many bytes each, which are the function's number.
  static std::vector<Piece> pieces(std::uint32_t first, std::size_t count, std::size_t record_bytes) {
    std::vector<Piece> result;
    for (std::uint32_t f = first; result.size() < count; ++f)
      result.push_back({spec::FuncIndex(f), f % 2 == 0, Bytes(record_bytes, static_cast<std::uint8_t>(f))});
    return result;
  }
  Bytes entry(const std::vector<Piece>& pieces, Order order = Order::by_use) {
    return Entry::write(key_, pieces, order);
  }

  test::TemporaryFolder root_;
  const Key key_ = {1, 2, 3};
};

TEST_F(EntryTest, neighbours_share_groups_up_to_a_size) {
  const auto all = pieces(5, 100, 1000);
  const auto read_back = read(entry(all));
  ASSERT_TRUE(read_back.ok());
  EXPECT_GT(read_back->groups(), 2u);
  EXPECT_LT(read_back->groups(), 10u);
  EXPECT_EQ(read_back->count(), 100u);
  std::uint32_t next = 5;
  for (std::uint32_t number = 0; number < read_back->groups(); ++number) {
    const auto group = read_back->read_group(number);
    ASSERT_TRUE(group.ok());
    for (const Entry::Group::Record& record : group->records) {
      EXPECT_EQ(record.func.value, next);
      EXPECT_EQ(record.improvable, next % 2 == 0);
      EXPECT_EQ(record.bytes.size(), 1000u);
      EXPECT_EQ(record.bytes.back(), next);
      EXPECT_EQ(read_back->group_of(record.func), number);
      ++next;
    }
  }
  EXPECT_EQ(next, 105u);
  EXPECT_EQ(read_back->group_of(spec::FuncIndex(4u)), std::nullopt);
  EXPECT_EQ(read_back->group_of(spec::FuncIndex(105u)), std::nullopt);
}

TEST_F(EntryTest, a_large_record_is_a_group_of_its_own) {
  auto all = pieces(0, 3, 100);
  all[1].record.resize(1 << 20);
  const auto read_back = read(entry(all));
  ASSERT_TRUE(read_back.ok());
  EXPECT_EQ(read_back->groups(), 3u);
}

TEST_F(EntryTest, without_an_order_each_function_is_read_by_itself) {
  const auto read_back = read(entry(pieces(0, 20, 10), Order::none));
  ASSERT_TRUE(read_back.ok());
  EXPECT_EQ(read_back->groups(), 20u);
  EXPECT_EQ(read_back->read_group(7)->records.size(), 1u);
}

TEST_F(EntryTest, order_is_kept_and_functions_are_found_in_any) {
  auto all = pieces(0, 100, 1000);
  std::reverse(all.begin(), all.end());
  const auto read_back = read(entry(all));
  ASSERT_TRUE(read_back.ok());
  EXPECT_EQ(read_back->all().front().func.value, 99u);
  EXPECT_EQ(read_back->all().size(), 100u);
  EXPECT_EQ(read_back->group_of(spec::FuncIndex(99u)), 0u);
  EXPECT_TRUE(read_back->has(spec::FuncIndex(3u), false));
  EXPECT_FALSE(read_back->has(spec::FuncIndex(4u), false));
  EXPECT_EQ(read_back->hot().size(), 50u);
  EXPECT_EQ(read_back->hot().front().value, 1u);
}

TEST_F(EntryTest, an_entry_may_be_empty) {
  const auto read_back = read(entry({}));
  ASSERT_TRUE(read_back.ok());
  EXPECT_EQ(read_back->groups(), 0u);
  EXPECT_TRUE(read_back->all().empty());
}

TEST_F(EntryTest, a_file_that_ends_in_a_group_gives_the_others) {
  const Bytes good = entry(pieces(0, 100, 1000));
  auto read_back = read(good);
  ASSERT_TRUE(read_back.ok());
  ASSERT_EQ(truncate((root_ / "entry").c_str(), static_cast<off_t>(good.size() - 1)), 0);
  const std::uint32_t last = read_back->groups() - 1;
  EXPECT_FALSE(read_back->read_group(last).ok());
  EXPECT_TRUE(read_back->read_group(last - 1).ok());
  EXPECT_FALSE(read_back->all().empty());
}

TEST_F(EntryTest, forging_keeps_what_is_right) {  // so that what is refused below is refused for what it says
  Bytes bytes = entry(pieces(0, 100, 1000));
  const Bytes good = bytes;
  forge(bytes);
  EXPECT_EQ(bytes, good);
}

TEST_F(EntryTest, an_index_that_cannot_be_is_refused) {
  const Bytes good = entry(pieces(0, 3, 100), Order::none);
  const std::size_t functions = kHeaderBytes + 3 * kGroupRowBytes;
  const auto refused = [&](auto change) {
    Bytes bad = good;
    change(bad);
    forge(bad);
    EXPECT_FALSE(read(bad).ok());
  };
  refused([&](Bytes& b) { put<std::uint64_t>(b, kHeaderBytes, b.size() + 1); });           // a group's place
  refused([&](Bytes& b) { put<std::uint64_t>(b, kHeaderBytes + 8, b.size()); });           // its size
  refused([&](Bytes& b) { put<std::uint64_t>(b, kHeaderBytes + 8, ~std::uint64_t{0}); });  //
  refused([&](Bytes& b) { put<std::uint32_t>(b, functions + 4, 3); });                     // a function's group
  refused([&](Bytes& b) { put<std::uint32_t>(b, functions + 8, 2); });                     // neither yes nor no
  refused([&](Bytes& b) { put<std::uint32_t>(b, functions + 12, 0); });                    // twice the same
  refused([&](Bytes& b) { put<std::uint32_t>(b, functions + 12, 9); });                    // not in order
}

TEST_F(EntryTest, counts_that_the_file_cannot_hold_are_refused_before_they_are_believed) {
  const Bytes good = entry(pieces(0, 3, 100));
  for (const std::size_t at : {std::size_t{48}, std::size_t{56}})
    for (const std::uint64_t count : {good.size(), std::size_t{1} << 40, ~std::size_t{0} / 12, ~std::size_t{0}}) {
      Bytes bad = good;
      put<std::uint64_t>(bad, at, count);
      EXPECT_FALSE(read(bad).ok());
    }
}

TEST_F(EntryTest, records_that_are_not_what_the_index_says_are_refused) {
  const Bytes good = entry(pieces(0, 2, 100));
  const std::size_t first = offset_of_group(good, 0), second = first + 8 + 100;
  const auto refused = [&](auto change) {
    Bytes bad = good;
    change(bad);
    forge(bad);
    const auto read_back = read(bad);
    ASSERT_TRUE(read_back.ok());
    EXPECT_FALSE(read_back->read_group(0).ok());
    EXPECT_TRUE(read_back->all().empty());
  };
  refused([&](Bytes& b) { put<std::uint32_t>(b, first, 7); });         // a function that is not in the index
  refused([&](Bytes& b) { put<std::uint32_t>(b, second + 4, 101); });  // longer than the group
  refused([&](Bytes& b) { put<std::uint32_t>(b, second + 4, ~0u); });  //
  refused([&](Bytes& b) { put<std::uint32_t>(b, second + 4, 95); });   // what is left is no record
}

TEST_F(EntryTest, a_record_in_another_group_than_the_index_says_is_refused) {
  Bytes bad = entry(pieces(0, 2, 100), Order::none);
  put<std::uint32_t>(bad, offset_of_group(bad, 0), 1);
  forge(bad);
  const auto read_back = read(bad);
  ASSERT_TRUE(read_back.ok());
  EXPECT_FALSE(read_back->read_group(0).ok());
  EXPECT_TRUE(read_back->read_group(1).ok());
}

}  // namespace
}  // namespace heddle::cache
