// Memory that a sibling guest thread rewrites between check and use (faults.md 12, 13, 14, 15, 17): each argument
// structure is copied once, so what was checked is what is used. Every race at least 100,000 tries.
#include <atomic>
#include <fcntl.h>
#include <functional>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "canary.h"

namespace heddle::wasi::test {
namespace {

/// The structures that both threads use.
constexpr std::uint32_t kShared = 256;

/// Guest stores as generated code makes them: racing, never torn below a word.
void racing_store(Guest& guest, std::uint32_t address, std::uint32_t value) {
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(guest.bytes(address)), value, __ATOMIC_RELAXED);
}

void while_rewriting(Guest& guest, const std::function<void()>& rewrite, const std::function<void(GuestThread&)>& use) {
  std::atomic<bool> stop{false};
  std::thread sibling([&] {
    while (!stop.load(std::memory_order_relaxed)) rewrite();
  });
  std::thread user([&] {
    set_unprivileged();
    GuestThread t(guest);
    use(t);
  });
  user.join();
  stop = true;
  sibling.join();
}

class PathBytes : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(By, PathBytes, ::testing::Values(false, true),
                         [](const auto& which) { return which.param ? "walk" : "openat2"; });

TEST_P(PathBytes, rewritten_during_the_call_lead_nowhere_else) {
  Canary canary;
  canary.make_directory("good");
  canary.make_file("good/secret", "mine");
  Options options = Guest::with_folder(canary.inside());
  options.without_openat2 = GetParam();
  Guest guest(options);
  static constexpr char kGood[] = "././././good/secret";
  static constexpr char kEvil[] = ".././outside/secret";
  static_assert(sizeof kGood == sizeof kEvil);
  const std::uint32_t size = sizeof kGood - 1;
  int seen_good = 0, seen_perm = 0;
  while_rewriting(
      guest,
      [&] {
        for (const char* text : {kGood, kEvil}) {
          for (std::uint32_t i = 0; i < size; ++i)
            __atomic_store_n(guest.bytes(kShared + i), static_cast<std::uint8_t>(text[i]), __ATOMIC_RELAXED);
          // Whole for a while, so that it is seen whole, too.
          for (int i = 0; i < 500; ++i) __atomic_signal_fence(__ATOMIC_SEQ_CST);
        }
      },
      [&](GuestThread& t) {
        for (int i = 0; go_on(i, seen_good > 0 && seen_perm > 0); ++i) {
          Errno e = Errno::success;
          if (i % 2 == 0) {
            e = t.call("path_open", 3, 1, kShared, size, 0, kReadRights, 0, 0, t.scratch());
            if (e == Errno::success) {
              const auto fd = t.load<std::uint32_t>(t.scratch());
              std::string bytes;
              ASSERT_EQ(t.read(fd, 100, bytes), Errno::success);
              ASSERT_EQ(bytes, "mine");
              t.call("fd_close", fd);
            }
          } else {
            e = t.call("path_filestat_get", 3, 1, kShared, size, t.scratch());
            if (e == Errno::success) {
              ASSERT_FALSE(canary.holds(t.load<Filestat>(t.scratch()).ino));
            }
          }
          ASSERT_NE(e, Errno::acces);
          seen_good += e == Errno::success;
          seen_perm += e == Errno::perm;
        }
      });
  EXPECT_GT(seen_good, 0);
  EXPECT_GT(seen_perm, 0);
  EXPECT_EQ(canary.touched(), "");
}

/// Iovecs that are good, then reach one byte beyond the memory, then wrap around.
void rewrite_iovecs(Guest& guest) {
  static constexpr Iovec kForms[] = {{4096, 64},      {kMemoryBytes - 64, 64}, {kMemoryBytes - 63, 64},
                                     {0xffffffff, 2}, {4096, 0xfffff000},      {4096, 0}};
  for (const Iovec& form : kForms)
    for (std::uint32_t i = 0; i < 2; ++i) {
      racing_store(guest, kShared + i * 8, form.buf);
      racing_store(guest, kShared + i * 8 + 4, form.len);
    }
}

TEST(IovecBytes, rewritten_during_the_call_stay_within_the_memory) {
  Folder folder;
  write_file(folder / "f", std::string(256, 'x'));
  int sockets[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::lchown((folder / "f").c_str(), 65534, 65534), 0);
  }
  Options options = Guest::with_folder(folder.path());
  options.sockets = {sockets[0]};
  Guest guest(options);
  std::map<Errno, int> answers;
  while_rewriting(
      guest, [&] { rewrite_iovecs(guest); },
      [&](GuestThread& t) {
        std::uint32_t fd = 0;
        ASSERT_EQ(t.open(3, "f", 0, kReadWriteRights, fd), Errno::success);
        ASSERT_EQ(t.call("fd_fdstat_set_flags", 4, kFdNonblock), Errno::success);
        char drained[256];
        for (int i = 0; go_on(i, answers[Errno::success] > 0 && answers[Errno::fault] > 0); ++i) {
          Errno e = Errno::success;
          switch (i % 6) {
            case 0: e = t.call("fd_write", 1, kShared, 2, t.scratch()); break;
            case 1: e = t.call("fd_pread", fd, kShared, 2, 0, t.scratch()); break;
            case 2: e = t.call("fd_pwrite", fd, kShared, 2, 0, t.scratch()); break;
            case 3: e = t.call("sock_send", 4, kShared, 2, 0, t.scratch()); break;
            case 4: e = t.call("sock_recv", 4, kShared, 2, 0, t.scratch(), t.scratch() + 4); break;
            case 5: e = t.call("fd_read", 0, kShared, 2, t.scratch()); break;
          }
          if (i % 6 == 3) std::ignore = ::recv(sockets[1], drained, sizeof drained, 0);
          ++answers[e];
          const bool expected = e == Errno::success || e == Errno::fault || e == Errno::again;
          ASSERT_TRUE(expected) << static_cast<int>(e);
          if (e == Errno::success) {
            ASSERT_LE(t.load<std::uint32_t>(t.scratch()), 128u);
          }
        }
      });
  EXPECT_GT(answers[Errno::success], 0);
  EXPECT_GT(answers[Errno::fault], 0);
  for (const int fd : sockets) ::close(fd);
}

