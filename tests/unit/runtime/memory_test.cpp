#include "runtime/memory.h"

#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/os_memory.h"
#include "runtime/guest_memory.h"
#include "runtime/resource_limits.h"

namespace heddle::runtime {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

spec::MemType pages32(std::uint64_t min, std::optional<std::uint64_t> max = std::nullopt) {
  spec::MemType type;
  type.limits = {min, max};
  return type;
}

spec::MemType pages64(std::uint64_t min, std::optional<std::uint64_t> max = std::nullopt) {
  spec::MemType type = pages32(min, max);
  type.address = spec::AddressType::i64;
  return type;
}

std::shared_ptr<Memory> make(const spec::MemType& type, ResourceLimits* limits = nullptr) {
  auto memory = Memory::create(type, limits);
  EXPECT_TRUE(memory.ok());
  return memory.ok() ? *memory : nullptr;
}

/// Whether a byte can be read, without touching it: process_vm_readv would do, but a failed write(2) is simpler.
bool is_readable(const std::uint8_t* at) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  const bool readable = write(fds[1], at, 1) == 1;
  close(fds[0]);
  close(fds[1]);
  return readable;
}

TEST(Memory, starts_zeroed_with_its_minimum) {
  const auto memory = make(pages32(2));
  EXPECT_EQ(memory->size_bytes(), 2u << 16);
  EXPECT_EQ(memory->size_pages(), 2u);
  const GuestMemory guest(memory->vm());
  EXPECT_EQ(guest.load<std::uint64_t>((2u << 16) - 8), 0u);
}

TEST(Memory, growing_keeps_base_and_contents_and_gives_zeroed_pages) {
  const auto memory = make(pages32(1));
  const std::uint8_t* base = memory->vm().base;
  ASSERT_TRUE(GuestMemory(memory->vm()).store<std::uint32_t>(65532, 0x01020304));
  EXPECT_EQ(memory->grow(3), 1u);
  EXPECT_EQ(memory->vm().base, base);
  const GuestMemory guest(memory->vm());
  EXPECT_EQ(guest.size_bytes(), 4u << 16);
  EXPECT_EQ(guest.load<std::uint32_t>(65532), 0x01020304u);
  EXPECT_EQ(guest.load<std::uint32_t>(65536), 0u);
}

TEST(Memory, growing_by_nothing_gives_the_size) {
  EXPECT_EQ(make(pages32(7))->grow(0), 7u);
}

TEST(Memory, growing_beyond_the_maximum_is_refused_and_changes_nothing) {
  const auto memory = make(pages32(1, 3));
  EXPECT_EQ(memory->grow(3), Memory::kRefused);
  EXPECT_EQ(memory->grow(~std::uint64_t{0}), Memory::kRefused);
  EXPECT_EQ(memory->size_pages(), 1u);
  EXPECT_EQ(memory->grow(2), 1u);
  EXPECT_EQ(memory->grow(1), Memory::kRefused);
}

TEST(Memory, a_32_bit_memory_grows_to_4_gib_and_no_further) {
  const auto memory = make(pages32(0));
  EXPECT_EQ(memory->grow(65537), Memory::kRefused);
  EXPECT_EQ(memory->grow(65536), 0u);
  EXPECT_EQ(memory->size_bytes(), 4 * kGiB);
  const GuestMemory guest(memory->vm());
  EXPECT_TRUE(guest.store<std::uint8_t>(4 * kGiB - 1, 9));
  EXPECT_EQ(memory->grow(1), Memory::kRefused);
}

