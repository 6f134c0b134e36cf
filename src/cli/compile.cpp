// heddle compile: a module and its code as one file, made ahead of time.
#include <fmt/format.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "engine/module_source.h"

namespace heddle::cli {
namespace {

/// One line that is drawn again for each per cent; for people only.
void draw_progress(std::size_t done, std::size_t of) {
  constexpr std::size_t kWidth = 40;
  if (of == 0 || (done * 100 / of == (done - 1) * 100 / of && done != of)) return;
  const std::size_t filled = done * kWidth / of;
  print_error(fmt::format("\r[{}{}] {} of {} functions{}", std::string(filled, '='), std::string(kWidth - filled, ' '),
                          done, of, done == of ? "\n" : ""));
}

}  // namespace

int compile_main(int argc, char** argv) {
  CompileArguments arguments;
  if (const auto code = parse_compile(argc, argv, arguments)) return *code;
  use_default_cache(arguments);  // what earlier runs found hot
  engine::ModuleSource source;
  const base::Status read = engine::read_module(arguments.file, arguments.config.features, source);
  if (!read.ok()) return fail(source.render(read.error()));
  if (isatty(STDERR_FILENO) != 0) arguments.compile.progress = draw_progress;
  const base::Status done = engine::compile_ahead(source, arguments.config, arguments.compile, arguments.output);
  if (done.ok()) return 0;
  // A file that cannot be written is named by the error itself.
  return fail(done.error().kind == base::ErrorKind::io ? done.error().message : source.render(done.error()));
}

}  // namespace heddle::cli
