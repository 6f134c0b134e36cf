// clock_res_get, clock_time_get. The vDSO answers realtime and monotonic without a system call.
#include "wasi/clock.h"

#include <cerrno>

#include "wasi/preview1.h"

namespace heddle::wasi::handlers {

Errno clock_res_get(Call& call, u32 id, u32 resolution_at) {
  clockid_t clock;
  timespec t;
  if (!host_clock(id, clock)) return Errno::inval;
  if (::clock_getres(clock, &t) != 0) return from_host(errno);
  return call.put(resolution_at, nanoseconds(t));
}

Errno clock_time_get(Call& call, u32 id, u64 /*precision*/, u32 time_at) {
  clockid_t clock;
  timespec t;
  if (!host_clock(id, clock)) return Errno::inval;
  if (::clock_gettime(clock, &t) != 0) return from_host(errno);
  return call.put(time_at, nanoseconds(t));
}

}  // namespace heddle::wasi::handlers
