#include "base/utf8.h"

#include <cstdint>

namespace heddle::base {
namespace {

struct Form {
  int continuation;  // bytes that follow
  std::uint8_t second_min = 0x80;
  std::uint8_t second_max = 0xbf;
};

// Unicode 15, table 3-7: well-formed byte sequences.
bool form_of(std::uint8_t lead, Form& form) {
  if (lead < 0x80) return form = {0}, true;
  if (lead >= 0xc2 && lead <= 0xdf) return form = {1}, true;
  if (lead == 0xe0) return form = {2, 0xa0, 0xbf}, true;
  if (lead == 0xed) return form = {2, 0x80, 0x9f}, true;
  if (lead >= 0xe1 && lead <= 0xef) return form = {2}, true;
  if (lead == 0xf0) return form = {3, 0x90, 0xbf}, true;
  if (lead >= 0xf1 && lead <= 0xf3) return form = {3}, true;
  if (lead == 0xf4) return form = {3, 0x80, 0x8f}, true;
  return false;
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    Form form{0};
    if (!form_of(static_cast<std::uint8_t>(text[i]), form)) return false;
    ++i;
    for (int k = 0; k < form.continuation; ++k, ++i) {
      if (i == text.size()) return false;
      const auto byte = static_cast<std::uint8_t>(text[i]);
      const std::uint8_t low = k == 0 ? form.second_min : 0x80;
      const std::uint8_t high = k == 0 ? form.second_max : 0xbf;
      if (byte < low || byte > high) return false;
    }
  }
  return true;
}

}  // namespace heddle::base
