// Checks the bodies of a large module while it already runs. A thread of its own goes through the functions in order
// and stops at the first error, which it hands to whoever asked; ending the object ends the thread after its current
// function.
//
// States: running -> done. error_ is written once, before `report` is called, by the thread; read by others only after
// join. stop_ is a plain flag: relaxed, nothing else depends on it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "base/mutex.h"
#include "base/result.h"
#include "module/validated.h"

namespace heddle::engine {

class BackgroundValidation {
 public:
  explicit BackgroundValidation(module::CheckedModule m);
  ~BackgroundValidation();
  BackgroundValidation(const BackgroundValidation&) = delete;
  BackgroundValidation& operator=(const BackgroundValidation&) = delete;

  /// Calls `report` with the first error, at once if it is known already, else from the validating thread. One at a
  /// time; an empty function takes the previous one back (and it is not being called any more).
  void on_error(std::function<void(const base::Error&)> report) HEDDLE_EXCLUDES(mutex_);

 private:
  void run();

  module::CheckedModule module_;
  std::atomic<bool> stop_{false};
  base::Mutex mutex_;
  std::optional<base::Error> error_ HEDDLE_GUARDED_BY(mutex_);
  std::function<void(const base::Error&)> report_ HEDDLE_GUARDED_BY(mutex_);
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace heddle::engine
