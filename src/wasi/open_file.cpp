#include "wasi/open_file.h"

#include <cerrno>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wasi/directory.h"
#include "wasi/terminal_filter.h"

namespace heddle::wasi {

HostFd& HostFd::operator=(HostFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void HostFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

OpenFile::OpenFile() = default;

OpenFile::~OpenFile() {
  delete idle_reader.load(std::memory_order_acquire);
}

namespace {

int classify_socket(OpenFile& file) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(file.host(), SOL_SOCKET, SO_TYPE, &value, &size) != 0) return -errno;
  file.filetype = value == SOCK_DGRAM ? Filetype::socket_dgram : Filetype::socket_stream;
  size = sizeof value;
  if (::getsockopt(file.host(), SOL_SOCKET, SO_ACCEPTCONN, &value, &size) != 0) return -errno;
  file.kind = value != 0 ? OpenFile::Kind::listener : OpenFile::Kind::connection;
  file.raises_sigpipe = true;
  return 0;
}

}  // namespace

Filetype filetype_of(std::uint32_t mode) {
  if (S_ISREG(mode)) return Filetype::regular_file;
  if (S_ISDIR(mode)) return Filetype::directory;
  if (S_ISLNK(mode)) return Filetype::symbolic_link;
  if (S_ISCHR(mode)) return Filetype::character_device;
  if (S_ISBLK(mode)) return Filetype::block_device;
  if (S_ISSOCK(mode)) return Filetype::socket_stream;
  return Filetype::unknown;  // a FIFO has no word of its own in preview1
}

int classify(OpenFile& file) {
  struct stat st;
  if (::fstat(file.host(), &st) != 0) return -errno;
  file.filetype = filetype_of(st.st_mode);
  if (S_ISSOCK(st.st_mode)) return classify_socket(file);
  file.raises_sigpipe = S_ISFIFO(st.st_mode);
  if (S_ISDIR(st.st_mode))
    file.kind = OpenFile::Kind::directory;
  else if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
    file.kind = OpenFile::Kind::seekable;
  else if (S_ISCHR(st.st_mode) && ::isatty(file.host()) == 0 && ::lseek(file.host(), 0, SEEK_CUR) >= 0)
    file.kind = OpenFile::Kind::seekable;  // /dev/null and the like
  else
    file.kind = OpenFile::Kind::stream;
  return 0;
}

Rights rights_for(OpenFile::Kind kind) {
  switch (kind) {
    case OpenFile::Kind::seekable: return kFileRights;
    case OpenFile::Kind::directory: return kDirectoryRights;
    case OpenFile::Kind::stream: return kStreamRights;
    case OpenFile::Kind::connection: return kConnectionRights;
    case OpenFile::Kind::listener: return kListenerRights;
    case OpenFile::Kind::capture: return rights(Right::fd_write, Right::fd_filestat_get, Right::poll_fd_readwrite);
  }
  return 0;
}

}  // namespace heddle::wasi
