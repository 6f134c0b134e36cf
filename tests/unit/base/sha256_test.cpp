#include "base/sha256.h"

#include <gtest/gtest.h>
#include <string>

namespace heddle::base {
namespace {

std::string hex(const Digest& digest) {
  std::string result;
  for (const std::uint8_t byte : digest)
    for (const int half : {byte >> 4, byte & 15}) result += "0123456789abcdef"[half];
  return result;
}

Bytes bytes_of(const std::string& text) {
  return raw_bytes(text);
}

// FIPS 180-2, appendix B, and the empty message.
TEST(Sha256, gives_the_standards_digests) {
  EXPECT_EQ(hex(Sha256::of({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(Sha256::of(bytes_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(Sha256::of(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(Sha256::of(bytes_of(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, is_the_same_however_the_bytes_are_cut) {
  std::string text;
  for (unsigned i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string message = text.substr(0, size);
    const Digest whole = Sha256::of(bytes_of(message));
    for (const std::size_t cut : {std::size_t{1}, std::size_t{55}, std::size_t{64}, std::size_t{65}}) {
      if (cut > size) continue;
      Sha256 hash;
      hash.add(bytes_of(message).first(cut));
      hash.add(bytes_of(message).subspan(cut));
      EXPECT_EQ(hash.finish(), whole) << size << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace heddle::base
