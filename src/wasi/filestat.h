// Attributes of files: struct stat as $filestat, and $fstflags as utimensat's times. Shared by fd_* and path_*.
#pragma once

#include <sys/stat.h>

#include "wasi/call.h"
#include "wasi/clock.h"
#include "wasi/open_file.h"
#include "wasi/types.h"

namespace heddle::wasi {

inline Filestat to_filestat(const struct stat& st) {
  Filestat out;
  out.dev = st.st_dev;
  out.ino = st.st_ino;
  out.filetype = filetype_of(st.st_mode);
  out.nlink = st.st_nlink;
  out.size = static_cast<std::uint64_t>(st.st_size);
  out.atim = nanoseconds(st.st_atim);
  out.mtim = nanoseconds(st.st_mtim);
  out.ctim = nanoseconds(st.st_ctim);
  return out;
}

inline UnstableFilestat to_unstable(const Filestat& s) {
  UnstableFilestat out;
  out.dev = s.dev;
  out.ino = s.ino;
  out.filetype = s.filetype;
  out.nlink = static_cast<std::uint32_t>(s.nlink);
  out.size = s.size;
  out.atim = s.atim;
  out.mtim = s.mtim;
  out.ctim = s.ctim;
  return out;
}

/// False (inval) if a time is asked to be both given and now, or a flag is unknown.
inline bool to_times(std::uint64_t atim, std::uint64_t mtim, std::uint32_t flags, timespec (&times)[2]) {
  if ((flags & ~std::uint32_t{15}) != 0) return false;
  if ((flags & kSetAtim) != 0 && (flags & kSetAtimNow) != 0) return false;
  if ((flags & kSetMtim) != 0 && (flags & kSetMtimNow) != 0) return false;
  const auto one = [](std::uint64_t time, bool given, bool now) {
    timespec t = given ? to_timespec(time) : timespec{};
    if (!given) t.tv_nsec = now ? UTIME_NOW : UTIME_OMIT;
    return t;
  };
  times[0] = one(atim, (flags & kSetAtim) != 0, (flags & kSetAtimNow) != 0);
  times[1] = one(mtim, (flags & kSetMtim) != 0, (flags & kSetMtimNow) != 0);
  return true;
}

}  // namespace heddle::wasi
