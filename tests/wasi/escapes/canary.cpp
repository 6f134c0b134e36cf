#include "canary.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heddle::wasi::test {

namespace {

constexpr uid_t kNobody = 65534;

void give(const std::string& path) {
  if (::geteuid() == 0) HEDDLE_CHECK(::lchown(path.c_str(), kNobody, kNobody) == 0, "lchown");
}

}  // namespace

void set_unprivileged() {
  if (::geteuid() != 0) return;
  // The raw calls: the library's would change every thread.
  HEDDLE_CHECK(::syscall(SYS_setgroups, 0, nullptr) == 0, "setgroups");
  HEDDLE_CHECK(::syscall(SYS_setresgid, kNobody, kNobody, kNobody) == 0, "setresgid");
  HEDDLE_CHECK(::syscall(SYS_setresuid, kNobody, kNobody, kNobody) == 0, "setresuid");
}

Canary::Canary() {
  std::filesystem::create_directories(folder_ / "outside/sub");
  std::filesystem::create_directory(inside());
  give(inside());
  write_file(folder_ / "outside/secret", "canary");
  write_file(folder_ / "outside/sub/file", "canary");
  for (const char* name : {"outside", "outside/secret", "outside/sub", "outside/sub/file"}) {
    struct stat st;
    HEDDLE_CHECK(::stat((folder_ / name).c_str(), &st) == 0, "stat");
    inodes_.insert(st.st_ino);
  }
  ::chmod((folder_ / "outside/sub").c_str(), 0700);
  ::chmod(outside().c_str(), 0700);
  watch_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  for (const char* name : {"outside", "outside/secret", "outside/sub", "outside/sub/file"})
    HEDDLE_CHECK(::inotify_add_watch(watch_, (folder_ / name).c_str(), IN_ALL_EVENTS) >= 0, "inotify");
}

Canary::~Canary() {
  ::close(watch_);
}

void Canary::clear_inside() const {
  for (const auto& entry : std::filesystem::directory_iterator(inside())) std::filesystem::remove_all(entry.path());
}

void Canary::make_file(const std::string& name, std::string_view text) const {
  write_file(inside() + "/" + name, text);
  give(inside() + "/" + name);
}
void Canary::make_directory(const std::string& name) const {
  std::filesystem::create_directory(inside() + "/" + name);
  give(inside() + "/" + name);
}
void Canary::make_link(const std::string& name, const std::string& contents) const {
  std::filesystem::create_symlink(contents, inside() + "/" + name);
  give(inside() + "/" + name);
}

std::string Canary::touched() {
  std::string words;
  alignas(inotify_event) char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(watch_, buffer, sizeof buffer);
    if (n <= 0) break;
    for (ssize_t at = 0; at < n;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      words += "event " + std::to_string(event->mask) + " on " + (event->len > 0 ? event->name : "itself") + "; ";
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  // Only now look ourselves, which makes events of its own.
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(outside()))
    names.insert(entry.path().filename().string());
  if (names != std::set<std::string>{"secret", "sub", "file"}) words += "names changed; ";
  if (read_file(outside() + "/secret") != "canary" || read_file(outside() + "/sub/file") != "canary")
    words += "contents changed; ";
  while (::read(watch_, buffer, sizeof buffer) > 0) {
  }
  return words;
}

namespace {

Errno open_and_look(GuestThread& t, std::string_view path, std::uint32_t oflags, Rights rights, std::string& stolen) {
  std::uint32_t fd = 0;
  const Errno e = t.open(3, path, oflags, rights, fd);
  if (e != Errno::success) return e;
  std::string bytes;
  if (t.read(fd, 100, bytes) == Errno::success && bytes == "canary") stolen += "read; ";
  t.call("fd_close", fd);
  return e;
}

Errno look_at(GuestThread& t, const Canary& canary, std::string_view path, std::uint32_t lookup, std::string& stolen) {
  Filestat stat = {};
  const Errno e = t.stat(3, path, stat, lookup);
  if (e == Errno::success && canary.holds(stat.ino)) stolen += "stat; ";
  return e;
}

Errno link_and_look(GuestThread& t, const Canary& canary, std::string_view path, std::uint32_t lookup,
                    std::string& stolen) {
  t.path_call("path_unlink_file", 3, "taken");
  const Errno e = t.link(3, lookup, path, 3, "taken");
  if (e == Errno::success) look_at(t, canary, "taken", 0, stolen);
  return e;
}

}  // namespace

