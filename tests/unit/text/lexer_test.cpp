// Tokens, strings, comments, annotations; what the lexical format refuses.
#include "text/lexer.h"

#include <gtest/gtest.h>

#include "text/keywords.h"

namespace heddle::text {
namespace {

std::vector<TokenKind> kinds(std::string_view source) {
  const auto stream = tokenize(source);
  std::vector<TokenKind> all;
  if (!stream.ok()) {
    ADD_FAILURE() << stream.error().message;
    return all;
  }
  for (const Token& t : stream->tokens) all.push_back(t.kind);
  EXPECT_EQ(all.back(), TokenKind::end);
  all.pop_back();
  return all;
}

TokenKind kind(std::string_view word) {
  const auto all = kinds(word);
  return all.size() == 1 ? all.front() : TokenKind::end;
}

/// "offset message" of the error.
std::string error(std::string_view source) {
  const auto stream = tokenize(source);
  if (stream.ok()) return "";
  return std::to_string(stream.error().offset) + " " + stream.error().message;
}

std::string decoded(std::string_view literal) {
  std::string out;
  append_string(literal, out);
  return out;
}

TEST(Lexer, words_are_told_apart_by_their_first_character) {
  EXPECT_EQ(kind("i32.const"), TokenKind::keyword);
  EXPECT_EQ(kind("offset=4"), TokenKind::keyword);
  EXPECT_EQ(kind("$a!#*"), TokenKind::id);
  EXPECT_EQ(kind("$\"a b\""), TokenKind::id);
  EXPECT_EQ(kind("\"a b\""), TokenKind::string);
  EXPECT_EQ(kind("Func"), TokenKind::reserved);
  EXPECT_EQ(kind("=x"), TokenKind::reserved);
}

TEST(Lexer, numbers_have_three_kinds) {
  for (const char* word : {"0", "12", "1_000", "0x1f", "0xdead_BEEF"})
    EXPECT_EQ(kind(word), TokenKind::natural) << word;
  for (const char* word : {"+1", "-0", "-0x1_f"}) EXPECT_EQ(kind(word), TokenKind::integer) << word;
  for (const char* word : {"1.", "1.5", "1e10", "1.5E-3", "0x1.8p3", "0x1.p-2", "-inf", "+nan", "-nan:0x7f"})
    EXPECT_EQ(kind(word), TokenKind::floating) << word;
}

TEST(Lexer, stray_underscores_and_suffixes_make_no_number) {
  for (const char* word : {"1_", "1__0", "0x_1", "0x", "1a", "0xg", "1.5.5", "1e", "1e+", "0x1p", "1._5", "+", "--1",
                           "0_x1", "0x.8p1", "-nan:0x", "+nan:canonical"})
    EXPECT_EQ(kind(word), TokenKind::reserved) << word;
}

TEST(Lexer, tokens_without_space_between_them_are_reserved) {
  EXPECT_EQ(kind("\"a\"\"b\""), TokenKind::reserved);
  EXPECT_EQ(kind("$a\"b\""), TokenKind::reserved);
  EXPECT_EQ(kind("0\"b\""), TokenKind::reserved);
  EXPECT_EQ(kind("a,b"), TokenKind::reserved);
  using K = TokenKind;
  EXPECT_EQ(kinds("(a)b"), (std::vector<K>{K::open, K::keyword, K::close, K::keyword}));
  EXPECT_EQ(kinds("nop;;x\nnop(;y;)nop"), (std::vector<K>{K::keyword, K::keyword, K::keyword}));
}

TEST(Lexer, block_comments_nest) {
  EXPECT_EQ(kinds("(; a (; b ;) c ;) x").size(), 1u);
  EXPECT_EQ(error("x (; a (; b ;)"), "2 unclosed comment");
}

TEST(Lexer, line_comments_end_at_any_newline) {
  EXPECT_EQ(kinds(";; a\nb").size(), 1u);
  EXPECT_EQ(kinds(";; a\rb").size(), 1u);
  EXPECT_EQ(kinds(";; a b").size(), 0u);
}

TEST(Lexer, parentheses_know_their_partners) {
  const auto stream = tokenize("(a (b) c) (");
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(stream->tokens[0].match, 6u);
  EXPECT_EQ(stream->tokens[2].match, 4u);
  EXPECT_EQ(stream->tokens[7].match, 8u);  // unclosed: the end token
}

TEST(Lexer, escapes_stand_for_bytes_and_characters) {
  EXPECT_EQ(decoded(R"("a\t\n\r\"\'\\b")"), "a\t\n\r\"'\\b");
  EXPECT_EQ(decoded(R"("\00\ff\4A")"), std::string("\0\xff\x4a", 3));
  EXPECT_EQ(decoded(R"("\u{41}\u{e9}\u{20ac}\u{1_f600}")"), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Lexer, broken_strings_are_refused_at_their_place) {
  EXPECT_EQ(error("  \"abc"), "2 unclosed string literal");
  EXPECT_EQ(error("\"abc\ndef\""), "0 unclosed string literal");
  EXPECT_EQ(error("\"a\x01\""), "2 illegal control character in string literal");
  EXPECT_EQ(error("\"a\\q\""), "2 illegal escape");
  EXPECT_EQ(error("\"\\u{110000}\""), "1 illegal escape");
  EXPECT_EQ(error("\"\\u{d800}\""), "1 illegal escape");
  EXPECT_EQ(error("\"\xff\""), "1 malformed UTF-8 encoding");
}

TEST(Lexer, only_ascii_stands_outside_strings_and_comments) {
  EXPECT_EQ(error("a \xc3\xa9"), "2 illegal character");
  EXPECT_EQ(error("a \xc3"), "2 malformed UTF-8 encoding");
  EXPECT_EQ(error("a \x01"), "2 illegal character");
  EXPECT_EQ(error(";; \xc3\xa9"), "");
  EXPECT_EQ(error("(; \xff ;)"), "3 malformed UTF-8 encoding");
}

TEST(Lexer, identifiers_are_not_empty_and_are_utf8) {
  EXPECT_EQ(error("(a $ b)"), "3 empty identifier");
  EXPECT_EQ(error("$\"\""), "0 empty identifier");
  EXPECT_EQ(error("$\"\\ff\""), "0 malformed UTF-8 encoding");
}

TEST(Lexer, annotations_are_skipped_unless_they_mean_something) {
  const auto stream = tokenize("(a (@x (y) \")\" , ; (@) ) (@custom \"n\" \"b\") b)");
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(stream->tokens.size(), 5u);  // ( a b ) end
  ASSERT_EQ(stream->annotations.size(), 1u);
  EXPECT_EQ(stream->annotations[0].name, "custom");
  EXPECT_EQ(stream->annotations[0].token, 2u);
  EXPECT_EQ(stream->annotations[0].body, " \"n\" \"b\"");
}

TEST(Lexer, broken_annotations_are_refused) {
  EXPECT_EQ(error("(@ x)"), "0 empty annotation id");
  EXPECT_EQ(error("(@x (y)"), "0 unclosed annotation");
  EXPECT_EQ(error("(@x \x7f)"), "4 illegal character");
}

TEST(Keywords, every_instruction_of_the_table_is_found_by_its_word) {
  for (const spec::OpcodeInfo& row : spec::kOpcodes) {
    const spec::OpcodeInfo* found = find_instruction(row.text());
    ASSERT_NE(found, nullptr) << row.text();
    EXPECT_EQ(found->text(), row.text());
    EXPECT_LE(found->opcode, row.opcode) << "the first of several rows with one text";
  }
}

TEST(Keywords, words_of_old_drafts_are_unknown) {
  for (const char* word : {"get_local", "i32.wrap/i64", "anyfunc", "i32.const0", "current_memory"})
    EXPECT_FALSE(is_known_word(word)) << word;
  for (const char* word : {"module", "nan:0x1", "offset=1", "i32.const", "catch_all_ref", "nullexternref"})
    EXPECT_TRUE(is_known_word(word)) << word;
}

}  // namespace
}  // namespace heddle::text