TEST(SubscriptionBytes, rewritten_during_poll_oneoff_write_no_event_too_many) {
  Folder folder;
  Guest guest(Guest::with_folder(folder.path()));
  constexpr std::uint32_t kCount = 4, kGuard = 0xabababab;
  // Overlapping: events begin in the middle of the subscriptions.
  constexpr std::uint32_t kOut = kShared + 72, kBehind = kOut + kCount * 32;
  static_assert(kBehind >= kShared + kCount * 48);
  std::map<Errno, int> answers;
  while_rewriting(
      guest,
      [&] {
        for (std::uint32_t i = 0; i < kCount; ++i) {
          const std::uint32_t at = kShared + i * 48;
          if (at + 24 > kOut) continue;  // the rest belongs to the events
          racing_store(guest, at + 8, 0);
          racing_store(guest, at + 8, 1);
          racing_store(guest, at + 16, 0xffffffff);
          racing_store(guest, at + 16, 0);
          racing_store(guest, at + 8, 3);
        }
      },
      [&](GuestThread& t) {
        for (int i = 0; go_on(i, answers[Errno::success] > 0 && answers[Errno::inval] > 0); ++i) {
          for (std::uint32_t at = kOut; at < kBehind + 64; at += 4) racing_store(guest, at, at < kBehind ? 0 : kGuard);
          const Errno e = t.call("poll_oneoff", kShared, kOut, kCount, t.scratch());
          ++answers[e];
          ASSERT_TRUE(e == Errno::success || e == Errno::inval);
          if (e == Errno::success) {
            ASSERT_LE(t.load<std::uint32_t>(t.scratch()), kCount);
          }
          for (std::uint32_t at = kBehind; at < kBehind + 64; at += 4) ASSERT_EQ(t.load<std::uint32_t>(at), kGuard);
        }
      });
  EXPECT_GT(answers[Errno::success], 0);
  EXPECT_GT(answers[Errno::inval], 0);
}

