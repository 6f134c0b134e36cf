// The words of the text format: instructions (from opcodes.def) and everything else. Built once, then const.
#pragma once

#include <string_view>

#include "spec/opcodes.h"

namespace heddle::text {

/// Row of the instruction spelt `word`, or nullptr. Where one word has two opcodes (select, ref.test, ref.cast) the
/// first; its immediates tell them apart. Any thread. O(1).
const spec::OpcodeInfo* find_instruction(std::string_view word);

/// Whether the text format or the script format uses `word` anywhere; all others are "unknown operator".
bool is_known_word(std::string_view word);

}  // namespace heddle::text
