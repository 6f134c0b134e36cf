// Checks the bodies of a large module while it already runs. A thread of its own goes through the functions in order
// and stops at the first error, which it hands to whoever asked; ending the object ends the thread after its current
// function.
//
// States: (waiting ->) running -> done. error_ is written once, by the thread, under the lock under which listeners
// come, go and are called. stop_ and valid_ are relaxed: nothing else depends on them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "base/result.h"
#include "module/validated.h"

namespace heddle::engine {

class BackgroundValidation {
 public:
  /// The first `valid` bodies need no check.
  BackgroundValidation(module::CheckedModule m, std::size_t valid);
  ~BackgroundValidation();
  BackgroundValidation(const BackgroundValidation&) = delete;
  BackgroundValidation& operator=(const BackgroundValidation&) = delete;

  /// Once or never, by any thread, while the object lives.
  void start();
  /// So many bodies, from the first, are valid. Any thread.
  std::size_t valid_bodies() const { return valid_.load(std::memory_order_relaxed); }

  using Report = std::function<void(const base::Error&)>;
  /// Calls `report` with the first error, at once if it is known already, else from the validating thread. Returns what
  /// remove_listener wants to know. Any number at a time (programs of one module); any thread.
  std::uint64_t add_listener(Report report) HEDDLE_EXCLUDES(mutex_);
  /// Afterwards the listener is not called any more, nor being called.
  void remove_listener(std::uint64_t id) HEDDLE_EXCLUDES(mutex_);

 private:
  void run();

  module::CheckedModule module_;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> valid_;
  base::Mutex mutex_;
  std::optional<base::Error> error_ HEDDLE_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Report> listeners_ HEDDLE_GUARDED_BY(mutex_);
  std::uint64_t next_id_ HEDDLE_GUARDED_BY(mutex_) = 1;
  std::thread thread_ HEDDLE_GUARDED_BY(mutex_);  // last: starts when all else is there
};

}  // namespace heddle::engine
