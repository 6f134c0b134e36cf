// poll_oneoff: clocks, descriptors, errors of single subscriptions, and buffers that overlap.
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"

#include "guest.h"

namespace heddle::wasi::test {
namespace {

constexpr std::uint32_t kIn = 1024, kOut = 4096, kCount = 512;

SubscriptionLayout clock_sub(std::uint64_t userdata, ClockId clock, std::uint64_t timeout, std::uint16_t flags = 0) {
  SubscriptionLayout s = {};
  s.userdata = userdata;
  s.clock_or_fd = static_cast<std::uint32_t>(clock);
  s.timeout_ns = timeout;
  s.flags = flags;
  return s;
}

SubscriptionLayout fd_sub(std::uint64_t userdata, EventType type, std::uint32_t fd) {
  SubscriptionLayout s = {};
  s.userdata = userdata;
  s.tag = static_cast<std::uint8_t>(type);
  s.clock_or_fd = fd;
  return s;
}

class PollOneoff : public ::testing::Test {
 protected:
  PollOneoff() {
    HEDDLE_CHECK(::pipe2(pipe, O_CLOEXEC) == 0, "a pipe");
    Options options = Guest::with_folder(folder.path());
    options.stdio[0].kind = Stream::Kind::descriptor;
    options.stdio[0].descriptor = pipe[0];
    guest = std::make_unique<Guest>(options);
    t = std::make_unique<GuestThread>(*guest);
  }
  ~PollOneoff() override {
    ::close(pipe[0]);
    if (pipe[1] >= 0) ::close(pipe[1]);
  }
  /// Polls these; the events that came.
  std::vector<Event> poll(const std::vector<SubscriptionLayout>& subs, std::uint32_t out = kOut) {
    for (std::size_t i = 0; i < subs.size(); ++i) t->store(kIn + static_cast<std::uint32_t>(i * 48), subs[i]);
    EXPECT_EQ(t->call("poll_oneoff", kIn, out, subs.size(), kCount), Errno::success);
    std::vector<Event> events(t->load<std::uint32_t>(kCount));
    for (std::size_t i = 0; i < events.size(); ++i)
      events[i] = t->load<Event>(out + static_cast<std::uint32_t>(i * 32));
    return events;
  }
  Folder folder;
  int pipe[2];
  std::unique_ptr<Guest> guest;
  std::unique_ptr<GuestThread> t;
};

TEST_F(PollOneoff, relative_deadline_passes_no_sooner) {
  for (const ClockId clock : {ClockId::realtime, ClockId::monotonic}) {
    const std::uint64_t before = base::clock_ns(CLOCK_MONOTONIC);
    const auto events = poll({clock_sub(7, clock, 5'000'000)});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].userdata, 7u);
    EXPECT_EQ(events[0].error, Errno::success);
    EXPECT_EQ(events[0].type, EventType::clock);
    EXPECT_GE(base::clock_ns(CLOCK_MONOTONIC) - before, 5'000'000u);
  }
}

TEST_F(PollOneoff, absolute_deadlines_are_moments_of_their_clock) {
  EXPECT_EQ(poll({clock_sub(1, ClockId::realtime, 1, kClockAbstime)}).size(), 1u);
  EXPECT_EQ(poll({clock_sub(1, ClockId::realtime, base::clock_ns(CLOCK_REALTIME) + 3'000'000, kClockAbstime)}).size(),
            1u);
  EXPECT_EQ(poll({clock_sub(1, ClockId::monotonic, base::clock_ns(CLOCK_MONOTONIC) + 3'000'000, kClockAbstime)}).size(),
            1u);
  // Beside a descriptor, where a timer must do it.
  const auto mixed = poll({fd_sub(2, EventType::fd_read, 0),
                           clock_sub(1, ClockId::realtime, base::clock_ns(CLOCK_REALTIME) + 3'000'000, kClockAbstime)});
  ASSERT_EQ(mixed.size(), 1u);
  EXPECT_EQ(mixed[0].userdata, 1u);
}

