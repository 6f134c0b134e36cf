// Text -> tokens (core spec, Text Format, Lexical Format; the annotations of its appendix). The whole source is read
// once; every "(" knows its ")", so that readers can skip. Knows the shape of words and numbers, not their meaning:
// whether a keyword exists is asked of keywords.h by whoever did not expect it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heddle::text {

enum class TokenKind : std::uint8_t {
  open,      ///< (
  close,     ///< )
  id,        ///< $name or $"name"
  string,    ///< "..." with its quotes and escapes
  keyword,   ///< begins with a small letter; also inf, nan, offset=4
  natural,   ///< 12, 0x1_f
  integer,   ///< +12, -0x1f
  floating,  ///< 1.5, -inf, 0x1p3
  reserved,  ///< any other run of characters that cannot be told apart without space
  end,       ///< behind the last token
};

struct Token {
  std::uint32_t offset = 0;  ///< bytes
  std::uint32_t length = 0;  ///< bytes
  std::uint32_t match = 0;   ///< open: index of its close, or of `end` if it has none
  TokenKind kind = TokenKind::end;
};

/// (@custom ...), (@name ...) and (@metadata.code.branch_hint ...); all others are skipped.
struct Annotation {
  std::uint32_t offset = 0;  ///< of its parenthesis
  std::uint32_t token = 0;   ///< index of the token behind it
  std::string_view name;
  std::string_view body;  ///< between the name and the closing parenthesis
};

struct TokenStream {
  std::string_view source;  ///< borrowed
  std::vector<Token> tokens;
  std::vector<Annotation> annotations;  ///< ascending by `token`
  std::string_view text(const Token& t) const { return source.substr(t.offset, t.length); }
};

/// Error: the first character or literal that breaks the lexical format. Sources end below 4 GiB.
base::Result<TokenStream> tokenize(std::string_view source);

/// Appends what a string literal (with its quotes, checked by tokenize) stands for.
void append_string(std::string_view literal, std::string& out);

}  // namespace heddle::text
