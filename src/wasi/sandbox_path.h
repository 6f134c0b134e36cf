// Paths: from a guest's words to a file of the host that lies beneath the directory it holds. The only folder code that
// hands a guest's path to the kernel.
//
// Promise: nothing outside the directory is opened, created, changed, or looked at, whatever the path says and whatever
// another guest thread or process renames or relinks meanwhile. How:
//   1. Looking a name up, following links: one openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS. The kernel
//   resolves
//      and opens in one step; what comes back is a descriptor, and everything further happens on that.
//   2. Acting on a name itself (unlink, rename, mkdir, symlink, both ends of link): the parent directory is opened by
//      (1), then the *at call gets the last component alone. Those calls never follow it, a trailing slash included
//      (Linux, filename_parentat); "." and ".." are never handed to them.
//   3. Where the kernel has no openat2: a walk (sandbox_walk.cpp) that opens each component with O_NOFOLLOW from the
//      descriptor of the one before, and expands links itself.
// There is no step at which a path is judged as text and then used again.
//
// Errors are -errno; EXDEV from here means "leads outside" (host_errno.h: from_resolve).
#pragma once

#include <climits>
#include <fcntl.h>
#include <string_view>
#include <sys/types.h>

#include "wasi/call.h"
#include "wasi/open_file.h"
#include "wasi/types.h"

namespace heddle::wasi {

/// A path copied from guest memory, once. No NUL inside, shorter than PATH_MAX.
class GuestPath {
 public:
  static constexpr std::size_t kMaxBytes = 4095;

  /// fault, nametoolong, or inval for a NUL byte.
  Errno load(const Call& call, Address address, std::uint32_t size_bytes);
  const char* c_str() const { return text_; }
  std::string_view view() const { return {text_, size_}; }
  bool trailing_slash() const { return size_ > 0 && text_[size_ - 1] == '/'; }

 private:
  std::size_t size_ = 0;
  char text_[kMaxBytes + 1];
};

enum class Follow : std::uint8_t { no, yes };

/// Opens `path` beneath `dir`: a descriptor or -errno. `flags` as of open(2); O_CLOEXEC and O_NOCTTY are added. May
/// block (FIFOs): ends with runtime::kCancelled if the group ends.
long open_beneath(Call& call, const OpenFile& dir, const char* path, int flags, mode_t mode, Follow follow);

/// Where a name lives: `dir` is the parent, `name` the last component, with one slash behind it if the path had any.
struct Place {
  enum class Kind : std::uint8_t { name, dot, dotdot };
  Kind kind = Kind::name;
  int dir = -1;  ///< `owned`, or the directory that was asked
  HostFd owned;
  char name[NAME_MAX + 2];
};

/// Finds the parent of `path`'s last component, without looking at that component. 0 or -errno. For "." and ".." the
/// whole path is resolved, so that errors on the way are told; `dir` is then not set.
long find_place(Call& call, const OpenFile& dir, const GuestPath& path, Place& place);
/// The same, but a last component that is a symbolic link is followed to its end (linkat with AT_SYMLINK_FOLLOW).
long find_place_following(Call& call, const OpenFile& dir, const GuestPath& path, Place& place);

/// True if the kernel has openat2 (probed, not assumed: a seccomp filter may hide it).
bool kernel_has_openat2();

namespace walk {
/// The walk of (3).
long open(Call& call, int root, const char* path, int flags, mode_t mode, Follow follow);
long place(Call& call, int root, const char* path, Follow follow, Place& place);
}  // namespace walk

}  // namespace heddle::wasi
