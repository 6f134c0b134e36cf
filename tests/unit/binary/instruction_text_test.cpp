#include "binary/instruction_text.h"

#include <gtest/gtest.h>

#include "support/wasm_bytes.h"

namespace heddle::binary {
namespace {

using test::decoded;
using test::ModuleBytes;
namespace section = test::section;

TEST(InstructionText, shows_place_opcode_and_the_immediates_that_are_numbers) {
  // No locals; i32.const -3, i32.load offset=9, drop, end.
  const auto m = decoded(ModuleBytes()
                             .add(section::type, {1, 0x60, 0, 0})
                             .add(section::function, {1, 0})
                             .code({{0, 0x41, 0x7d, 0x28, 2, 9, 0x1a, 0x0b}}));
  const auto text = [&](std::uint32_t at) {
    const spec::FuncIndex func(0u);
    const auto offset = static_cast<std::uint32_t>(m->body(func).range.begin) + at;
    const std::string all = instruction_text(*m, func, offset);
    EXPECT_EQ(std::stoul(all, nullptr, 16), offset);
    return all.substr(all.find(' ') + 1);
  };
  EXPECT_EQ(text(0), "entry");
  EXPECT_EQ(text(1), "i32.const -3");
  EXPECT_EQ(text(3), "i32.load offset=9");
  EXPECT_EQ(text(6), "drop");
  EXPECT_EQ(text(7), "end");
}

}  // namespace
}  // namespace heddle::binary
