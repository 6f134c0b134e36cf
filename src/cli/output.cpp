#include "cli/output.h"

#include <cerrno>
#include <string>
#include <unistd.h>

namespace heddle::cli {
namespace {

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody reads: nothing useful left to do
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

int fail(std::string_view sentence) {
  std::string line = "heddle: ";
  line += sentence;
  if (line.back() != '\n') line += '\n';
  write_all(STDERR_FILENO, line);
  return kBadInput;
}

void print(std::string_view text) {
  write_all(STDOUT_FILENO, text);
}

void print_error(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

}  // namespace heddle::cli
