// UTF-8 as the binary format requires it for names (core spec, Binary Format, Names).
#pragma once

#include <string_view>

namespace heddle::base {

/// True if every byte belongs to a well-formed sequence (no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text);

}  // namespace heddle::base
