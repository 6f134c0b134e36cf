#include "runtime/report.h"

#include <fmt/format.h>

#include "code/module_code.h"
#include "runtime/store.h"
#include "spec/trap_codes.h"

namespace heddle::runtime {

std::string thread_name(std::uint32_t tid) {
  return tid == 0 ? "main thread" : fmt::format("thread {}", tid);
}

std::string format_stack(const StackTrace& trace, std::size_t max_frames) {
  std::string text;
  std::size_t shown = 0;
  for (const StackFrame& frame : trace.frames) {
    if (shown++ == max_frames) break;
    const code::ModuleCode& owner = *frame.code->owner;
    text += fmt::format("\n    at {} (module offset {:#x})",
                        binary::function_name(owner.module(), owner.names(), frame.code->func), frame.body_offset);
  }
  const std::size_t total = trace.frames.size() + trace.omitted;
  if (total > max_frames) text += fmt::format("\n    ... {} more", total - max_frames);
  return text;
}

Outcome trap_outcome(Store& store, EntryStatus status) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::trapped;
  outcome.exit_code = kTrapExitCode;
  outcome.tid = store.tid();
  outcome.trap = status == EntryStatus::exception ? spec::TrapCode::uncaught_exception
                                                  : static_cast<spec::TrapCode>(store.vm()->trap_code);
  outcome.message = fmt::format("{} trapped: {}", thread_name(store.tid()), spec::trap_message(outcome.trap));
  if (!store.trap_text().empty()) outcome.message += ": " + store.trap_text();
  // An active segment that does not fit has no frame.
  if (store.vm()->trap_pc != nullptr) outcome.message += format_stack(store.trap_stack());
  return outcome;
}

}  // namespace heddle::runtime
