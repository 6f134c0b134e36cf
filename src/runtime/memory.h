// Linear memory: address space reserved once, a base that never moves, a length that only grows.
//
// Growth: under grow_mutex_ the new pages are made accessible (mprotect), then VmMemory::size_bytes is stored with
// release. Readers (generated code, GuestMemory, other growers) load it with acquire or let the hardware fault; an
// older, smaller value only makes a check stricter than it needs to be, which the specification allows (threads
// proposal, memory.size). Layout of the reservation of a 32-bit memory: 2 GiB guard | 4 GiB | 2 GiB + 64 KiB guard, so
// that base + u32 + offset below 2^31 + 16 bytes always lands inside, and a wrong sign lands in the guard before.
// 64-bit memories: reserved up to their maximum or our limit; generated code checks explicitly.
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

/// Counts linear memory and table bytes of all instances against --max-memory and --max-table. Atomics are plain
/// counters.
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

  /// Grows by `delta` pages. Returns the old size in pages, or ~0 if refused (maximum, limits, or the machine). Any
  /// thread.
  std::uint64_t grow(std::uint64_t delta_pages);

  /// True if `address` lies in this memory's reservation (guards included). Async-signal-safe.
  bool reserves(const void* address) const;

 private:
  Memory() = default;
  spec::MemType type_;
  abi::VmMemory vm_;
  base::Reservation reservation_;
  std::uint64_t accessible_bytes_ HEDDLE_GUARDED_BY(grow_mutex_) = 0;
  std::uint64_t reserved_bytes_ = 0;  // that the memory may grow into
  base::Mutex grow_mutex_;
  ResourceLimits* limits_ = nullptr;
};

}  // namespace heddle::runtime
