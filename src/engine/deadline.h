// Deadline: ends a group when its time is up (--timeout). Costs a thread, so it is made only if asked for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "runtime/thread_group.h"

namespace heddle::engine {

class Deadline {
 public:
  /// `group` is borrowed.
  Deadline(runtime::ThreadGroup& group, std::uint64_t timeout_ns);
  /// Calls it off.
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  void run(std::uint64_t timeout_ns);
  runtime::ThreadGroup& group_;
  std::mutex mutex_;  // std: base::CondVar has no timed wait, and this is its only use
  std::condition_variable cancelled_;
  bool cancel_ = false;  // guarded by mutex_
  std::thread thread_;   // last
};

}  // namespace heddle::engine
