// memory.grow, fill, copy, init and data.drop (core spec, Execution, Memory Instructions). Bounds are checked once, for
// the whole operation, before the first byte is written; long operations then go in chunks with the interrupt flag
// tested between them, so that a group that ends need not wait for gigabytes. An interrupted operation has written a
// prefix (or, copying downwards, a suffix), which only threads of the same ending group could still see.
#include <algorithm>
#include <cstring>

#include "runtime/builtins.h"
#include "runtime/guest_memory.h"
#include "runtime/instance.h"
#include "spec/trap_codes.h"

namespace heddle::runtime {
namespace {

// 1 MiB takes 20-200 us, the upper end if the pages are fresh: far below a millisecond, far above the cost of the test.
constexpr std::uint64_t kChunkBytes = 1 << 20;

constexpr std::uint32_t kOk = 0;
constexpr auto kOutOfBounds = static_cast<std::uint32_t>(spec::TrapCode::memory_out_of_bounds);
constexpr auto kInterrupted = static_cast<std::uint32_t>(spec::TrapCode::interrupted);

Instance& instance_of(VmCtx* ctx) {
  return *static_cast<Instance*>(ctx->instance);
}

GuestMemory guest_memory(VmCtx* ctx, std::uint32_t memory) {
  return GuestMemory(instance_of(ctx).memory(spec::MemIndex(memory)).vm());
}

bool interrupted(const VmCtx* ctx) {
  return ctx->store->interrupt.load(std::memory_order_acquire) != 0;
}

#if defined(__SANITIZE_THREAD__)
#define HEDDLE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HEDDLE_TSAN 1
#endif
#endif

// Races between guest threads are the guest's affair: under ThreadSanitizer these must not go through the intercepted
// memset and memmove. Otherwise the C library's are the fastest there are for every size.
void fill_bytes(std::uint8_t* to, std::uint8_t value, std::size_t size_bytes) {
#if defined(HEDDLE_TSAN)
  asm volatile("rep stosb" : "+D"(to), "+c"(size_bytes) : "a"(value) : "memory");
#else
  std::memset(to, value, size_bytes);
#endif
}

void move_bytes(std::uint8_t* to, const std::uint8_t* from, std::size_t size_bytes) {
#if defined(HEDDLE_TSAN)
  if (to > from && to < from + size_bytes) {
    to += size_bytes - 1;
    from += size_bytes - 1;
    asm volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(size_bytes) : : "memory");
  } else {
    copy_from_guest(to, from, size_bytes);
  }
#else
  std::memmove(to, from, size_bytes);
#endif
}

/// Calls use(begin, size) for consecutive chunks of [0, total); false if the thread shall leave wasm. Nothing is
/// nothing: the pointers of an empty operation may be null.
template <class Use>
bool in_chunks(const VmCtx* ctx, std::uint64_t total, Use use) {
  if (total == 0) return true;
  for (std::uint64_t done = 0;;) {
    const std::uint64_t now = std::min(total - done, kChunkBytes);
    use(done, now);
    done += now;
    if (done == total) return true;
    if (interrupted(ctx)) return false;
  }
}

/// One chunk, and not nothing. Most copies are so short that looking for chunks would cost more than they do.
constexpr bool is_short(std::uint64_t size_bytes) {
  return size_bytes - 1 < kChunkBytes;
}

/// Between two memories, or more than one chunk.
[[gnu::noinline]] std::uint32_t copy_long(VmCtx* ctx, std::uint64_t memories, std::uint64_t dst, std::uint64_t src,
                                          std::uint64_t size_bytes) {
  std::uint8_t* to = guest_memory(ctx, static_cast<std::uint32_t>(memories)).range(dst, size_bytes);
  const std::uint8_t* from = guest_memory(ctx, static_cast<std::uint32_t>(memories >> 32)).range(src, size_bytes);
  if (to == nullptr || from == nullptr) return kOutOfBounds;
  // Upwards over itself: the last chunk goes first, so that no byte is overwritten before it is read.
  const bool downwards = to > from && to < from + size_bytes;
  const bool finished = in_chunks(ctx, size_bytes, [&](std::uint64_t begin, std::uint64_t size) {
    const std::uint64_t at = downwards ? size_bytes - begin - size : begin;
    move_bytes(to + at, from + at, size);
  });
  return finished ? kOk : kInterrupted;
}

}  // namespace

extern "C" std::uint64_t heddle_builtin_memory_grow(VmCtx* ctx, std::uint32_t memory, std::uint64_t delta_pages) {
  return instance_of(ctx).memory(spec::MemIndex(memory)).grow(delta_pages);
}

extern "C" std::uint32_t heddle_builtin_memory_fill(VmCtx* ctx, std::uint32_t memory, std::uint64_t dst,
                                                    std::uint32_t value, std::uint64_t size_bytes) {
  std::uint8_t* to = guest_memory(ctx, memory).range(dst, size_bytes);
  if (to == nullptr) return kOutOfBounds;
  const bool finished = in_chunks(ctx, size_bytes, [&](std::uint64_t begin, std::uint64_t size) {
    fill_bytes(to + begin, static_cast<std::uint8_t>(value), size);
  });
  return finished ? kOk : kInterrupted;
}

extern "C" std::uint32_t heddle_builtin_memory_copy(VmCtx* ctx, std::uint64_t memories, std::uint64_t dst,
                                                    std::uint64_t src, std::uint64_t size_bytes) {
  if (memories != 0 || !is_short(size_bytes)) [[unlikely]]
    return copy_long(ctx, memories, dst, src, size_bytes);
  const GuestMemory memory = guest_memory(ctx, 0);
  std::uint8_t* to = memory.range(dst, size_bytes);
  const std::uint8_t* from = memory.range(src, size_bytes);
  if (to == nullptr || from == nullptr) return kOutOfBounds;
  move_bytes(to, from, size_bytes);
  return kOk;
}

extern "C" std::uint32_t heddle_builtin_memory_init(VmCtx* ctx, std::uint32_t memory, std::uint32_t data,
                                                    std::uint64_t dst, std::uint32_t src, std::uint32_t size_bytes) {
  const base::Bytes segment = instance_of(ctx).data_segment(spec::DataIndex(data));
  std::uint8_t* to = guest_memory(ctx, memory).range(dst, size_bytes);
  if (to == nullptr || src > segment.size() || size_bytes > segment.size() - src) return kOutOfBounds;
  const bool finished = in_chunks(ctx, size_bytes, [&](std::uint64_t begin, std::uint64_t size) {
    move_bytes(to + begin, segment.data() + src + begin, size);
  });
  return finished ? kOk : kInterrupted;
}

extern "C" void heddle_builtin_data_drop(VmCtx* ctx, std::uint32_t data) {
  instance_of(ctx).drop_data(spec::DataIndex(data));
}

}  // namespace heddle::runtime
