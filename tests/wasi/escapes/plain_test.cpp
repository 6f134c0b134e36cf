// Every way to name something outside, with every call that takes a path; resolution by openat2 and by the walk.
#include "canary.h"

namespace heddle::wasi::test {
namespace {

/// What `inside` looks like before each attack.
void build(const Canary& canary) {
  canary.clear_inside();
  canary.make_directory("d");
  canary.make_file("f", "mine");
  canary.make_link("up", "..");
  canary.make_link("dirlink", "../outside");
  canary.make_link("slashlink", "../outside/");
  canary.make_link("sublink", "../outside/sub");
  canary.make_link("absolute", canary.outside());
  canary.make_link("root", "/");
  canary.make_link("filelink", "../outside/secret");
  canary.make_link("dangling", "../outside/new");
  canary.make_link("chain", "d/../dirlink");
  canary.make_link("d/deep", "../../outside/secret");
  canary.make_link("loop", "loop");
  canary.make_link("proc", "/proc/self/root");
}

/// Paths that lead outside, or would if something went wrong.
std::vector<std::string> paths(const Canary& canary) {
  const std::string abs = canary.outside();
  return {"..",
          "../",
          "../.",
          "../..",
          "../outside",
          "../outside/secret",
          "../outside/new",
          "../inside/../outside/secret",
          "d/../../outside/secret",
          "d/../..",
          "./.././outside/sub/",
          "//",
          "/",
          abs,
          abs + "/secret",
          "dirlink/",
          "dirlink/.",
          "dirlink/..",
          "dirlink//secret",
          "dirlink/secret",
          "dirlink/new",
          "dirlink/sub/",
          "slashlink/",
          "slashlink",
          "slashlink/secret",
          "sublink/",
          "sublink/file",
          "sublink/../secret",
          "absolute/",
          "absolute/secret",
          "absolute/new",
          "root/etc/passwd",
          "root" + abs + "/secret",
          "filelink",
          "filelink/",
          "dangling",
          "dangling/",
          "chain/secret",
          "chain/",
          "d/deep",
          "d/deep/",
          "up/outside/secret",
          "up/",
          "up/.",
          "loop",
          "loop/x",
          "proc" + abs + "/secret"};
}

class Escape : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(By, Escape, ::testing::Values(false, true),
                         [](const auto& which) { return which.param ? "walk" : "openat2"; });

TEST_P(Escape, no_call_reaches_outside_by_any_name) {
  Canary canary;
  std::size_t tried = 0;
  Options options = Guest::with_folder(canary.inside());
  options.without_openat2 = GetParam();
  Guest guest(options);
  const std::size_t fds = host_fd_count();
  for (const std::string& path : paths(canary)) {
    for (const Attack& a : kAttacks) {
      build(canary);
      std::string stolen;
      Errno e = Errno::success;
      std::thread guest_thread([&] {
        set_unprivileged();
        GuestThread t(guest);
        e = a.run(t, canary, path, stolen);
      });
      guest_thread.join();
      ASSERT_EQ(stolen, "") << a.name << " " << path;
      ASSERT_NE(e, Errno::acces) << a.name << " " << path << ": somebody looked into the locked folder";
      ASSERT_EQ(canary.touched(), "") << a.name << " " << path;
      ++tried;
    }
  }
  EXPECT_EQ(host_fd_count(), fds);
  RecordProperty("tried", static_cast<int>(tried));
}

/// The answers that programs see for the commonest of them.
TEST_P(Escape, is_answered_with_perm) {
  Canary canary;
  build(canary);
  Options options = Guest::with_folder(canary.inside());
  options.without_openat2 = GetParam();
  Guest guest(options);
  GuestThread t(guest);
  std::string stolen;
  for (const char* path : {"..", "/", "../outside/secret", "dirlink/secret", "absolute/secret", "up/outside/secret"})
    for (const char* name :
         {"read", "create", "stat", "set_times", "make_directory", "unlink", "rename_from", "symlink"})
      if (std::string(path) != ".." || std::string(name) != "create") {
        EXPECT_EQ(attack(name).run(t, canary, path, stolen), Errno::perm) << name << " " << path;
      }
  EXPECT_EQ(attack("read").run(t, canary, "loop", stolen), Errno::loop);
  EXPECT_EQ(attack("create").run(t, canary, "dangling", stolen), Errno::perm);
  EXPECT_EQ(attack("create").run(t, canary, "filelink", stolen), Errno::perm);
  EXPECT_EQ(attack("lstat").run(t, canary, "filelink", stolen), Errno::success);
  EXPECT_EQ(attack("readlink").run(t, canary, "filelink", stolen), Errno::success);
  EXPECT_EQ(attack("rename_from").run(t, canary, "dirlink/", stolen), Errno::notdir);
  EXPECT_EQ(attack("unlink").run(t, canary, "filelink", stolen), Errno::success) << "the link is the guest's";
  EXPECT_EQ(t.symlink("/etc/passwd", 3, "abs"), Errno::perm);
  EXPECT_EQ(canary.touched(), "");
}

/// What stays inside is as good through links and dots as POSIX has it.
TEST_P(Escape, is_not_seen_where_there_is_none) {
  Canary canary;
  build(canary);
  canary.make_directory("d/e");
  canary.make_file("d/e/g", "mine");
  canary.make_link("in", "d/../d/e");
  canary.make_link("d/back", "../f");
  canary.make_link("newlink", "d/made");
  Options options = Guest::with_folder(canary.inside());
  options.without_openat2 = GetParam();
  Guest guest(options);
  GuestThread t(guest);
  std::string stolen;
  for (const char* path : {"d/../f", "./f", "d/e/../../f", "d/back", "in/g", "in/../e/g", "d//e///g", "in/../../f"})
    EXPECT_EQ(attack("read").run(t, canary, path, stolen), Errno::success) << path;
  EXPECT_EQ(attack("list").run(t, canary, "in/", stolen), Errno::success);
  EXPECT_EQ(attack("create").run(t, canary, "newlink", stolen), Errno::success) << "a dangling link is created through";
  EXPECT_EQ(attack("stat").run(t, canary, "d/made", stolen), Errno::success);
  EXPECT_EQ(attack("create_new").run(t, canary, "newlink", stolen), Errno::exist);
  EXPECT_EQ(attack("stat").run(t, canary, "f/", stolen), Errno::notdir);
  EXPECT_EQ(attack("remove_directory").run(t, canary, "d/.", stolen), Errno::inval);
  EXPECT_EQ(attack("make_directory").run(t, canary, "d/..", stolen), Errno::exist);
}

/// faults.md 6.
TEST(Escape, without_preopens_there_is_no_file) {
  Canary canary;
  Options options;
  for (Stream& s : options.stdio) s.kind = Stream::Kind::null;
  Guest guest(options);
  GuestThread t(guest);
  std::string stolen;
  for (const Attack& a : kAttacks) {
    const Errno e = a.run(t, canary, "file", stolen);
    EXPECT_EQ(e, Errno::badf) << a.name;
  }
  std::uint32_t fd = 0;
  for (std::uint32_t dir = 0; dir < 3; ++dir) EXPECT_EQ(t.open(dir, "x", kOpenCreat, 0, fd), Errno::notdir);
}

/// faults.md 10.
TEST(Escape, path_calls_on_a_file_descriptor_are_notdir) {
  Canary canary;
  canary.make_file("f", "");
  Guest guest(Guest::with_folder(canary.inside()));
  GuestThread t(guest);
  std::uint32_t fd = 0;
  ASSERT_EQ(t.open(3, "f", 0, kReadWriteRights, fd), Errno::success);
  ASSERT_EQ(t.call("fd_renumber", fd, 3), Errno::success);
  std::string stolen;
  for (const Attack& a : kAttacks) EXPECT_EQ(a.run(t, canary, "x", stolen), Errno::notdir) << a.name;
}

}  // namespace
}  // namespace heddle::wasi::test
