// See wat_parser.h.
#include "text/wat_parser.h"

#include "text/module_parser.h"

namespace heddle::text {

base::Result<Parsed> parse_wat(std::string_view source, spec::Features features) {
  HEDDLE_TRY_ASSIGN(const TokenStream stream, tokenize(source));
  IdPool ids;
  Cursor cursor(stream, ids);
  const std::uint32_t end = static_cast<std::uint32_t>(stream.tokens.size() - 1);
  Parsed parsed;
  if (cursor.at_open("module")) {
    const std::uint32_t close = cursor.token().match;
    cursor.take_open("module");
    const std::string_view id = cursor.take_id();
    ModuleParser parser(cursor, features, cursor.index(), close);
    parsed = parser.parse(id);
    cursor.expect_close();
    if (!cursor.at(TokenKind::end)) cursor.unexpected("the end of the source");
  } else {
    ModuleParser parser(cursor, features, 0, end);
    parsed = parser.parse({});
  }
  if (cursor.failed()) return cursor.error();
  return parsed;
}

}  // namespace heddle::text
