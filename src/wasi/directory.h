// DirectoryReader: entries of a directory from any place on, for fd_readdir. A cookie is the kernel's own position
// (d_off), which file systems keep stable while entries come and go; so a guest may keep cookies of any age.
//
// It reads through a description of its own, so that two threads reading one guest descriptor do not move each other's
// position. An OpenFile keeps one idle reader (OpenFile::idle_reader); whoever finds it lent opens another. No lock.
#pragma once

#include <cstdint>
#include <memory>

#include "wasi/call.h"
#include "wasi/open_file.h"
#include "wasi/types.h"

namespace heddle::wasi {

class DirectoryReader {
 public:
  struct Entry {
    Dirent head;
    const char* name;  ///< head.namlen bytes; valid until the next call
  };

  /// The idle reader of `dir`, or a new one. -errno in `error` if there is none to be had.
  static std::unique_ptr<DirectoryReader> borrow(OpenFile& dir, int& error);
  static void give_back(OpenFile& dir, std::unique_ptr<DirectoryReader> reader);

  /// Goes to `cookie`. 0 or -errno.
  long seek(std::uint64_t cookie);
  /// The entry here. 1, 0 at the end, -errno, or runtime::kCancelled. Does not move on.
  long peek(Call& call, std::uint32_t guest_fd, Entry& entry);
  /// Moves behind the entry that peek gave.
  void advance();

 private:
  static constexpr std::size_t kBufferBytes = 32 << 10;

  explicit DirectoryReader(HostFd fd) : fd_(std::move(fd)) {}
  Filetype type_of(const char* name, unsigned char d_type) const;

  HostFd fd_;
  std::uint64_t own_inode_ = 0;
  std::uint64_t position_ = 0;  ///< cookie of the entry at at_
  std::size_t size_ = 0;
  std::size_t at_ = 0;
  alignas(8) char buffer_[kBufferBytes];
};

}  // namespace heddle::wasi
