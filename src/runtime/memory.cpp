#include "runtime/memory.h"

#include <algorithm>
#include <unistd.h>

#include "runtime/resource_limits.h"
#include "spec/limits.h"

namespace heddle::runtime {
namespace {

constexpr std::uint64_t kMemory32Bytes = std::uint64_t{4} << 30;
// Behind a 64-bit memory: code checks explicitly, so this only catches our own mistakes.
constexpr std::uint64_t kMemory64GuardBytes = 64 << 10;

/// How far a 64-bit memory without a smaller maximum may grow: twice what the machine has, at least 4 GiB. More could
/// never be filled, and address space is finite too (47 bits for all memories of a process). Chosen.
std::uint64_t growable_memory64_bytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const std::uint64_t physical = pages > 0 ? static_cast<std::uint64_t>(pages) * base::kOsPageBytes : 0;
  return std::max(kMemory32Bytes, 2 * base::round_up_to_page(physical));
}

/// Pages to bytes, or ~0 if that is more than 64 bits hold.
std::uint64_t pages_to_bytes(std::uint64_t pages, unsigned page_log2) {
  if (page_log2 != 0 && pages >> (64 - page_log2) != 0) return ~std::uint64_t{0};
  return pages << page_log2;
}

base::Error refused(std::string message) {
  return {base::ErrorKind::limit, base::kNoOffset, std::move(message)};
}

struct Plan {
  std::uint64_t min_bytes;
  std::uint64_t growable_bytes;  // including min_bytes
  std::uint64_t before_bytes;
  std::uint64_t behind_bytes;
};

Plan plan_for(const spec::MemType& type) {
  Plan plan;
  plan.min_bytes = pages_to_bytes(type.limits.min, type.page_log2);
  const std::uint64_t max_bytes =
      type.limits.max ? pages_to_bytes(*type.limits.max, type.page_log2) : ~std::uint64_t{0};
  if (type.address == spec::AddressType::i32) {
    plan.growable_bytes = kMemory32Bytes;
    plan.before_bytes = kGuardBeforeBytes;
    plan.behind_bytes = kGuardBehindBytes;
  } else {
    plan.growable_bytes = std::max(plan.min_bytes, std::min(max_bytes, growable_memory64_bytes()));
    plan.before_bytes = 0;
    plan.behind_bytes = kMemory64GuardBytes;
  }
  return plan;
}

}  // namespace

base::Result<std::shared_ptr<Memory>> Memory::create(const spec::MemType& type, ResourceLimits* limits) {
  Plan plan = plan_for(type);
  // Nothing real is larger; also keeps the sums below from wrapping.
  constexpr std::uint64_t kAddressSpaceBytes = std::uint64_t{1} << 47;
  if (plan.min_bytes > kAddressSpaceBytes)
    return refused("memory of " + std::to_string(type.limits.min) + " pages is larger than the address space");

  auto memory = std::shared_ptr<Memory>(new Memory());
  for (;;) {
    const std::uint64_t rounded = base::round_up_to_page(plan.growable_bytes);
    // The kernel aligns what is a multiple of huge pages such that they fit.
    const std::uint64_t whole = plan.before_bytes + rounded + plan.behind_bytes;
    memory->reservation_ = base::Reservation::reserve((whole + base::kHugePageBytes - 1) & ~(base::kHugePageBytes - 1));
    if (memory->reservation_) break;
    if (type.address == spec::AddressType::i32 || plan.growable_bytes == plan.min_bytes)
      return refused("no address space left for a memory of " + std::to_string(type.limits.min) + " pages");
    plan.growable_bytes = std::max(plan.min_bytes, plan.growable_bytes / 2);
  }
  if (limits != nullptr && !limits->take_memory_bytes(plan.min_bytes))
    return refused("memory of " + std::to_string(plan.min_bytes) + " bytes is over the limit for linear memory");
  memory->limits_ = limits;
  memory->type_ = type;
  memory->reserved_bytes_ = plan.growable_bytes;
  memory->vm_.base = memory->reservation_.base() + plan.before_bytes;
  base::MutexLock lock(memory->grow_mutex_);
  if (!memory->make_accessible(plan.min_bytes)) {
    if (limits != nullptr) limits->give_memory_bytes(plan.min_bytes);
    memory->limits_ = nullptr;
    return refused("the machine has no " + std::to_string(plan.min_bytes) + " bytes for a memory");
  }
  memory->vm_.size_bytes.store(plan.min_bytes, std::memory_order_release);
  return memory;
}

Memory::~Memory() {
  if (limits_ != nullptr) limits_->give_memory_bytes(vm_.size_bytes.load(std::memory_order_relaxed));
}

spec::MemType Memory::current_type() const {
  spec::MemType type = type_;
  type.limits.min = size_pages();
  return type;
}

bool Memory::make_accessible(std::uint64_t bytes) {
  const std::uint64_t rounded = base::round_up_to_page(bytes);
  if (rounded <= accessible_bytes_) return true;
  const auto before = static_cast<std::size_t>(vm_.base - reservation_.base());
  if (!reservation_.protect(before + accessible_bytes_, rounded - accessible_bytes_, base::Access::read_write))
    return false;
  accessible_bytes_ = rounded;
  return true;
}

std::uint64_t Memory::grow(std::uint64_t delta_pages) {
  base::MutexLock lock(grow_mutex_);
  const std::uint64_t old_bytes = vm_.size_bytes.load(std::memory_order_relaxed);
  const std::uint64_t old_pages = old_bytes >> type_.page_log2;
  if (delta_pages == 0) return old_pages;
  const std::uint64_t max_pages = type_.limits.max.value_or(~std::uint64_t{0});
  if (delta_pages > max_pages - old_pages) return kRefused;
  const std::uint64_t delta_bytes = pages_to_bytes(delta_pages, type_.page_log2);
  if (delta_bytes > reserved_bytes_ - old_bytes) return kRefused;
  // A 32-bit memory of single bytes has 2^32 - 1 of them: its size must fit memory.size's i32.
  if (type_.page_log2 == 0 && type_.address == spec::AddressType::i32 && old_bytes + delta_bytes > 0xffff'ffff)
    return kRefused;
  if (limits_ != nullptr && !limits_->take_memory_bytes(delta_bytes)) return kRefused;
  if (!make_accessible(old_bytes + delta_bytes)) {
    if (limits_ != nullptr) limits_->give_memory_bytes(delta_bytes);
    return kRefused;
  }
  vm_.size_bytes.store(old_bytes + delta_bytes, std::memory_order_release);
  return old_pages;
}

bool Memory::reserves(const void* address) const {
  const auto* at = static_cast<const std::uint8_t*>(address);
  return at >= reservation_.base() && at < reservation_.base() + reservation_.size_bytes();
}

}  // namespace heddle::runtime
