// Arguments, environment, clocks, random bytes, yielding, exit: what a program does before it touches a file.
#include <algorithm>
#include <ctime>

#include "guest.h"

namespace heddle::wasi::test {
namespace {

TEST(Preview1, has_each_function_in_both_modules) {
  Guest guest;
  EXPECT_EQ(guest.functions().size(), 2u * 46);
}

TEST(Args, are_given_with_their_nuls_and_pointers) {
  Options options = Guest::with_folder("/");
  options.args = {"prog", "", "two words"};
  Guest guest(options);
  GuestThread t(guest);
  ASSERT_EQ(t.call("args_sizes_get", 0, 4), Errno::success);
  ASSERT_EQ(t.load<std::uint32_t>(0), 3u);
  ASSERT_EQ(t.load<std::uint32_t>(4), 5u + 1 + 10);
  ASSERT_EQ(t.call("args_get", 100, 200), Errno::success);
  EXPECT_EQ(t.load<std::uint32_t>(100), 200u);
  EXPECT_EQ(t.load<std::uint32_t>(104), 205u);
  EXPECT_EQ(t.load<std::uint32_t>(108), 206u);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(guest.bytes(200)), 16), std::string("prog\0\0two words\0", 16));
  EXPECT_EQ(t.call("args_get", kMemoryBytes - 8, 200), Errno::fault);
  EXPECT_EQ(t.call("args_get", 100, kMemoryBytes - 15), Errno::fault);
  EXPECT_EQ(t.call("args_sizes_get", kMemoryBytes - 3, 0), Errno::fault);
  EXPECT_EQ(t.call("args_sizes_get", 0, 0xffffffff), Errno::fault);
}

TEST(Environment, is_what_was_given_and_the_last_of_a_name_wins) {
  Options options = Guest::with_folder("/");
  options.environment = {"A=1", "B=2", "A=3"};
  Guest guest(options);
  GuestThread t(guest);
  ASSERT_EQ(t.call("environ_sizes_get", 0, 4), Errno::success);
  EXPECT_EQ(t.load<std::uint32_t>(0), 2u);
  ASSERT_EQ(t.call("environ_get", 100, 200), Errno::success);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(guest.bytes(200)), 8), std::string("B=2\0A=3\0", 8));
}

TEST(Clock, tells_the_hosts_time) {
  Guest guest;
  GuestThread t(guest);
  for (std::uint32_t id = 0; id < 4; ++id) {
    ASSERT_EQ(t.call("clock_time_get", id, 0, 8), Errno::success);
    EXPECT_GT(t.load<std::uint64_t>(8), 0u);
    ASSERT_EQ(t.call("clock_res_get", id, 16), Errno::success);
    EXPECT_GT(t.load<std::uint64_t>(16), 0u);
  }
  ASSERT_EQ(t.call("clock_time_get", 0, 0, 8), Errno::success);
  const auto now = static_cast<std::uint64_t>(std::time(nullptr));
  EXPECT_NEAR(static_cast<double>(t.load<std::uint64_t>(8) / 1'000'000'000), static_cast<double>(now), 2);
  EXPECT_EQ(t.call("clock_time_get", 4, 0, 8), Errno::inval);
  EXPECT_EQ(t.call("clock_res_get", 4, 8), Errno::inval);
  EXPECT_EQ(t.call("clock_time_get", 0, 0, kMemoryBytes - 7), Errno::fault);
}

TEST(Random, fills_exactly_what_was_asked_for) {
  Guest guest;
  GuestThread t(guest);
  constexpr std::uint32_t kSize = 300'000;
  ASSERT_EQ(t.call("random_get", 16, kSize), Errno::success);
  const std::uint8_t* bytes = guest.bytes(16);
  EXPECT_LT(std::count(bytes, bytes + kSize, 0), kSize / 128);
  EXPECT_EQ(guest.bytes()[15], 0);
  EXPECT_EQ(bytes[kSize], 0);
  EXPECT_EQ(t.call("random_get", 16, 0xffffffff), Errno::fault);
  EXPECT_EQ(t.call("random_get", kMemoryBytes, 0), Errno::success);
}

TEST(Proc, exit_ends_the_group_with_the_code) {
  Guest guest;
  {
    GuestThread t(guest);
    EXPECT_EQ(t.call_raw("proc_exit", {42}).status, runtime::EntryStatus::interrupted);
  }
  const runtime::Outcome outcome = guest.group().wait_ended();
  EXPECT_EQ(outcome.kind, runtime::Outcome::Kind::exited);
  EXPECT_EQ(outcome.exit_code, 42);
}

TEST(Proc, raise_follows_the_signals_default_action) {
  Guest guest;
  {
    GuestThread t(guest);
    EXPECT_EQ(t.call("proc_raise", 0), Errno::success);
    EXPECT_EQ(t.call("proc_raise", 16), Errno::success);  // chld: ignored
    EXPECT_EQ(t.call("proc_raise", 18), Errno::notsup);   // stop
    EXPECT_EQ(t.call("proc_raise", 31), Errno::inval);
    EXPECT_EQ(t.call_raw("proc_raise", {6}).status, runtime::EntryStatus::interrupted);  // abrt
  }
  const runtime::Outcome outcome = guest.group().wait_ended();
  EXPECT_EQ(outcome.kind, runtime::Outcome::Kind::signalled);
  EXPECT_EQ(outcome.exit_code, 134);
}

TEST(Proc, yield_returns) {
  Guest guest;
  GuestThread t(guest);
  EXPECT_EQ(t.call("sched_yield"), Errno::success);
}

}  // namespace
}  // namespace heddle::wasi::test
