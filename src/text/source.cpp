// See source.h.
#include "text/source.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/result.h"

namespace heddle::text {

SourcePlace place_of(std::string_view source, std::uint64_t offset) {
  const std::size_t end = static_cast<std::size_t>(std::min<std::uint64_t>(offset, source.size()));
  SourcePlace place;
  std::size_t line_start = 0;
  for (std::size_t i = source.find('\n'); i < end; i = source.find('\n', i + 1)) {
    ++place.line;
    line_start = i + 1;
  }
  place.column = static_cast<std::uint32_t>(end - line_start + 1);
  return place;
}

namespace {

/// Chosen: fits two rows of a narrow terminal; what matters stands near the caret.
constexpr std::size_t kMaxShownColumns = 160;

std::string_view line_of(std::string_view source, std::uint32_t line) {
  std::size_t start = 0;
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t newline = source.find('\n', start);
    if (newline == std::string_view::npos) return {};
    start = newline + 1;
  }
  std::string_view text = source.substr(start, source.find('\n', start) - start);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string render_error(std::string_view source, std::string_view file, SourcePlace place, std::string_view message) {
  std::string_view line = line_of(source, place.line);
  std::size_t caret = std::min<std::size_t>(place.column - 1, line.size());
  if (line.size() > kMaxShownColumns) {
    const std::size_t cut = caret > kMaxShownColumns / 2 ? caret - kMaxShownColumns / 2 : 0;
    line = line.substr(cut, kMaxShownColumns);
    caret -= cut;
  }
  std::string shown;
  std::string below;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool control = static_cast<unsigned char>(line[i]) < 0x20 || line[i] == 0x7f;
    shown += control && line[i] != '\t' ? '?' : line[i];
    const bool continues = (static_cast<unsigned char>(line[i]) & 0xc0) == 0x80;  // of a UTF-8 sequence
    if (i < caret && !continues) below += line[i] == '\t' ? '\t' : ' ';
  }
  return fmt::format("{}:{}:{}: error: {}\n{}\n{}^\n", file, place.line, place.column, message, shown, below);
}

std::uint32_t SourceMap::source_offset(std::uint64_t byte_offset) const {
  if (entries_.empty() || byte_offset == base::kNoOffset) return 0;
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), byte_offset,
                                      [](std::uint64_t offset, const Entry& e) { return offset < e.byte_offset; });
  return after == entries_.begin() ? entries_.front().source_offset : std::prev(after)->source_offset;
}

}  // namespace heddle::text
