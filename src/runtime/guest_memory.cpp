#include "runtime/guest_memory.h"

namespace heddle::runtime {

// SAFETY: the callers have checked both ranges. Assembly, so that no compiler reads a guest byte twice or gives a
// racing access a meaning of its own, and no sanitizer reports the guest's races as ours.
void copy_from_guest(void* to, const std::uint8_t* from, std::size_t size_bytes) {
#if defined(__x86_64__)
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
#else
  auto* out = static_cast<std::uint8_t*>(to);
  for (std::size_t i = 0; i < size_bytes; ++i) out[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
#endif
}

void copy_to_guest(std::uint8_t* to, const void* from, std::size_t size_bytes) {
#if defined(__x86_64__)
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
#else
  const auto* in = static_cast<const std::uint8_t*>(from);
  for (std::size_t i = 0; i < size_bytes; ++i) __atomic_store_n(to + i, in[i], __ATOMIC_RELAXED);
#endif
}

}  // namespace heddle::runtime