TEST_F(PollOneoff, cpu_clocks) {
  EXPECT_EQ(poll({clock_sub(1, ClockId::process_cputime, 1, kClockAbstime)})[0].error, Errno::success);
  EXPECT_EQ(poll({clock_sub(1, ClockId::thread_cputime, 1, kClockAbstime)})[0].error, Errno::success);
  EXPECT_EQ(poll({clock_sub(1, ClockId::thread_cputime, 1'000'000'000)})[0].error, Errno::inval)
      << "a waiting thread's own clock stands still";
  // Somebody has to use the CPU for the process's clock to move.
  std::atomic<bool> stop{false};
  std::thread burner([&] {
    while (!stop.load(std::memory_order_relaxed)) {
    }
  });
  EXPECT_EQ(poll({clock_sub(1, ClockId::process_cputime, 2'000'000)})[0].error, Errno::success);
  EXPECT_EQ(poll({clock_sub(1, ClockId::process_cputime, 2'000'000), fd_sub(2, EventType::fd_read, 0)})[0].userdata,
            1u);
  stop = true;
  burner.join();
}

TEST_F(PollOneoff, the_earliest_of_several_deadlines_wins) {
  const auto events = poll({clock_sub(1, ClockId::monotonic, 60'000'000'000), clock_sub(2, ClockId::monotonic, 1000),
                            clock_sub(3, ClockId::realtime, ~0ull)});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].userdata, 2u);
}

TEST_F(PollOneoff, a_pipe_tells_what_can_be_read_and_that_its_writer_is_gone) {
  ASSERT_EQ(::write(pipe[1], "abc", 3), 3);
  auto events = poll({fd_sub(9, EventType::fd_read, 0), clock_sub(1, ClockId::monotonic, 60'000'000'000)});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].userdata, 9u);
  EXPECT_EQ(events[0].nbytes, 3u);
  EXPECT_EQ(events[0].flags, 0u);
  std::string bytes;
  ASSERT_EQ(t->read(0, 3, bytes), Errno::success);
  ::close(pipe[1]);
  pipe[1] = -1;
  events = poll({fd_sub(9, EventType::fd_read, 0)});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].flags, kEventHangup);
}

TEST_F(PollOneoff, files_are_always_ready) {
  write_file(folder / "f", "12345");
  std::uint32_t fd = 0;
  ASSERT_EQ(t->open(3, "f", 0, kReadWriteRights, fd), Errno::success);
  const auto events = poll({fd_sub(1, EventType::fd_read, fd), fd_sub(2, EventType::fd_write, fd)});
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].nbytes, 5u);
}

TEST_F(PollOneoff, one_bad_subscription_does_not_spoil_the_others) {
  const auto events =
      poll({fd_sub(1, EventType::fd_read, 99), clock_sub(2, static_cast<ClockId>(9), 0),
            clock_sub(3, ClockId::monotonic, 0), fd_sub(4, EventType::fd_write, 0), fd_sub(5, EventType::fd_read, 0)});
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[0].error, Errno::badf);
  EXPECT_EQ(events[1].error, Errno::inval);
  EXPECT_EQ(events[2].error, Errno::notcapable) << "stdin is no place to write";
  EXPECT_EQ(events[3].userdata, 3u);
}

TEST_F(PollOneoff, bounds_are_checked_before_anything_else) {
  EXPECT_EQ(t->call("poll_oneoff", kIn, kOut, 0, kCount), Errno::inval);
  EXPECT_EQ(t->call("poll_oneoff", kIn, kOut, 0xffffffff, kCount), Errno::fault);
  EXPECT_EQ(t->call("poll_oneoff", kIn, kOut, 0x05555556, kCount), Errno::fault) << "48 times that is 2^32 + 32";
  EXPECT_EQ(t->call("poll_oneoff", kMemoryBytes - 47, kOut, 1, kCount), Errno::fault);
  EXPECT_EQ(t->call("poll_oneoff", kIn, kMemoryBytes - 31, 1, kCount), Errno::fault);
  EXPECT_EQ(t->call("poll_oneoff", kIn, kOut, 1, kMemoryBytes - 3), Errno::fault);
  EXPECT_EQ(t->call("poll_oneoff", 0, 0, 20'000, kCount), Errno::inval) << "more than we want to allocate for";
  auto s = fd_sub(1, EventType::fd_read, 0);
  s.tag = 3;
  t->store(kIn, s);
  EXPECT_EQ(t->call("poll_oneoff", kIn, kOut, 1, kCount), Errno::inval);
}

TEST_F(PollOneoff, in_and_out_may_overlap) {
  for (const std::uint32_t out : {kIn, kIn + 8, kIn + 40, kIn - 16}) {
    const auto events = poll(
        {clock_sub(1, ClockId::monotonic, 0), clock_sub(2, ClockId::monotonic, 0), clock_sub(3, ClockId::monotonic, 0)},
        out);
    ASSERT_EQ(events.size(), 3u);
    for (std::uint64_t i = 0; i < 3; ++i) EXPECT_EQ(events[i].userdata, i + 1);
  }
}

TEST_F(PollOneoff, wasi_unstable_has_its_own_layout) {
  GuestThread old(*guest, "wasi_unstable");
  UnstableSubscriptionLayout s = {};
  s.userdata = 5;
  s.clock_identifier = 77;
  s.clock = 1;
  s.timeout_ns = 60'000'000'000;
  old.store(kIn, s);
  s.tag = 1;
  s.userdata = 6;
  s.clock_identifier = 0;
  s.fd = 99;
  old.store(kIn + 56, s);
  ASSERT_EQ(old.call("poll_oneoff", kIn, kOut, 2, kCount), Errno::success);
  EXPECT_EQ(old.load<std::uint32_t>(kCount), 1u);
  EXPECT_EQ(old.load<Event>(kOut).userdata, 6u);
  EXPECT_EQ(old.load<Event>(kOut).error, Errno::badf);
}

TEST_F(PollOneoff, other_layouts_of_wasi_unstable) {
  write_file(folder / "f", "12345");
  GuestThread old(*guest, "wasi_unstable");
  std::uint32_t fd = 0;
  ASSERT_EQ(old.open(3, "f", 0, kReadRights, fd), Errno::success);
  ASSERT_EQ(old.call("fd_seek", fd, 2, 2, 0), Errno::success);  // 2 is SET there
  EXPECT_EQ(old.load<std::uint64_t>(0), 2u);
  ASSERT_EQ(old.call("fd_seek", fd, 1, 0, 0), Errno::success);  // 0 is CUR
  EXPECT_EQ(old.load<std::uint64_t>(0), 3u);
  ASSERT_EQ(old.call("fd_filestat_get", fd, 0), Errno::success);
  EXPECT_EQ(old.load<UnstableFilestat>(0).size, 5u);
  EXPECT_EQ(old.load<UnstableFilestat>(0).nlink, 1u);
  ASSERT_EQ(old.call("path_filestat_get", 3, 0, old.text("f"), 1, 0), Errno::success);
  EXPECT_EQ(old.load<UnstableFilestat>(0).size, 5u);
}

}  // namespace
}  // namespace heddle::wasi::test
