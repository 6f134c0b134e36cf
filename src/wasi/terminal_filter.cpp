#include "wasi/terminal_filter.h"

#include <cstring>

namespace heddle::wasi {

namespace {

constexpr char kReplacement[] = "\xef\xbf\xbd";  // U+FFFD

char* replacement(char* out) {
  std::memcpy(out, kReplacement, 3);
  return out + 3;
}

/// U+2400 + code, the picture of a C0 control.
char* picture(std::uint8_t code, char* out) {
  out[0] = '\xe2';
  out[1] = '\x90';
  out[2] = static_cast<char>(0x80 + code);
  return out + 3;
}

/// Bytes of a character that begins with `lead`, 0 if none does (RFC 3629).
std::uint8_t length_of(std::uint8_t lead) {
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

/// May `byte` follow `lead` as the second byte? (RFC 3629, section 4: no overlong forms, no surrogates.)
bool second_fits(std::uint8_t lead, std::uint8_t byte) {
  switch (lead) {
    case 0xe0: return byte >= 0xa0 && byte <= 0xbf;
    case 0xed: return byte >= 0x80 && byte <= 0x9f;
    case 0xf0: return byte >= 0x90 && byte <= 0xbf;
    case 0xf4: return byte >= 0x80 && byte <= 0x8f;
    default: return byte >= 0x80 && byte <= 0xbf;
  }
}

}  // namespace

/// A byte that begins a character.
char* TerminalFilter::start(std::uint8_t byte, char* out) {
  if (byte < 0x80) {
    if (byte == 0x7f) return picture(0x21, out);
    if (byte >= 0x20 || byte == '\n' || byte == '\r' || byte == '\t') {
      *out = static_cast<char>(byte);
      return out + 1;
    }
    return picture(byte, out);
  }
  length_ = length_of(byte);
  if (length_ == 0) return replacement(out);
  held_[0] = byte;
  held_count_ = 1;
  return out;
}

char* TerminalFilter::put(std::uint8_t byte, char* out) {
  if (held_count_ == 0) return start(byte, out);
  const bool fits = held_count_ == 1 ? second_fits(held_[0], byte) : (byte & 0xc0) == 0x80;
  if (!fits) {
    held_count_ = 0;
    return start(byte, replacement(out));
  }
  held_[held_count_++] = byte;
  if (held_count_ < length_) return out;
  const std::uint8_t size = held_count_;
  held_count_ = 0;
  if (held_[0] == 0xc2 && held_[1] < 0xa0) return replacement(out);  // C1: U+0080..U+009F
  std::memcpy(out, held_, size);
  return out + size;
}

std::size_t TerminalFilter::convert(const std::uint8_t* in, std::size_t size_bytes, char* out) {
  base::MutexLock lock(mutex_);
  char* at = out;
  for (std::size_t i = 0; i < size_bytes; ++i) at = put(in[i], at);
  return static_cast<std::size_t>(at - out);
}

}  // namespace heddle::wasi
