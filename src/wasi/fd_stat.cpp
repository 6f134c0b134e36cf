// fd_fdstat_*, fd_filestat_*, fd_prestat_*: what a descriptor is, and changes to that.
#include <cerrno>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wasi/filestat.h"
#include "wasi/preview1.h"

namespace heddle::wasi::handlers {

namespace {

/// A descriptor by itself: no right is needed.
Opened any(Call& call, u32 fd) {
  return lookup(call, fd, 0);
}

Errno stat_of(Call& call, u32 fd, Filestat& out) {
  Opened opened = lookup(call, fd, right(Right::fd_filestat_get));
  if (opened.error != Errno::success) return opened.error;
  if (opened.file->kind == OpenFile::Kind::capture) {
    out = {};
    out.filetype = opened.file->filetype;
    return Errno::success;
  }
  struct stat st;
  if (::fstat(opened.file->host(), &st) != 0) return from_host(errno);
  out = to_filestat(st);
  out.filetype = opened.file->filetype;
  return Errno::success;
}

}  // namespace

Errno fd_fdstat_get(Call& call, u32 fd, u32 stat_at) {
  Opened opened = any(call, fd);
  if (opened.error != Errno::success) return opened.error;
  Fdstat stat = {};
  stat.filetype = opened.file->filetype;
  stat.flags = opened.file->flags.load(std::memory_order_relaxed);
  stat.rights_base = opened.file->base.load(std::memory_order_relaxed);
  stat.rights_inheriting = opened.file->inheriting.load(std::memory_order_relaxed);
  return call.put(stat_at, stat);
}

Errno fd_fdstat_set_flags(Call& call, u32 fd, u32 flags) {
  Opened opened = lookup(call, fd, right(Right::fd_fdstat_set_flags));
  if (opened.error != Errno::success) return opened.error;
  if ((flags & ~u32{kAllFdFlags}) != 0) return Errno::inval;
  OpenFile& file = *opened.file;
  // Appending and synchronous writing are asked for with each write (transfer.cpp); only blocking is the kernel's
  // state, and of a description that the host uses as well it is not ours to change.
  if (!file.shared_with_host && file.host() >= 0) {
    const int host = ::fcntl(file.host(), F_GETFL);
    if (host < 0) return from_host(errno);
    const int wanted = (flags & kFdNonblock) != 0 ? host | O_NONBLOCK : host & ~O_NONBLOCK;
    if (wanted != host && ::fcntl(file.host(), F_SETFL, wanted) != 0) return from_host(errno);
  }
  file.flags.store(static_cast<std::uint16_t>(flags), std::memory_order_relaxed);
  return Errno::success;
}

Errno fd_fdstat_set_rights(Call& call, u32 fd, u64 base, u64 inheriting) {
  Opened opened = any(call, fd);
  if (opened.error != Errno::success) return opened.error;
  OpenFile& file = *opened.file;
  if ((base & ~file.base.load(std::memory_order_relaxed)) != 0) return Errno::notcapable;
  if ((inheriting & ~file.inheriting.load(std::memory_order_relaxed)) != 0) return Errno::notcapable;
  // And, not store: of two threads that take rights away, neither may give back what the other took.
  file.base.fetch_and(base, std::memory_order_relaxed);
  file.inheriting.fetch_and(inheriting, std::memory_order_relaxed);
  return Errno::success;
}

Errno fd_filestat_get(Call& call, u32 fd, u32 stat_at) {
  Filestat stat;
  const Errno e = stat_of(call, fd, stat);
  return e != Errno::success ? e : call.put(stat_at, stat);
}

Errno unstable_fd_filestat_get(Call& call, u32 fd, u32 stat_at) {
  Filestat stat;
  const Errno e = stat_of(call, fd, stat);
  return e != Errno::success ? e : call.put(stat_at, to_unstable(stat));
}

Errno fd_filestat_set_size(Call& call, u32 fd, u64 size) {
  Opened opened = lookup(call, fd, right(Right::fd_filestat_set_size));
  if (opened.error != Errno::success) return opened.error;
  if (size > INT64_MAX) return Errno::inval;
  return from_result(call.blocking(fd, SYS_ftruncate, opened.file->host(), size));
}

Errno fd_filestat_set_times(Call& call, u32 fd, u64 atim, u64 mtim, u32 flags) {
  Opened opened = lookup(call, fd, right(Right::fd_filestat_set_times));
  if (opened.error != Errno::success) return opened.error;
  timespec times[2];
  if (!to_times(atim, mtim, flags, times)) return Errno::inval;
  if (opened.file->read_only) return Errno::rofs;
  return ::futimens(opened.file->host(), times) == 0 ? Errno::success : from_host(errno);
}

/// wasi-libc asks 3, 4, ... until badf, so that is what anything but a preopen answers.
Errno fd_prestat_get(Call& call, u32 fd, u32 prestat_at) {
  Opened opened = any(call, fd);
  if (opened.error != Errno::success) return opened.error;
  if (!opened.file->preopen) return Errno::badf;
  Prestat stat;
  stat.name_len = static_cast<u32>(opened.file->preopen_name.size());
  return call.put(prestat_at, stat);
}

Errno fd_prestat_dir_name(Call& call, u32 fd, u32 name_at, u32 size_bytes) {
  Opened opened = any(call, fd);
  if (opened.error != Errno::success) return opened.error;
  if (!opened.file->preopen) return Errno::badf;
  const std::string& name = opened.file->preopen_name;
  if (size_bytes < name.size()) return Errno::nametoolong;
  std::uint8_t* to = call.memory().range(name_at, name.size());
  if (to == nullptr) return Errno::fault;
  runtime::copy_to_guest(to, name.data(), name.size());
  return Errno::success;
}

}  // namespace heddle::wasi::handlers