const std::vector<Attack> kAttacks = {
    {"read", [](GuestThread& t, const Canary&, std::string_view path,
                std::string& stolen) { return open_and_look(t, path, 0, kReadRights, stolen); }},
    {"write", [](GuestThread& t, const Canary&, std::string_view path,
                 std::string& stolen) { return open_and_look(t, path, 0, kReadWriteRights, stolen); }},
    {"create", [](GuestThread& t, const Canary&, std::string_view path,
                  std::string& stolen) { return open_and_look(t, path, kOpenCreat, kReadWriteRights, stolen); }},
    {"create_new",
     [](GuestThread& t, const Canary&, std::string_view path, std::string& stolen) {
       return open_and_look(t, path, kOpenCreat | kOpenExcl, kReadWriteRights, stolen);
     }},
    {"truncate",
     [](GuestThread& t, const Canary&, std::string_view path, std::string& stolen) {
       return open_and_look(t, path, kOpenCreat | kOpenTrunc, kReadRights, stolen);
     }},
    {"list",
     [](GuestThread& t, const Canary&, std::string_view path, std::string& stolen) {
       std::uint32_t fd = 0;
       const Errno e = t.open(3, path, kOpenDirectory, kAllRights, fd);
       if (e != Errno::success) return e;
       std::set<std::string> names;
       if (t.list(fd, names) == Errno::success && (names.contains("secret") || names.contains("outside")))
         stolen += "list; ";
       t.call("fd_close", fd);
       return e;
     }},
    {"stat", [](GuestThread& t, const Canary& canary, std::string_view path,
                std::string& stolen) { return look_at(t, canary, path, kSymlinkFollow, stolen); }},
    {"lstat", [](GuestThread& t, const Canary& canary, std::string_view path,
                 std::string& stolen) { return look_at(t, canary, path, 0, stolen); }},
    {"set_times", [](GuestThread& t, const Canary&, std::string_view path,
                     std::string&) { return t.set_times(3, path, kSymlinkFollow); }},
    {"set_link_times",
     [](GuestThread& t, const Canary&, std::string_view path, std::string&) { return t.set_times(3, path, 0); }},
    {"readlink",
     [](GuestThread& t, const Canary&, std::string_view path, std::string&) {
       std::string target;
       return t.readlink(3, path, target);
     }},
    {"make_directory", [](GuestThread& t, const Canary&, std::string_view path,
                          std::string&) { return t.path_call("path_create_directory", 3, path); }},
    {"remove_directory", [](GuestThread& t, const Canary&, std::string_view path,
                            std::string&) { return t.path_call("path_remove_directory", 3, path); }},
    {"unlink", [](GuestThread& t, const Canary&, std::string_view path,
                  std::string&) { return t.path_call("path_unlink_file", 3, path); }},
    {"rename_from",
     [](GuestThread& t, const Canary& canary, std::string_view path, std::string& stolen) {
       const Errno e = t.two_paths("path_rename", 3, path, 3, "taken");
       if (e == Errno::success) look_at(t, canary, "taken", 0, stolen);
       return e;
     }},
    {"rename_to",
     [](GuestThread& t, const Canary&, std::string_view path, std::string&) {
       std::uint32_t fd = 0;
       if (t.open(3, "spare", kOpenCreat, kReadWriteRights, fd) == Errno::success) t.call("fd_close", fd);
       return t.two_paths("path_rename", 3, "spare", 3, path);
     }},
    {"link_from", [](GuestThread& t, const Canary& canary, std::string_view path,
                     std::string& stolen) { return link_and_look(t, canary, path, 0, stolen); }},
    {"link_from_target", [](GuestThread& t, const Canary& canary, std::string_view path,
                            std::string& stolen) { return link_and_look(t, canary, path, kSymlinkFollow, stolen); }},
    {"link_to",
     [](GuestThread& t, const Canary&, std::string_view path, std::string&) {
       std::uint32_t fd = 0;
       if (t.open(3, "spare", kOpenCreat, kReadWriteRights, fd) == Errno::success) t.call("fd_close", fd);
       return t.link(3, 0, "spare", 3, path);
     }},
    {"symlink",
     [](GuestThread& t, const Canary&, std::string_view path, std::string&) { return t.symlink("x", 3, path); }},
};

const Attack& attack(std::string_view name) {
  for (const Attack& a : kAttacks)
    if (name == a.name) return a;
  HEDDLE_UNREACHABLE("an attack of that name");
}

}  // namespace heddle::wasi::test
