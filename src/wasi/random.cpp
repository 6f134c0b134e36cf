// random_get: the kernel writes into guest memory directly, in pieces, so that nothing the size of a guest's wish is
// allocated and an ending group is noticed between them.
#include <algorithm>
#include <sys/syscall.h>

#include "wasi/preview1.h"

namespace heddle::wasi::handlers {

Errno random_get(Call& call, u32 buffer, u32 size_bytes) {
  constexpr std::size_t kPieceBytes = 64 << 10;
  std::uint8_t* to = call.memory().range(buffer, size_bytes);
  if (to == nullptr) return Errno::fault;
  for (std::size_t done = 0; done < size_bytes;) {
    const long n =
        call.blocking(-1, SYS_getrandom, to + done, std::min<std::size_t>(size_bytes - done, kPieceBytes), 0);
    if (n < 0) return from_result(n);
    done += static_cast<std::size_t>(n);
  }
  return Errno::success;
}

}  // namespace heddle::wasi::handlers
