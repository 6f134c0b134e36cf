// Moving bytes between guest memory and an open file: what fd_read, fd_write, fd_pread, fd_pwrite, sock_recv and
// sock_send share. The kernel reads and writes guest memory in place; only the array of iovecs is copied, once, in
// batches of bounded size.
#pragma once

#include <cstdint>
#include <sys/uio.h>

#include "wasi/call.h"
#include "wasi/open_file.h"

namespace heddle::wasi {

/// Up to IOV_MAX guest buffers as the kernel wants them. 16 KiB: lives on the host stack.
class IovBatch {
 public:
  static constexpr std::uint32_t kMax = 1024;

  /// Takes the guest's iovecs [0, min(count, kMax)) at `address`. fault if one of them lies outside.
  Errno load(const Call& call, Address address, std::uint32_t count);
  const iovec* data() const { return iov_; }
  std::uint32_t count() const { return count_; }
  /// What the guest asked for; the buffers are cut where one system call would stop.
  std::uint64_t total_bytes() const { return total_bytes_; }

 private:
  std::uint32_t count_ = 0;
  std::uint64_t total_bytes_ = 0;
  iovec iov_[kMax];
};

enum class Direction : std::uint8_t { read, write };
inline constexpr std::int64_t kCurrentOffset = -1;

/// Reads or writes as readv(2) and friends do; `offset` >= 0 for pread and pwrite. `done` bytes are moved. An error
/// after some bytes were moved is not told (POSIX).
Errno transfer(Call& call, OpenFile& file, std::uint32_t guest_fd, Direction direction, Address iovs,
               std::uint32_t count, std::int64_t offset, std::uint32_t& done);

/// A write whose reader is gone shall be EPIPE and nothing else, whatever the process does about SIGPIPE.
long writev_without_sigpipe(Call& call, int host_fd, std::uint32_t guest_fd, const iovec* iov, std::uint32_t count);

/// True if a descriptor that is non-blocking for the guest, but not for the host, would block now.
bool would_block(const OpenFile& file, Direction direction);

}  // namespace heddle::wasi
