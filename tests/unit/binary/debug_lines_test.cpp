#include "binary/debug_lines.h"

#include <gtest/gtest.h>

#include "binary/decoder.h"

namespace heddle::binary {
namespace {

using Code = std::vector<std::uint8_t>;

void append(Code& to, const Code& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append(Code& to, std::string_view text) {
  to.insert(to.end(), text.begin(), text.end());
  to.push_back(0);
}

Code u32(std::size_t n) {
  return {static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n >> 16),
          static_cast<std::uint8_t>(n >> 24)};
}

/// Row at address 2: line 10; at 4: line 11 of file 2; ends at 6.
Code program() {
  return {0,           5, 2, 2, 0, 0, 0,  // set_address 2
          3,           9,                 // advance_line: 10
          1,                              // copy
          4,           2,                 // set_file
          13 + 28 + 6,                    // special: address +2, line +1 (line_base -5, line_range 14)
          2,           2,                 // advance_pc
          0,           1, 1};             // end_sequence
}

Code unit(unsigned version, const Code& tables) {
  Code header = {1};
  if (version >= 4) header.push_back(1);
  append(header, Code{1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1});
  append(header, tables);
  Code rest = {static_cast<std::uint8_t>(version), 0};
  if (version == 5) append(rest, Code{4, 0});
  append(rest, u32(header.size()));
  append(rest, header);
  append(rest, program());
  Code all = u32(rest.size());
  append(all, rest);
  return all;
}

Code version_4_tables() {
  Code t;
  append(t, "lib");
  t.push_back(0);
  append(t, "main.c");
  append(t, Code{0, 0, 0});
  append(t, "list.h");
  append(t, Code{1, 0, 0});
  t.push_back(0);
  return t;
}

Code version_5_tables() {
  Code t = {1, 1, 0x08, 2};  // directories: path as string
  append(t, "/home");
  append(t, "lib");
  append(t, Code{2, 1, 0x08, 2, 0x0b, 3});  // files: path as string, directory as data1
  append(t, "main.c");
  t.push_back(0);
  append(t, "main.c");
  t.push_back(0);
  append(t, "list.h");
  t.push_back(1);
  return t;
}

/// (func (nop) (nop) (nop)) with this custom section; `code` becomes the offset of the code section's contents.
std::shared_ptr<const module::Module> module_with(const Code& debug_line, std::uint32_t& code) {
  Code wasm = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 7};
  code = static_cast<std::uint32_t>(wasm.size());
  append(wasm, Code{1, 5, 0, 1, 1, 1, 0x0b});
  Code section = {11};
  section.insert(section.end(), {'.', 'd', 'e', 'b', 'u', 'g', '_', 'l', 'i', 'n', 'e'});
  append(section, debug_line);
  wasm.push_back(0);
  wasm.push_back(static_cast<std::uint8_t>((section.size() & 0x7f) | 0x80));
  wasm.push_back(static_cast<std::uint8_t>(section.size() >> 7));
  append(wasm, section);
  auto decoded = decode_module(std::make_shared<module::OwnedBytes>(wasm), spec::Features::standard());
  EXPECT_TRUE(decoded.ok()) << decoded.error().message;
  return *decoded;
}

class DebugLines : public testing::TestWithParam<unsigned> {};

TEST_P(DebugLines, each_address_has_the_line_of_the_row_before_it) {
  std::uint32_t code = 0;
  const auto m = module_with(unit(GetParam(), GetParam() == 5 ? version_5_tables() : version_4_tables()), code);
  // Asked in any order.
  const auto lines = find_source_lines(*m, {code + 5, code + 2, code + 3, code + 4, code + 1, code + 6, 0});
  EXPECT_EQ(lines[0].file, "lib/list.h");
  EXPECT_EQ(lines[0].line, 11u);
  EXPECT_EQ(lines[1].file, "main.c");
  EXPECT_EQ(lines[1].line, 10u);
  EXPECT_EQ(lines[2].line, 10u);
  EXPECT_EQ(lines[3].line, 11u);
  EXPECT_EQ(lines[4].line, 0u) << "before the sequence";
  EXPECT_EQ(lines[5].line, 0u) << "after its end";
  EXPECT_EQ(lines[6].line, 0u) << "not in the code section";

  const SourceLineTable table(*m);
  for (std::uint32_t offset = 0; offset < code + 10; ++offset) {
    const SourceLine wanted = find_source_lines(*m, {offset})[0];
    const SourceLineTable::Place place = table.find(offset);
    EXPECT_EQ(place.line, wanted.line) << offset - code;
    if (place.line != 0) EXPECT_EQ(table.files()[place.file], wanted.file) << offset - code;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, DebugLines, testing::Values(2u, 3u, 4u, 5u));

TEST(DebugLinesBroken, every_truncation_and_every_changed_byte_is_survived) {
  const Code whole = unit(5, version_5_tables());
  std::uint32_t code = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto m = module_with(Code(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)), code);
    EXPECT_EQ(find_source_lines(*m, {code + 2}).size(), 1u);
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const unsigned value : {0u, 1u, 0x7fu, 0x80u, 0xffu}) {
      Code changed = whole;
      changed[at] = static_cast<std::uint8_t>(value);
      const auto m = module_with(changed, code);
      EXPECT_EQ(find_source_lines(*m, {code + 2}).size(), 1u);
      const SourceLineTable table(*m);
      const SourceLineTable::Place place = table.find(code + 2);
      EXPECT_TRUE(place.line == 0 || place.file < table.files().size());
    }
  }
}

TEST(DebugLinesBroken, a_module_without_dwarf_has_no_lines) {
  std::uint32_t code = 0;
  const auto m = module_with({}, code);
  EXPECT_EQ(find_source_lines(*m, {code + 2})[0].line, 0u);
}

}  // namespace
}  // namespace heddle::binary
