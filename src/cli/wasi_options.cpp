#include "cli/wasi_options.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/values.h"

namespace heddle::cli {

wasi::Preopen parse_dir(std::string text) {
  bool read_only = false;
  if (text.size() > 3 && text.ends_with(":ro")) {
    read_only = true;
    text.resize(text.size() - 3);
  }
  const std::size_t at = text.find("::");
  if (at == std::string::npos) return {text, text, read_only};
  return {text.substr(0, at), text.substr(at + 2), read_only};
}

base::Result<wasi::Preopen> parse_mapdir(const std::string& text) {
  const std::size_t at = text.find("::");
  if (at == std::string::npos) return usage_error("'" + text + "' is not of the form GUEST::HOST");
  return wasi::Preopen{text.substr(at + 2), text.substr(0, at), false};
}

base::Status add_environment(const std::string& text, std::vector<std::string>& environment) {
  if (text.empty() || text[0] == '=') return usage_error("'" + text + "' names no variable");
  if (text.find('=') != std::string::npos) {
    environment.push_back(text);
  } else if (const char* value = std::getenv(text.c_str())) {
    environment.push_back(text + "=" + value);
  }
  return {};
}

void inherit_environment(std::vector<std::string>& environment) {
  for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
}

wasi::Stream parse_stream(const std::string& text) {
  wasi::Stream stream;
  stream.kind = text == "null" ? wasi::Stream::Kind::null : wasi::Stream::Kind::file;
  stream.path = text;
  return stream;
}

namespace {

/// A whole number of the environment; nothing if the variable is missing or is none.
std::optional<long> environment_number(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const long number = std::strtol(text, &end, 10);
  if (*end != '\0' || errno != 0) return std::nullopt;
  return number;
}

bool is_listening_socket(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

}  // namespace

base::Result<std::vector<int>> inherited_listeners() {
  constexpr int kFirst = 3;         // SD_LISTEN_FDS_START
  constexpr long kMaxPassed = 256;  // more is no service's, and bounds the loop
  const auto count = environment_number("LISTEN_FDS");
  if (!count || *count <= 0 || *count > kMaxPassed || environment_number("LISTEN_PID") != ::getpid())
    return usage_error("no sockets were passed to this process (LISTEN_FDS and LISTEN_PID, sd_listen_fds(3))");
  std::vector<int> sockets;
  for (int fd = kFirst; fd < kFirst + *count; ++fd) {
    if (!is_listening_socket(fd) || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
      return usage_error("descriptor " + std::to_string(fd) + " is not a listening socket");
    sockets.push_back(fd);
  }
  return sockets;
}

base::Status change_directory(const std::string& path) {
  if (::chdir(path.c_str()) == 0) return {};
  return usage_error("cannot go to \"" + path + "\": " + std::strerror(errno));
}

}  // namespace heddle::cli
