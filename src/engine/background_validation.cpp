#include "engine/background_validation.h"

#include "validate/checked.h"

namespace heddle::engine {

BackgroundValidation::BackgroundValidation(module::CheckedModule m)
    : module_(std::move(m)), thread_([this] { run(); }) {}

BackgroundValidation::~BackgroundValidation() {
  stop_.store(true, std::memory_order_relaxed);
  thread_.join();
}

void BackgroundValidation::on_error(std::function<void(const base::Error&)> report) {
  base::MutexLock lock(mutex_);
  report_ = std::move(report);
  if (error_ && report_) report_(*error_);
}

void BackgroundValidation::run() {
  const module::Module& m = module_.module();
  for (std::size_t f = m.imported_functions; f < m.functions.size(); ++f) {
    if (stop_.load(std::memory_order_relaxed)) return;
    auto body = validate::validate_body(module_, spec::FuncIndex(f));
    if (body.ok()) continue;
    base::MutexLock lock(mutex_);
    error_ = body.error();
    if (report_) report_(*error_);
    return;
  }
}

}  // namespace heddle::engine
