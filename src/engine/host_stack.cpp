#include "engine/host_stack.h"

#include <algorithm>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/store.h"

namespace heddle::engine {
namespace {

// The first thread's stack also holds arguments and environment (at most a quarter of the limit: execve(2)); what is
// beyond 8 MiB, the usual limit, is not worth the time to exhaust it.
constexpr std::size_t kMostBytes = 8 << 20;

const std::uint8_t* first_thread_limit(const std::uint8_t* here) {
  rlimit limit{};
  std::size_t bytes = kMostBytes;
  if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    bytes = std::min<std::size_t>(bytes, limit.rlim_cur);
  const std::size_t ours = bytes - bytes / 4;
  constexpr std::size_t kBelow = 2 * runtime::kHostStackBytes;
  return here - (ours > 2 * kBelow ? ours - kBelow : ours / 4);
}

const std::uint8_t* other_thread_limit(const std::uint8_t* here) {
  pthread_attr_t attributes;
  void* lowest = nullptr;
  std::size_t bytes = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return here;
  pthread_attr_getstack(&attributes, &lowest, &bytes);
  pthread_attr_destroy(&attributes);
  return static_cast<const std::uint8_t*>(lowest) + runtime::kHostStackBytes + 4096;
}

}  // namespace

const std::uint8_t* current_stack_limit() {
  const auto* here = static_cast<const std::uint8_t*>(__builtin_frame_address(0));
  return gettid() == getpid() ? first_thread_limit(here) : other_thread_limit(here);
}

}  // namespace heddle::engine
