// One instruction of a body as people read it, for listings of machine code; text/ prints whole modules.
#pragma once

#include <cstdint>
#include <string>

#include "module/module.h"

namespace heddle::binary {

/// "0x1a2b i32.const 7": its bytes from the module's start, the opcode, and the immediate where that is a number or
/// two. "0x1a20 entry" where the body of `func` begins: what stands before its first instruction.
std::string instruction_text(const module::Module& m, spec::FuncIndex func, std::uint32_t body_offset);

}  // namespace heddle::binary
