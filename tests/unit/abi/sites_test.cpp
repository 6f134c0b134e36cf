#include "abi/sites.h"

#include <gtest/gtest.h>
#include <random>

namespace heddle::abi {
namespace {

using spec::TrapCode;

std::vector<Site> all(const Sites& sites) {
  std::vector<Site> result;
  for (const Site& site : sites) result.push_back(site);
  return result;
}

Sites some() {
  Sites sites;
  sites.add_trap(4, 1000, TrapCode::memory_out_of_bounds);
  sites.add_call(10, 1003);
  sites.add_call(20, 900);
  sites.add_trap(20, 1010, TrapCode::none);
  sites.add_trap(20, 1011, TrapCode::unreachable);
  sites.add_trap(100'000, 0xffffffff, TrapCode::memory_out_of_bounds);
  sites.add_call(0xffffffff, 0);
  return sites;
}

TEST(Sites, come_back_as_they_were_added) {
  const std::vector<Site> expected = {{4, 1000, false, TrapCode::memory_out_of_bounds},
                                      {10, 1003, true, TrapCode::none},
                                      {20, 900, true, TrapCode::none},
                                      {20, 1010, false, TrapCode::none},
                                      {20, 1011, false, TrapCode::unreachable},
                                      {100'000, 0xffffffff, false, TrapCode::memory_out_of_bounds},
                                      {0xffffffff, 0, true, TrapCode::none}};
  EXPECT_EQ(all(some()), expected);
  EXPECT_EQ(all(Sites(some().bytes())), expected);
  EXPECT_TRUE(all(Sites()).empty());
}

TEST(Sites, of_usual_code_take_two_bytes) {
  Sites sites;
  for (std::uint32_t i = 0; i < 100; ++i) sites.add_trap(i * 7, i * 5, TrapCode::memory_out_of_bounds);
  EXPECT_EQ(sites.bytes().size(), 200u);
}

TEST(Sites, are_found_by_their_place) {
  const Sites sites = some();
  EXPECT_FALSE(sites.trap_at(3));
  EXPECT_EQ(sites.trap_at(4)->body_offset, 1000u);
  EXPECT_FALSE(sites.trap_at(10)) << "that is a call";
  EXPECT_EQ(sites.trap_at(20)->code, TrapCode::unreachable) << "the last of several";
  EXPECT_FALSE(sites.call_returning_to(4));
  EXPECT_EQ(sites.call_returning_to(20)->body_offset, 900u);
  EXPECT_FALSE(sites.last_up_to(3));
  EXPECT_EQ(sites.last_up_to(9)->body_offset, 1000u);
  EXPECT_EQ(sites.last_up_to(99'999)->body_offset, 1011u);
  EXPECT_FALSE(Sites().trap_at(0));
  EXPECT_FALSE(Sites().last_up_to(0));
}

TEST(Sites, are_sound_if_no_place_is_outside) {
  Sites sites;
  sites.add_trap(4, 1000, TrapCode::memory_out_of_bounds);
  sites.add_call(10, 900);
  EXPECT_TRUE(sites.is_sound(10, 1000));
  EXPECT_FALSE(sites.is_sound(9, 1000));
  EXPECT_FALSE(sites.is_sound(10, 999));
  EXPECT_TRUE(Sites().is_sound(0, 0));
}

TEST(Sites, that_are_cut_off_are_not_sound) {
  const Sites sites = some();
  std::vector<std::size_t> ends = {0};
  Sites grown;
  for (const Site& site : sites) {
    site.is_call ? grown.add_call(site.code_offset, site.body_offset)
                 : grown.add_trap(site.code_offset, site.body_offset, site.code);
    ends.push_back(grown.bytes().size());
  }
  for (std::size_t size = 0; size <= sites.bytes().size(); ++size) {
    const bool is_whole = std::find(ends.begin(), ends.end(), size) != ends.end();
    EXPECT_EQ(Sites(sites.bytes().first(size)).is_sound(0xffffffff, 0xffffffff), is_whole) << size;
  }
}

TEST(Sites, that_cannot_be_are_not_sound) {
  const auto is_sound = [](std::vector<std::uint8_t> bytes) { return Sites(bytes).is_sound(0xffffffff, 0xffffffff); };
  EXPECT_TRUE(is_sound({2, 0, 1}));
  EXPECT_FALSE(is_sound({3, 0, 1}));                                            // no such kind
  EXPECT_FALSE(is_sound({2, 0, static_cast<std::uint8_t>(TrapCode::kCount)}));  // no such trap
  EXPECT_FALSE(is_sound({0, 0xff, 0xff, 0xff, 0xff, 0x1f}));                    // no 32-bit number
  EXPECT_TRUE(is_sound({0xfc, 0xff, 0xff, 0xff, 0x3f, 0}));                     // as far as it goes
  EXPECT_FALSE(is_sound({0xfc, 0xff, 0xff, 0xff, 0x3f, 0, 4, 0}));              // one byte beyond
}

TEST(Sites, of_any_bytes_can_be_gone_through) {
  std::mt19937 random(7);
  for (int round = 0; round < 10'000; ++round) {
    std::vector<std::uint8_t> bytes(random() % 40);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : random() % 128);
    const Sites sites(bytes);
    const bool sound = sites.is_sound(10'000, 10'000);
    for (const Site& site : sites) {
      EXPECT_LT(site.code, TrapCode::kCount);
      if (sound) EXPECT_LE(std::max(site.code_offset, site.body_offset), 10'000u);
    }
    static_cast<void>(sites.trap_at(static_cast<std::uint32_t>(random() % 10'000)));
  }
}

}  // namespace
}  // namespace heddle::abi
