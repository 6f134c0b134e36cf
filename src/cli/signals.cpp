#include "cli/signals.h"

#include <atomic>
#include <signal.h>
#include <unistd.h>

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
  // A write to a closed pipe is the guest's error `pipe`, not our death.
  signal(SIGPIPE, SIG_IGN);
}

}  // namespace heddle::cli
