// Sampler: where the process's threads spend their time in code that could be better, at no cost to that code. A timer
// on the process's CPU time sends kInterruptSignal to the thread that runs when it expires (Linux 6.4 and newer; older
// kernels prefer the main thread, so that other threads' loops are found later or not at all); the handler writes the
// interrupted place, and where that function returns to, into a small ring and wakes the one consumer. A sleeping
// program gets no signal.
//
// Slot of the ring: null (free) -> pc, stored with release by a handler, after the return address (any thread; an
// unread older sample is overwritten: samples may be lost) -> null, exchanged with acquire by the consumer, which then
// reads the return address. A handler that comes between may have put another one there: pairs are hints, and whoever
// relies on them must test them.
// The event word: idle -> posted (something came) or waiting (the consumer sleeps on it); waiting -> posted with a
// wake. Only the consumer makes it idle, before it looks at what came.
//
// Records live in a table of the process and are never freed, because a signal of a deleted timer may still arrive.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace heddle::runtime {

class Sampler {
 public:
  static constexpr std::size_t kSlots = 32;

  /// A free record, or nullptr: kMaxSamplers are in use. Any thread.
  static Sampler* take();
  /// Stops the timer. Nobody waits any more.
  void give_back();

  /// Samples about each `interval_ns` of the process's CPU time (no oftener than the kernel's tick) from now on. False
  /// if the machine has no such timer. Owner.
  bool start(std::uint64_t interval_ns);

  /// Whether samples in code that cannot be better count, too: they tell whom its callers call. The consumer.
  void set_all_count(bool on) { all_count_.store(on, std::memory_order_relaxed); }

  /// Sleeps until a sample or wake() came since the last call. The consumer.
  void wait();
  /// Any thread.
  void wake() { post(); }
  struct Sample {
    const void* pc;         ///< in generated code when it was taken
    const void* return_pc;  ///< of the function's call; usually generated code
  };
  /// Takes the samples: at most kSlots. The consumer.
  std::size_t drain(Sample (&out)[kSlots]);

  /// True for the address of a record. Async-signal-safe, as the next.
  static bool is_sampler(const void* p);
  /// The thread was interrupted at `pc`, with this stack pointer. sampling_inside.cpp.
  void sample(const void* pc, const void* sp);

 private:
  enum Event : std::uint32_t { idle, posted, waiting };
  static constexpr std::size_t kMaxSamplers = 8;
  static Sampler table_[kMaxSamplers];

  void post();

  std::atomic<bool> used_{false};  // exchanged by take(), released by give_back()
  std::atomic<std::uint32_t> event_{idle};
  std::atomic<std::uint32_t> next_{0};  // counter
  std::atomic<bool> all_count_{false};  // relaxed, the consumer's to the handlers: a sample more or less does no harm
  struct Slot {
    std::atomic<const void*> pc{nullptr};
    std::atomic<const void*> return_pc{nullptr};
  };
  Slot slots_[kSlots] = {};
  bool has_timer_ = false;  // the owner's
  timer_t timer_{};         // the owner's
};

}  // namespace heddle::runtime
