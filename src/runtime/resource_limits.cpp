#include "runtime/resource_limits.h"

namespace heddle::runtime {

bool ResourceLimits::Counter::take(std::uint64_t amount) {
  std::uint64_t before = used.load(std::memory_order_relaxed);
  do {
    if (amount > limit || before > limit - amount) return false;
  } while (!used.compare_exchange_weak(before, before + amount, std::memory_order_relaxed));
  return true;
}

}  // namespace heddle::runtime
