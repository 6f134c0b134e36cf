#include "cli/signals.h"

#include <atomic>
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "cli/output.h"
#include "runtime/report.h"

namespace heddle::cli {
namespace {

// Written before the handlers are installed, on the same thread; read by them on any.
std::atomic<const runtime::ThreadGroup*> g_group{nullptr};
std::atomic<unsigned> g_signals{0};  // counter

void on_signal(int number) {
  // Whoever claimed the end first decides; a second signal is a user who has lost patience.
  const bool first = g_signals.fetch_add(1, std::memory_order_relaxed) == 0;
  if (first && g_group.load(std::memory_order_relaxed)->ending()) return;
  _exit(128 + number);
}

}  // namespace

void take_failed_writes_as_errors() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

void end_on_signals(const runtime::ThreadGroup& group) {
  g_group.store(&group, std::memory_order_relaxed);
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before{};
    sigaction(number, &action, &before);
    if (before.sa_handler == SIG_IGN) sigaction(number, &before, nullptr);
  }
}

namespace {

bool g_quit_is_ours = false;  // main thread, before there are others

sigset_t only_quit() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGQUIT);
  return set;
}

void* await_quit(void* group) {
  const sigset_t set = only_quit();
  for (int number = 0; sigwait(&set, &number) == 0;) {
    auto reports = runtime::report_threads(*static_cast<runtime::ThreadGroup*>(group));
    const std::size_t count = reports.size();
    // One write, so that nothing comes between.
    print_error(fmt::format("heddle: {} thread{}{}\n\n", count, count == 1 ? "" : "s",
                            runtime::format_reports(std::move(reports))));
  }
  return nullptr;
}

}  // namespace

void hold_quit_back() {
  struct sigaction before{};
  sigaction(SIGQUIT, nullptr, &before);
  if (before.sa_handler == SIG_IGN) return;
  const sigset_t set = only_quit();
  g_quit_is_ours = pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0;
}

void report_on_quit(runtime::ThreadGroup& group) {
  if (!g_quit_is_ours) return;
  pthread_t thread;
  if (pthread_create(&thread, nullptr, &await_quit, &group) == 0) {
    pthread_detach(thread);
    return;
  }
  const sigset_t set = only_quit();  // without the thread, SIGQUIT ends the process as usual
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace heddle::cli
