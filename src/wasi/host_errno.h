// The host's error numbers as WASI's. The only place where both meet.
#pragma once

#include <cerrno>

#include "wasi/types.h"

namespace heddle::wasi {

/// `host_errno` > 0, as in errno. Numbers that WASI has no word for become `io`.
Errno from_host(int host_errno);

/// The result of a system call: -errno, or anything >= 0 (success). runtime::kCancelled becomes `intr`: the thread
/// leaves wasm, nobody reads it.
inline Errno from_result(long result) {
  return result >= 0 ? Errno::success : from_host(static_cast<int>(-result));
}

/// The result of resolving a path: EXDEV there means that the path leads out of the preopened directory. `perm` is what
/// preview1 hosts answer.
inline Errno from_resolve(long result) {
  return result == -EXDEV ? Errno::perm : from_result(result);
}

}  // namespace heddle::wasi
