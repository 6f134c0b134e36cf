// Modules by hand, byte by byte, for tests of the decoder. Text is turned into modules elsewhere; these tests need
// broken ones.
#pragma once

#include <gtest/gtest.h>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "binary/decoder.h"
#include "binary/encoder.h"

namespace heddle::test {

using Wire = std::vector<std::uint8_t>;
using DecodeResult = base::Result<std::shared_ptr<const module::Module>>;

namespace section {
inline constexpr std::uint8_t custom = 0, type = 1, import = 2, function = 3, table = 4, memory = 5, global = 6,
                              export_ = 7, start = 8, element = 9, code = 10, data = 11, data_count = 12, tag = 13;
}

/// Header, then sections as they are added.
class ModuleBytes {
 public:
  ModuleBytes() { encoder_.header(); }
  ModuleBytes& add(std::uint8_t id, const Wire& contents) {
    encoder_.section(id, contents);
    return *this;
  }
  /// Bytes as they are, in or between sections.
  ModuleBytes& raw(const Wire& bytes) {
    encoder_.raw(bytes);
    return *this;
  }
  /// One function type without parameters and results, `bodies` functions of it.
  ModuleBytes& functions(const std::vector<Wire>& bodies) {
    add(section::type, {1, 0x60, 0, 0});
    Encoder indices;
    indices.u32(static_cast<std::uint32_t>(bodies.size()));
    for (std::size_t i = 0; i < bodies.size(); ++i) indices.u32(0);
    add(section::function, indices.bytes());
    return code(bodies);
  }
  ModuleBytes& code(const std::vector<Wire>& bodies) {
    Encoder contents;
    contents.u32(static_cast<std::uint32_t>(bodies.size()));
    for (const Wire& body : bodies) contents.u32(static_cast<std::uint32_t>(body.size())).raw(body);
    return add(section::code, contents.bytes());
  }
  const Wire& bytes() const { return encoder_.bytes(); }

 private:
  using Encoder = binary::Encoder;
  Encoder encoder_;
};

inline DecodeResult decode(const Wire& bytes, spec::Features features = spec::Features::standard()) {
  return binary::decode_module(std::make_shared<module::OwnedBytes>(bytes), features);
}
inline DecodeResult decode(const ModuleBytes& m, spec::Features features = spec::Features::standard()) {
  return decode(m.bytes(), features);
}

/// The module, or a failed test and an empty module.
inline std::shared_ptr<const module::Module> decoded(const ModuleBytes& m,
                                                     spec::Features features = spec::Features::standard()) {
  DecodeResult result = decode(m, features);
  if (result.ok()) return *result;
  ADD_FAILURE() << result.error().message << " at " << result.error().offset;
  auto empty = std::make_shared<module::Module>();
  empty->wire = std::make_shared<module::OwnedBytes>(Wire{});
  return empty;
}

/// Expects an error of this kind whose message begins with `words`.
inline void expect_error(const DecodeResult& result, base::ErrorKind kind, std::string_view words) {
  ASSERT_FALSE(result.ok()) << "decoded, but expected: " << words;
  EXPECT_EQ(result.error().message.substr(0, words.size()), words);
  EXPECT_EQ(static_cast<int>(result.error().kind), static_cast<int>(kind)) << result.error().message;
}
inline void expect_malformed(const DecodeResult& result, std::string_view words) {
  expect_error(result, base::ErrorKind::malformed, words);
}

}  // namespace heddle::test
