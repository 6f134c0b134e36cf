// Start: what a start needs to know of a large module's file without reading it: which version of the file it is about,
// the digests of its chunks (and so the module's identity, by which its code is kept), where the bodies lie, and
// how many of them are known to be valid. One file in the folder:
//
//   Header, with content_of() | place of each body (module::BodyPlaces) | digest of each chunk
//
// All but the last is sealed; that is what content_of() vouches for.
//
// What may go wrong, and what then happens:
//   - The file has changed since. The kernel changes a file's ctime at each write, and nobody but it can set that; so
//     another ctime, mtime, size or inode is another file, which is read as a whole.
//   - It changes without another ctime: within a tick of the clock after it was read (so nothing is kept of a file that
//     changed just before, is_settled()), through a writable mapping (the kernel notes the first such write to a page
//     only, until it has written the page back, and tmpfs none), by whoever may set the clock or write to the disk
//     itself. Every byte that is decoded, validated or compiled is checked against its chunk's digest after it was
//     read (ModuleFile), and code belongs to the digests: code is either wholly what it was, or the program ends. Data
//     segments may be new ones then, which is the guest's own affair: no code of ours relies on them. So nobody gets
//     more power over a program than who can write its file has anyway, and none over us.
//   - The record is damaged: its hash is wrong. It is forged: see folder.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "module/module.h"

#include "cache/folder.h"
#include "cache/key.h"

namespace heddle::cache {

/// What tells a regular file's versions apart.
struct FileVersion {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  ///< mtime, since 1970
  std::int64_t changed_ns = 0;   ///< ctime
  bool operator==(const FileVersion&) const = default;
};

/// nullopt: not a regular file.
std::optional<FileVersion> version_of(const File& file);
/// Whether every later write will give the open file another version than `now`, its present one. Any thread.
bool is_settled(const File& file, const FileVersion& now);

struct Start {
  FileVersion version;
  std::uint64_t valid_bodies = 0;  ///< so many, from the first, are known to be valid
  std::vector<Key> chunks;
  Key content = {};                ///< content_of() the file
  std::uint32_t bodies_begin = 0;  ///< as module::BodyPlaces::begin
  std::vector<module::BodyPlaces::Place> bodies;

  void set_bodies(std::span<const module::Body> all);
};

/// Under which name it is kept, `settings` as in key_of(): one for each file, whatever its version.
Key start_name(const FileVersion& version, const std::string& settings);

std::vector<std::uint8_t> write_start(const Key& name, const Start& start);
/// How much of it is to be sealed, from its beginning.
std::size_t sealed_bytes(const Start& start);
/// Errors: malformed, io: not sound, not of this name, or not as sealed.
base::Result<Start> read_start(const Folder::Opened& opened, const Key& name);

}  // namespace heddle::cache
