// What the command line says: each message one write, so that messages of several threads or processes do not mix.
#pragma once

#include <string_view>

namespace heddle::cli {

/// Exit code for bad input and bad usage.
inline constexpr int kBadInput = 1;

/// "heddle: <sentence>\n" on stderr. Returns kBadInput, so that callers can `return fail(...)`.
int fail(std::string_view sentence);
/// As it is, on stdout or stderr.
void print(std::string_view text);
void print_error(std::string_view text);
/// All of `text` to an open file, in as many writes as it takes. False, and errno, on failure.
bool write_all(int fd, std::string_view text);

}  // namespace heddle::cli
