#include "engine/background_validation.h"

#include "validate/checked.h"

namespace heddle::engine {

BackgroundValidation::BackgroundValidation(module::CheckedModule m)
    : module_(std::move(m)), thread_([this] { run(); }) {}

BackgroundValidation::~BackgroundValidation() {
  stop_.store(true, std::memory_order_relaxed);
  thread_.join();
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
  for (std::size_t f = m.imported_functions; f < m.functions.size(); ++f) {
    if (stop_.load(std::memory_order_relaxed)) return;
    auto body = validate::validate_body(module_, spec::FuncIndex(f));
    if (body.ok()) continue;
    base::MutexLock lock(mutex_);
    error_ = body.error();
    for (const auto& [id, report] : listeners_) report(*error_);
    return;
  }
}

}  // namespace heddle::engine
