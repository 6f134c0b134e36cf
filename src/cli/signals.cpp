#include "cli/signals.h"

#include <atomic>
#include <cerrno>
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "cli/output.h"
#include "runtime/report.h"

namespace heddle::cli {
namespace {

constexpr int kWatched[] = {SIGINT, SIGTERM, SIGQUIT};
sigset_t g_watched;      // written before the thread exists
bool g_watches = false;  // of the thread that called watch_signals()
/// Chosen: a few times what a trivial program takes. Samples wait for the thread meanwhile.
constexpr timespec kShortRun = {.tv_sec = 0, .tv_nsec = 10'000'000};
/// Besides. Chosen: a few times what a large program takes that is known and only prints something.
constexpr timespec kShortRunOfKnown = {.tv_sec = 0, .tv_nsec = 50'000'000};

/// Release by end_on_signals; pairs with the acquire in the watching thread.
std::atomic<runtime::ThreadGroup*> g_group{nullptr};

/// Release by improve_later; pairs with the acquire in the watching thread.
std::atomic<const engine::Engine*> g_engine{nullptr};

void end_process(int number) {
  _exit(128 + number);
}

/// Whoever sends a second signal has lost patience: from here on the kernel ends us, even if this thread is stuck.
void end_process_next_time() {
  struct sigaction action{};
  action.sa_handler = end_process;
  sigemptyset(&action.sa_mask);
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGINT, SIGTERM}) {
    if (sigismember(&g_watched, number) == 0) continue;
    sigaction(number, &action, nullptr);
    sigaddset(&ends, number);
  }
  pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);
}

void end_group(int number) {
  end_process_next_time();
  runtime::ThreadGroup* group = g_group.load(std::memory_order_acquire);
  if (group == nullptr) end_process(number);
  runtime::Outcome outcome;
  outcome.kind = runtime::Outcome::Kind::signalled;
  outcome.exit_code = 128 + number;
  group->request_exit(std::move(outcome));  // the first to claim the end decides; it leaves
}

void print_threads() {
  runtime::ThreadGroup* group = g_group.load(std::memory_order_acquire);
  if (group == nullptr) end_process(SIGQUIT);
  auto reports = runtime::report_threads(*group);
  const std::size_t count = reports.size();
  // One write, so that nothing comes between.
  print_error(fmt::format("heddle: {} thread{}{}\n\n", count, count == 1 ? "" : "s",
                          runtime::format_reports(std::move(reports))));
}

/// The next thing of those that short programs are spared. False: it still loads.
bool start_next(unsigned done) {
  const engine::Engine* engine = g_engine.load(std::memory_order_acquire);
  if (engine == nullptr) return false;
  if (done == 0)
    engine->start_tier_up();
  else
    engine->start_validation();
  return true;
}

void* await_signals(void*) {
  constexpr const timespec* kWaits[] = {&kShortRun, &kShortRunOfKnown, nullptr};
  for (unsigned done = 0;;) {
    const int number = sigtimedwait(&g_watched, nullptr, kWaits[done]);  // nullptr: for ever
    if (number == SIGQUIT) {
      print_threads();
    } else if (number > 0) {
      end_group(number);
    } else if (errno == EAGAIN && start_next(done)) {
      ++done;
    }
  }
}

}  // namespace

void watch_signals(bool debugged) {
  sigemptyset(&g_watched);
  for (const int number : kWatched) {
    if (debugged && number == SIGINT) continue;
    struct sigaction before{};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaddset(&g_watched, number);
  }
  pthread_t thread;
  if (pthread_sigmask(SIG_BLOCK, &g_watched, nullptr) != 0) return;
  g_watches = pthread_create(&thread, nullptr, &await_signals, nullptr) == 0;
  if (g_watches)
    pthread_detach(thread);
  else
    pthread_sigmask(SIG_UNBLOCK, &g_watched, nullptr);  // without the thread, they end the process as usual
}

void take_failed_writes_as_errors() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

void end_on_signals(runtime::ThreadGroup& group) {
  g_group.store(&group, std::memory_order_release);
}

void improve_later(const engine::Engine& engine) {
  if (g_watches) return g_engine.store(&engine, std::memory_order_release);
  engine.start_tier_up();
  engine.start_validation();
}

}  // namespace heddle::cli
