// fd_advise, fd_allocate, fd_close, fd_datasync, fd_sync, fd_renumber: what is done to a descriptor or to the storage
// behind it.
#include <fcntl.h>
#include <sys/syscall.h>

#include "wasi/preview1.h"

namespace heddle::wasi::handlers {

Errno fd_advise(Call& call, u32 fd, u64 offset, u64 size_bytes, u32 advice) {
  static constexpr int kAdvice[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                                    POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
  Opened opened = lookup(call, fd, right(Right::fd_advise));
  if (opened.error != Errno::success) return opened.error;
  if (advice >= 6 || offset > INT64_MAX || size_bytes > INT64_MAX) return Errno::inval;
  return from_result(call.blocking(fd, SYS_fadvise64, opened.file->host(), offset, size_bytes, kAdvice[advice]));
}

Errno fd_allocate(Call& call, u32 fd, u64 offset, u64 size_bytes) {
  Opened opened = lookup(call, fd, right(Right::fd_allocate));
  if (opened.error != Errno::success) return opened.error;
  if (size_bytes == 0 || offset > INT64_MAX || size_bytes > INT64_MAX) return Errno::inval;
  return from_result(call.blocking(fd, SYS_fallocate, opened.file->host(), 0, offset, size_bytes));
}

Errno fd_close(Call& call, u32 fd) {
  return call.files().close(fd);
}

Errno fd_renumber(Call& call, u32 from, u32 to) {
  return call.files().renumber(from, to);
}

Errno fd_datasync(Call& call, u32 fd) {
  Opened opened = lookup(call, fd, right(Right::fd_datasync));
  if (opened.error != Errno::success) return opened.error;
  return from_result(call.blocking(fd, SYS_fdatasync, opened.file->host()));
}

Errno fd_sync(Call& call, u32 fd) {
  Opened opened = lookup(call, fd, right(Right::fd_sync));
  if (opened.error != Errno::success) return opened.error;
  return from_result(call.blocking(fd, SYS_fsync, opened.file->host()));
}

}  // namespace heddle::wasi::handlers
