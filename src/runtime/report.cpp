#include "runtime/report.h"

#include <algorithm>
#include <fmt/format.h>

#include "binary/debug_lines.h"
#include "code/module_code.h"
#include "runtime/store.h"
#include "spec/trap_codes.h"

namespace heddle::runtime {
namespace {

/// Of the first `count` frames. Each module's DWARF is read once.
std::vector<binary::SourceLine> source_lines(const StackTrace& trace, std::size_t count) {
  std::vector<binary::SourceLine> lines(count);
  std::vector<bool> done(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (done[i]) continue;
    const code::ModuleCode* owner = trace.frames[i].code->owner;
    std::vector<std::size_t> indices;
    std::vector<std::uint32_t> offsets;
    for (std::size_t j = i; j < count; ++j) {
      if (trace.frames[j].code->owner != owner) continue;
      done[j] = true;
      indices.push_back(j);
      offsets.push_back(trace.frames[j].body_offset);
    }
    std::vector<binary::SourceLine> found = binary::find_source_lines(owner->module(), offsets);
    for (std::size_t j = 0; j < indices.size(); ++j) lines[indices[j]] = std::move(found[j]);
  }
  return lines;
}

}  // namespace

std::string thread_name(std::uint32_t tid) {
  return tid == 0 ? "main thread" : fmt::format("thread {}", tid);
}

std::string format_stack(const StackTrace& trace, std::size_t max_frames) {
  const std::size_t shown = std::min(max_frames, trace.frames.size());
  const std::vector<binary::SourceLine> lines = source_lines(trace, shown);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    const StackFrame& frame = trace.frames[i];
    const code::ModuleCode& owner = *frame.code->owner;
    text += fmt::format("\n    at {} (", binary::function_name(owner.module(), owner.names(), frame.func));
    if (lines[i].line != 0) text += fmt::format("{}:{}, ", lines[i].file, lines[i].line);
    text += fmt::format("module offset {:#x})", frame.body_offset);
  }
  const std::size_t total = trace.frames.size() + trace.omitted;
  if (total > shown) text += fmt::format("\n    ... {} more", total - shown);
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
