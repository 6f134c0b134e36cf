// Files and directories in the plain case: one thread, everything there.
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

namespace heddle::wasi::test {
namespace {

class File : public ::testing::TestWithParam<bool> {
 protected:
  File() {
    Options options = Guest::with_folder(folder.path());
    options.without_openat2 = GetParam();
    guest = std::make_unique<Guest>(options);
    t = std::make_unique<GuestThread>(*guest);
  }
  Folder folder;
  std::unique_ptr<Guest> guest;
  std::unique_ptr<GuestThread> t;
};
INSTANTIATE_TEST_SUITE_P(By, File, ::testing::Values(false, true),
                         [](const auto& which) { return which.param ? "walk" : "openat2"; });

TEST_P(File, is_written_and_read_back) {
  std::uint32_t fd = 0;
  ASSERT_EQ(t->open(3, "new", kOpenCreat, kReadWriteRights, fd), Errno::success);
  EXPECT_EQ(fd, 4u);
  ASSERT_EQ(t->write(fd, "hello"), Errno::success);
  EXPECT_EQ(read_file(folder / "new"), "hello");
  ASSERT_EQ(t->call("fd_seek", fd, 1, 0, 0), Errno::success);
  std::string bytes;
  ASSERT_EQ(t->read(fd, 100, bytes), Errno::success);
  EXPECT_EQ(bytes, "ello");
  ASSERT_EQ(t->call("fd_tell", fd, 0), Errno::success);
  EXPECT_EQ(t->load<std::uint64_t>(0), 5u);
  ASSERT_EQ(t->call("fd_close", fd), Errno::success);
  EXPECT_EQ(t->call("fd_close", fd), Errno::badf);
}

TEST_P(File, positioned_calls_leave_the_offset_alone) {
  write_file(folder / "f", "0123456789");
  std::uint32_t fd = 0;
  ASSERT_EQ(t->open(3, "f", 0, kReadWriteRights, fd), Errno::success);
  t->store(0, Iovec{100, 3});
  t->store(8, Iovec{200, 2});
  ASSERT_EQ(t->call("fd_pread", fd, 0, 2, 4, 16), Errno::success);
  EXPECT_EQ(t->load<std::uint32_t>(16), 5u);
  EXPECT_EQ(std::memcmp(guest->bytes(100), "456", 3), 0);
  EXPECT_EQ(std::memcmp(guest->bytes(200), "78", 2), 0);
  ASSERT_EQ(t->call("fd_pwrite", fd, 0, 1, 0, 16), Errno::success);
  EXPECT_EQ(read_file(folder / "f"), "4563456789");
  ASSERT_EQ(t->call("fd_tell", fd, 0), Errno::success);
  EXPECT_EQ(t->load<std::uint64_t>(0), 0u);
}

TEST_P(File, append_writes_at_the_end_wherever_the_offset_is) {
  write_file(folder / "f", "abc");
  std::uint32_t fd = 0;
  ASSERT_EQ(t->open(3, "f", 0, kReadWriteRights, fd, kFdAppend), Errno::success);
  ASSERT_EQ(t->write(fd, "d"), Errno::success);
  ASSERT_EQ(t->call("fd_seek", fd, 0, 0, 0), Errno::success);
  ASSERT_EQ(t->write(fd, "e"), Errno::success);
  EXPECT_EQ(read_file(folder / "f"), "abcde");
  ASSERT_EQ(t->call("fd_fdstat_set_flags", fd, 0), Errno::success);
  ASSERT_EQ(t->call("fd_seek", fd, 0, 0, 0), Errno::success);
  ASSERT_EQ(t->write(fd, "X"), Errno::success);
  EXPECT_EQ(read_file(folder / "f"), "Xbcde");
}

TEST_P(File, open_flags_mean_what_posix_says) {
  write_file(folder / "f", "abc");
  std::uint32_t fd = 0;
  EXPECT_EQ(t->open(3, "f", kOpenCreat | kOpenExcl, kReadWriteRights, fd), Errno::exist);
  EXPECT_EQ(t->open(3, "f", kOpenDirectory, kReadRights, fd), Errno::notdir);
  EXPECT_EQ(t->open(3, "f/", 0, kReadRights, fd), Errno::notdir);
  EXPECT_EQ(t->open(3, "new/", kOpenCreat, kReadWriteRights, fd), Errno::isdir);
  EXPECT_EQ(t->open(3, "none", 0, kReadRights, fd), Errno::noent);
  EXPECT_EQ(t->open(3, "", 0, kReadRights, fd), Errno::noent);
  EXPECT_EQ(t->open(3, "f/x", 0, kReadRights, fd), Errno::notdir);
  EXPECT_EQ(t->open(3, std::string(256, 'x'), 0, kReadRights, fd), Errno::nametoolong);
  EXPECT_EQ(t->open(3, std::string(4096, 'x'), 0, kReadRights, fd), Errno::nametoolong);
  EXPECT_EQ(t->open(3, std::string_view("f\0g", 3), 0, kReadRights, fd), Errno::inval);
  EXPECT_EQ(t->open(3, ".", 0, kReadWriteRights, fd), Errno::isdir);
  ASSERT_EQ(t->open(3, "f", kOpenTrunc, kReadWriteRights, fd), Errno::success);
  EXPECT_EQ(read_file(folder / "f"), "");
}

TEST_P(File, a_directory_can_be_made_listed_and_removed) {
  ASSERT_EQ(t->path_call("path_create_directory", 3, "d/"), Errno::success);
  EXPECT_EQ(t->path_call("path_create_directory", 3, "d"), Errno::exist);
  EXPECT_EQ(t->path_call("path_create_directory", 3, "none/d"), Errno::noent);
  std::uint32_t dir = 0;
  ASSERT_EQ(t->open(3, "d", kOpenDirectory, kAllRights, dir), Errno::success);
  for (int i = 0; i < 100; ++i) write_file(folder / ("d/file" + std::to_string(i)), "");
  for (const std::uint32_t size : {64u, 100u, 4096u}) {
    std::set<std::string> names;
    ASSERT_EQ(t->list(dir, names, size), Errno::success);
    EXPECT_EQ(names.size(), 102u) << size;
    EXPECT_TRUE(names.contains("file99") && names.contains(".") && names.contains(".."));
  }
  EXPECT_EQ(t->path_call("path_remove_directory", 3, "d"), Errno::notempty);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(t->path_call("path_unlink_file", dir, "file" + std::to_string(i)), Errno::success);
  EXPECT_EQ(t->path_call("path_unlink_file", 3, "d"), Errno::isdir);
  EXPECT_EQ(t->path_call("path_remove_directory", 3, "d"), Errno::success);
}

TEST_P(File, attributes_are_told_and_set) {
  write_file(folder / "f", "abcdef");
  Filestat stat = {};
  ASSERT_EQ(t->stat(3, "f", stat), Errno::success);
  EXPECT_EQ(stat.size, 6u);
  EXPECT_EQ(stat.filetype, Filetype::regular_file);
  EXPECT_EQ(stat.nlink, 1u);
  ASSERT_EQ(t->set_times(3, "f", kSymlinkFollow), Errno::success);
  struct stat host;
  ASSERT_EQ(::stat((folder / "f").c_str(), &host), 0);
  EXPECT_EQ(host.st_atim.tv_sec, 1);
  EXPECT_EQ(host.st_mtim.tv_sec, 2);
  std::uint32_t fd = 0;
  ASSERT_EQ(t->open(3, "f", 0, kReadWriteRights, fd), Errno::success);
  ASSERT_EQ(t->call("fd_filestat_set_size", fd, 3), Errno::success);
  EXPECT_EQ(read_file(folder / "f"), "abc");
  ASSERT_EQ(t->call("fd_allocate", fd, 0, 10), Errno::success);
  ASSERT_EQ(t->call("fd_filestat_get", fd, 64), Errno::success);
  EXPECT_EQ(t->load<Filestat>(64).size, 10u);
  EXPECT_EQ(t->call("fd_filestat_set_times", fd, 5'000'000'000, 0, kSetAtim | kSetMtimNow), Errno::success);
  EXPECT_EQ(t->call("fd_filestat_set_times", fd, 0, 0, kSetAtim | kSetAtimNow), Errno::inval);
  EXPECT_EQ(t->call("fd_sync", fd), Errno::success);
  EXPECT_EQ(t->call("fd_datasync", fd), Errno::success);
  EXPECT_EQ(t->call("fd_advise", fd, 0, 10, 3), Errno::success);
  EXPECT_EQ(t->call("fd_advise", fd, 0, 10, 6), Errno::inval);
}

TEST_P(File, links_hard_and_symbolic) {
  write_file(folder / "f", "abc");
  ASSERT_EQ(t->link(3, 0, "f", 3, "g"), Errno::success);
  Filestat stat = {};
  ASSERT_EQ(t->stat(3, "g", stat), Errno::success);
  EXPECT_EQ(stat.nlink, 2u);
  ASSERT_EQ(t->symlink("f", 3, "s"), Errno::success);
  std::string target;
  ASSERT_EQ(t->readlink(3, "s", target), Errno::success);
  EXPECT_EQ(target, "f");
  EXPECT_EQ(t->readlink(3, "f", target), Errno::inval);
  ASSERT_EQ(t->stat(3, "s", stat, 0), Errno::success);
  EXPECT_EQ(stat.filetype, Filetype::symbolic_link);
  ASSERT_EQ(t->stat(3, "s", stat), Errno::success);
  EXPECT_EQ(stat.filetype, Filetype::regular_file);
  std::uint32_t fd = 0;
  EXPECT_EQ(t->open(3, "s", 0, kReadRights, fd, 0, 0), Errno::loop);
  EXPECT_EQ(t->open(3, "s", 0, kReadRights, fd), Errno::success);
  ASSERT_EQ(t->link(3, kSymlinkFollow, "s", 3, "h"), Errno::success);
  ASSERT_EQ(t->stat(3, "h", stat, 0), Errno::success);
  EXPECT_EQ(stat.filetype, Filetype::regular_file);
  ASSERT_EQ(t->link(3, 0, "s", 3, "s2"), Errno::success);
  ASSERT_EQ(t->stat(3, "s2", stat, 0), Errno::success);
  EXPECT_EQ(stat.filetype, Filetype::symbolic_link);
}

TEST_P(File, rename_moves_and_replaces) {
  write_file(folder / "f", "abc");
  write_file(folder / "g", "old");
  ASSERT_EQ(t->path_call("path_create_directory", 3, "d"), Errno::success);
  EXPECT_EQ(t->two_paths("path_rename", 3, "f", 3, "g"), Errno::success);
  EXPECT_EQ(read_file(folder / "g"), "abc");
  EXPECT_EQ(t->two_paths("path_rename", 3, "f", 3, "h"), Errno::noent);
  EXPECT_EQ(t->two_paths("path_rename", 3, "g", 3, "d"), Errno::isdir);
  EXPECT_EQ(t->two_paths("path_rename", 3, "d", 3, "g"), Errno::notdir);
  EXPECT_EQ(t->two_paths("path_rename", 3, "g/", 3, "h"), Errno::notdir);
  EXPECT_EQ(t->two_paths("path_rename", 3, "g", 3, "d/g"), Errno::success);
  EXPECT_EQ(t->two_paths("path_rename", 3, "d", 3, "d/e"), Errno::inval);
  EXPECT_EQ(t->two_paths("path_rename", 3, "d/.", 3, "e"), Errno::busy);
}

TEST_P(File, preopens_are_announced_until_badf) {
  ASSERT_EQ(t->call("fd_prestat_get", 3, 0), Errno::success);
  EXPECT_EQ(t->load<std::uint32_t>(0), 0u);
  EXPECT_EQ(t->load<std::uint32_t>(4), 1u);
  ASSERT_EQ(t->call("fd_prestat_dir_name", 3, 16, 1), Errno::success);
  EXPECT_EQ(guest->bytes()[16], '/');
  EXPECT_EQ(t->call("fd_prestat_dir_name", 3, 16, 0), Errno::nametoolong);
  EXPECT_EQ(t->call("fd_prestat_get", 4, 0), Errno::badf);
  EXPECT_EQ(t->call("fd_prestat_get", 0, 0), Errno::badf);
}

TEST_P(File, rights_are_enforced_and_only_shrink) {
  write_file(folder / "f", "abc");
  std::uint32_t fd = 0;
  ASSERT_EQ(t->open(3, "f", 0, kReadRights, fd), Errno::success);
  EXPECT_EQ(t->write(fd, "x"), Errno::notcapable);
  ASSERT_EQ(t->call("fd_fdstat_get", fd, 0), Errno::success);
  const auto stat = t->load<Fdstat>(0);
  EXPECT_EQ(stat.filetype, Filetype::regular_file);
  EXPECT_EQ(stat.rights_base & right(Right::fd_write), 0u);
  EXPECT_EQ(t->call("fd_fdstat_set_rights", fd, kAllRights, 0), Errno::notcapable);
  ASSERT_EQ(t->call("fd_fdstat_set_rights", fd, stat.rights_base & ~right(Right::fd_read), 0), Errno::success);
  std::string bytes;
  EXPECT_EQ(t->read(fd, 1, bytes), Errno::notcapable);
  ASSERT_EQ(t->call("fd_fdstat_set_rights", 3, kDirectoryRights, kReadRights), Errno::success);
  EXPECT_EQ(t->open(3, "f", 0, kReadWriteRights, fd), Errno::notcapable);
}

TEST_P(File, too_many_open_files_is_mfile_and_closes_again) {
  Options options = Guest::with_folder(folder.path());
  options.max_open_files = 6;
  options.without_openat2 = GetParam();
  Guest small(options);
  GuestThread s(small);
  write_file(folder / "f", "abc");
  const std::size_t before = host_fd_count();
  std::uint32_t a = 0, b = 0, c = 0;
  EXPECT_EQ(s.open(3, "f", 0, kReadRights, a), Errno::success);
  EXPECT_EQ(s.open(3, "f", 0, kReadRights, b), Errno::success);
  EXPECT_EQ(s.open(3, "f", 0, kReadRights, c), Errno::mfile);
  EXPECT_EQ(host_fd_count(), before + 2);
  EXPECT_EQ(s.call("fd_close", a), Errno::success);
  EXPECT_EQ(s.open(3, "f", 0, kReadRights, c), Errno::success);
  EXPECT_EQ(c, a);
}

TEST_P(File, renumber_moves_and_closes) {
  write_file(folder / "a", "A");
  write_file(folder / "b", "B");
  const std::size_t before = host_fd_count();
  std::uint32_t a = 0, b = 0;
  ASSERT_EQ(t->open(3, "a", 0, kReadRights, a), Errno::success);
  ASSERT_EQ(t->open(3, "b", 0, kReadRights, b), Errno::success);
  EXPECT_EQ(t->call("fd_renumber", a, 4096), Errno::badf) << "the table ends there";
  EXPECT_EQ(t->call("fd_renumber", a, 999), Errno::success) << "parked at a free number";
  EXPECT_EQ(t->call("fd_renumber", 999, a), Errno::success) << "and brought back";
  EXPECT_EQ(t->call("fd_renumber", 99, a), Errno::badf);
  EXPECT_EQ(t->call("fd_renumber", a, 0xffffffff), Errno::badf);
  EXPECT_EQ(t->call("fd_renumber", a, a), Errno::success);
  ASSERT_EQ(t->call("fd_renumber", a, b), Errno::success);
  EXPECT_EQ(host_fd_count(), before + 1);
  std::string bytes;
  EXPECT_EQ(t->read(a, 1, bytes), Errno::badf);
  EXPECT_EQ(t->read(b, 1, bytes), Errno::success);
  EXPECT_EQ(bytes, "A");
  EXPECT_EQ(t->call("fd_close", b), Errno::success);
  EXPECT_EQ(host_fd_count(), before);
}

TEST_P(File, read_only_preopens_change_nothing) {
  write_file(folder / "f", "abc");
  ASSERT_EQ(::mkdir((folder / "d").c_str(), 0777), 0);
  Options options = Guest::with_folder(folder.path(), true);
  options.preopens.push_back({folder.path(), "rw", false});
  options.without_openat2 = GetParam();
  Guest ro(options);
  GuestThread r(ro);
  std::uint32_t fd = 0;
  EXPECT_EQ(r.open(3, "new", kOpenCreat, kReadRights, fd), Errno::rofs);
  EXPECT_EQ(r.open(3, "f", kOpenTrunc, kReadRights, fd), Errno::rofs);
  EXPECT_EQ(r.open(3, "f", 0, kReadWriteRights, fd), Errno::rofs);
  EXPECT_EQ(r.open(3, "f", 0, right(Right::fd_allocate), fd), Errno::rofs);
  EXPECT_EQ(r.path_call("path_unlink_file", 3, "f"), Errno::rofs);
  EXPECT_EQ(r.path_call("path_create_directory", 3, "e"), Errno::rofs);
  EXPECT_EQ(r.path_call("path_remove_directory", 3, "d"), Errno::rofs);
  EXPECT_EQ(r.set_times(3, "f", 0), Errno::rofs);
  EXPECT_EQ(r.symlink("f", 3, "s"), Errno::rofs);
  EXPECT_EQ(r.link(3, 0, "f", 4, "g"), Errno::rofs);
  EXPECT_EQ(r.link(4, 0, "f", 3, "g"), Errno::rofs);
  EXPECT_EQ(r.two_paths("path_rename", 3, "f", 4, "g"), Errno::rofs);
  EXPECT_EQ(r.two_paths("path_rename", 4, "f", 3, "g"), Errno::rofs);
  ASSERT_EQ(r.open(3, "f", 0, kReadRights, fd), Errno::success);
  EXPECT_EQ(r.call("fd_filestat_set_times", fd, 0, 0, kSetAtimNow), Errno::rofs);
  EXPECT_EQ(r.call("fd_filestat_set_size", fd, 0), Errno::notcapable);
  EXPECT_EQ(r.call("fd_allocate", fd, 0, 10), Errno::notcapable);
  ASSERT_EQ(r.open(3, "d", kOpenDirectory, kAllRights, fd), Errno::success);
  EXPECT_EQ(r.open(fd, "new", kOpenCreat, kReadRights, fd), Errno::rofs);
  EXPECT_EQ(read_file(folder / "f"), "abc");
}

}  // namespace
}  // namespace heddle::wasi::test
