#include "engine/deadline.h"

#include <chrono>
#include <fmt/format.h>

#include "runtime/report.h"

namespace heddle::engine {

Deadline::Deadline(runtime::ThreadGroup& group, std::uint64_t timeout_ns)
    : group_(group), thread_([this, timeout_ns] { run(timeout_ns); }) {}

Deadline::~Deadline() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    cancel_ = true;
  }
  cancelled_.notify_one();
  thread_.join();
}

void Deadline::run(std::uint64_t timeout_ns) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto at = std::chrono::steady_clock::now() + std::chrono::nanoseconds(timeout_ns);
  if (cancelled_.wait_until(lock, at, [this] { return cancel_; })) return;
  lock.unlock();
  runtime::Outcome outcome;
  outcome.kind = runtime::Outcome::Kind::timed_out;
  outcome.exit_code = 124;
  outcome.message = fmt::format("time limit of {:g} s reached", static_cast<double>(timeout_ns) / 1e9);
  outcome.message += runtime::format_reports(runtime::report_threads(group_));
  group_.request_exit(std::move(outcome));
}

}  // namespace heddle::engine
