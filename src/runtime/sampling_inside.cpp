// What a timer's signal does (sampling.h). Runs inside a signal handler: no allocation, no locks, no log, nothing that
// is not async-signal-safe, no TLS. No new includes.
#include <cstdint>
#include <sys/syscall.h>
#include <unistd.h>

#include "code/space.h"
#include "runtime/sampling.h"

namespace heddle::runtime {

bool Sampler::is_sampler(const void* p) {
  const auto distance = reinterpret_cast<std::uintptr_t>(p) - reinterpret_cast<std::uintptr_t>(table_);
  return distance < sizeof table_ && distance % sizeof(Sampler) == 0;
}

void Sampler::sample(const void* pc) {
  // The thread stands in this code, so that its record is there.
  const code::FunctionCode* code = code::Space::find(pc);
  if (code == nullptr || !code->improvable) return;
  slots_[next_.fetch_add(1, std::memory_order_relaxed) % kSlots].store(pc, std::memory_order_release);
  post();
}

void Sampler::post() {
  if (event_.exchange(posted, std::memory_order_acq_rel) == waiting)
    syscall(SYS_futex, &event_, 1 | 128 /* FUTEX_WAKE_PRIVATE */, 1, nullptr, nullptr, 0);
}

}  // namespace heddle::runtime
