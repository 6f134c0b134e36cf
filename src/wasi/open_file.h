// OpenFile: what one guest descriptor stands for: one open file description of the host, with the rights and flags that
// WASI adds. Shared by every thread that is inside a call on it; the host's descriptor is closed when the last one
// leaves (fd_table.h counts).
//
// Immutable after it has been put into the table, except for the atomics below, the directory reader that is lent out
// (directory.h) and the terminal filter, which has its own lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "wasi/types.h"

namespace heddle::wasi {

class Capture;
class DirectoryReader;
class TerminalFilter;

/// A descriptor of this process; closes it.
class HostFd {
 public:
  HostFd() = default;
  explicit HostFd(int fd) : fd_(fd) {}
  HostFd(HostFd&& other) noexcept : fd_(other.release()) {}
  HostFd& operator=(HostFd&& other) noexcept;
  ~HostFd() { reset(); }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset();

 private:
  int fd_ = -1;
};

class OpenFile {
 public:
  /// What can be done with it, by type: decides which errors come before a question of rights.
  enum class Kind : std::uint8_t { seekable, directory, stream, connection, listener, capture };

  OpenFile();
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int host() const { return fd.get(); }
  bool has(Rights wanted) const { return (base.load(std::memory_order_relaxed) & wanted) == wanted; }

  HostFd fd;  ///< invalid for a capture
  Kind kind = Kind::seekable;
  Filetype filetype = Filetype::unknown;
  /// Beneath a read-only preopen: the file system behind it must not change through this descriptor.
  bool read_only = false;
  /// The host process (or others) share this open file description: its O_NONBLOCK is not ours to set.
  bool shared_with_host = false;
  bool preopen = false;
  /// A FIFO or socket: writing with no reader would raise SIGPIPE.
  bool raises_sigpipe = false;
  std::string preopen_name;
  std::shared_ptr<Capture> capture;
  std::unique_ptr<TerminalFilter> filter;  ///< for terminals, unless escapes are allowed

  /// Plain settings: whoever reads one acts on that value; no other data hangs on it (relaxed).
  std::atomic<Rights> base{0};
  std::atomic<Rights> inheriting{0};
  std::atomic<std::uint16_t> flags{0};
  /// A reader that nobody uses at the moment. Taken and given back by exchange (acq_rel pairs with itself).
  std::atomic<DirectoryReader*> idle_reader{nullptr};

 private:
  friend class FdTable;
  friend class FileRef;
  /// References outside the slot word, plus one while a slot holds it; see fd_table.h.
  std::atomic<std::int64_t> references_{1};
};

/// From st_mode.
Filetype filetype_of(std::uint32_t mode);
/// What fstat and isatty say of a descriptor. Fills kind, filetype, raises_sigpipe; returns -errno or 0. Sockets: told
/// apart by SO_ACCEPTCONN and SO_TYPE.
int classify(OpenFile& file);
/// Every right that this type of file can have.
Rights rights_for(OpenFile::Kind kind);

}  // namespace heddle::wasi
