#include "wasi/transfer.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <pthread.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "wasi/terminal_filter.h"

namespace heddle::wasi {

namespace {

/// The kernel moves no more than this in one call (write(2), NOTES); we keep to it over batches, so `done` fits.
constexpr std::uint64_t kMaxBytes = 0x7ffff000;

/// RWF_NOSIGNAL, Linux 6.18 (include/uapi/linux/fs.h): EPIPE without SIGPIPE.
constexpr int kRwfNosignal = 0x100;
/// False once the kernel refused it. Relaxed: a late reader only asks the kernel once more.
std::atomic<bool> has_nosignal{true};

/// Blocks SIGPIPE for this thread while it lives and swallows one that a write raised meanwhile.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    if (raised_ && !was_pending_) {
      const timespec none = {};
      sigtimedwait(&pipe_, nullptr, &none);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  void raised() { raised_ = true; }

 private:
  sigset_t pipe_, before_;
  bool was_pending_;
  bool raised_ = false;
};

int rwf_of(const OpenFile& file) {
  const std::uint16_t flags = file.flags.load(std::memory_order_relaxed);
  if ((flags & (kFdAppend | kFdDsync | kFdSync)) == 0 || file.filetype != Filetype::regular_file) return 0;
  return ((flags & kFdAppend) != 0 ? RWF_APPEND : 0) | ((flags & kFdDsync) != 0 ? RWF_DSYNC : 0) |
         ((flags & kFdSync) != 0 ? RWF_SYNC : 0);
}

long transfer_socket(Call& call, const OpenFile& file, std::uint32_t guest_fd, Direction direction,
                     const IovBatch& batch) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(batch.data());
  message.msg_iovlen = batch.count();
  int flags = (file.flags.load(std::memory_order_relaxed) & kFdNonblock) != 0 ? MSG_DONTWAIT : 0;
  if (direction == Direction::read) return call.blocking(guest_fd, SYS_recvmsg, file.host(), &message, flags);
  flags |= MSG_NOSIGNAL;
  return call.blocking(guest_fd, SYS_sendmsg, file.host(), &message, flags);
}

/// One system call on the current offset.
long transfer_here(Call& call, const OpenFile& file, std::uint32_t guest_fd, Direction direction,
                   const IovBatch& batch) {
  const iovec* iov = batch.data();
  if (file.kind == OpenFile::Kind::connection) return transfer_socket(call, file, guest_fd, direction, batch);
  if (file.shared_with_host && (file.flags.load(std::memory_order_relaxed) & kFdNonblock) != 0 &&
      would_block(file, direction))
    return -EAGAIN;
  if (direction == Direction::read) {
    if (batch.count() == 1) return call.blocking(guest_fd, SYS_read, file.host(), iov->iov_base, iov->iov_len);
    return call.blocking(guest_fd, SYS_readv, file.host(), iov, batch.count());
  }
  if (file.raises_sigpipe) return writev_without_sigpipe(call, file.host(), guest_fd, iov, batch.count());
  if (const int rwf = rwf_of(file); rwf != 0)
    return call.blocking(guest_fd, SYS_pwritev2, file.host(), iov, batch.count(), -1L, 0, rwf);
  if (batch.count() == 1) return call.blocking(guest_fd, SYS_write, file.host(), iov->iov_base, iov->iov_len);
  return call.blocking(guest_fd, SYS_writev, file.host(), iov, batch.count());
}

long transfer_at(Call& call, const OpenFile& file, std::uint32_t guest_fd, Direction direction, const IovBatch& batch,
                 std::int64_t offset) {
  if (direction == Direction::read)
    return call.blocking(guest_fd, SYS_preadv, file.host(), batch.data(), batch.count(), offset, 0);
  // A positioned write goes where it says even if the file appends (POSIX, pwrite).
  const int rwf = rwf_of(file) & ~RWF_APPEND;
  return call.blocking(guest_fd, SYS_pwritev2, file.host(), batch.data(), batch.count(), offset, 0, rwf);
}

/// All of `text`, however many calls that takes.
long write_text(Call& call, const OpenFile& file, std::uint32_t guest_fd, const char* text, std::size_t size) {
  while (size > 0) {
    const long n = call.blocking(guest_fd, SYS_write, file.host(), text, size);
    if (n == -EAGAIN) {  // the host made its terminal non-blocking: wait for room, lest half a character is lost
      pollfd room = {file.host(), POLLOUT, 0};
      const long ready = call.blocking(guest_fd, SYS_ppoll, &room, 1, 0, 0, 0);
      if (ready < 0) return ready;
      continue;
    }
    if (n < 0) return n;
    text += n;
    size -= static_cast<std::size_t>(n);
  }
  return 0;
}

