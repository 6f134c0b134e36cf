#include "engine/host_stack.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include "runtime/store.h"

namespace heddle::engine {
namespace {

std::size_t bytes_to_limit() {
  const auto* here = static_cast<const std::uint8_t*>(__builtin_frame_address(0));
  return static_cast<std::size_t>(here - current_stack_limit());
}

/// With another limit on the first thread's stack for a moment.
std::size_t bytes_to_limit_with(rlim_t stack_bytes) {
  rlimit before{};
  EXPECT_EQ(getrlimit(RLIMIT_STACK, &before), 0);
  rlimit changed = before;
  changed.rlim_cur = stack_bytes;
  EXPECT_EQ(setrlimit(RLIMIT_STACK, &changed), 0);
  const std::size_t bytes = bytes_to_limit();
  EXPECT_EQ(setrlimit(RLIMIT_STACK, &before), 0);
  return bytes;
}

TEST(HostStack, the_first_thread_gets_most_of_its_limit_and_room_is_left_for_the_host) {
  EXPECT_GT(bytes_to_limit_with(8 << 20), 5u << 20);
  EXPECT_LT(bytes_to_limit_with(8 << 20), (6u << 20) - runtime::kHostStackBytes);
  EXPECT_LT(bytes_to_limit_with(1 << 20), (768u << 10) - runtime::kHostStackBytes);
  EXPECT_GT(bytes_to_limit_with(1 << 20), 512u << 10);
}

TEST(HostStack, a_tiny_limit_is_never_exceeded) {
  for (const rlim_t tiny : {rlim_t{64} << 10, rlim_t{128} << 10, rlim_t{300} << 10})
    EXPECT_LE(bytes_to_limit_with(tiny), tiny / 2) << tiny;
}

TEST(HostStack, another_threads_limit_lies_in_its_stack_above_the_hosts_part) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  pthread_t thread;
  const auto body = [](void*) -> void* { return reinterpret_cast<void*>(bytes_to_limit()); };
  ASSERT_EQ(pthread_create(&thread, &attributes, body, nullptr), 0);
  void* bytes = nullptr;
  pthread_join(thread, &bytes);
  EXPECT_LT(reinterpret_cast<std::size_t>(bytes), (1u << 20) - runtime::kHostStackBytes);
  EXPECT_GT(reinterpret_cast<std::size_t>(bytes), 512u << 10);
}

}  // namespace
}  // namespace heddle::engine
