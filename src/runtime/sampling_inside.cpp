// What a timer's signal does (sampling.h). Runs inside a signal handler: no allocation, no locks, no log, nothing that
// is not async-signal-safe, no TLS. No new includes.
#include <cstdint>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

#include "code/space.h"
#include "runtime/sampling.h"

namespace heddle::runtime {

bool Sampler::is_sampler(const void* p) {
  const auto distance = reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(table_);
  return distance < sizeof table_ && distance % sizeof(Sampler) == 0;
}

void Sampler::sample(const void* pc, const void* sp) {
  // The thread stands in this code, so that its record is there; likewise its caller's, if that is generated code.
  const code::FunctionCode* code = code::Space::find(pc);
  if (code == nullptr) return;
  const void* return_pc = nullptr;
  std::memcpy(&return_pc, static_cast<const std::uint8_t*>(sp) + code->pushed_bytes_at(pc), sizeof return_pc);
  if (!code->improvable && !all_count_.load(std::memory_order_relaxed)) {
    const code::FunctionCode* caller = code::Space::find(return_pc);
    if (caller == nullptr || !caller->improvable) return;
  }
  Slot& slot = slots_[next_.fetch_add(1, std::memory_order_relaxed) % kSlots];
  slot.return_pc.store(return_pc, std::memory_order_relaxed);
  slot.pc.store(pc, std::memory_order_release);
  post();
}

void Sampler::post() {
  if (event_.exchange(posted, std::memory_order_acq_rel) == waiting)
    syscall(SYS_futex, &event_, 1 | 128 /* FUTEX_WAKE_PRIVATE */, 1, nullptr, nullptr, 0);
}

}  // namespace heddle::runtime
