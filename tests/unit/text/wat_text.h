// Short ways to say what the tests of the text format need: parse, compare two spellings, expect an error at a place.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/leb128.h"
#include "binary/decoder.h"
#include "text/wat_parser.h"

namespace heddle::text::test {

using Bytes = std::vector<std::uint8_t>;

/// The module's bytes without custom sections; fails the test if the text is refused.
inline Bytes bytes_of(std::string_view source) {
  const base::Result<Parsed> parsed = parse_wat(source, spec::Features::all());
  if (!parsed.ok()) {
    const SourcePlace place = place_of(source, parsed.error().offset);
    ADD_FAILURE() << render_error(source, "test.wat", place, parsed.error().message);
    return {};
  }
  const Bytes& all = parsed->bytes;
  Bytes kept(all.begin(), all.begin() + 8);
  for (const std::uint8_t* at = all.data() + 8; at != all.data() + all.size();) {
    const std::uint8_t* start = at++;
    std::uint32_t size = 0;
    base::read_leb128(at, all.data() + all.size(), size);
    at += size;
    if (*start != 0) kept.insert(kept.end(), start, at);
  }
  return kept;
}

/// Contents (behind id and size) of a section; empty if there is none.
inline Bytes section_of(std::string_view source, std::uint8_t id) {
  const Bytes all = bytes_of(source);
  if (all.empty()) return {};
  for (const std::uint8_t* at = all.data() + 8; at != all.data() + all.size();) {
    const bool found = *at++ == id;
    std::uint32_t size = 0;
    base::read_leb128(at, all.data() + all.size(), size);
    if (found) return Bytes(at, at + size);
    at += size;
  }
  return {};
}

/// Bytes of the only function's body: behind its size, with locals and the final `end`.
inline Bytes body_of(std::string_view source) {
  Bytes code = section_of(source, 10);
  if (code.size() < 2) return {};
  const std::uint8_t* at = code.data() + 1;
  std::uint32_t size = 0;
  base::read_leb128(at, code.data() + code.size(), size);
  return Bytes(at, at + size);
}

/// "line:column message" of the error; "" if the text is accepted.
inline std::string error_of(std::string_view source, spec::Features features = spec::Features::all()) {
  const base::Result<Parsed> parsed = parse_wat(source, features);
  if (parsed.ok()) return "";
  const SourcePlace place = place_of(source, parsed.error().offset);
  return std::to_string(place.line) + ":" + std::to_string(place.column) + " " + parsed.error().message;
}

inline std::shared_ptr<const module::Module> decode(const Bytes& bytes) {
  auto decoded = binary::decode_module(std::make_shared<module::OwnedBytes>(bytes), spec::Features::all());
  if (!decoded.ok()) {
    ADD_FAILURE() << decoded.error().message;
    return nullptr;
  }
  return *decoded;
}

}  // namespace heddle::text::test

/// Two spellings of the same module.
#define EXPECT_SAME_MODULE(a, b) EXPECT_EQ(::heddle::text::test::bytes_of(a), ::heddle::text::test::bytes_of(b))
#define EXPECT_TEXT_ERROR(source, expected)                                                 \
  EXPECT_PRED2([](const std::string& e, const std::string& p) { return e.starts_with(p); }, \
               ::heddle::text::test::error_of(source), std::string(expected))
