// The types of wasi_snapshot_preview1 as they lie in guest memory, and those of wasi_unstable where they differ.
// Source of every number and layout: WebAssembly/WASI, legacy/preview1/witx/typenames.witx and
// phases/old/snapshot_0/witx/typenames.witx. Facts only; no behaviour.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle::wasi {

/// $errno. Never mixed with the host's errno: host_errno.h translates.
enum class Errno : std::uint16_t {
  // clang-format off
  success = 0, toobig, acces, addrinuse, addrnotavail, afnosupport, again, already, badf, badmsg, busy, canceled,
  child, connaborted, connrefused, connreset, deadlk, destaddrreq, dom, dquot, exist, fault, fbig, hostunreach, idrm,
  ilseq, inprogress, intr, inval, io, isconn, isdir, loop, mfile, mlink, msgsize, multihop, nametoolong, netdown,
  netreset, netunreach, nfile, nobufs, nodev, noent, noexec, nolck, nolink, nomem, nomsg, noprotoopt, nospc, nosys,
  notconn, notdir, notempty, notrecoverable, notsock, notsup, notty, nxio, overflow, ownerdead, perm, pipe, proto,
  protonosupport, prototype, range, rofs, spipe, srch, stale, timedout, txtbsy, xdev, notcapable,
  // clang-format on
};
static_assert(static_cast<int>(Errno::badf) == 8 && static_cast<int>(Errno::inval) == 28);
static_assert(static_cast<int>(Errno::notdir) == 54 && static_cast<int>(Errno::notcapable) == 76);

/// $rights: bit numbers.
enum class Right : std::uint8_t {
  // clang-format off
  fd_datasync, fd_read, fd_seek, fd_fdstat_set_flags, fd_sync, fd_tell, fd_write, fd_advise, fd_allocate,
  path_create_directory, path_create_file, path_link_source, path_link_target, path_open, fd_readdir, path_readlink,
  path_rename_source, path_rename_target, path_filestat_get, path_filestat_set_size, path_filestat_set_times,
  fd_filestat_get, fd_filestat_set_size, fd_filestat_set_times, path_symlink, path_remove_directory,
  path_unlink_file, poll_fd_readwrite, sock_shutdown, sock_accept,
  // clang-format on
};

/// A set of rights.
using Rights = std::uint64_t;
constexpr Rights right(Right r) {
  return Rights{1} << static_cast<unsigned>(r);
}
template <class... R>
constexpr Rights rights(R... r) {
  return (right(r) | ...);
}

inline constexpr Rights kAllRights = (Rights{1} << 30) - 1;
inline constexpr Rights kFileRights =
    rights(Right::fd_datasync, Right::fd_read, Right::fd_seek, Right::fd_fdstat_set_flags, Right::fd_sync,
           Right::fd_tell, Right::fd_write, Right::fd_advise, Right::fd_allocate, Right::fd_filestat_get,
           Right::fd_filestat_set_size, Right::fd_filestat_set_times, Right::poll_fd_readwrite);
/// Pipes, terminals and other character devices: a terminal is known by having neither fd_seek nor fd_tell (wasi-libc,
/// isatty).
inline constexpr Rights kStreamRights =
    rights(Right::fd_datasync, Right::fd_read, Right::fd_fdstat_set_flags, Right::fd_sync, Right::fd_write,
           Right::fd_filestat_get, Right::fd_filestat_set_times, Right::poll_fd_readwrite);
inline constexpr Rights kDirectoryRights = rights(
    Right::fd_datasync, Right::fd_fdstat_set_flags, Right::fd_sync, Right::fd_advise, Right::path_create_directory,
    Right::path_create_file, Right::path_link_source, Right::path_link_target, Right::path_open, Right::fd_readdir,
    Right::path_readlink, Right::path_rename_source, Right::path_rename_target, Right::path_filestat_get,
    Right::path_filestat_set_size, Right::path_filestat_set_times, Right::fd_filestat_get, Right::fd_filestat_set_times,
    Right::path_symlink, Right::path_remove_directory, Right::path_unlink_file, Right::poll_fd_readwrite);
inline constexpr Rights kConnectionRights =
    rights(Right::fd_read, Right::fd_fdstat_set_flags, Right::fd_write, Right::fd_filestat_get,
           Right::poll_fd_readwrite, Right::sock_shutdown);
inline constexpr Rights kListenerRights = rights(Right::fd_read, Right::fd_fdstat_set_flags, Right::fd_filestat_get,
                                                 Right::poll_fd_readwrite, Right::sock_accept);

enum class Filetype : std::uint8_t {
  unknown,
  block_device,
  character_device,
  directory,
  regular_file,
  socket_dgram,
  socket_stream,
  symbolic_link,
};

