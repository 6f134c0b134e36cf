// heddle run: load, run, and leave as fast as the outcome is known.
#include <malloc.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/verbs.h"
#include "engine/engine.h"
#include "engine/known_start.h"
#include "engine/program.h"

#include "observe/debugger.h"

namespace heddle::cli {
namespace {

/// Does not return: other threads of the group may be blocked anywhere, and the kernel ends them faster than anybody
/// could join them.
[[noreturn]] void leave(const engine::Engine& engine, const runtime::Outcome& outcome) {
  if (!outcome.message.empty()) fail(outcome.message);
  print_error(engine.stats_report());
  _exit(outcome.exit_code);
}

/// What a large module's decoding and its code's reading take for a moment is used again. By default glibc maps and
/// unmaps blocks of 128 KiB and more, and all their pages are made anew. Chosen: above what a start of 69 MB takes at
/// once.
void keep_freed_memory() {
  constexpr int kBytes = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kBytes);
  mallopt(M_TRIM_THRESHOLD, kBytes);
}

}  // namespace

int run_main(int argc, char** argv) {
  RunArguments arguments;
  if (const auto code = parse_run(argc, argv, arguments)) return *code;
  const bool debugged = arguments.config.debug_info.value_or(observe::debugger_listens());
  arguments.config.debug_info = debugged;
  keep_freed_memory();
  watch_signals(debugged);
  take_failed_writes_as_errors();
  set_up_cache(arguments);
  arguments.config.later = arguments.config.tier_threshold > 1;  // else every function is hot at once
  auto engine = engine::Engine::create(arguments.config);
  if (!engine.ok()) return fail(engine.error().message);
  // Whoever decides the outcome, on whatever thread, leaves at once.
  arguments.run.on_outcome = [&engine](const runtime::Outcome& outcome) { leave(**engine, outcome); };

  engine::ModuleSource source;
  const base::Status read = engine::read_module_to_run(arguments.file, arguments.config, source);
  if (!read.ok()) return fail(source.render(read.error()));
  const engine::ModuleSource for_messages = source;
  auto loaded = (*engine)->load(std::move(source));
  if (!loaded.ok()) return fail(for_messages.render(loaded.error()));

  auto program = engine::Program::create(*loaded, std::move(arguments.run));
  if (!program.ok()) {
    // What it was to get of its host (a folder, a stream) could not be had: that is not the file's fault.
    const bool is_hosts = program.error().kind == base::ErrorKind::io;
    return fail(is_hosts ? program.error().message : for_messages.render(program.error()));
  }
  end_on_signals((*program)->group());
  improve_later(**engine);  // from here on only _exit ends us
  const auto outcome = (*program)->run();
  if (!outcome.ok()) {
    fail(for_messages.render(outcome.error()));
    _exit(kBadInput);
  }
  leave(**engine, *outcome);
}

}  // namespace heddle::cli
