// A cursor over tokens that remembers the first error. After an error it stands at the end token, where nothing matches
// any more: parsers need no check behind every step, only loops that stop at the end. (A Result per token would cost
// more than the token; style.md (d) is kept at the borders, where failed() becomes a Result.)
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/lexer.h"

namespace heddle::text {

/// Owns the names of quoted identifiers, so that all identifiers can be string_views.
class IdPool {
 public:
  /// Name of an id token's text, without the dollar sign. Valid as long as the pool and the source.
  std::string_view name_of(std::string_view id) {
    if (id[1] != '"') return id.substr(1);
    append_string(id.substr(1), decoded_.emplace_back());
    return decoded_.back();
  }

 private:
  std::deque<std::string> decoded_;
};

class Cursor {
 public:
  /// Both must outlive the cursor.
  Cursor(const TokenStream& stream, IdPool& ids) : stream_(stream), ids_(ids) {}

  const TokenStream& stream() const { return stream_; }
  IdPool& ids() { return ids_; }

  std::uint32_t index() const { return index_; }
  void seek(std::uint32_t index) {
    if (!error_) index_ = index;
  }
  const Token& token() const { return stream_.tokens[index_]; }
  const Token& ahead(std::uint32_t n) const {
    const std::size_t i = index_ + std::size_t{n};
    return i < stream_.tokens.size() ? stream_.tokens[i] : stream_.tokens.back();
  }
  TokenKind kind() const { return token().kind; }
  std::uint32_t offset() const { return token().offset; }
  std::string_view text() const { return stream_.text(token()); }

  bool at(TokenKind kind) const { return token().kind == kind; }
  bool at_keyword(std::string_view word) const { return at(TokenKind::keyword) && text() == word; }
  /// "(" and then `word`.
  bool at_open(std::string_view word) const { return at(TokenKind::open) && is_keyword(ahead(1), word); }
  bool is_keyword(const Token& t, std::string_view word) const {
    return t.kind == TokenKind::keyword && stream_.text(t) == word;
  }
  /// An index: natural number or identifier.
  bool at_index() const { return at(TokenKind::natural) || at(TokenKind::id); }
  static bool is_index(const Token& t) { return t.kind == TokenKind::natural || t.kind == TokenKind::id; }

  void advance() {
    if (!at(TokenKind::end)) ++index_;
  }
  bool take(TokenKind kind) {
    if (!at(kind)) return false;
    advance();
    return true;
  }
  bool take_keyword(std::string_view word) {
    if (!at_keyword(word)) return false;
    advance();
    return true;
  }
  bool take_open(std::string_view word) {
    if (!at_open(word)) return false;
    index_ += 2;
    return true;
  }
  /// These report what they do not find.
  void expect_open(std::string_view word) {
    if (take_open(word)) return;
    if (at(TokenKind::open)) advance();
    unexpected(word);
  }
  void expect_open() {
    if (!take(TokenKind::open)) unexpected("(");
  }
  void expect_close() {
    if (!take(TokenKind::close)) unexpected(")");
  }
  void expect_keyword(std::string_view word) {
    if (!take_keyword(word)) unexpected(word);
  }
  /// Name without the dollar sign; empty if there is no identifier here.
  std::string_view take_id() {
    if (!at(TokenKind::id)) return {};
    const std::string_view name = ids_.name_of(text());
    advance();
    return name;
  }
  /// One or no string literal: appended to `out`.
  bool take_string(std::string& out) {
    if (!at(TokenKind::string)) return false;
    append_string(text(), out);
    advance();
    return true;
  }
  /// A string literal that must be UTF-8.
  std::string expect_name();
  std::uint64_t expect_natural(unsigned bits, const char* out_of_range);

  bool failed() const { return error_.has_value(); }
  const base::Error& error() const { return *error_; }
  /// Keeps the first error and goes to the end.
  void fail(std::uint64_t offset, std::string message, base::ErrorKind kind = base::ErrorKind::malformed);
  /// The token here fits nothing: "unknown operator" for words that do not exist, else "unexpected token".
  void unexpected(std::string_view expected);
  /// Forgets the error and goes on behind it (scripts do, after a broken module).
  base::Error take_error(std::uint32_t go_on_at);

 private:
  const TokenStream& stream_;
  IdPool& ids_;
  std::uint32_t index_ = 0;
  std::optional<base::Error> error_;
};

}  // namespace heddle::text
