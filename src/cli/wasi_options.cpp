#include "cli/wasi_options.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
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

void add_environment(const std::string& text, std::vector<std::string>& environment) {
  if (text.find('=') != std::string::npos) {
    environment.push_back(text);
  } else if (const char* value = std::getenv(text.c_str())) {
    environment.push_back(text + "=" + value);
  }
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

base::Status change_directory(const std::string& path) {
  if (::chdir(path.c_str()) == 0) return {};
  return usage_error("cannot go to \"" + path + "\": " + std::strerror(errno));
}

}  // namespace heddle::cli