/// A write to a terminal: through its filter, piece by piece.
long write_filtered(Call& call, const OpenFile& file, std::uint32_t guest_fd, const IovBatch& batch) {
  constexpr std::size_t kPiece = 1024;
  std::uint8_t piece[kPiece];
  char text[TerminalFilter::out_bytes(kPiece)];
  long done = 0;
  for (std::uint32_t i = 0; i < batch.count(); ++i) {
    const auto* from = static_cast<const std::uint8_t*>(batch.data()[i].iov_base);
    for (std::size_t left = batch.data()[i].iov_len; left > 0;) {
      const std::size_t size = std::min(left, kPiece);
      runtime::copy_from_guest(piece, from, size);
      const long result = write_text(call, file, guest_fd, text, file.filter->convert(piece, size, text));
      if (result < 0) return done > 0 ? done : result;
      from += size;
      left -= size;
      done += static_cast<long>(size);
    }
  }
  return done;
}

/// A write to a stream that the embedder captures.
long write_captured(const OpenFile& file, const IovBatch& batch) {
  constexpr std::size_t kPiece = 4096;
  char piece[kPiece];
  long done = 0;
  for (std::uint32_t i = 0; i < batch.count(); ++i) {
    const auto* from = static_cast<const std::uint8_t*>(batch.data()[i].iov_base);
    for (std::size_t left = batch.data()[i].iov_len; left > 0;) {
      const std::size_t size = std::min(left, kPiece);
      runtime::copy_from_guest(piece, from, size);
      const std::size_t taken = file.capture->append(std::string_view(piece, size));
      done += static_cast<long>(taken);
      if (taken < size) return done > 0 ? done : -ENOSPC;
      from += size;
      left -= size;
    }
  }
  return done;
}

long transfer_batch(Call& call, OpenFile& file, std::uint32_t guest_fd, Direction direction, const IovBatch& batch,
                    std::int64_t offset) {
  if (direction == Direction::write && file.filter != nullptr) return write_filtered(call, file, guest_fd, batch);
  if (file.kind == OpenFile::Kind::capture) return write_captured(file, batch);
  if (offset >= 0) return transfer_at(call, file, guest_fd, direction, batch, offset);
  return transfer_here(call, file, guest_fd, direction, batch);
}

}  // namespace

Errno IovBatch::load(const Call& call, Address address, std::uint32_t count) {
  count = std::min(count, kMax);
  const std::uint8_t* from = call.memory().range(address, std::uint64_t{count} * sizeof(Iovec));
  if (from == nullptr) return Errno::fault;
  constexpr std::uint32_t kPiece = 64;
  Iovec piece[kPiece];
  total_bytes_ = 0;
  for (count_ = 0; count_ < count;) {
    const std::uint32_t n = std::min(kPiece, count - count_);
    runtime::copy_from_guest(piece, from + count_ * sizeof(Iovec), n * sizeof(Iovec));
    for (std::uint32_t i = 0; i < n; ++i) {
      std::uint8_t* buffer = call.memory().range(piece[i].buf, piece[i].len);
      if (buffer == nullptr) return Errno::fault;
      const std::uint64_t room = kMaxBytes - std::min(total_bytes_, kMaxBytes);
      iov_[count_ + i] = {buffer, static_cast<std::size_t>(std::min<std::uint64_t>(piece[i].len, room))};
      total_bytes_ += piece[i].len;
    }
    count_ += n;
  }
  return Errno::success;
}

long writev_without_sigpipe(Call& call, int host_fd, std::uint32_t guest_fd, const iovec* iov, std::uint32_t count) {
  if (has_nosignal.load(std::memory_order_relaxed)) {
    const long n = call.blocking(guest_fd, SYS_pwritev2, host_fd, iov, count, -1L, 0, kRwfNosignal);
    if (n != -EOPNOTSUPP && n != -EINVAL) return n;
    has_nosignal.store(false, std::memory_order_relaxed);
  }
  WithoutSigpipe guard;
  const long n = call.blocking(guest_fd, SYS_writev, host_fd, iov, count);
  if (n == -EPIPE) guard.raised();
  return n;
}

bool would_block(const OpenFile& file, Direction direction) {
  pollfd ready = {file.host(), static_cast<short>(direction == Direction::read ? POLLIN : POLLOUT), 0};
  return ::poll(&ready, 1, 0) == 0;
}

Errno transfer(Call& call, OpenFile& file, std::uint32_t guest_fd, Direction direction, Address iovs,
               std::uint32_t count, std::int64_t offset, std::uint32_t& done) {
  done = 0;
  if (call.memory().range(iovs, std::uint64_t{count} * sizeof(Iovec)) == nullptr) return Errno::fault;
  IovBatch batch;
  for (;;) {
    if (const Errno e = batch.load(call, iovs, count); e != Errno::success) return done > 0 ? Errno::success : e;
    const long n = transfer_batch(call, file, guest_fd, direction, batch, offset < 0 ? offset : offset + done);
    if (n < 0) return done > 0 ? Errno::success : from_result(n);
    done += static_cast<std::uint32_t>(n);
    count -= batch.count();
    iovs += batch.count() * static_cast<std::uint32_t>(sizeof(Iovec));
    // More buffers than one call takes: go on as long as nothing was short and nothing can surprise a reader.
    const bool whole = static_cast<std::uint64_t>(n) == batch.total_bytes();
    const bool may_go_on = direction == Direction::write || file.filetype == Filetype::regular_file;
    if (count == 0 || !whole || !may_go_on || done >= kMaxBytes / 2 || call.interrupted()) return Errno::success;
  }
}

}  // namespace heddle::wasi
