#include "engine/background_validation.h"

#include "validate/checked.h"

namespace heddle::engine {

BackgroundValidation::BackgroundValidation(module::CheckedModule m, std::size_t valid)
    : module_(std::move(m)), valid_(valid) {}

// Whoever destroys it is the only one left to start it.
BackgroundValidation::~BackgroundValidation() {
  stop_.store(true, std::memory_order_relaxed);
  std::thread thread;
  {
    base::MutexLock lock(mutex_);
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
}

void BackgroundValidation::start() {
  if (valid_bodies() == module_.module().bodies.size()) return;
  base::MutexLock lock(mutex_);
  thread_ = std::thread([this] { run(); });
}

std::uint64_t BackgroundValidation::add_listener(Report report) {
  base::MutexLock lock(mutex_);
  if (error_) report(*error_);
  const std::uint64_t id = next_id_++;
  listeners_.emplace(id, std::move(report));
  return id;
}

void BackgroundValidation::remove_listener(std::uint64_t id) {
  base::MutexLock lock(mutex_);
  listeners_.erase(id);
}

void BackgroundValidation::run() {
  const module::Module& m = module_.module();
  for (std::size_t i = valid_bodies(); i < m.bodies.size(); ++i) {
    if (stop_.load(std::memory_order_relaxed)) return;
    auto body = validate::validate_body(module_, spec::FuncIndex(m.imported_functions + i));
    if (body.ok()) {
      valid_.store(i + 1, std::memory_order_relaxed);
      continue;
    }
    // Bytes that cannot be had any more are no fault of the module; whoever calls the function is told.
    if (!m.wire->need(m.bodies[i].range)) return;
    base::MutexLock lock(mutex_);
    error_ = body.error();
    for (const auto& [id, report] : listeners_) report(*error_);
    return;
  }
}

}  // namespace heddle::engine