/// $fdflags.
inline constexpr std::uint16_t kFdAppend = 1, kFdDsync = 2, kFdNonblock = 4, kFdRsync = 8, kFdSync = 16;
inline constexpr std::uint16_t kAllFdFlags = 31;
/// $lookupflags.
inline constexpr std::uint32_t kSymlinkFollow = 1;
/// $oflags.
inline constexpr std::uint16_t kOpenCreat = 1, kOpenDirectory = 2, kOpenExcl = 4, kOpenTrunc = 8;
/// $fstflags.
inline constexpr std::uint16_t kSetAtim = 1, kSetAtimNow = 2, kSetMtim = 4, kSetMtimNow = 8;
/// $riflags, $roflags, $sdflags.
inline constexpr std::uint16_t kRecvPeek = 1, kRecvWaitall = 2;
inline constexpr std::uint16_t kRecvDataTruncated = 1;
inline constexpr std::uint8_t kShutRead = 1, kShutWrite = 2;

enum class ClockId : std::uint32_t { realtime, monotonic, process_cputime, thread_cputime };

/// $iovec and $ciovec.
struct Iovec {
  std::uint32_t buf;
  std::uint32_t len;
};
static_assert(sizeof(Iovec) == 8);

struct Fdstat {
  Filetype filetype;
  std::uint8_t padding0 = 0;
  std::uint16_t flags;
  std::uint32_t padding1 = 0;
  Rights rights_base;
  Rights rights_inheriting;
};
static_assert(sizeof(Fdstat) == 24 && offsetof(Fdstat, flags) == 2 && offsetof(Fdstat, rights_base) == 8);

struct Filestat {
  std::uint64_t dev;
  std::uint64_t ino;
  Filetype filetype;
  std::uint8_t padding[7] = {};
  std::uint64_t nlink;
  std::uint64_t size;
  std::uint64_t atim, mtim, ctim;  ///< nanoseconds since 1970
};
static_assert(sizeof(Filestat) == 64 && offsetof(Filestat, nlink) == 24);

/// wasi_unstable: $linkcount was u32.
struct UnstableFilestat {
  std::uint64_t dev;
  std::uint64_t ino;
  Filetype filetype;
  std::uint8_t padding[3] = {};
  std::uint32_t nlink;
  std::uint64_t size;
  std::uint64_t atim, mtim, ctim;
};
static_assert(sizeof(UnstableFilestat) == 56 && offsetof(UnstableFilestat, nlink) == 20);

struct Prestat {
  std::uint32_t tag = 0;  ///< $preopentype is a u8; 0 is a directory, the only one
  std::uint32_t name_len;
};
static_assert(sizeof(Prestat) == 8);

/// Followed by `namlen` bytes of name.
struct Dirent {
  std::uint64_t next;
  std::uint64_t ino;
  std::uint32_t namlen;
  Filetype type;
  std::uint8_t padding[3] = {};
};
static_assert(sizeof(Dirent) == 24);

enum class EventType : std::uint8_t { clock, fd_read, fd_write };
inline constexpr std::uint16_t kClockAbstime = 1;
inline constexpr std::uint16_t kEventHangup = 1;

/// A subscription, whichever layout it came in.
struct Subscription {
  std::uint64_t userdata;
  EventType type;
  std::uint32_t clock_or_fd;
  std::uint64_t timeout_ns;
  std::uint16_t flags;
};

/// $subscription as preview1 lays it out (48 bytes); `u` begins at byte 16.
struct SubscriptionLayout {
  std::uint64_t userdata;
  std::uint8_t tag;
  std::uint8_t padding[7];
  std::uint32_t clock_or_fd;
  std::uint32_t padding1;
  std::uint64_t timeout_ns;
  std::uint64_t precision_ns;
  std::uint16_t flags;
  std::uint8_t padding2[6];
};
static_assert(sizeof(SubscriptionLayout) == 48 && offsetof(SubscriptionLayout, timeout_ns) == 24);

/// wasi_unstable: the clock had an identifier of its own in front.
struct UnstableSubscriptionLayout {
  std::uint64_t userdata;
  std::uint8_t tag;
  std::uint8_t padding[7];
  union {
    std::uint64_t clock_identifier;
    std::uint32_t fd;
  };
  std::uint32_t clock;
  std::uint32_t padding1;
  std::uint64_t timeout_ns;
  std::uint64_t precision_ns;
  std::uint16_t flags;
  std::uint8_t padding2[6];
};
static_assert(sizeof(UnstableSubscriptionLayout) == 56 && offsetof(UnstableSubscriptionLayout, clock) == 24);

struct Event {
  std::uint64_t userdata = 0;
  Errno error = Errno::success;
  EventType type = EventType::clock;
  std::uint8_t padding0[5] = {};
  std::uint64_t nbytes = 0;
  std::uint16_t flags = 0;
  std::uint8_t padding1[6] = {};
};
static_assert(sizeof(Event) == 32 && offsetof(Event, nbytes) == 16 && offsetof(Event, flags) == 24);

}  // namespace heddle::wasi
