// Folder: where entries lie on disk, private to the user. Everything goes through one descriptor of the folder, so that
// it is the folder that was checked. An entry is written under another name and renamed, and never changed: whoever
// has it open keeps the whole of it, and of two writers the later wins.
//
// Who could forge an entry: another user (folder and entries belong to us, are no links, and nobody else can write to
// them), and a guest that was given a directory around the folder. A program is not given both (holds()); and since
// preview1 has no call that sets a file's mode, none can make a file of mode 0400, which entries have, for a later run,
// nor open one for writing. Root may, whom modes do not bind; so root's folder is sealed: each file carries a SHA-256
// in an extended attribute, for which preview1 has no call either. It is that of the file's beginning, which holds the
// digests of the rest, and whoever reads the file compares: with what it has read, not with the file, which may change
// meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/span.h"

#include "cache/key.h"

namespace heddle::cache {

/// Files end in one of these: the code of a module (entry.h), and what a start needs to know of one (start.h).
inline constexpr const char* kCodeSuffix = ".code";
inline constexpr const char* kStartSuffix = ".start";

/// An open file.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~File();
  int get() const { return fd_; }
  /// Any thread. False: there is not so much, or it cannot be read.
  bool read_at(void* to, std::size_t size_bytes, std::uint64_t offset) const;
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

class Folder {
 public:
  struct Item {
    std::string name;
    std::uint64_t size_bytes = 0;
    std::int64_t used_ns = 0;  ///< about when it was used last, in ns since 1970
  };
  struct Opened {
    File file;  ///< empty: there is none
    std::uint64_t size_bytes = 0;
    std::optional<Key> seal;  ///< in a sealed folder: what the beginning of the file must have as its SHA-256
  };

  /// $XDG_CACHE_HOME/heddle, or else ~/.cache/heddle; empty if neither variable is an absolute path.
  static std::string default_path();
  /// Makes the folder if there is none. `sealed`: whether entries have and need a seal. Errors: io, in a sentence: it
  /// cannot be made or is not private.
  static base::Result<Folder> open(const std::string& path, bool sealed);
  static bool needs_seal();

  const std::string& path() const { return path_; }
  /// The file, marked as used. Errors: io: it is not a file that only we can have written.
  base::Result<Opened> find(const std::string& name) const;
  /// Seals the first `sealed_bytes`, if the folder is sealed. Errors: io. Nothing is left behind.
  base::Status write(const std::string& name, base::Bytes bytes, std::size_t sealed_bytes) const;
  std::vector<Item> list() const;
  /// Removes what was not used for longest until at most `size_bytes` are left.
  void evict(std::uint64_t size_bytes) const;
  /// Whether files of this folder can be reached through `directory`: one lies in the other, or they are the same.
  bool holds(const std::string& directory) const;

 private:
  Folder(std::string path, File fd, bool sealed) : path_(std::move(path)), sealed_(sealed), fd_(std::move(fd)) {}
  std::string path_;
  bool sealed_;
  File fd_;
};

}  // namespace heddle::cache
