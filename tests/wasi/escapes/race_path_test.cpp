// The same attacks while a sibling thread of the same guest swaps the path, the link or the descriptor (faults.md 1, 2,
// 5, 7-10, 16): at least 100,000 tries each, by openat2 and by the walk.
#include <atomic>
#include <functional>
#include <sys/stat.h>

#include "canary.h"

namespace heddle::wasi::test {
namespace {

/// Runs `swap` over and over on a second thread of the guest while `attack` is tried.
void while_swapping(Guest& guest, const std::function<void(GuestThread&)>& swap,
                    const std::function<void(GuestThread&)>& attack_all) {
  std::atomic<bool> stop{false};
  std::thread sibling([&] {
    set_unprivileged();
    GuestThread t(guest);
    while (!stop.load(std::memory_order_relaxed)) swap(t);
  });
  std::thread attacker([&] {
    set_unprivileged();
    GuestThread t(guest);
    attack_all(t);
  });
  attacker.join();
  stop = true;
  sibling.join();
}

void make_file(GuestThread& t, std::string_view path) {
  std::uint32_t fd = 0;
  if (t.open(3, path, kOpenCreat, kReadWriteRights, fd) == Errno::success) t.call("fd_close", fd);
}

struct Race {
  const char* name;
  void (*prepare)(const Canary&);
  void (*swap)(GuestThread&);
  std::vector<const char*> attacks;
  std::vector<const char*> paths;
};

/// p is a directory, then a link to the outside, then again.
void swap_directory(GuestThread& t) {
  t.two_paths("path_rename", 3, "good", 3, "p");
  t.two_paths("path_rename", 3, "p", 3, "good");
  t.two_paths("path_rename", 3, "evil", 3, "p");
  t.two_paths("path_rename", 3, "p", 3, "evil");
}

void swap_by_making(GuestThread& t) {
  t.path_call("path_create_directory", 3, "p");
  t.path_call("path_remove_directory", 3, "p");
  t.symlink("../outside/sub", 3, "p");
  t.path_call("path_unlink_file", 3, "p");
  t.symlink("../outside/sub/", 3, "p");
  t.path_call("path_unlink_file", 3, "p");
  t.path_call("path_unlink_file", 3, "taken");
  t.path_call("path_remove_directory", 3, "taken");
}

void swap_file(GuestThread& t) {
  make_file(t, "f");
  t.path_call("path_unlink_file", 3, "f");
  t.symlink("../outside/new", 3, "f");
  t.path_call("path_unlink_file", 3, "f");
  t.symlink("../outside/secret", 3, "f");
  t.path_call("path_unlink_file", 3, "f");
}

/// A directory above the one we stand in moves: ".." must not slip out.
void swap_depth(GuestThread& t) {
  t.two_paths("path_rename", 3, "a/b/c", 3, "c");
  t.two_paths("path_rename", 3, "c", 3, "a/b/c");
}

const Race kRaces[] = {
    {"trailing_slash_on_path_or_target",
     [](const Canary& c) {
       c.make_directory("good");
       c.make_link("evil", "../outside/sub/");
     },
     swap_directory,
     {"list", "stat", "lstat", "set_times", "set_link_times", "readlink", "link_from", "link_from_target"},
     {"p/", "p//", "p/."}},
    {"rename_of_a_link_with_trailing_slash",
     [](const Canary&) {},
     swap_by_making,
     {"rename_from", "rename_to", "remove_directory", "unlink", "make_directory", "link_to", "symlink"},
     {"p/", "p"}},
    {"create_through_a_link",
     [](const Canary&) {},
     swap_file,
     {"create", "truncate", "create_new", "write", "set_times", "stat", "link_from_target", "link_from"},
     {"f"}},
    {"check_then_open",
     [](const Canary& c) {
       c.make_directory("good");
       c.make_file("good/secret", "mine");
       c.make_link("evil", "../outside");
     },
     swap_directory,
     {"read", "stat", "write", "set_times", "lstat", "list", "create", "make_directory", "link_from", "symlink"},
     {"p/secret", "p/sub", "p/../p/secret"}},
    {"directory_moved_under_dotdot",
     [](const Canary& c) {
       for (const char* name : {"a", "a/b", "a/b/c", "a/b/c/d"}) c.make_directory(name);
     },
     swap_depth,
     {"read", "stat", "list", "create", "unlink"},
     {"a/b/c/d/../../../../../outside/secret", "a/b/c/d/../../../../outside", "c/d/../../../outside/secret"}},
};

class EscapeRace : public ::testing::TestWithParam<std::tuple<Race, bool>> {};
INSTANTIATE_TEST_SUITE_P(Of, EscapeRace, ::testing::Combine(::testing::ValuesIn(kRaces), ::testing::Bool()),
                         [](const auto& which) {
                           return std::string(std::get<0>(which.param).name) +
                                  (std::get<1>(which.param) ? "_by_walk" : "_by_openat2");
                         });

TEST_P(EscapeRace, with_a_swapping_sibling_reaches_nothing_outside) {
  const auto& [race, walk] = GetParam();
  Canary canary;
  race.prepare(canary);
  Options options = Guest::with_folder(canary.inside());
  options.without_openat2 = walk;
  Guest guest(options);
  const std::size_t fds = host_fd_count();
  std::string stolen;
  std::map<Errno, int> answers;
  while_swapping(guest, race.swap, [&, &attacks = race.attacks, &paths = race.paths](GuestThread& t) {
    for (int i = 0; go_on(i, answers.size() >= 2); ++i) {
      const auto n = static_cast<std::size_t>(i);
      const std::string_view path = paths[(n / attacks.size()) % paths.size()];
      ++answers[attack(attacks[n % attacks.size()]).run(t, canary, path, stolen)];
    }
  });
  EXPECT_EQ(stolen, "");
  EXPECT_EQ(canary.touched(), "");
  EXPECT_EQ(answers[Errno::acces], 0) << "somebody looked into the locked folder";
  EXPECT_EQ(host_fd_count(), fds);
  EXPECT_GE(answers.size(), 2u) << "the swap was never seen";
  for (const auto& [error, times] : answers) std::printf("  errno %d: %d times\n", static_cast<int>(error), times);
}

/// Descriptor 3 is a read-only preopen, 4 a writable one. A sibling lets number 5 be one or the other.
class DescriptorRace : public ::testing::Test {
 protected:
  DescriptorRace() {
    write_file(ro / "f", "precious");
    write_file(rw / "f", "cheap");
    if (::geteuid() == 0) {
      for (const std::string& path : {ro.path(), rw.path(), ro / "f", rw / "f"})
        HEDDLE_CHECK(::lchown(path.c_str(), 65534, 65534) == 0, "lchown");
    }
    Options options = Guest::with_folder(ro.path(), true);
    options.preopens.push_back({rw.path(), "rw", false});
    guest = std::make_unique<Guest>(options);
    GuestThread t(*guest);
    std::uint32_t fd = 0;
    HEDDLE_CHECK(t.open(3, ".", kOpenDirectory, kAllRights, fd) == Errno::success && fd == 5, "descriptor 5");
    HEDDLE_CHECK(::stat((ro / "f").c_str(), &before) == 0, "stat");
  }
  static void swap(GuestThread& t) {
    std::uint32_t fd = 0;
    for (const std::uint32_t dir : {4u, 3u})
      if (t.open(dir, ".", kOpenDirectory, kAllRights, fd) == Errno::success) t.call("fd_renumber", fd, 5);
  }
  void expect_unchanged() {
    EXPECT_EQ(read_file(ro / "f"), "precious");
    struct stat after;
    ASSERT_EQ(::stat((ro / "f").c_str(), &after), 0);
    EXPECT_EQ(after.st_nlink, 1u);
    EXPECT_EQ(after.st_ino, before.st_ino);
    EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
    EXPECT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    std::size_t entries = 0;
    for (const auto& entry : std::filesystem::directory_iterator(ro.path())) entries += entry.exists();
    EXPECT_EQ(entries, 1u);
  }
  Folder ro, rw;
  struct stat before;
  std::unique_ptr<Guest> guest;
};

/// faults.md 8.
TEST_F(DescriptorRace, truncation_never_reaches_the_read_only_side) {
  int done = 0, refused = 0;
  while_swapping(*guest, swap, [&](GuestThread& t) {
    for (int i = 0; go_on(i, done > 0 && refused > 0); ++i) {
      std::uint32_t fd = 0;
      const Errno e = t.open(5, "f", kOpenTrunc, i % 2 == 0 ? kReadRights : kReadWriteRights, fd);
      if (e == Errno::success) t.call("fd_close", fd);
      (e == Errno::success ? done : refused) += 1;
      ASSERT_TRUE(e == Errno::success || e == Errno::rofs || e == Errno::badf) << static_cast<int>(e);
    }
  });
  EXPECT_GT(done, 0);
  EXPECT_GT(refused, 0);
  expect_unchanged();
}

/// faults.md 9.
TEST_F(DescriptorRace, neither_side_of_link_and_rename_changes_the_read_only_side) {
  int done = 0, refused = 0;
  while_swapping(*guest, swap, [&](GuestThread& t) {
    for (int i = 0; go_on(i, done > 0 && refused > 0); ++i) {
      Errno e = Errno::success;
      switch (i % 6) {
        case 0: e = t.two_paths("path_rename", 5, "f", 4, "g"); break;
        case 1: e = t.link(5, 0, "f", 4, "h"); break;
        case 2: e = t.link(4, 0, "g", 5, "i"); break;
        case 3: e = t.set_times(5, "f", 0); break;
        case 4: e = t.path_call("path_unlink_file", 5, i % 12 == 4 ? "f" : "i"); break;
        case 5: e = t.two_paths("path_rename", 4, "g", 5, "f"); break;
      }
      (e == Errno::rofs ? refused : done) += 1;
      if (i % 6 == 5) t.path_call("path_unlink_file", 4, "h");
    }
  });
  EXPECT_GT(done, 0);
  EXPECT_GT(refused, 0);
  expect_unchanged();
}

/// faults.md 10: the descriptor is a directory, then a file.
TEST_F(DescriptorRace, path_calls_survive_a_descriptor_that_becomes_a_file) {
  std::map<Errno, int> answers;
  while_swapping(
      *guest,
      [](GuestThread& t) {
        std::uint32_t fd = 0;
        if (t.open(4, "f", kOpenCreat, kReadWriteRights, fd) == Errno::success) t.call("fd_renumber", fd, 5);
        if (t.open(4, ".", kOpenDirectory, kAllRights, fd) == Errno::success) t.call("fd_renumber", fd, 5);
      },
      [&](GuestThread& t) {
        for (int i = 0; go_on(i, answers[Errno::notdir] > 0 && answers[Errno::success] > 0); ++i) {
          Filestat stat;
          switch (i % 4) {
            case 0: ++answers[t.symlink("x", 5, "s")]; break;
            case 1: ++answers[t.path_call("path_unlink_file", 5, "s")]; break;
            case 2: ++answers[t.path_call("path_create_directory", 5, "f/")]; break;
            case 3: ++answers[t.stat(5, "s/", stat)]; break;
          }
        }
      });
  EXPECT_GT(answers[Errno::notdir], 0);
  EXPECT_GT(answers[Errno::success], 0);
  expect_unchanged();
}

/// faults.md 11: number 5 is file A or file B; a read never mixes them, and never finds anything else there.
TEST_F(DescriptorRace, reads_of_a_renumbered_descriptor_see_one_file_or_the_other) {
  write_file(rw / "a", std::string(50, 'a'));
  write_file(rw / "b", std::string(50, 'b'));
  const std::size_t fds = host_fd_count();
  int seen_a = 0, seen_b = 0;
  while_swapping(
      *guest,
      [](GuestThread& t) {
        std::uint32_t fd = 0;
        for (const char* name : {"a", "b"})
          if (t.open(4, name, 0, kReadRights, fd) == Errno::success) t.call("fd_renumber", fd, 5);
      },
      [&](GuestThread& t) {
        for (int i = 0; go_on(i, seen_a > 0 && seen_b > 0); ++i) {
          t.store(t.scratch(), Iovec{t.text(""), 50});
          const Errno e = t.call("fd_pread", 5, t.scratch(), 1, 0, t.scratch() + 8);
          if (e == Errno::isdir || e == Errno::badf) continue;
          ASSERT_EQ(e, Errno::success);
          const std::string bytes(reinterpret_cast<char*>(guest->bytes(t.text(""))), 50);
          ASSERT_TRUE(bytes == std::string(50, 'a') || bytes == std::string(50, 'b')) << bytes;
          (bytes[0] == 'a' ? seen_a : seen_b) += 1;
        }
      });
  EXPECT_GT(seen_a, 0);
  EXPECT_GT(seen_b, 0);
  EXPECT_EQ(host_fd_count(), fds);
}

/// faults.md 6, with threads: nothing but streams, renumbered all the time.
TEST(EscapeRace, without_preopens_no_number_becomes_a_directory) {
  Options options;
  for (Stream& s : options.stdio) s.kind = Stream::Kind::null;
  Guest guest(options);
  while_swapping(
      guest, [](GuestThread& t) { t.call("fd_renumber", 0, 1); },
      [&](GuestThread& t) {
        for (int i = 0; i < kTries; ++i) {
          std::uint32_t fd = 0;
          const Errno e = t.open(static_cast<std::uint32_t>(i % 5), "x", kOpenCreat, 0, fd);
          ASSERT_TRUE(e == Errno::notdir || e == Errno::badf);
        }
      });
}

/// faults.md 16: the name is a FIFO, then a file; a non-blocking open never hangs.
TEST(EscapeRace, non_blocking_open_of_what_becomes_a_fifo_returns) {
  Canary canary;
  ASSERT_EQ(::mkfifo((canary.inside() + "/fifo").c_str(), 0666), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::lchown((canary.inside() + "/fifo").c_str(), 65534, 65534), 0);
  }
  canary.make_file("file", "");
  Guest guest(Guest::with_folder(canary.inside()));
  int done = 0;
  while_swapping(
      guest,
      [](GuestThread& t) {
        for (const char* name : {"fifo", "file"}) {
          t.two_paths("path_rename", 3, name, 3, "f");
          t.two_paths("path_rename", 3, "f", 3, name);
        }
      },
      [&](GuestThread& t) {
        for (int i = 0; go_on(i, done > 0); ++i) {
          std::uint32_t fd = 0;
          const Errno e = t.open(3, "f", 0, i % 2 == 0 ? kReadRights : right(Right::fd_write), fd, kFdNonblock);
          if (e == Errno::success) t.call("fd_close", fd);
          done += e == Errno::success;
          ASSERT_TRUE(e == Errno::success || e == Errno::noent || e == Errno::nxio) << static_cast<int>(e);
        }
      });
  EXPECT_GT(done, 0);
}

}  // namespace
}  // namespace heddle::wasi::test
