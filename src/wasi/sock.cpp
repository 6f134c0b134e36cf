// sock_accept, sock_recv, sock_send, sock_shutdown, on sockets that the program was given.
#include <cerrno>
#include <memory>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "wasi/preview1.h"
#include "wasi/transfer.h"

namespace heddle::wasi::handlers {

namespace {

bool nonblocking(const OpenFile& file) {
  return (file.flags.load(std::memory_order_relaxed) & kFdNonblock) != 0;
}

/// A message of at most IOV_MAX buffers, as the kernel bounds it. -errno, or the size.
long message(Call& call, const OpenFile& file, u32 fd, long number, const IovBatch& batch, int flags, int& told) {
  msghdr header = {};
  header.msg_iov = const_cast<iovec*>(batch.data());
  header.msg_iovlen = batch.count();
  const long n = call.blocking(fd, number, file.host(), &header, flags | (nonblocking(file) ? MSG_DONTWAIT : 0));
  told = header.msg_flags;
  return n;
}

Errno load_message(Call& call, u32 iovs, u32 count, IovBatch& batch) {
  if (call.memory().range(iovs, u64{count} * sizeof(Iovec)) == nullptr) return Errno::fault;
  // A message cannot be sent in two; a stream may be short.
  return batch.load(call, iovs, count);
}

}  // namespace

Errno sock_accept(Call& call, u32 fd, u32 flags, u32 fd_at) {
  Opened listener = lookup(call, fd, right(Right::sock_accept));
  if (listener.error != Errno::success) return listener.error;
  if ((flags & ~u32{kAllFdFlags}) != 0) return Errno::inval;
  if (!call.writable(fd_at, 4)) return Errno::fault;
  if (listener.file->shared_with_host && nonblocking(*listener.file) && would_block(*listener.file, Direction::read))
    return Errno::again;
  const int host_flags = SOCK_CLOEXEC | ((flags & kFdNonblock) != 0 ? SOCK_NONBLOCK : 0);
  const long accepted = call.blocking(fd, SYS_accept4, listener.file->host(), 0, 0, host_flags);
  if (accepted < 0) return from_result(accepted);
  auto file = std::make_unique<OpenFile>();
  file->fd = HostFd(static_cast<int>(accepted));
  if (const int error = classify(*file); error < 0) return from_result(error);
  file->base = rights_for(file->kind) & listener.file->inheriting.load(std::memory_order_relaxed);
  file->flags = static_cast<std::uint16_t>(flags);
  u32 new_fd = 0;
  if (const Errno e = call.files().insert(std::move(file), new_fd); e != Errno::success) return e;
  return call.put(fd_at, new_fd);
}

Errno sock_recv(Call& call, u32 fd, u32 iovs, u32 count, u32 flags, u32 size_at, u32 flags_at) {
  Opened socket = lookup(call, fd, right(Right::fd_read));
  if (socket.error != Errno::success) return socket.error;
  if (socket.file->kind != OpenFile::Kind::connection) return Errno::notsock;
  if ((flags & ~u32{kRecvPeek | kRecvWaitall}) != 0) return Errno::inval;
  if (!call.writable(size_at, 4) || !call.writable(flags_at, 2)) return Errno::fault;
  IovBatch batch;
  if (const Errno e = load_message(call, iovs, count, batch); e != Errno::success) return e;
  const int host_flags = ((flags & kRecvPeek) != 0 ? MSG_PEEK : 0) | ((flags & kRecvWaitall) != 0 ? MSG_WAITALL : 0);
  int told = 0;
  const long n = message(call, *socket.file, fd, SYS_recvmsg, batch, host_flags, told);
  if (n < 0) return from_result(n);
  const std::uint16_t cut = (told & MSG_TRUNC) != 0 ? kRecvDataTruncated : std::uint16_t{0};
  if (const Errno e = call.put(flags_at, cut); e != Errno::success) return e;
  return call.put(size_at, static_cast<u32>(n));
}

Errno sock_send(Call& call, u32 fd, u32 iovs, u32 count, u32 flags, u32 size_at) {
  Opened socket = lookup(call, fd, right(Right::fd_write));
  if (socket.error != Errno::success) return socket.error;
  if (socket.file->kind != OpenFile::Kind::connection) return Errno::notsock;
  if (flags != 0) return Errno::inval;  // preview1 defines none
  if (!call.writable(size_at, 4)) return Errno::fault;
  IovBatch batch;
  if (const Errno e = load_message(call, iovs, count, batch); e != Errno::success) return e;
  int told = 0;
  const long n = message(call, *socket.file, fd, SYS_sendmsg, batch, MSG_NOSIGNAL, told);
  return n < 0 ? from_result(n) : call.put(size_at, static_cast<u32>(n));
}

Errno sock_shutdown(Call& call, u32 fd, u32 how) {
  Opened socket = lookup(call, fd, right(Right::sock_shutdown));
  if (socket.error != Errno::success) return socket.error;
  static constexpr int kHow[] = {-1, SHUT_RD, SHUT_WR, SHUT_RDWR};
  if (how == 0 || how > 3) return Errno::inval;
  return ::shutdown(socket.file->host(), kHow[how]) == 0 ? Errno::success : from_host(errno);
}

}  // namespace heddle::wasi::handlers
