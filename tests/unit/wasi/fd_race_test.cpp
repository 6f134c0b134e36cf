// Descriptors closed and renumbered while other threads use them (faults.md 11): no host descriptor is lost, none is
// taken for another. Run under address and thread sanitizer.
#include <atomic>
#include <fcntl.h>
#include <poll.h>
#include <random>
#include <unistd.h>

#include "guest.h"

namespace heddle::wasi::test {
namespace {

/// Until `thread` is inside the host call `name` (it says so right before its system call).
void wait_until_in(GuestThread& thread, const char* name) {
  runtime::ThreadState& state = thread.store().state();
  for (;;) {
    const char* now = state.host_call_name.load(std::memory_order_relaxed);
    if (state.kind.load(std::memory_order_relaxed) == runtime::ThreadState::Kind::host_call && now != nullptr &&
        std::strcmp(now, name) == 0)
      return;
    std::this_thread::yield();
  }
}

struct Pipe {
  Pipe() { HEDDLE_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "a pipe"); }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  void close_end(int i) {
    ::close(ends[i]);
    ends[i] = -1;
  }
  int ends[2];
};

Options with_stdin(const Folder& folder, int fd) {
  Options options = Guest::with_folder(folder.path());
  options.stdio[0] = {.kind = Stream::Kind::descriptor, .path = {}, .descriptor = fd, .bytes = {}, .capture = nullptr};
  return options;
}

enum class How { close, renumber };

/// A thread blocks in fd_read on a pipe; another closes (or overwrites) that descriptor and opens files, which would
/// get the pipe's host descriptor if it were free.
void blocked_reader_keeps_its_file(How how) {
  Folder folder;
  write_file(folder / "other", "wrong file");
  const std::size_t before = host_fd_count();
  {
    Pipe pipe;
    Guest guest(with_stdin(folder, pipe.ends[0]));
    std::atomic<GuestThread*> reader_thread{nullptr};
    std::string got;
    Errno error = Errno::io;
    std::thread reader([&] {
      GuestThread t(guest);
      reader_thread = &t;
      error = t.read(0, 100, got);
      reader_thread = nullptr;
    });
    while (reader_thread.load() == nullptr) std::this_thread::yield();
    wait_until_in(*reader_thread.load(), "fd_read");
    {
      GuestThread t(guest);
      std::uint32_t fd = 0;
      ASSERT_EQ(t.open(3, "other", 0, kReadRights, fd), Errno::success);
      if (how == How::close) {
        EXPECT_EQ(t.call("fd_close", 0), Errno::success);
      } else
        EXPECT_EQ(t.call("fd_renumber", fd, 0), Errno::success);
      for (int i = 0; i < 20; ++i) EXPECT_EQ(t.open(3, "other", 0, kReadRights, fd), Errno::success);
    }
    ASSERT_EQ(::write(pipe.ends[1], "right", 5), 5);
    reader.join();
    EXPECT_EQ(error, Errno::success);
    EXPECT_EQ(got, "right");
  }
  EXPECT_EQ(host_fd_count(), before);
}

TEST(FdRace, reader_blocked_on_a_closed_descriptor_finishes_on_its_own_file) {
  blocked_reader_keeps_its_file(How::close);
}
TEST(FdRace, reader_blocked_on_a_renumbered_descriptor_finishes_on_its_own_file) {
  blocked_reader_keeps_its_file(How::renumber);
}

TEST(FdRace, host_descriptor_closes_when_the_last_user_leaves) {
  Folder folder;
  Pipe pipe;
  Guest guest(with_stdin(folder, pipe.ends[0]));
  pipe.close_end(0);  // the guest's duplicate is the only reader now
  std::atomic<GuestThread*> reader_thread{nullptr};
  std::thread reader([&] {
    GuestThread t(guest);
    reader_thread = &t;
    std::string got;
    EXPECT_EQ(t.read(0, 1, got), Errno::success);
  });
  while (reader_thread.load() == nullptr) std::this_thread::yield();
  wait_until_in(*reader_thread.load(), "fd_read");
  GuestThread t(guest);
  ASSERT_EQ(t.call("fd_close", 0), Errno::success);
  pollfd end = {pipe.ends[1], POLLOUT, 0};
  ASSERT_EQ(::poll(&end, 1, 0), 1);
  EXPECT_EQ(end.revents & POLLERR, 0) << "the reader still holds its end";
  ASSERT_EQ(::write(pipe.ends[1], "x", 1), 1);
  reader.join();
  ASSERT_EQ(::poll(&end, 1, 0), 1);
  EXPECT_NE(end.revents & POLLERR, 0) << "nobody reads any more";
}

/// A read from one file must consist of that file's letter.
void check_letters(const std::string& bytes) {
  for (const char c : bytes) ASSERT_EQ(c, bytes[0]) << "bytes of two files in one read";
}

constexpr std::uint32_t kSlots = 8;  // descriptors 4..11 are fought over
constexpr int kRounds = 20'000;

void fight(Guest& guest, unsigned seed) {
  GuestThread t(guest);
  std::minstd_rand random(seed);
  for (int i = 0; i < kRounds; ++i) {
    const std::uint32_t fd = 4 + static_cast<std::uint32_t>(random() % kSlots);
    const std::uint32_t other = 4 + static_cast<std::uint32_t>(random() % kSlots);
    std::string bytes;
    std::uint32_t opened = 0;
    Errno e = Errno::success;
    switch (random() % 8) {
      case 0:
        e = t.open(3, std::string(1, static_cast<char>('a' + random() % 4)), 0, kReadWriteRights, opened);
        if (e == Errno::success && opened >= 4 + kSlots) e = t.call("fd_close", opened);
        break;
      case 1: e = t.open(3, "dir", kOpenDirectory, kAllRights, opened); break;
      case 2: e = t.call("fd_close", fd); break;
      case 3: e = t.call("fd_renumber", fd, other); break;
      case 4:
        t.store(t.scratch(), Iovec{t.text(""), 16});
        e = t.call("fd_pread", fd, t.scratch(), 1, 0, t.scratch() + 8);
        if (e == Errno::success)
          check_letters(
              std::string(reinterpret_cast<char*>(guest.bytes(t.text(""))), t.load<std::uint32_t>(t.scratch() + 8)));
        break;
      case 5: {
        std::set<std::string> names;
        e = t.list(fd, names, 512);
        if (e == Errno::success) {
          ASSERT_EQ(names.size(), 12u);
        }
        break;
      }
      case 6: {
        SubscriptionLayout s = {};
        s.tag = 1;
        s.clock_or_fd = fd;
        t.store(t.scratch() + 64, s);
        s.tag = 0;
        s.clock_or_fd = 1;
        t.store(t.scratch() + 64 + 48, s);
        e = t.call("poll_oneoff", t.scratch() + 64, t.scratch() + 256, 2, t.scratch());
        break;
      }
      case 7: e = t.call("fd_filestat_get", fd, t.scratch()); break;
    }
    const bool expected = e == Errno::success || e == Errno::badf || e == Errno::isdir || e == Errno::notdir ||
                          e == Errno::notcapable || e == Errno::mfile;
    ASSERT_TRUE(expected) << static_cast<int>(e);
  }
}

TEST(FdRace, close_and_renumber_against_everything_leaks_and_confuses_nothing) {
  Folder folder;
  for (char c = 'a'; c < 'e'; ++c) write_file(folder / std::string(1, c), std::string(64, c));
  std::filesystem::create_directory(folder / "dir");
  for (int i = 0; i < 10; ++i) write_file(folder / ("dir/" + std::to_string(i)), "");
  const std::size_t before = host_fd_count();
  {
    Options options = Guest::with_folder(folder.path());
    options.max_open_files = 32;
    Guest guest(options);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back(fight, std::ref(guest), i + 1);
    for (std::thread& thread : threads) thread.join();
    GuestThread t(guest);
    for (std::uint32_t fd = 4; fd < 32; ++fd) t.call("fd_close", fd);
    EXPECT_EQ(guest.context().files().open_count(), 4u);
    EXPECT_EQ(host_fd_count(), before + 4);
  }
  EXPECT_EQ(host_fd_count(), before);
}

TEST(FdTable, counts_in_a_word_do_not_run_over) {
  FdTable table(8);
  std::uint32_t fd = 0;
  auto file = std::make_unique<OpenFile>();
  file->fd = HostFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(table.insert(std::move(file), fd), Errno::success);
  std::vector<FileRef> references;
  for (int i = 0; i < 200'000; ++i) references.push_back(table.get(fd));
  const int host = references[0]->host();
  EXPECT_EQ(table.close(fd), Errno::success);
  EXPECT_FALSE(table.get(fd));
  for (FileRef& r : references) {
    EXPECT_GE(::fcntl(host, F_GETFD), 0);
    r.reset();
  }
  EXPECT_LT(::fcntl(host, F_GETFD), 0);
}

TEST(FdTable, references_from_before_and_after_a_move_are_counted_alike) {
  FdTable table(8);
  std::uint32_t a = 0, b = 0;
  for (std::uint32_t* fd : {&a, &b}) {
    auto file = std::make_unique<OpenFile>();
    file->fd = HostFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(table.insert(std::move(file), *fd), Errno::success);
  }
  FileRef before = table.get(a);
  const int moved = before->host();
  ASSERT_EQ(table.renumber(a, b), Errno::success);
  FileRef after = table.get(b);
  EXPECT_EQ(&*before, &*after);
  before.reset();
  EXPECT_EQ(table.close(b), Errno::success);
  EXPECT_GE(::fcntl(moved, F_GETFD), 0);
  after.reset();
  EXPECT_LT(::fcntl(moved, F_GETFD), 0);
}

}  // namespace
}  // namespace heddle::wasi::test
