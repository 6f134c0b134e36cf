// fd_read, fd_write, fd_pread, fd_pwrite, fd_seek, fd_tell: bytes at the kernel's own offset of one open file
// description, so that threads that share a descriptor see what POSIX promises.
#include <cerrno>
#include <unistd.h>

#include "wasi/preview1.h"
#include "wasi/transfer.h"

namespace heddle::wasi::handlers {

namespace {

Errno transfer_and_count(Call& call, u32 fd, Rights wanted, Direction direction, u32 iovs, u32 count,
                         std::int64_t offset, u32 done_at) {
  Opened opened = lookup(call, fd, wanted);
  if (opened.error != Errno::success) return opened.error;
  if (!call.writable(done_at, 4)) return Errno::fault;
  u32 done = 0;
  const Errno e = transfer(call, *opened.file, fd, direction, iovs, count, offset, done);
  return e != Errno::success ? e : call.put(done_at, done);
}

Errno seek(Call& call, u32 fd, std::int64_t offset, int whence, u32 position_at) {
  const bool stays = offset == 0 && whence == SEEK_CUR;
  Opened opened = lookup(call, fd, right(stays ? Right::fd_tell : Right::fd_seek));
  if (opened.error != Errno::success) return opened.error;
  if (!call.writable(position_at, 8)) return Errno::fault;
  const off_t position = ::lseek(opened.file->host(), offset, whence);
  if (position < 0) return from_host(errno);
  return call.put(position_at, static_cast<u64>(position));
}

}  // namespace

Errno fd_read(Call& call, u32 fd, u32 iovs, u32 count, u32 done_at) {
  return transfer_and_count(call, fd, right(Right::fd_read), Direction::read, iovs, count, kCurrentOffset, done_at);
}

Errno fd_write(Call& call, u32 fd, u32 iovs, u32 count, u32 done_at) {
  return transfer_and_count(call, fd, right(Right::fd_write), Direction::write, iovs, count, kCurrentOffset, done_at);
}

Errno fd_pread(Call& call, u32 fd, u32 iovs, u32 count, u64 offset, u32 done_at) {
  const Rights wanted = rights(Right::fd_read, Right::fd_seek);
  if (offset > INT64_MAX) return Errno::inval;
  return transfer_and_count(call, fd, wanted, Direction::read, iovs, count, static_cast<std::int64_t>(offset), done_at);
}

Errno fd_pwrite(Call& call, u32 fd, u32 iovs, u32 count, u64 offset, u32 done_at) {
  const Rights wanted = rights(Right::fd_write, Right::fd_seek);
  if (offset > INT64_MAX) return Errno::inval;
  return transfer_and_count(call, fd, wanted, Direction::write, iovs, count, static_cast<std::int64_t>(offset),
                            done_at);
}

Errno fd_seek(Call& call, u32 fd, u64 offset, u32 whence, u32 position_at) {
  static constexpr int kWhence[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  if (whence >= 3) return Errno::inval;
  return seek(call, fd, static_cast<std::int64_t>(offset), kWhence[whence], position_at);
}

/// wasi_unstable numbers whence as cur, end, set.
Errno unstable_fd_seek(Call& call, u32 fd, u64 offset, u32 whence, u32 position_at) {
  static constexpr int kWhence[] = {SEEK_CUR, SEEK_END, SEEK_SET};
  if (whence >= 3) return Errno::inval;
  return seek(call, fd, static_cast<std::int64_t>(offset), kWhence[whence], position_at);
}

Errno fd_tell(Call& call, u32 fd, u32 position_at) {
  return seek(call, fd, 0, SEEK_CUR, position_at);
}

}  // namespace heddle::wasi::handlers
