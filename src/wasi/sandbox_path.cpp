#include "wasi/sandbox_path.h"

#include <cerrno>
#include <climits>
#include <cstring>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heddle::wasi {

namespace {

constexpr std::uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;

/// The kernel answers EAGAIN if a rename anywhere on the machine coincides with a ".."; a guest thread can provoke that
/// without end. Chosen: after so many tries the walk takes over, which knows no such answer.
constexpr int kTries = 16;

long openat2_once(Call& call, int dir, const char* path, int flags, mode_t mode) {
  open_how how = {};
  how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags));
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = kResolve;
  return call.blocking(-1, SYS_openat2, dir, path, &how, sizeof how);
}

}  // namespace

bool kernel_has_openat2() {
  open_how how = {};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
  if (fd < 0) return false;
  ::close(static_cast<int>(fd));
  return true;
}

Errno GuestPath::load(const Call& call, Address address, std::uint32_t size_bytes) {
  const std::uint8_t* from = call.memory().range(address, size_bytes);
  if (from == nullptr) return Errno::fault;
  if (size_bytes > kMaxBytes) return Errno::nametoolong;
  runtime::copy_from_guest(text_, from, size_bytes);
  text_[size_bytes] = 0;
  size_ = size_bytes;
  return std::memchr(text_, 0, size_bytes) == nullptr ? Errno::success : Errno::inval;
}

long open_beneath(Call& call, const OpenFile& dir, const char* path, int flags, mode_t mode, Follow follow) {
  flags |= O_CLOEXEC | ((flags & O_PATH) != 0 ? 0 : O_NOCTTY);
  if (call.context().uses_openat2()) {
    const int all = flags | (follow == Follow::no ? O_NOFOLLOW : 0);
    for (int i = 0; i < kTries; ++i) {
      const long result = openat2_once(call, dir.host(), path, all, mode);
      if (result != -EAGAIN) return result;
    }
    // EAGAIN may also be the file's own answer (O_NONBLOCK and a lease); the walk gives it again then.
  }
  return walk::open(call, dir.host(), path, flags, mode, follow);
}

long find_place(Call& call, const OpenFile& dir, const GuestPath& path, Place& place) {
  const std::string_view text = path.view();
  std::size_t end = text.size();
  while (end > 0 && text[end - 1] == '/') --end;
  if (end == 0) return text.empty() ? -ENOENT : -EXDEV;  // "/", which is outside
  std::size_t begin = end;
  while (begin > 0 && text[begin - 1] != '/') --begin;
  const std::string_view name = text.substr(begin, end - begin);
  if (name.size() > NAME_MAX) return -ENAMETOOLONG;
  if (name == "." || name == "..") {
    const long whole = open_beneath(call, dir, path.c_str(), O_PATH | O_DIRECTORY, 0, Follow::yes);
    if (whole < 0) return whole;
    ::close(static_cast<int>(whole));
    place.kind = name == "." ? Place::Kind::dot : Place::Kind::dotdot;
    return 0;
  }
  std::memcpy(place.name, name.data(), name.size());
  place.name[name.size()] = end < text.size() ? '/' : '\0';
  place.name[name.size() + 1] = 0;
  place.kind = Place::Kind::name;
  if (begin == 0) {
    place.dir = dir.host();
    return 0;
  }
  char parent[GuestPath::kMaxBytes + 1];
  std::memcpy(parent, text.data(), begin);
  parent[begin] = 0;
  const long fd = open_beneath(call, dir, parent, O_PATH | O_DIRECTORY, 0, Follow::yes);
  if (fd < 0) return fd;
  place.owned = HostFd(static_cast<int>(fd));
  place.dir = place.owned.get();
  return 0;
}

long find_place_following(Call& call, const OpenFile& dir, const GuestPath& path, Place& place) {
  return walk::place(call, dir.host(), path.c_str(), Follow::yes, place);
}

}  // namespace heddle::wasi
