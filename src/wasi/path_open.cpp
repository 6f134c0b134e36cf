// path_open: from a name to a new descriptor, with rights no larger than those of the directory it came from.
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

#include "wasi/preview1.h"
#include "wasi/sandbox_path.h"
#include "wasi/terminal_filter.h"

namespace heddle::wasi::handlers {

namespace {

constexpr Rights kWritingRights = rights(Right::fd_write, Right::fd_allocate, Right::fd_filestat_set_size);

struct Request {
  u32 oflags, fdflags;
  Rights base, inheriting;

  bool creates() const { return (oflags & kOpenCreat) != 0; }
  bool truncates() const { return (oflags & kOpenTrunc) != 0; }
  bool wants_directory() const { return (oflags & kOpenDirectory) != 0; }
  bool writes() const { return (base & kWritingRights) != 0 && !wants_directory(); }
  bool reads() const { return (base & rights(Right::fd_read, Right::fd_readdir)) != 0; }
};

/// Rights that the directory itself must have.
Rights needed(const Request& request) {
  Rights wanted = right(Right::path_open);
  if (request.creates()) wanted |= right(Right::path_create_file);
  if (request.truncates()) wanted |= right(Right::path_filestat_set_size);
  return wanted;
}

int host_flags(const Request& request) {
  int flags = 0;
  if (request.creates()) flags |= O_CREAT;
  if (request.wants_directory()) flags |= O_DIRECTORY;
  if ((request.oflags & kOpenExcl) != 0) flags |= O_EXCL;
  if (request.truncates()) flags |= O_TRUNC;
  if ((request.fdflags & kFdNonblock) != 0) flags |= O_NONBLOCK;
  if (request.writes()) return flags | (request.reads() ? O_RDWR : O_WRONLY);
  return flags | O_RDONLY;
}

std::unique_ptr<OpenFile> describe(const Call& call, const OpenFile& dir, const Request& request, int fd, int& error) {
  auto file = std::make_unique<OpenFile>();
  file->fd = HostFd(fd);
  if (error = classify(*file); error < 0) return nullptr;
  Rights base = request.base & rights_for(file->kind);
  if (!request.writes()) base &= ~kWritingRights;
  if (request.writes() && !request.reads()) base &= ~right(Right::fd_read);
  file->base.store(base, std::memory_order_relaxed);
  file->inheriting.store(request.inheriting, std::memory_order_relaxed);
  file->flags.store(static_cast<std::uint16_t>(request.fdflags), std::memory_order_relaxed);
  file->read_only = dir.read_only;
  if (file->kind == OpenFile::Kind::stream && !call.context().options().allow_escapes &&
      file->filetype == Filetype::character_device)
    file->filter = std::make_unique<TerminalFilter>();
  return file;
}

}  // namespace

Errno path_open(Call& call, u32 dir_fd, u32 lookup_flags, u32 path_at, u32 path_size, u32 oflags, u64 base,
                u64 inheriting, u32 fdflags, u32 fd_at) {
  if ((oflags & ~u32{15}) != 0 || (fdflags & ~u32{kAllFdFlags}) != 0) return Errno::inval;
  // Bits that are no rights of preview1 are asked for by programs that ask for all.
  const Request request{oflags, fdflags, base & kAllRights, inheriting & kAllRights};
  Opened dir = lookup_directory(call, dir_fd, needed(request), Change::reads);
  if (dir.error != Errno::success) return dir.error;
  if (((request.base | request.inheriting) & ~dir.file->inheriting.load(std::memory_order_relaxed)) != 0)
    return Errno::notcapable;
  GuestPath path;
  if (const Errno e = path.load(call, path_at, path_size); e != Errno::success) return e;
  if (!call.writable(fd_at, 4)) return Errno::fault;
  if (dir.file->read_only && (request.creates() || request.truncates() || request.writes())) return Errno::rofs;
  if (request.creates() && request.wants_directory()) return Errno::inval;
  const Follow follow = (lookup_flags & kSymlinkFollow) != 0 ? Follow::yes : Follow::no;
  const long opened = open_beneath(call, *dir.file, path.c_str(), host_flags(request), 0666, follow);
  if (opened < 0) return from_resolve(opened);
  int error = 0;
  std::unique_ptr<OpenFile> file = describe(call, *dir.file, request, static_cast<int>(opened), error);
  if (file == nullptr) return from_result(error);
  u32 fd = 0;
  if (const Errno e = call.files().insert(std::move(file), fd); e != Errno::success) return e;
  return call.put(fd_at, fd);
}

}  // namespace heddle::wasi::handlers
