// Places, rendered errors and source maps.
#include "text/source.h"

#include <gtest/gtest.h>

#include "base/result.h"

namespace heddle::text {
namespace {

TEST(Source, place_counts_lines_and_columns_from_one) {
  const std::string_view source = "ab\ncd\n\nx";
  EXPECT_EQ(place_of(source, 0), (SourcePlace{1, 1}));
  EXPECT_EQ(place_of(source, 2), (SourcePlace{1, 3}));  // the newline belongs to its line
  EXPECT_EQ(place_of(source, 3), (SourcePlace{2, 1}));
  EXPECT_EQ(place_of(source, 6), (SourcePlace{3, 1}));
  EXPECT_EQ(place_of(source, 7), (SourcePlace{4, 1}));
  EXPECT_EQ(place_of(source, 1000), (SourcePlace{4, 2}));
}

TEST(Source, error_shows_the_line_and_a_caret) {
  EXPECT_EQ(render_error("(module\n\t(func bad))\n", "a.wat", {2, 8}, "unknown operator bad"),
            "a.wat:2:8: error: unknown operator bad\n\t(func bad))\n\t      ^\n");
}

TEST(Source, caret_stands_below_the_character_behind_wide_bytes) {
  EXPECT_EQ(render_error("\xc3\xa9x", "a", {1, 3}, "m"), "a:1:3: error: m\n\xc3\xa9x\n ^\n");
}

TEST(Source, long_lines_are_cut_around_the_caret) {
  const std::string source = std::string(1000, 'a') + "!" + std::string(1000, 'b');
  const std::string shown = render_error(source, "a", {1, 1001}, "m");
  const std::string line = shown.substr(shown.find('\n') + 1);
  EXPECT_LT(line.size(), 400u);
  EXPECT_EQ(line.find('!'), line.find('^') - line.find('\n') - 1);
}

TEST(Source, map_finds_the_entry_that_covers_a_byte) {
  const SourceMap map({{10, 100}, {20, 50}, {30, 70}});
  EXPECT_EQ(map.source_offset(5), 100u);
  EXPECT_EQ(map.source_offset(10), 100u);
  EXPECT_EQ(map.source_offset(19), 100u);
  EXPECT_EQ(map.source_offset(20), 50u);
  EXPECT_EQ(map.source_offset(1000), 70u);
  EXPECT_EQ(map.source_offset(base::kNoOffset), 0u);
  EXPECT_EQ(SourceMap().source_offset(3), 0u);
}

}  // namespace
}  // namespace heddle::text
