// See lexer.h. Messages are those of the specification's interpreter, whose suite expects them.
#include "text/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/utf8.h"

namespace heddle::text {
namespace {

enum CharClass : std::uint8_t { kIdChar = 1, kSpace = 2, kPunctuation = 4, kDigit = 8, kHexDigit = 16 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  auto add = [&](std::string_view chars, std::uint8_t bits) {
    for (char c : chars) classes[static_cast<unsigned char>(c)] |= bits;
  };
  add("0123456789", kIdChar | kDigit | kHexDigit);
  add("abcdefABCDEF", kHexDigit);
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kIdChar);
  add("!#$%&'*+-./:<=>?@\\^_`|~", kIdChar);
  add(" \t\n\r", kSpace);
  add(",;[]{}", kPunctuation);
  return classes;
}
constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

bool is(char c, std::uint8_t bits) {
  return (kClasses[static_cast<unsigned char>(c)] & bits) != 0;
}
bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
bool is_wide(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

unsigned hex_value(char c) {
  if (c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}

/// Length of digits with single underscores between them at the start of `text`; 0 if there are none or one is astray.
std::size_t digits_length(std::string_view text, std::uint8_t digit) {
  std::size_t n = 0;
  while (n < text.size() && is(text[n], digit)) {
    ++n;
    if (n + 1 < text.size() && text[n] == '_' && is(text[n + 1], digit)) ++n;
  }
  return n;
}

/// Core spec, Values: integers and floating-point. `reserved` if `text` is no number.
TokenKind number_kind(std::string_view text) {
  const bool sign = text.front() == '+' || text.front() == '-';
  std::string_view rest = text.substr(sign ? 1 : 0);
  if (rest == "inf" || rest == "nan") return TokenKind::floating;
  if (rest.starts_with("nan:0x")) {
    const std::string_view payload = rest.substr(6);
    const std::size_t n = digits_length(payload, kHexDigit);
    return n != 0 && n == payload.size() ? TokenKind::floating : TokenKind::reserved;
  }
  const bool hex = rest.starts_with("0x");
  if (hex) rest.remove_prefix(2);
  const std::uint8_t digit = hex ? kHexDigit : kDigit;
  const std::size_t whole = digits_length(rest, digit);
  if (whole == 0) return TokenKind::reserved;
  rest.remove_prefix(whole);
  if (rest.empty()) return sign ? TokenKind::integer : TokenKind::natural;
  if (rest.front() == '.') {
    rest.remove_prefix(1);
    rest.remove_prefix(digits_length(rest, digit));
    if (rest.empty()) return TokenKind::floating;
  }
  if (rest.front() != (hex ? 'p' : 'e') && rest.front() != (hex ? 'P' : 'E')) return TokenKind::reserved;
  rest.remove_prefix(1);
  if (!rest.empty() && (rest.front() == '+' || rest.front() == '-')) rest.remove_prefix(1);
  const std::size_t exponent = digits_length(rest, kDigit);
  return exponent != 0 && exponent == rest.size() ? TokenKind::floating : TokenKind::reserved;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {
    stream_.source = source;
    stream_.tokens.reserve(source.size() / 5 + 16);
  }

  base::Result<TokenStream> run() {
    while (skip_blanks() && pos_ < source_.size()) {
      if (!lex_token()) break;
    }
    if (error_) return std::move(*error_);
    const std::uint32_t end = static_cast<std::uint32_t>(stream_.tokens.size());
    for (std::uint32_t open : open_) stream_.tokens[open].match = end;
    push(TokenKind::end, pos_);
    return std::move(stream_);
  }

 private:
  char at(std::size_t i) const { return i < source_.size() ? source_[i] : '\0'; }
  bool starts(std::string_view word) const { return source_.substr(pos_, word.size()) == word; }

  bool fail(std::size_t offset, const char* message) {
    if (!error_) error_ = base::Error{base::ErrorKind::malformed, offset, message};
    return false;
  }

  void push(TokenKind kind, std::size_t start) {
    stream_.tokens.push_back({static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(pos_ - start), 0, kind});
  }

  /// A character that may not stand here.
  bool fail_character() {
    std::size_t end = pos_;
    while (end < source_.size() && is_wide(source_[end])) ++end;
    if (end != pos_ && !base::is_utf8(source_.substr(pos_, end - pos_))) return fail(pos_, "malformed UTF-8 encoding");
    return fail(pos_, "illegal character");
  }

  /// Steps over a run of bytes beyond ASCII (in comments and strings).
  bool skip_wide() {
    const std::size_t start = pos_;
    while (pos_ < source_.size() && is_wide(source_[pos_])) ++pos_;
    if (base::is_utf8(source_.substr(start, pos_ - start))) return true;
    return fail(start, "malformed UTF-8 encoding");
  }

  bool skip_blanks() {
    for (;;) {
      while (pos_ < source_.size() && is(source_[pos_], kSpace)) ++pos_;
      const char c = at(pos_);
      const char next = c == '(' || c == ';' ? at(pos_ + 1) : '\0';
      if (c == ';' && next == ';') {
        if (!skip_line_comment()) return false;
      } else if (c == '(' && next == ';') {
        if (!skip_block_comment()) return false;
      } else if (c == '(' && next == '@') {
        if (!lex_annotation()) return false;
      } else {
        return true;
      }
    }
  }

  bool skip_line_comment() {
    while (pos_ < source_.size() && source_[pos_] != '\n' && source_[pos_] != '\r') {
      if (!is_wide(source_[pos_]))
        ++pos_;
      else if (!skip_wide())
        return false;
    }
    return true;
  }

  bool skip_block_comment() {
    const std::size_t start = pos_;
    pos_ += 2;
    for (std::size_t depth = 1; depth != 0;) {
      if (pos_ >= source_.size()) return fail(start, "unclosed comment");
      if (starts("(;")) {
        ++depth;
        pos_ += 2;
      } else if (starts(";)")) {
        --depth;
        pos_ += 2;
      } else if (is_wide(source_[pos_])) {
        if (!skip_wide()) return false;
      } else {
        ++pos_;
      }
    }
    return true;
  }

  bool lex_token() {
    const std::size_t start = pos_;
    if (source_[pos_] == '(') {
      ++pos_;
      open_.push_back(static_cast<std::uint32_t>(stream_.tokens.size()));
      push(TokenKind::open, start);
      return true;
    }
    if (source_[pos_] == ')') {
      ++pos_;
      if (!open_.empty()) {
        stream_.tokens[open_.back()].match = static_cast<std::uint32_t>(stream_.tokens.size());
        open_.pop_back();
      }
      push(TokenKind::close, start);
      return true;
    }
    return lex_word();
  }

  /// A run of id characters, strings and punctuation: one token, known or reserved.
  bool lex_word() {
    const std::size_t start = pos_;
    std::size_t strings = 0;
    bool punctuation = false;
    for (; pos_ < source_.size(); ++pos_) {
      const char c = source_[pos_];
      if (is(c, kIdChar)) continue;
      if (c == '"') {
        if (pos_ == start + 1 && source_[start] == '$' && !string_closes()) return fail(start, "empty identifier");
        if (!skip_string()) return false;
        ++strings;
        --pos_;  // the loop steps over the closing quote
      } else if (is(c, kPunctuation) && !starts(";;")) {
        punctuation = true;
      } else {
        break;
      }
    }
    if (pos_ == start) return fail_character();
    const std::string_view word = source_.substr(start, pos_ - start);
    const TokenKind kind = punctuation ? TokenKind::reserved : word_kind(word, strings);
    if (kind == TokenKind::id && !check_id(word, start)) return false;
    push(kind, start);
    return true;
  }

  static TokenKind word_kind(std::string_view word, std::size_t strings) {
    const char first = word.front();
    if (strings != 0) {
      // Quotes inside a literal are escaped, so a literal that spans the word is the only one in it.
      const std::size_t quote = first == '$' ? 1 : 0;
      if (strings != 1 || word[quote] != '"' || word.back() != '"') return TokenKind::reserved;
      return first == '$' ? TokenKind::id : TokenKind::string;
    }
    if (first == '$') return TokenKind::id;
    if (is(first, kDigit) || first == '+' || first == '-') return number_kind(word);
    if (first >= 'a' && first <= 'z') return TokenKind::keyword;
    return TokenKind::reserved;
  }

  bool check_id(std::string_view word, std::size_t start) {
    if (word.size() == 1 || word == "$\"\"") return fail(start, "empty identifier");
    if (word[1] != '"') return true;
    std::string name;
    append_string(word.substr(1), name);
    return base::is_utf8(name) || fail(start, "malformed UTF-8 encoding");
  }

  /// Whether the literal that begins here ends before the line does.
  bool string_closes() const {
    for (std::size_t i = pos_ + 1; i < source_.size() && !is_control(source_[i]); ++i) {
      if (source_[i] == '"') return true;
      if (source_[i] == '\\') ++i;
    }
    return false;
  }

  bool skip_string() {
    const std::size_t start = pos_++;
    while (pos_ < source_.size()) {
      const char c = source_[pos_];
      if (c == '"') {
        ++pos_;
        return true;
      }
      if (c == '\\') {
        if (!skip_escape()) return false;
      } else if (c == '\n') {
        break;
      } else if (is_control(c)) {
        return fail(pos_, "illegal control character in string literal");
      } else if (!is_wide(c)) {
        ++pos_;
      } else if (!skip_wide()) {
        return false;
      }
    }
    return fail(start, "unclosed string literal");
  }

  bool skip_escape() {
    const std::size_t start = pos_++;
    const char c = at(pos_++);
    if (std::string_view("nrt\"'\\").find(c) != std::string_view::npos && c != '\0') return true;
    if (c == 'u' && at(pos_) == '{') {
      ++pos_;
      const std::size_t n = digits_length(source_.substr(pos_), kHexDigit);
      std::uint32_t value = 0;
      for (std::size_t i = 0; i < n && value < 0x110000; ++i)
        if (source_[pos_ + i] != '_') value = value * 16 + hex_value(source_[pos_ + i]);
      pos_ += n;
      if (n != 0 && at(pos_++) == '}' && value < 0x110000 && (value < 0xd800 || value >= 0xe000)) return true;
    } else if (is(c, kHexDigit) && is(at(pos_), kHexDigit)) {
      ++pos_;
      return true;
    }
    return fail(start, "illegal escape");
  }

  bool lex_annotation() {
    const std::size_t start = pos_;
    pos_ += 2;
    std::string_view name;
    if (at(pos_) == '"') {
      if (!string_closes()) return fail(start, "empty annotation id");
      const std::size_t literal = pos_;
      if (!skip_string()) return false;
      name = source_.substr(literal + 1, pos_ - literal - 2);
      std::string decoded;
      append_string(source_.substr(literal, pos_ - literal), decoded);
      if (!base::is_utf8(decoded)) return fail(literal, "malformed UTF-8 encoding");
    } else {
      const std::size_t word = pos_;
      while (pos_ < source_.size() && is(source_[pos_], kIdChar)) ++pos_;
      name = source_.substr(word, pos_ - word);
    }
    if (name.empty()) return fail(start, "empty annotation id");
    const std::size_t body = pos_;
    if (!skip_annotation_body(start)) return false;
    if (name == "custom" || name == "name" || name == "metadata.code.branch_hint") {
      stream_.annotations.push_back({static_cast<std::uint32_t>(start),
                                     static_cast<std::uint32_t>(stream_.tokens.size()), name,
                                     source_.substr(body, pos_ - 1 - body)});
    }
    return true;
  }

  /// Up to and with the parenthesis that closes the annotation.
  bool skip_annotation_body(std::size_t start) {
    for (std::size_t depth = 1; depth != 0;) {
      if (pos_ >= source_.size()) return fail(start, "unclosed annotation");
      const char c = source_[pos_];
      if (starts(";;")) {
        if (!skip_line_comment()) return false;
      } else if (starts("(;")) {
        if (!skip_block_comment()) return false;
      } else if (c == '"') {
        if (!skip_string()) return false;
      } else if (is_wide(c) || (is_control(c) && !is(c, kSpace))) {
        return fail_character();
      } else {
        if (c == '(') ++depth;
        if (c == ')') --depth;
        ++pos_;
      }
    }
    return true;
  }

  std::string_view source_;
  std::size_t pos_ = 0;
  TokenStream stream_;
  std::vector<std::uint32_t> open_;  // tokens whose parenthesis is not closed yet
  std::optional<base::Error> error_;
};

void append_utf8(std::uint32_t c, std::string& out) {
  auto push = [&](std::uint32_t byte) { out += static_cast<char>(static_cast<std::uint8_t>(byte)); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xc0 | (c >> 6));
    push(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    push(0xe0 | (c >> 12));
    push(0x80 | ((c >> 6) & 0x3f));
    push(0x80 | (c & 0x3f));
  } else {
    push(0xf0 | (c >> 18));
    push(0x80 | ((c >> 12) & 0x3f));
    push(0x80 | ((c >> 6) & 0x3f));
    push(0x80 | (c & 0x3f));
  }
}

/// Appends what the escape stands for, whose backslash is at literal[i]; returns the index behind it.
std::size_t append_escape(std::string_view literal, std::size_t i, std::string& out) {
  const char c = literal[i + 1];
  switch (c) {
    case 'n': out += '\n'; return i + 2;
    case 'r': out += '\r'; return i + 2;
    case 't': out += '\t'; return i + 2;
    case '"':
    case '\'':
    case '\\': out += c; return i + 2;
    case 'u': break;
    default:
      out += static_cast<char>(static_cast<std::uint8_t>(hex_value(c) * 16 + hex_value(literal[i + 2])));
      return i + 3;
  }
  std::uint32_t value = 0;
  for (i += 3; literal[i] != '}'; ++i)
    if (literal[i] != '_') value = value * 16 + hex_value(literal[i]);
  append_utf8(value, out);
  return i + 1;
}

}  // namespace

base::Result<TokenStream> tokenize(std::string_view source) {
  if (source.size() >= 0xffff'ffff) return base::Error{base::ErrorKind::limit, 0, "source is larger than 4 GiB"};
  return Lexer(source).run();
}

void append_string(std::string_view literal, std::string& out) {
  const std::size_t end = literal.size() - 1;
  std::size_t i = 1;
  while (i < end) {
    const std::size_t escape = std::min(literal.find('\\', i), end);
    out.append(literal, i, escape - i);
    i = escape < end ? append_escape(literal, escape, out) : end;
  }
}

}  // namespace heddle::text
