#include "wasi/directory.h"

#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace heddle::wasi {

namespace {

/// What getdents64(2) writes.
struct KernelEntry {
  std::uint64_t ino;
  std::int64_t next;
  std::uint16_t size;
  unsigned char type;
  char name[1];
};
constexpr std::size_t kNameAt = offsetof(KernelEntry, name);

const KernelEntry* entry_at(const char* buffer) {
  // SAFETY: the kernel aligns entries to 8 bytes, and the buffer is aligned.
  return reinterpret_cast<const KernelEntry*>(buffer);
}

}  // namespace

std::unique_ptr<DirectoryReader> DirectoryReader::borrow(OpenFile& dir, int& error) {
  if (DirectoryReader* idle = dir.idle_reader.exchange(nullptr, std::memory_order_acq_rel))
    return std::unique_ptr<DirectoryReader>(idle);
  int fd = ::openat(dir.host(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == EACCES) {  // readable, but not searchable: a new description of the same directory
    char self[64];
    std::snprintf(self, sizeof self, "/proc/self/fd/%d", dir.host());
    fd = ::open(self, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  if (fd < 0) {
    error = -errno;
    return nullptr;
  }
  std::unique_ptr<DirectoryReader> reader(new DirectoryReader(HostFd(fd)));
  struct stat st;
  if (::fstat(fd, &st) == 0) reader->own_inode_ = st.st_ino;
  return reader;
}

void DirectoryReader::give_back(OpenFile& dir, std::unique_ptr<DirectoryReader> reader) {
  delete dir.idle_reader.exchange(reader.release(), std::memory_order_acq_rel);
}

long DirectoryReader::seek(std::uint64_t cookie) {
  // From the start anew: whoever rewinds wants to see what is there now.
  if (cookie == position_ && cookie != 0) return 0;
  if (cookie > INT64_MAX) return -EINVAL;
  if (::lseek(fd_.get(), static_cast<off_t>(cookie), SEEK_SET) < 0) return -errno;
  position_ = cookie;
  size_ = at_ = 0;
  return 0;
}

/// File systems that do not say: ask, without following.
Filetype DirectoryReader::type_of(const char* name, unsigned char d_type) const {
  if (d_type != DT_UNKNOWN) return filetype_of(static_cast<std::uint32_t>(DTTOIF(d_type)));
  struct stat st;
  // ".." is a directory, and asking would mean to look outside.
  if (std::strcmp(name, "..") == 0) return Filetype::directory;
  if (::fstatat(fd_.get(), name, &st, AT_SYMLINK_NOFOLLOW) != 0) return Filetype::unknown;
  return filetype_of(st.st_mode);
}

long DirectoryReader::peek(Call& call, std::uint32_t guest_fd, Entry& entry) {
  if (at_ == size_) {
    const long n = call.blocking(guest_fd, SYS_getdents64, fd_.get(), buffer_, kBufferBytes);
    if (n <= 0) return n;
    size_ = static_cast<std::size_t>(n);
    at_ = 0;
  }
  const KernelEntry* kernel = entry_at(buffer_ + at_);
  entry.name = buffer_ + at_ + kNameAt;
  entry.head.next = static_cast<std::uint64_t>(kernel->next);
  // The directory above a preopen is none of the guest's business, its number included.
  entry.head.ino = std::strcmp(entry.name, "..") == 0 ? own_inode_ : kernel->ino;
  entry.head.namlen = static_cast<std::uint32_t>(std::strlen(entry.name));
  entry.head.type = type_of(entry.name, kernel->type);
  return 1;
}

void DirectoryReader::advance() {
  const KernelEntry* kernel = entry_at(buffer_ + at_);
  position_ = static_cast<std::uint64_t>(kernel->next);
  at_ += kernel->size;
}

}  // namespace heddle::wasi
