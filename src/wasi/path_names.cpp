// path_create_directory, path_link, path_remove_directory, path_rename, path_symlink, path_unlink_file: changes to
// names. Each acts on the last component alone, in a parent directory that was opened beneath the preopen
// (sandbox_path.h, 2).
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wasi/preview1.h"
#include "wasi/sandbox_path.h"

namespace heddle::wasi::handlers {

namespace {

/// One name that a call will change, found.
struct Target {
  Opened dir;
  GuestPath path;
  Place place;
};

/// Finds where the name lives; the directory must be writable.
Errno find(Call& call, u32 dir_fd, Rights wanted, u32 path_at, u32 path_size, Target& target) {
  target.dir = lookup_directory(call, dir_fd, wanted, Change::changes);
  if (target.dir.error != Errno::success) return target.dir.error;
  if (const Errno e = target.path.load(call, path_at, path_size); e != Errno::success) return e;
  return from_resolve(find_place(call, *target.dir.file, target.path, target.place));
}

/// linkat with a last component that ends in a slash would follow it. Such a name can only be a directory, which can
/// not be linked: look it up beneath the preopen and say so.
Errno link_directory(Call& call, const OpenFile& dir, const GuestPath& path) {
  const long fd = open_beneath(call, dir, path.c_str(), O_PATH | O_DIRECTORY, 0, Follow::yes);
  if (fd < 0) return from_resolve(fd);
  ::close(static_cast<int>(fd));
  return Errno::perm;
}

}  // namespace

Errno path_create_directory(Call& call, u32 dir_fd, u32 path_at, u32 path_size) {
  Target t;
  const Errno e = find(call, dir_fd, right(Right::path_create_directory), path_at, path_size, t);
  if (e != Errno::success) return e;
  if (t.place.kind != Place::Kind::name) return Errno::exist;
  return from_result(call.blocking(dir_fd, SYS_mkdirat, t.place.dir, t.place.name, 0777));
}

Errno path_remove_directory(Call& call, u32 dir_fd, u32 path_at, u32 path_size) {
  Target t;
  const Errno e = find(call, dir_fd, right(Right::path_remove_directory), path_at, path_size, t);
  if (e != Errno::success) return e;
  if (t.place.kind != Place::Kind::name) return t.place.kind == Place::Kind::dot ? Errno::inval : Errno::notempty;
  return from_result(call.blocking(dir_fd, SYS_unlinkat, t.place.dir, t.place.name, AT_REMOVEDIR));
}

Errno path_unlink_file(Call& call, u32 dir_fd, u32 path_at, u32 path_size) {
  Target t;
  const Errno e = find(call, dir_fd, right(Right::path_unlink_file), path_at, path_size, t);
  if (e != Errno::success) return e;
  if (t.place.kind != Place::Kind::name) return Errno::isdir;
  return from_result(call.blocking(dir_fd, SYS_unlinkat, t.place.dir, t.place.name, 0));
}

Errno path_rename(Call& call, u32 old_fd, u32 old_at, u32 old_size, u32 new_fd, u32 new_at, u32 new_size) {
  Target from, to;
  Errno e = find(call, old_fd, right(Right::path_rename_source), old_at, old_size, from);
  if (e == Errno::success) e = find(call, new_fd, right(Right::path_rename_target), new_at, new_size, to);
  if (e != Errno::success) return e;
  if (from.place.kind != Place::Kind::name || to.place.kind != Place::Kind::name) return Errno::busy;
  return from_result(
      call.blocking(old_fd, SYS_renameat2, from.place.dir, from.place.name, to.place.dir, to.place.name, 0));
}

/// The contents of a link are a guest's words, too: an absolute one could only mean the host's root.
Errno path_symlink(Call& call, u32 old_at, u32 old_size, u32 dir_fd, u32 new_at, u32 new_size) {
  GuestPath contents;
  Target t;
  Errno e = contents.load(call, old_at, old_size);
  if (e == Errno::success) e = find(call, dir_fd, right(Right::path_symlink), new_at, new_size, t);
  if (e != Errno::success) return e;
  if (contents.view().empty()) return Errno::noent;
  if (contents.view().front() == '/') return Errno::perm;
  if (t.place.kind != Place::Kind::name) return Errno::exist;
  return from_result(call.blocking(dir_fd, SYS_symlinkat, contents.c_str(), t.place.dir, t.place.name));
}

Errno path_link(Call& call, u32 old_fd, u32 lookup_flags, u32 old_at, u32 old_size, u32 new_fd, u32 new_at,
                u32 new_size) {
  // A link makes the file changeable through its new name, so both sides must be writable.
  Target from, to;
  from.dir = lookup_directory(call, old_fd, right(Right::path_link_source), Change::changes);
  if (from.dir.error != Errno::success) return from.dir.error;
  if (const Errno e = from.path.load(call, old_at, old_size); e != Errno::success) return e;
  if (const Errno e = find(call, new_fd, right(Right::path_link_target), new_at, new_size, to); e != Errno::success)
    return e;
  if (from.path.trailing_slash()) return link_directory(call, *from.dir.file, from.path);
  const long found = (lookup_flags & kSymlinkFollow) != 0
                         ? find_place_following(call, *from.dir.file, from.path, from.place)
                         : find_place(call, *from.dir.file, from.path, from.place);
  if (found < 0) return from_resolve(found);
  if (from.place.kind != Place::Kind::name) return Errno::perm;  // a directory
  if (to.place.kind != Place::Kind::name) return Errno::exist;
  // A link's target may have ended in a slash.
  if (std::strchr(from.place.name, '/') != nullptr) return link_directory(call, *from.dir.file, from.path);
  return from_result(
      call.blocking(old_fd, SYS_linkat, from.place.dir, from.place.name, to.place.dir, to.place.name, 0));
}

}  // namespace heddle::wasi::handlers
