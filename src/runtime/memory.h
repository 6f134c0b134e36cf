// Linear memory: address space reserved once, a base that never moves, a length that only grows.
//
// Growth: under grow_mutex_ the new pages are made accessible (mprotect), then VmMemory::size_bytes is stored with
// release. Readers (generated code, GuestMemory, other growers) load it with acquire or let the hardware fault; an
// older, smaller value only makes a check stricter than it needs to be, which the specification allows (threads
// proposal, memory.size). Layout of the reservation of a 32-bit memory: 2 GiB guard | 4 GiB | 2 GiB + 64 KiB guard, so
// that base + u32 + offset below 2^31 + 16 bytes always lands inside, and a wrong sign lands in the guard before.
// 64-bit memories: reserved up to their maximum or our limit; generated code checks explicitly. Pages smaller than the
// machine's (custom page sizes): the length need not end on a machine page, so code must check those explicitly too.
#pragma once

#include <cstdint>
#include <memory>

#include "abi/vmctx.h"
#include "base/mutex.h"
#include "base/os_memory.h"
#include "base/result.h"
#include "spec/types.h"

namespace heddle::runtime {

inline constexpr std::uint64_t kGuardBeforeBytes = std::uint64_t{2} << 30;
inline constexpr std::uint64_t kGuardBehindBytes = (std::uint64_t{2} << 30) + (64 << 10);

class ResourceLimits;

class Memory {
 public:
  /// Errors: limit (address space or --max-memory), out of memory. `limits` may be nullptr; borrowed.
  static base::Result<std::shared_ptr<Memory>> create(const spec::MemType& type, ResourceLimits* limits);
  ~Memory();

  /// As declared; `limits.min` is the declared minimum, not the current size (see current_type()).
  const spec::MemType& type() const { return type_; }
  spec::MemType current_type() const;
  bool shared() const { return type_.shared; }
  abi::VmMemory& vm() { return vm_; }
  std::uint64_t size_bytes() const { return vm_.size_bytes.load(std::memory_order_acquire); }
  std::uint64_t size_pages() const { return size_bytes() >> type_.page_log2; }

  static constexpr std::uint64_t kRefused = ~std::uint64_t{0};
  /// Grows by `delta` pages. Returns the old size in pages, or kRefused (maximum, limits, or the machine). Any thread.
  std::uint64_t grow(std::uint64_t delta_pages);

  /// True if `address` lies in this memory's reservation (guards included). Async-signal-safe.
  bool reserves(const void* address) const;

 private:
  Memory() = default;
  /// Makes the first `bytes` readable and writable; false if the machine refuses.
  bool make_accessible(std::uint64_t bytes) HEDDLE_REQUIRES(grow_mutex_);

  spec::MemType type_;
  abi::VmMemory vm_;
  base::Reservation reservation_;
  std::uint64_t accessible_bytes_ HEDDLE_GUARDED_BY(grow_mutex_) = 0;
  std::uint64_t reserved_bytes_ = 0;  // that the memory may grow into
  base::Mutex grow_mutex_;
  ResourceLimits* limits_ = nullptr;
};

}  // namespace heddle::runtime