TEST(Memory, what_lies_around_a_32_bit_memory_is_reserved_and_inaccessible) {
  const auto memory = make(pages32(1));
  const std::uint8_t* base = memory->vm().base;
  EXPECT_TRUE(is_readable(base));
  EXPECT_TRUE(is_readable(base + 65535));
  // Any i32 address plus an offset below 2^31 and 16 bytes; and a mistaken sign.
  for (const std::int64_t at :
       {std::int64_t{65536}, std::int64_t{4} * 1024 * 1024 * 1024, std::int64_t{0xffff'ffff} + 0x7fff'ffff + 16,
        std::int64_t{-1}, -std::int64_t{2} * 1024 * 1024 * 1024}) {
    EXPECT_TRUE(memory->reserves(base + at)) << at;
    EXPECT_FALSE(is_readable(base + at)) << at;
  }
  EXPECT_FALSE(memory->reserves(base - kGuardBeforeBytes - 1));
  EXPECT_FALSE(memory->reserves(base + 4 * kGiB + kGuardBehindBytes + base::kHugePageBytes));
}

TEST(Memory, a_64_bit_memory_may_be_larger_than_4_gib) {
  const auto memory = make(pages64(0, 70'000));
  EXPECT_EQ(memory->grow(69'999), 0u);
  const GuestMemory guest(memory->vm());
  EXPECT_TRUE(guest.store<std::uint64_t>((std::uint64_t{69'999} << 16) - 8, 42));
  EXPECT_EQ(guest.load<std::uint64_t>((std::uint64_t{69'999} << 16) - 8), 42u);
  EXPECT_EQ(memory->grow(2), Memory::kRefused);
}

TEST(Memory, a_64_bit_memory_that_no_machine_has_is_a_limit) {
  const auto memory = Memory::create(pages64(std::uint64_t{1} << 48), nullptr);
  ASSERT_FALSE(memory.ok());
  EXPECT_EQ(memory.error().kind, base::ErrorKind::limit);
  // 2^64 bytes do not fit 64 bits; the sum must not wrap to something small.
  EXPECT_FALSE(Memory::create(pages64((std::uint64_t{1} << 48) - 1), nullptr).ok());
}

TEST(Memory, many_64_bit_memories_fit_one_process) {
  std::vector<std::shared_ptr<Memory>> all;
  for (int i = 0; i < 200; ++i) all.push_back(make(pages64(1)));
  EXPECT_EQ(all.back()->grow(1), 1u);
  EXPECT_TRUE(Memory::create(pages32(1), nullptr).ok());
}

TEST(Memory, pages_of_one_byte_count_bytes) {
  spec::MemType type = pages32(10, 20);
  type.page_log2 = 0;
  const auto memory = make(type);
  EXPECT_EQ(memory->size_bytes(), 10u);
  EXPECT_EQ(memory->grow(10), 10u);
  EXPECT_EQ(memory->size_pages(), 20u);
  EXPECT_EQ(memory->grow(1), Memory::kRefused);
  EXPECT_FALSE(GuestMemory(memory->vm()).load<std::uint8_t>(20).has_value());
}

TEST(Memory, a_limit_for_all_memories_refuses_creation_and_growth_and_is_given_back) {
  ResourceLimits limits(4 << 16, ResourceLimits::kUnlimited);
  {
    const auto memory = make(pages32(2), &limits);
    EXPECT_EQ(memory->grow(3), Memory::kRefused);
    EXPECT_EQ(memory->grow(1), 2u);
    EXPECT_FALSE(Memory::create(pages32(2), &limits).ok());
    EXPECT_EQ(limits.memory_bytes(), 3u << 16);
  }
  EXPECT_EQ(limits.memory_bytes(), 0u);
  EXPECT_EQ(make(pages32(4), &limits)->size_pages(), 4u);
}

TEST(Memory, threads_that_grow_at_once_get_distinct_pages) {
  spec::MemType type = pages32(0, 400);
  type.shared = true;
  const auto memory = make(type);
  std::vector<std::vector<std::uint64_t>> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got)
    threads.emplace_back([&mine, &memory] {
      for (int i = 0; i < 100; ++i) {
        const std::uint64_t page = memory->grow(1);
        mine.push_back(page);
        EXPECT_TRUE(GuestMemory(memory->vm()).store<std::uint8_t>(page << 16, 1));
      }
    });
  for (auto& thread : threads) thread.join();
  std::vector<bool> seen(400);
  for (const auto& mine : got)
    for (const std::uint64_t page : mine) {
      ASSERT_LT(page, 400u);
      EXPECT_FALSE(seen[page]) << page;
      seen[page] = true;
    }
  EXPECT_EQ(memory->grow(1), Memory::kRefused);
}

TEST(GuestMemory, a_range_ends_at_the_end_and_never_wraps) {
  const auto memory = make(pages32(1));
  const GuestMemory guest(memory->vm());
  EXPECT_NE(guest.range(65536, 0), nullptr);
  EXPECT_EQ(guest.range(65537, 0), nullptr);
  EXPECT_EQ(guest.range(65535, 2), nullptr);
  EXPECT_NE(guest.range(0, 65536), nullptr);
  EXPECT_EQ(guest.range(8, ~std::uint64_t{0} - 7), nullptr);
  EXPECT_EQ(guest.range(~std::uint64_t{0}, 2), nullptr);
  EXPECT_FALSE(guest.store<std::uint32_t>(65533, 1));
  EXPECT_EQ(guest.load<std::uint8_t>(65533), 0u);  // nothing of it was written
}

}  // namespace
}  // namespace heddle::runtime
