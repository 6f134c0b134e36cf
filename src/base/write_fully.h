// Writing all of it: write(2) may take less than it is given, and be interrupted.
#pragma once

#include <cerrno>
#include <unistd.h>

#include "base/span.h"

namespace heddle::base {

/// False, and errno, if the system refused; part of it may be written then.
inline bool write_fully(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace heddle::base
