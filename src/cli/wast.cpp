// heddle wast FILE...: executes the specification's test scripts; a line for each file, exit code 1 on any failure.
#include <fmt/format.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "engine/engine.h"
#include "engine/script_runner.h"
#include "text/source.h"

namespace heddle::cli {
namespace {

/// Failures printed for one file; the summary counts them all.
constexpr std::size_t kShownFailures = 20;

bool run_file(const std::string& file, const engine::ScriptOptions& options) {
  engine::ModuleSource source;
  std::string text;
  if (const base::Status status = engine::read_file(file, text); !status.ok()) {
    fail(file + ": " + status.error().message);
    return false;
  }
  const auto report = engine::run_script(text, file, options);
  if (!report.ok()) {
    print_error(text::render_error(text, file, text::place_of(text, report.error().offset), report.error().message));
    return false;
  }
  std::size_t shown = 0;
  for (const std::string& failure : report->failures) {
    if (++shown > kShownFailures) break;
    print_error(failure + "\n");
  }
  if (report->failures.size() > kShownFailures)
    print_error(fmt::format("{}: {} more failures\n", file, report->failures.size() - kShownFailures));
  print(fmt::format("{}: {} assertions, {} passed, {} commands, {} failures\n", file, report->assertions,
                    report->passed, report->commands, report->failures.size()));
  return report->failures.empty();
}

}  // namespace

int wast_main(int argc, char** argv) {
  WastArguments arguments;
  if (const auto code = parse_wast(argc, argv, arguments)) return *code;
  auto created = engine::Engine::create(arguments.config);
  if (!created.ok()) return fail(created.error().message);
  engine::ScriptOptions options;
  options.features = arguments.config.features;
  options.skipped_lines = arguments.skipped_lines;
  options.tier = &(*created)->tier();
  options.tier_up = (*created)->tier_up();
  int code = 0;
  for (const std::string& file : arguments.files)
    if (!run_file(file, options)) code = kBadInput;
  return code;
}

}  // namespace heddle::cli
