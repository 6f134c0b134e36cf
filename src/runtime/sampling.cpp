// The timer's life and the consumer's side (sampling.h); the handler's side is sampling_inside.cpp.
#include "runtime/sampling.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/traps.h"

namespace heddle::runtime {

constinit Sampler Sampler::table_[kMaxSamplers];

Sampler* Sampler::take() {
  for (Sampler& sampler : table_)
    if (!sampler.used_.exchange(true, std::memory_order_acquire)) return &sampler;
  return nullptr;
}

void Sampler::give_back() {
  if (has_timer_) timer_delete(timer_);
  has_timer_ = false;
  for (Slot& slot : slots_) slot.pc.store(nullptr, std::memory_order_relaxed);
  event_.store(idle, std::memory_order_relaxed);
  set_all_count(false);
  used_.store(false, std::memory_order_release);
}

bool Sampler::start(std::uint64_t interval_ns) {
  install_signal_handlers();
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = kInterruptSignal;
  event.sigev_value.sival_ptr = this;
  if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer_) != 0) return false;
  has_timer_ = true;
  constexpr std::uint64_t kSecond = 1'000'000'000;
  itimerspec times = {};
  times.it_interval = {static_cast<time_t>(interval_ns / kSecond), static_cast<long>(interval_ns % kSecond)};
  times.it_value = times.it_interval;
  return timer_settime(timer_, 0, &times, nullptr) == 0;
}

void Sampler::wait() {
  std::uint32_t state = idle;
  if (event_.compare_exchange_strong(state, waiting, std::memory_order_acquire))
    while (event_.load(std::memory_order_acquire) == waiting)
      syscall(SYS_futex, &event_, FUTEX_WAIT_PRIVATE, waiting, nullptr, nullptr, 0);
  // What was posted before is seen by the drain that follows; what comes later posts the word again.
  event_.exchange(idle, std::memory_order_acq_rel);
}

std::size_t Sampler::drain(Sample (&out)[kSlots]) {
  std::size_t count = 0;
  for (Slot& slot : slots_)
    if (slot.pc.load(std::memory_order_relaxed) != nullptr)
      if (const void* pc = slot.pc.exchange(nullptr, std::memory_order_acquire))
        out[count++] = {pc, slot.return_pc.load(std::memory_order_relaxed)};
  return count;
}

}  // namespace heddle::runtime
