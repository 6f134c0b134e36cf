#include "engine/module_source.h"

#include <gtest/gtest.h>

namespace heddle::engine {
namespace {

constexpr auto kStandard = spec::Features::standard();

base::Bytes bytes_of(std::string_view text) {
  return base::raw_bytes(text);
}

TEST(ModuleSource, text_is_told_from_binary_by_its_first_character) {
  ModuleSource text;
  ASSERT_TRUE(read_module(bytes_of(" \n(module)"), "a.wasm", kStandard, text).ok());
  EXPECT_EQ(text.wire->bytes().size(), 8u);
  ModuleSource commented;
  ASSERT_TRUE(read_module(bytes_of(";; nothing\n(module)"), "a", kStandard, commented).ok());
  ModuleSource binary;
  ASSERT_TRUE(read_module(bytes_of(std::string_view("\0asm\1\0\0\0", 8)), "a.wat", kStandard, binary).ok());
  EXPECT_TRUE(binary.text.empty());
  EXPECT_EQ(binary.wire->bytes().size(), 8u);
}

TEST(ModuleSource, an_error_in_bytes_names_the_byte) {
  ModuleSource source;
  ASSERT_TRUE(read_module(bytes_of("xyz"), "a.wasm", kStandard, source).ok());
  EXPECT_EQ(source.render({base::ErrorKind::malformed, 3, "unexpected end"}), "a.wasm: unexpected end (at byte 3)\n");
  EXPECT_EQ(source.render({base::ErrorKind::io, base::kNoOffset, "gone"}), "a.wasm: gone\n");
}

TEST(ModuleSource, an_error_in_text_shows_the_line_and_a_caret) {
  ModuleSource source;
  const base::Status status = read_module(bytes_of("(module\n  (fnc))"), "a.wat", kStandard, source);
  ASSERT_FALSE(status.ok());
  const std::string shown = source.render(status.error());
  EXPECT_EQ(shown.rfind("a.wat:2:", 0), 0u) << shown;
  EXPECT_NE(shown.find("(fnc))"), std::string::npos);
  EXPECT_NE(shown.find('^'), std::string::npos);
}

TEST(ModuleSource, what_cannot_be_read_is_an_io_error) {
  ModuleSource source;
  const base::Status missing = read_module("/nonexistent/heddle/x.wasm", kStandard, source);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, base::ErrorKind::io);
  EXPECT_EQ(source.render(missing.error()), "/nonexistent/heddle/x.wasm: No such file or directory\n");
  ModuleSource folder;
  EXPECT_EQ(read_module("/", kStandard, folder).error().kind, base::ErrorKind::io);
  ModuleSource empty;
  EXPECT_EQ(read_module("/dev/null", kStandard, empty).error().message, "the file is empty");
}

}  // namespace
}  // namespace heddle::engine
