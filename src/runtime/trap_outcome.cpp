#include "runtime/trap_outcome.h"

#include <fmt/format.h>

#include "binary/names.h"
#include "code/module_code.h"
#include "runtime/store.h"
#include "spec/trap_codes.h"

namespace heddle::runtime {
namespace {

constexpr std::int32_t kTrapExitCode = 134;

/// "thread 3", "main thread".
std::string thread_name(const Store& store) {
  return store.tid() == 0 ? "main thread" : fmt::format("thread {}", store.tid());
}

std::string stack_text(const StackTrace& stack) {
  std::string text;
  for (const StackFrame& frame : stack.frames) {
    const code::ModuleCode& code = *frame.code->owner;
    text += fmt::format("\n  at {} (byte {:#x})", binary::function_name(code.module(), code.names(), frame.code->func),
                        frame.body_offset);
  }
  if (stack.omitted != 0) text += fmt::format("\n  and {} more", stack.omitted);
  return text;
}

}  // namespace

Outcome trap_outcome(Store& store, EntryStatus status) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::trapped;
  outcome.exit_code = kTrapExitCode;
  outcome.tid = store.tid();
  outcome.trap = status == EntryStatus::exception ? spec::TrapCode::uncaught_exception
                                                  : static_cast<spec::TrapCode>(store.vm()->trap_code);
  std::string what = spec::trap_message(outcome.trap);
  // Of a host function or an invalid body: the text is all there is to say, or more than the code says.
  if (outcome.trap == spec::TrapCode::host_trap && !store.trap_text().empty())
    what = store.trap_text();
  else if (!store.trap_text().empty())
    what += ": " + store.trap_text();
  outcome.message = fmt::format("trap in {}: {}", thread_name(store), what);
  // Without a pc the trap came from no code: an active segment, while instantiating.
  if (store.vm()->trap_pc != nullptr || status == EntryStatus::exception)
    outcome.message += stack_text(store.trap_stack());
  return outcome;
}

}  // namespace heddle::runtime
