// path_filestat_get, path_filestat_set_times, path_readlink: the name is resolved to an O_PATH descriptor, and what is
// asked is asked of that.
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wasi/filestat.h"
#include "wasi/preview1.h"
#include "wasi/sandbox_path.h"

namespace heddle::wasi::handlers {

namespace {

Follow follow_of(u32 lookup_flags) {
  return (lookup_flags & kSymlinkFollow) != 0 ? Follow::yes : Follow::no;
}

/// The thing that the path names, whatever it is, unopened.
Errno find(Call& call, const OpenFile& dir, u32 path_at, u32 path_size, Follow follow, HostFd& found) {
  GuestPath path;
  if (const Errno e = path.load(call, path_at, path_size); e != Errno::success) return e;
  const long fd = open_beneath(call, dir, path.c_str(), O_PATH, 0, follow);
  if (fd < 0) return from_resolve(fd);
  found = HostFd(static_cast<int>(fd));
  return Errno::success;
}

Errno stat_of(Call& call, u32 dir_fd, u32 lookup_flags, u32 path_at, u32 path_size, Filestat& out) {
  Opened dir = lookup_directory(call, dir_fd, right(Right::path_filestat_get), Change::reads);
  if (dir.error != Errno::success) return dir.error;
  HostFd found;
  if (const Errno e = find(call, *dir.file, path_at, path_size, follow_of(lookup_flags), found); e != Errno::success)
    return e;
  struct stat st;
  if (::fstat(found.get(), &st) != 0) return from_host(errno);
  out = to_filestat(st);
  return Errno::success;
}

Errno set_times(int fd, const timespec (&times)[2]) {
  if (::utimensat(fd, "", times, AT_EMPTY_PATH) == 0) return Errno::success;
  if (errno != EINVAL) return from_host(errno);
  // Before Linux 5.8 utimensat knew no AT_EMPTY_PATH. The magic link leads to what `fd` is, without another look-up.
  char self[64];
  std::snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  return ::utimensat(AT_FDCWD, self, times, 0) == 0 ? Errno::success : from_host(errno);
}

}  // namespace

Errno path_filestat_get(Call& call, u32 dir_fd, u32 lookup_flags, u32 path_at, u32 path_size, u32 stat_at) {
  Filestat stat;
  const Errno e = stat_of(call, dir_fd, lookup_flags, path_at, path_size, stat);
  return e != Errno::success ? e : call.put(stat_at, stat);
}

Errno unstable_path_filestat_get(Call& call, u32 dir_fd, u32 lookup_flags, u32 path_at, u32 path_size, u32 stat_at) {
  Filestat stat;
  const Errno e = stat_of(call, dir_fd, lookup_flags, path_at, path_size, stat);
  return e != Errno::success ? e : call.put(stat_at, to_unstable(stat));
}

Errno path_filestat_set_times(Call& call, u32 dir_fd, u32 lookup_flags, u32 path_at, u32 path_size, u64 atim, u64 mtim,
                              u32 flags) {
  Opened dir = lookup_directory(call, dir_fd, right(Right::path_filestat_set_times), Change::changes);
  if (dir.error != Errno::success) return dir.error;
  timespec times[2];
  if (!to_times(atim, mtim, flags, times)) return Errno::inval;
  HostFd found;
  if (const Errno e = find(call, *dir.file, path_at, path_size, follow_of(lookup_flags), found); e != Errno::success)
    return e;
  return set_times(found.get(), times);
}

Errno path_readlink(Call& call, u32 dir_fd, u32 path_at, u32 path_size, u32 buffer, u32 size_bytes, u32 used_at) {
  Opened dir = lookup_directory(call, dir_fd, right(Right::path_readlink), Change::reads);
  if (dir.error != Errno::success) return dir.error;
  std::uint8_t* to = call.memory().range(buffer, size_bytes);
  if (to == nullptr || !call.writable(used_at, 4)) return Errno::fault;
  HostFd found;
  if (const Errno e = find(call, *dir.file, path_at, path_size, Follow::no, found); e != Errno::success) return e;
  char target[PATH_MAX];
  const ssize_t n = ::readlinkat(found.get(), "", target, sizeof target);
  // For an empty name the kernel says ENOENT where it means "not a symbolic link" (readlink(2), EINVAL).
  if (n < 0) return errno == ENOENT ? Errno::inval : from_host(errno);
  const u32 used = std::min(static_cast<u32>(n), size_bytes);
  runtime::copy_to_guest(to, target, used);
  return call.put(used_at, used);
}

}  // namespace heddle::wasi::handlers
