// heddle <verb> ..., or heddle FILE [ARGS] for `heddle run FILE [ARGS]`.
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <unistd.h>

#include "cli/output.h"
#include "cli/verbs.h"

namespace heddle::cli {
namespace {

struct Verb {
  const char* name;
  VerbMain main;
  const char* summary;
};

constexpr Verb kVerbs[] = {
    {"run", run_main, "run a WASI program (the verb may be left out)"},
    {"cache", cache_main, "say where compiled code is kept, list it, or clear it"},
    {"compile", compile_main, "make a module's code ahead of time"},
    {"inspect", inspect_main, "say what a module consists of and what it needs"},
    {"print", print_main, "write a module as text"},
    {"timeline", timeline_main, "draw what run --trace-threads wrote"},
    {"validate", validate_main, "check modules without running them"},
    {"wast", wast_main, "execute the specification's test scripts"},
};

std::string help() {
  std::string text =
      "heddle: a WebAssembly engine for threaded WASI programs\n\n"
      "Usage: heddle [run] [OPTIONS] FILE [ARGS...]\n"
      "       heddle VERB --help\n\nVerbs:\n";
  for (const Verb& verb : kVerbs) {
    std::string line = std::string("  ") + verb.name;
    line.resize(16, ' ');
    text += line + verb.summary + "\n";
  }
  return text +
         "\nFILE is WebAssembly, binary or text. What stands after it belongs to the program.\n"
         "  --version     print the version\n"
         "  --help        print this\n";
}

/// What the host itself needs could not be had. Nothing here can go on without, and nothing may be allocated to say so.
void leave_without_memory() {
  constexpr std::string_view kMessage = "heddle: out of memory\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(kBadInput);
}

int dispatch(int argc, char** argv) {
  if (argc < 2) {
    print_error(help());
    return kBadInput;
  }
  const std::string_view first = argv[1];
  if (first == "--version" || first == "-V") {
    print("heddle " HEDDLE_VERSION "\n");
    return 0;
  }
  if (first == "--help" || first == "-h" || first == "help") {
    print(help());
    return 0;
  }
  for (const Verb& verb : kVerbs)
    if (first == verb.name) return verb.main(argc - 1, argv + 1);
  return run_main(argc, argv);
}

}  // namespace
}  // namespace heddle::cli

int main(int argc, char** argv) {
  std::set_new_handler(&heddle::cli::leave_without_memory);
  return heddle::cli::dispatch(argc, argv);
}
