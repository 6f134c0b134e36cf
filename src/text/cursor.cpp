// See cursor.h.
#include "text/cursor.h"

#include <fmt/core.h>

#include "base/utf8.h"
#include "text/keywords.h"
#include "text/numbers.h"

namespace heddle::text {

std::string Cursor::expect_name() {
  const std::uint32_t start = offset();
  std::string name;
  if (!take_string(name)) {
    unexpected("a string");
  } else if (!base::is_utf8(name)) {
    fail(start, "malformed UTF-8 encoding");
  }
  return name;
}

std::uint64_t Cursor::expect_natural(unsigned bits, const char* out_of_range) {
  if (!at(TokenKind::natural)) {
    unexpected("a natural number");
    return 0;
  }
  const std::optional<std::uint64_t> value = parse_natural(text(), bits);
  if (!value) {
    fail(offset(), out_of_range);
    return 0;
  }
  advance();
  return *value;
}

void Cursor::fail(std::uint64_t offset, std::string message, base::ErrorKind kind) {
  if (!error_) error_ = base::Error{kind, offset, std::move(message)};
  index_ = static_cast<std::uint32_t>(stream_.tokens.size() - 1);
}

void Cursor::unexpected(std::string_view expected) {
  if (failed()) return;
  const std::string_view shown = text().substr(0, 60);
  const bool unknown = at(TokenKind::reserved) || (at(TokenKind::keyword) && !is_known_word(text()));
  if (unknown)
    fail(offset(), fmt::format("unknown operator {}", shown));
  else if (at(TokenKind::end))
    fail(offset(), fmt::format("unexpected token: end of input, expected {}", expected));
  else
    fail(offset(), fmt::format("unexpected token {}, expected {}", shown, expected));
}

base::Error Cursor::take_error(std::uint32_t go_on_at) {
  base::Error error = std::move(*error_);
  error_.reset();
  index_ = go_on_at;
  return error;
}

}  // namespace heddle::text
