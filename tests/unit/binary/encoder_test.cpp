#include "binary/encoder.h"

#include <gtest/gtest.h>

#include "support/wasm_bytes.h"

namespace heddle::binary {
namespace {

using spec::HeapType;
using spec::TypeIndex;
using spec::ValType;
using test::Wire;

TEST(Encoder, opcodes_are_a_byte_or_a_prefix_with_a_number) {
  EXPECT_EQ(Encoder().op(spec::Opcode::i32_add).bytes(), (Wire{0x6a}));
  EXPECT_EQ(Encoder().op(spec::Opcode::memory_fill).bytes(), (Wire{0xfc, 0x0b}));
  EXPECT_EQ(Encoder().op(spec::Opcode::i32x4_dot_i16x8_s).bytes(), (Wire{0xfd, 0xba, 0x01}));
}

TEST(Encoder, reference_types_take_their_shortest_form) {
  const HeapType concrete{TypeIndex(64u)};
  EXPECT_EQ(Encoder().val_type(spec::kFuncRef).bytes(), (Wire{0x70}));
  EXPECT_EQ(Encoder().val_type(ValType::ref(HeapType::any, false)).bytes(), (Wire{0x64, 0x6e}));
  EXPECT_EQ(Encoder().val_type(ValType::ref(concrete, true)).bytes(), (Wire{0x63, 0xc0, 0x00}));
  EXPECT_EQ(Encoder().val_type(ValType::ref(concrete, false)).bytes(), (Wire{0x64, 0xc0, 0x00}));
}

TEST(Encoder, limits_say_in_their_flags_what_follows) {
  using spec::AddressType;
  EXPECT_EQ(Encoder().limits({1, {}}, AddressType::i32, false, 16).bytes(), (Wire{0, 1}));
  EXPECT_EQ(Encoder().limits({1, 2}, AddressType::i32, true, 16).bytes(), (Wire{3, 1, 2}));
  EXPECT_EQ(Encoder().limits({1, 2}, AddressType::i64, false, 16).bytes(), (Wire{5, 1, 2}));
  EXPECT_EQ(Encoder().limits({300, {}}, AddressType::i32, false, 0).bytes(), (Wire{8, 0xac, 2, 0}));
}

TEST(Encoder, section_states_the_size_of_its_contents) {
  EXPECT_EQ(Encoder().header().section(5, {1, 0, 0}).bytes(), (Wire{0, 'a', 's', 'm', 1, 0, 0, 0, 5, 3, 1, 0, 0}));
  EXPECT_EQ(Encoder().name("hi").fixed_u32(0x01020304).bytes(), (Wire{2, 'h', 'i', 4, 3, 2, 1}));
}

// What the encoder writes the decoder reads back.
TEST(Encoder, types_come_back_from_the_decoder) {
  const spec::FuncType func{{spec::kI32, spec::kV128, ValType::ref(HeapType(TypeIndex(0u)), true)},
                            {spec::kF64, spec::kExternRef}};
  const spec::TableType table{ValType::ref(HeapType::eq, true), {3, 5}, spec::AddressType::i64};
  const spec::MemType memory{{1, 65536}, spec::AddressType::i32, true, 16};
  const spec::GlobalType global{ValType::ref(HeapType::noextern, true), true};
  const auto m = test::decoded(test::ModuleBytes()
                                   .add(test::section::type, Encoder().u32(1).func_type(func).bytes())
                                   .add(test::section::table, Encoder().u32(1).table_type(table).bytes())
                                   .add(test::section::memory, Encoder().u32(1).mem_type(memory).bytes())
                                   .add(test::section::global, Encoder()
                                                                   .u32(1)
                                                                   .global_type(global)
                                                                   .op(spec::Opcode::ref_null)
                                                                   .heap_type(HeapType::noextern)
                                                                   .op(spec::Opcode::end)
                                                                   .bytes()));
  ASSERT_EQ(m->types.size(), 1u);
  EXPECT_EQ(m->types[0].func, func);
  EXPECT_EQ(m->tables.at(0).type, table);
  EXPECT_EQ(m->memories.at(0).type, memory);
  EXPECT_EQ(m->globals.at(0).type, global);
}

}  // namespace
}  // namespace heddle::binary
