#include "runtime/guest_memory.h"

namespace heddle::runtime {

#if defined(__x86_64__)
namespace {

/// Chosen: up to here plain moves, which need no start as string moves do on machines without fast short ones.
constexpr std::size_t kSmallBytes = 128;

/// Each byte is read once and written once, as with a string move.
inline void copy_small(std::uint8_t* to, const std::uint8_t* from, std::size_t size_bytes) {
  std::uint64_t scratch;
  for (; size_bytes >= 8; to += 8, from += 8, size_bytes -= 8)
    asm volatile("movq (%2), %0; movq %0, (%1)" : "=&r"(scratch) : "r"(to), "r"(from) : "memory");
  if (size_bytes >= 4) {
    asm volatile("movl (%2), %k0; movl %k0, (%1)" : "=&r"(scratch) : "r"(to), "r"(from) : "memory");
    to += 4, from += 4, size_bytes -= 4;
  }
  for (; size_bytes > 0; ++to, ++from, --size_bytes)
    asm volatile("movb (%2), %b0; movb %b0, (%1)" : "=&q"(scratch) : "r"(to), "r"(from) : "memory");
}

}  // namespace
#endif

// SAFETY: the callers have checked both ranges. Assembly, so that no compiler reads a guest byte twice or gives a
// racing access a meaning of its own, and no sanitizer reports the guest's races as ours.
void copy_from_guest(void* to, const std::uint8_t* from, std::size_t size_bytes) {
#if defined(__x86_64__)
  if (size_bytes <= kSmallBytes) return copy_small(static_cast<std::uint8_t*>(to), from, size_bytes);
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
#else
  auto* out = static_cast<std::uint8_t*>(to);
  for (std::size_t i = 0; i < size_bytes; ++i) out[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
#endif
}

void copy_to_guest(std::uint8_t* to, const void* from, std::size_t size_bytes) {
#if defined(__x86_64__)
  if (size_bytes <= kSmallBytes) return copy_small(to, static_cast<const std::uint8_t*>(from), size_bytes);
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
#else
  const auto* in = static_cast<const std::uint8_t*>(from);
  for (std::size_t i = 0; i < size_bytes; ++i) __atomic_store_n(to + i, in[i], __ATOMIC_RELAXED);
#endif
}

}  // namespace heddle::runtime
