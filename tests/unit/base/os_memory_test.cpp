#include "base/os_memory.h"

#include <gtest/gtest.h>

namespace heddle::base {
namespace {

TEST(OsMemory, committed_pages_are_zero_and_writable) {
  const Reservation r = Reservation::reserve(std::size_t{1} << 30);
  ASSERT_TRUE(r);
  ASSERT_TRUE(r.protect(kOsPageBytes, 2 * kOsPageBytes, Access::read_write));
  std::uint8_t* page = r.base() + kOsPageBytes;
  EXPECT_EQ(page[0], 0);
  page[2 * kOsPageBytes - 1] = 7;
  EXPECT_EQ(page[2 * kOsPageBytes - 1], 7);
}

TEST(OsMemory, discarded_pages_read_as_zero_again) {
  const Reservation r = Reservation::reserve(4 * kOsPageBytes);
  ASSERT_TRUE(r.protect(0, 4 * kOsPageBytes, Access::read_write));
  r.base()[0] = 1;
  r.base()[kOsPageBytes] = 2;
  r.discard(0, kOsPageBytes);
  EXPECT_EQ(r.base()[0], 0);
  EXPECT_EQ(r.base()[kOsPageBytes], 2);
}

TEST(OsMemory, more_address_space_than_there_is_gives_an_empty_reservation) {
  EXPECT_FALSE(Reservation::reserve(std::size_t{1} << 60));
}

TEST(OsMemory, moving_hands_the_range_over) {
  Reservation a = Reservation::reserve(kOsPageBytes);
  std::uint8_t* const base = a.base();
  Reservation b = std::move(a);
  EXPECT_EQ(b.base(), base);
  EXPECT_FALSE(a);  // NOLINT: that is the rule under test
}

TEST(OsMemory, sizes_round_up_to_pages) {
  EXPECT_EQ(round_up_to_page(0), 0u);
  EXPECT_EQ(round_up_to_page(1), kOsPageBytes);
  EXPECT_EQ(round_up_to_page(kOsPageBytes), kOsPageBytes);
}

TEST(OsMemoryDeath, reserved_pages_fault_until_committed) {
  const Reservation r = Reservation::reserve(kOsPageBytes);
  EXPECT_DEATH(*static_cast<volatile std::uint8_t*>(r.base()) = 1, "");
}

}  // namespace
}  // namespace heddle::base
