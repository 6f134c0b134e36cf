// heddle validate FILE...: every rule of the specification, bodies included, on all processors.
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "engine/engine.h"

namespace heddle::cli {
namespace {

bool validate(const std::string& file, const engine::Config& config) {
  engine::ModuleSource source;
  base::Status status = engine::read_module(file, config.features, source);
  if (status.ok()) status = engine::validate_module(source, config.features, 0);
  if (!status.ok()) fail(source.render(status.error()));
  return status.ok();
}

}  // namespace

int validate_main(int argc, char** argv) {
  FileArguments arguments;
  if (const auto code = parse_validate(argc, argv, arguments)) return *code;
  int code = 0;
  for (const std::string& file : arguments.files)
    if (!validate(file, arguments.config)) code = kBadInput;
  return code;
}

}  // namespace heddle::cli
