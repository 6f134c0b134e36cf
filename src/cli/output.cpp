#include "cli/output.h"

#include <cerrno>
#include <string>
#include <unistd.h>

namespace heddle::cli {

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Where nobody reads what we say, nothing useful is left to do: results of write_all are not looked at below.

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
