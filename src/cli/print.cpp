// heddle print FILE: a module as text, which parses back to an equivalent module.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "binary/decoder.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "engine/module_source.h"
#include "text/printer.h"

namespace heddle::cli {
namespace {

base::Result<std::string> print_module(const PrintArguments& arguments, engine::ModuleSource& source) {
  constexpr auto kFeatures = spec::Features::all();  // looking is not running
  HEDDLE_TRY(engine::read_module(arguments.file, kFeatures, source));
  HEDDLE_TRY_ASSIGN(const auto decoded, binary::decode_module(source.wire, kFeatures));
  text::PrintOptions options;
  options.custom_sections = arguments.custom_sections;
  return text::print_wat(*decoded, options);
}

/// The disk may be full: that is said, not left for the reader of the file to find out.
int write_file(const std::string& path, std::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return fail(path + ": " + std::strerror(errno));
  int error = write_all(fd, text) ? 0 : errno;
  if (close(fd) != 0 && error == 0) error = errno;
  return error == 0 ? 0 : fail(path + ": " + std::strerror(error));
}

}  // namespace

int print_main(int argc, char** argv) {
  PrintArguments arguments;
  if (const auto code = parse_print(argc, argv, arguments)) return *code;
  engine::ModuleSource source;
  const auto text = print_module(arguments, source);
  if (!text.ok()) return fail(source.render(text.error()));
  if (!arguments.output.empty()) return write_file(arguments.output, *text);
  print(*text);
  return 0;
}

}  // namespace heddle::cli
