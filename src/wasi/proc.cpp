// proc_exit, proc_raise, sched_yield: how a program ends itself, or lets others run.
#include <csignal>
#include <sched.h>
#include <string>

#include "runtime/store.h"
#include "runtime/thread_group.h"
#include "wasi/preview1.h"

namespace heddle::wasi::handlers {

namespace {

enum class Action : std::uint8_t { ignore, terminate, stop };

struct Signal {
  int host;
  Action action;
};

/// $signal, by number, with the default action that the witx gives it.
constexpr Signal kSignals[] = {
    {0, Action::ignore},          {SIGHUP, Action::terminate},    {SIGINT, Action::terminate},
    {SIGQUIT, Action::terminate}, {SIGILL, Action::terminate},    {SIGTRAP, Action::terminate},
    {SIGABRT, Action::terminate}, {SIGBUS, Action::terminate},    {SIGFPE, Action::terminate},
    {SIGKILL, Action::terminate}, {SIGUSR1, Action::terminate},   {SIGSEGV, Action::terminate},
    {SIGUSR2, Action::terminate}, {SIGPIPE, Action::ignore},      {SIGALRM, Action::terminate},
    {SIGTERM, Action::terminate}, {SIGCHLD, Action::ignore},      {SIGCONT, Action::ignore},
    {SIGSTOP, Action::stop},      {SIGTSTP, Action::stop},        {SIGTTIN, Action::stop},
    {SIGTTOU, Action::stop},      {SIGURG, Action::ignore},       {SIGXCPU, Action::terminate},
    {SIGXFSZ, Action::terminate}, {SIGVTALRM, Action::terminate}, {SIGPROF, Action::terminate},
    {SIGWINCH, Action::ignore},   {SIGPOLL, Action::terminate},   {SIGPWR, Action::terminate},
    {SIGSYS, Action::terminate},
};

/// Ends the group, or, where there is none (a tool's own store), this call.
void end(Call& call, runtime::Outcome outcome) {
  runtime::Store& store = call.host().store();
  outcome.tid = store.tid();
  if (store.group() != nullptr)
    store.group()->request_exit(std::move(outcome));
  else
    call.host().trap(spec::TrapCode::host_trap, "the program exited with code " + std::to_string(outcome.exit_code));
}

}  // namespace

/// The caller's own interrupt flag is set by request_exit, so wasm is not entered again.
void proc_exit(Call& call, u32 code) {
  runtime::Outcome outcome;
  outcome.kind = runtime::Outcome::Kind::exited;
  outcome.exit_code = static_cast<std::int32_t>(code);
  end(call, std::move(outcome));
}

Errno proc_raise(Call& call, u32 number) {
  if (number >= std::size(kSignals)) return Errno::inval;
  const Signal signal = kSignals[number];
  if (signal.action == Action::ignore) return Errno::success;
  // To stop would be to stop the process that hosts us.
  if (signal.action == Action::stop) return Errno::notsup;
  runtime::Outcome outcome;
  outcome.kind = runtime::Outcome::Kind::signalled;
  outcome.exit_code = 128 + signal.host;
  end(call, std::move(outcome));
  return Errno::success;
}

Errno sched_yield(Call&) {
  ::sched_yield();
  return Errno::success;
}

}  // namespace heddle::wasi::handlers
