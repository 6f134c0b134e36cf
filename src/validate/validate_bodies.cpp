// Bodies: one by one, or all of them on several threads.
//
// The threads share two numbers. `next` is the first body that nobody has claimed; a thread claims a batch by adding to
// it. `first_bad` is the lowest body known to be wrong; a thread that finds an error lowers it and keeps the error if
// its body is the lowest so far (both under `worst`'s lock). Batches are claimed in ascending order and a claimed body
// below first_bad is always checked, so when all threads have stopped, every body below the kept error is known to be
// right: bodies lie in the binary in the order of their indices, so that error has the lowest offset. first_bad is read
// without the lock only to stop early; an old value makes a thread check more than it must.
#include <algorithm>
#include <atomic>
#include <pthread.h>

#include "base/mutex.h"
#include "base/processors.h"
#include "validate/checked.h"
#include "validate/module_rules.h"

namespace heddle::validate {
namespace {

/// Sees nothing and does nothing: validation alone.
struct NoVisitor {
#define OP(name, code, text, imm, signature, memory, family, feature) \
  base::Status on_##name(const binary::imm_by_kind::imm&) { return {}; }
#include "spec/opcodes.def"
  void begin_body(std::span<const binary::LocalRun>) {}
  void begin_instruction(std::uint64_t, bool) {}
};

/// Bodies claimed at once: enough that the shared counter is not felt, few enough that threads end together.
constexpr std::uint32_t kBatch = 16;

class AllBodies {
 public:
  explicit AllBodies(const module::CheckedModule& m)
      : module_(m), count_(static_cast<std::uint32_t>(m.module().bodies.size())), first_bad_(count_) {}

  /// Works until nothing is left to claim. Any number of threads.
  void work() {
    for (;;) {
      const std::uint32_t begin = next_.fetch_add(kBatch, std::memory_order_relaxed);
      const std::uint32_t end = std::min(begin + kBatch, count_);
      if (begin >= end) return;
      for (std::uint32_t i = begin; i < end; ++i) {
        if (i >= first_bad_.load(std::memory_order_relaxed)) return;
        if (auto body = validate_body(module_, spec::FuncIndex(module_.module().imported_functions + i)); !body.ok())
          return report(i, std::move(body).error());
      }
    }
  }

  /// After all threads have stopped.
  base::Status result() {
    return worst_.with([](Worst& worst) -> base::Status {
      if (worst.found) return std::move(worst.error);
      return {};
    });
  }

 private:
  struct Worst {
    bool found = false;
    std::uint32_t body = 0;
    base::Error error;
  };

  void report(std::uint32_t body, base::Error error) {
    worst_.with([&](Worst& worst) {
      if (worst.found && worst.body < body) return;
      worst = {true, body, std::move(error)};
      first_bad_.store(body, std::memory_order_relaxed);  // a hint; the error itself is under the lock
    });
  }

  const module::CheckedModule& module_;
  const std::uint32_t count_;
  std::atomic<std::uint32_t> next_{0};
  std::atomic<std::uint32_t> first_bad_;
  base::Guarded<Worst> worst_;
};

unsigned useful_threads(const module::Module& m, unsigned wanted) {
  if (wanted == 0) wanted = base::usable_processors();
  return static_cast<unsigned>(std::min<std::size_t>(wanted, m.bodies.size() / kBatch + 1));
}

}  // namespace

base::Result<module::CheckedModule> check_module(std::shared_ptr<const module::Module> m) {
  HEDDLE_TRY(check_before_code(*m));
  HEDDLE_TRY(check_after_code(*m));
  return ValidationAuthority::issue(std::move(m));
}

base::Result<module::ValidatedBody> validate_body(const module::CheckedModule& m, spec::FuncIndex func) {
  NoVisitor none;
  return Checked<NoVisitor>(m, func, none).run();
}

base::Status validate_bodies(const module::CheckedModule& m, unsigned threads) {
  AllBodies all(m);
  std::vector<pthread_t> helpers;
  // The host may refuse a thread; then the others do its work.
  for (unsigned i = 1; i < useful_threads(m.module(), threads); ++i) {
    pthread_t thread;
    const auto start = [](void* bodies) -> void* {
      static_cast<AllBodies*>(bodies)->work();
      return nullptr;
    };
    if (pthread_create(&thread, nullptr, start, &all) != 0) break;
    helpers.push_back(thread);
  }
  all.work();
  for (pthread_t thread : helpers) pthread_join(thread, nullptr);
  return all.result();
}

base::Result<module::CheckedModule> validate_module(std::shared_ptr<const module::Module> m, unsigned threads) {
  HEDDLE_TRY(check_before_code(*m));
  const module::CheckedModule checked = ValidationAuthority::issue(m);
  HEDDLE_TRY(validate_bodies(checked, threads));
  HEDDLE_TRY(check_after_code(*m));
  return checked;
}

}  // namespace heddle::validate