/// faults.md 15: an ESC that comes between the filter's look and the write never reaches the terminal.
TEST(TerminalBytes, rewritten_during_the_call_send_no_control_sequence) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal) + ::unlockpt(terminal), 0);
  char name[64];
  ASSERT_EQ(::ptsname_r(terminal, name, sizeof name), 0);
  const int side = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(side, 0);
  Folder folder;
  Options options = Guest::with_folder(folder.path());
  options.stdio[1].kind = Stream::Kind::descriptor;
  options.stdio[1].descriptor = side;
  Guest guest(options);
  constexpr std::uint32_t kText = kShared + 64, kTextBytes = 64;
  bool seen_plain = false, seen_shown = false;
  while_rewriting(
      guest,
      [&] {
        for (std::uint32_t i = 0; i < kTextBytes; i += 4) racing_store(guest, kText + i, 0x78787878);  // "xxxx"
        for (std::uint32_t i = 0; i < kTextBytes; i += 4) racing_store(guest, kText + i, 0x4a325b1b);  // ESC [2J
      },
      [&](GuestThread& t) {
        t.store(kShared, Iovec{kText, kTextBytes});
        char got[4 * kTextBytes];
        for (int i = 0; go_on(i, seen_plain && seen_shown); ++i) {
          ASSERT_EQ(t.call("fd_write", 1, kShared, 1, t.scratch()), Errno::success);
          const ssize_t n = ::read(terminal, got, sizeof got);
          if (n <= 0) continue;
          const std::string_view text(got, static_cast<std::size_t>(n));
          ASSERT_EQ(text.find('\x1b'), text.npos);
          seen_plain = seen_plain || text.find('x') != text.npos;
          seen_shown = seen_shown || text.find("\xe2\x90\x9b") != text.npos;
        }
      });
  EXPECT_TRUE(seen_plain);
  EXPECT_TRUE(seen_shown);
  ::close(side);
  ::close(terminal);
}

std::uint64_t peak_kib() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss);
}

/// faults.md 14: what a guest asks for is never what the host allocates.
TEST(HugeRequests, cost_the_host_nothing) {
  Folder folder;
  write_file(folder / "f", "12345");
  Guest guest(Guest::with_folder(folder.path()));
  GuestThread t(guest);
  std::memset(guest.bytes(), 0, kMemoryBytes);  // all of it resident
  std::uint32_t fd = 0;
  ASSERT_EQ(t.open(3, "f", 0, kReadRights, fd), Errno::success);
  std::uint32_t dir = 0;
  ASSERT_EQ(t.open(3, ".", kOpenDirectory, kAllRights, dir), Errno::success);
  // As many iovecs as the memory holds, each for all of the memory.
  const std::uint32_t count = kMemoryBytes / 8;
  for (std::uint32_t i = 0; i < count / 2; ++i) t.store(i * 8, Iovec{0, kMemoryBytes});
  const std::uint64_t before = peak_kib();
  const std::uint32_t result = kMemoryBytes - 64;
  EXPECT_EQ(t.call("fd_write", 1, 0, count / 2, result), Errno::success);
  EXPECT_EQ(t.call("fd_write", 1, 0, 0xffffffff, result), Errno::fault);
  EXPECT_EQ(t.call("fd_pread", fd, 0, count / 2, 5, result), Errno::success);
  EXPECT_EQ(t.call("fd_readdir", dir, 0, kMemoryBytes, 0, result), Errno::success);
  EXPECT_EQ(t.call("fd_readdir", dir, 0, 0xffffffff, 0, result), Errno::fault);
  EXPECT_EQ(t.call("random_get", 0, kMemoryBytes), Errno::success);
  EXPECT_EQ(t.call("random_get", 0, 0xffffffff), Errno::fault);
  EXPECT_EQ(t.call("path_open", 3, 0, 0, kMemoryBytes, 0, 0, 0, 0, result), Errno::nametoolong);
  EXPECT_EQ(t.call("path_open", 3, 0, 0, 0xffffffff, 0, 0, 0, 0, result), Errno::fault);
  EXPECT_EQ(t.call("path_readlink", 3, 0, 1, 0, 0xffffffff, result), Errno::fault);
  EXPECT_EQ(t.call("poll_oneoff", 0, 0, kMemoryBytes / 48, result), Errno::inval);
  EXPECT_LT(peak_kib() - before, 4096u) << "KiB more than before";
}

}  // namespace
}  // namespace heddle::wasi::test
