// Trace: what the threads of a group did and when, for a picture of them (--trace-threads). Off, it is a null pointer
// in each store, tested where a thread starts, waits, wakes, calls the host or ends: never in generated code.
//
// A row belongs to one thread, which alone appends to it; nobody locks. Anybody may read it at any time (the group may
// be ended while its threads still run):
//   append:  the event, then Chunk::count (release); a full chunk gets a successor through Chunk::next (release) first.
//   read:    count and next with acquire: the events before are whole and never change.
// Rows live as long as the Trace, longer than their threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "code/listener.h"

namespace heddle::runtime {

class Store;

struct TraceEvent {
  enum class Kind : std::uint8_t { begin, end, spawn, wait, wait_end, wake, call, call_end };
  static constexpr std::size_t kFrames = 3;

  std::uint64_t at_ns = 0;  ///< CLOCK_MONOTONIC
  Kind kind = Kind::begin;
  std::uint32_t number = 0;   ///< spawn: the new thread; wait_end: who woke it; wake: how many
  std::uint32_t result = 0;   ///< wait_end: WaitResult
  std::uint64_t address = 0;  ///< wait, wake: the guest's
  union {
    const char* name = nullptr;                 ///< call: static
    const code::FunctionCode* frames[kFrames];  ///< wait: innermost first, nullptr behind the last
  };
};

class TraceRow {
 public:
  explicit TraceRow(std::uint32_t tid) : tid_(tid), first_(new Chunk()), last_(first_) {}
  ~TraceRow();
  TraceRow(const TraceRow&) = delete;
  TraceRow& operator=(const TraceRow&) = delete;

  std::uint32_t tid() const { return tid_; }
  /// With the time of now. Own thread.
  void add(TraceEvent event);
  /// Own thread, in a builtin (VmStore::exit_sp is set).
  void add_wait(Store& store, std::uint64_t address);
  void add_wait_end(Store& store, std::uint32_t result);
  void add_wake(std::uint64_t address, std::uint32_t woken);
  void add_spawn(std::uint32_t tid);
  void add_end();

  /// What is there by now. Any thread.
  std::vector<TraceEvent> events() const;
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Chunk {
    static constexpr std::size_t kEvents = 128;
    std::atomic<std::size_t> count{0};
    std::atomic<Chunk*> next{nullptr};
    TraceEvent events[kEvents];
  };
  const std::uint32_t tid_;
  Chunk* const first_;
  Chunk* last_;  // the own thread's
  std::size_t added_ = 0;
  std::atomic<std::uint64_t> dropped_{0};  // counter
};

/// A call of the host for the length of a scope.
class TraceCall {
 public:
  /// `name`: a static string. `row` may be nullptr: then this is one test.
  TraceCall(TraceRow* row, const char* name) : row_(row) {
    if (row_ != nullptr) [[unlikely]]
      begin(name);
  }
  ~TraceCall() {
    if (row_ != nullptr) [[unlikely]]
      end();
  }
  TraceCall(const TraceCall&) = delete;
  TraceCall& operator=(const TraceCall&) = delete;

 private:
  void begin(const char* name);
  void end();
  TraceRow* row_;
};

/// A function, or a loop of it, that got better code.
struct TierUpEvent {
  std::uint64_t at_ns = 0;  ///< when it was there
  std::uint64_t compile_ns = 0;
  const code::FunctionCode* code = nullptr;
  bool is_loop = false;
};

class Trace final : public code::Listener {
 public:
  Trace();
  void on_new_code(const code::NewCode& code) override HEDDLE_EXCLUDES(mutex_);
  /// The row of a thread that begins. Any thread.
  TraceRow* add_row(std::uint32_t tid) HEDDLE_EXCLUDES(mutex_);
  /// Everything so far in the Trace Event Format that Chrome and Perfetto read
  /// (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU), one row a thread, and one for
  /// the compiler. What has not ended, ends now. Any thread; the code that ran is still there.
  std::string json() HEDDLE_EXCLUDES(mutex_);
  /// The same into a file. Errors: io.
  base::Status write(const std::string& path) HEDDLE_EXCLUDES(mutex_);

 private:
  const std::uint64_t begin_ns_;
  base::Mutex mutex_;
  std::vector<std::unique_ptr<TraceRow>> rows_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<TierUpEvent> tier_ups_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace heddle::runtime
