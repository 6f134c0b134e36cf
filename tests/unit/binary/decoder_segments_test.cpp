// Element and data segments, constant expressions, declared functions.
#include <gtest/gtest.h>

#include "binary/decoder.h"
#include "support/wasm_bytes.h"

namespace heddle::binary {
namespace {

using module::SegmentMode;
using spec::Features;
using spec::ValType;
using test::decode;
using test::decoded;
using test::expect_malformed;
using test::ModuleBytes;
using test::Wire;
namespace section = test::section;

const Wire kBody = {0, 0x0b};

/// A module of four functions with one element segment.
ModuleBytes with_elements(const Wire& segment) {
  Wire contents = {1};
  contents.insert(contents.end(), segment.begin(), segment.end());
  return ModuleBytes()
      .add(section::type, {1, 0x60, 0, 0})
      .add(section::function, {4, 0, 0, 0, 0})
      .add(section::element, contents)
      .code({kBody, kBody, kBody, kBody});
}

module::ElemSegment segment_of(const Wire& bytes) {
  const auto m = decoded(with_elements(bytes));
  return m->elems.empty() ? module::ElemSegment{} : m->elems[0];
}

// https://webassembly.github.io/spec/core/binary/modules.html#element-section: kinds 0 to 7.
TEST(DecodeSegments, eight_kinds_of_element_segments) {
  const ValType func = ValType::ref(spec::HeapType::func, false);

  const auto active = segment_of({0, 0x41, 0, 0x0b, 2, 1, 3});
  EXPECT_EQ(active.mode, SegmentMode::active);
  EXPECT_EQ(active.type, func);
  EXPECT_EQ(active.table_offset.range.size_bytes(), 3u);
  EXPECT_EQ(active.funcs, (std::vector<spec::FuncIndex>{spec::FuncIndex(1u), spec::FuncIndex(3u)}));
  EXPECT_EQ(active.size(), 2u);

  const auto passive = segment_of({1, 0, 1, 2});
  EXPECT_EQ(passive.mode, SegmentMode::passive);
  EXPECT_EQ(passive.type, func);

  const auto active_table = segment_of({2, 5, 0x41, 0, 0x0b, 0, 1, 2});
  EXPECT_EQ(active_table.mode, SegmentMode::active);
  EXPECT_EQ(active_table.table.value, 5u);

  EXPECT_EQ(segment_of({3, 0, 1, 2}).mode, SegmentMode::declarative);

  const auto expressions = segment_of({4, 0x41, 0, 0x0b, 2, 0xd2, 1, 0x0b, 0xd0, 0x70, 0x0b});
  EXPECT_TRUE(expressions.uses_expressions);
  EXPECT_EQ(expressions.type, spec::kFuncRef);
  EXPECT_EQ(expressions.size(), 2u);
  EXPECT_EQ(expressions.expressions[1].range.size_bytes(), 3u);

  const auto typed = segment_of({5, 0x6f, 1, 0xd0, 0x6f, 0x0b});
  EXPECT_EQ(typed.mode, SegmentMode::passive);
  EXPECT_EQ(typed.type, spec::kExternRef);

  const auto typed_table = segment_of({6, 1, 0x41, 0, 0x0b, 0x64, 0x70, 0});
  EXPECT_EQ(typed_table.mode, SegmentMode::active);
  EXPECT_EQ(typed_table.table.value, 1u);
  EXPECT_EQ(typed_table.type, func);

  EXPECT_EQ(segment_of({7, 0x70, 0}).mode, SegmentMode::declarative);
}

TEST(DecodeSegments, kinds_without_meaning_are_malformed) {
  expect_malformed(decode(with_elements({8, 0})), "malformed elements segment kind");
  expect_malformed(decode(with_elements({1, 1, 0})), "malformed element kind");
  expect_malformed(decode(with_elements({5, 0x7f, 0})), "malformed reference type");
  expect_malformed(decode(ModuleBytes().add(section::data, {1, 3, 0})), "malformed data segment kind");
  expect_malformed(decode(ModuleBytes().add(section::data, {1, 1, 0}), Features()), "malformed data segment kind");
}

TEST(DecodeSegments, three_kinds_of_data_segments) {
  const auto m = decoded(ModuleBytes().add(section::data, {3,                              //
                                                           0, 0x41, 0, 0x0b, 2, 'a', 'b',  //
                                                           1, 1, 'c',                      //
                                                           2, 7, 0x42, 0, 0x0b, 0}));
  ASSERT_EQ(m->datas.size(), 3u);
  EXPECT_EQ(m->datas[0].mode, SegmentMode::active);
  EXPECT_EQ(m->bytes_of(m->datas[0].bytes)[1], 'b');
  EXPECT_EQ(m->datas[1].mode, SegmentMode::passive);
  EXPECT_EQ(m->bytes_of(m->datas[1].bytes)[0], 'c');
  EXPECT_EQ(m->datas[2].memory.value, 7u);
  EXPECT_EQ(m->datas[2].bytes.size_bytes(), 0u);
}

TEST(DecodeSegments, data_must_be_there) {
  expect_malformed(decode(ModuleBytes().add(section::data, {1, 1, 2, 'a'})), "unexpected end of section or function");
  expect_malformed(decode(ModuleBytes().add(section::data, {1, 1, 9, 'a'})), "length out of bounds");
}

// Constant expressions are delimited, not judged: nested blocks and any known opcode may stand in them.
TEST(DecodeSegments, constant_expression_ends_at_its_own_end) {
  const auto init_bytes = [](const Wire& init) {
    Wire contents = {1, 0x7f, 0};
    contents.insert(contents.end(), init.begin(), init.end());
    const auto m = decoded(ModuleBytes().add(section::global, contents));
    return m->globals.empty() ? 0u : m->globals[0].init.range.size_bytes();
  };
  EXPECT_EQ(init_bytes({0x41, 0, 0x0b}), 3u);
  EXPECT_EQ(init_bytes({0x02, 0x40, 0x0b, 0x0b}), 4u);
  EXPECT_EQ(init_bytes({0x06, 0x40, 0x18, 0, 0x0b}), 5u) << "delegate closes its try";
  EXPECT_EQ(init_bytes({0x18, 0, 0x0b}), 3u) << "a stray delegate closes nothing";
  EXPECT_EQ(init_bytes({0x1f, 0x40, 1, 2, 0, 0x0b, 0x0b}), 7u) << "try_table is a block";
  EXPECT_EQ(init_bytes({0x41, 0x8b, 0, 0x0b}), 4u) << "an `end` byte inside a number is none";
}

TEST(DecodeSegments, constant_expression_must_end_and_hold_known_opcodes) {
  expect_malformed(decode(ModuleBytes().add(section::global, {1, 0x7f, 0, 0x41, 0})),
                   "unexpected end of section or function");
  expect_malformed(decode(ModuleBytes().add(section::global, {1, 0x7f, 0, 0xf3, 0x0b})), "illegal opcode f3");
}

// Core spec, Modules: the set of references that bodies may take with ref.func.
TEST(DecodeSegments, functions_are_declared_by_exports_segments_and_constant_expressions) {
  const auto m = decoded(ModuleBytes()
                             .add(section::type, {1, 0x60, 0, 0})
                             .add(section::function, {6, 0, 0, 0, 0, 0, 0})
                             .add(section::table, {1, 0x40, 0, 0x70, 0, 1, 0xd2, 1, 0x0b})
                             .add(section::global, {1, 0x70, 0, 0xd2, 2, 0x0b})
                             .add(section::export_, {1, 1, 'x', 0, 0})
                             .add(section::start, {5})
                             .add(section::element, {2, 3, 0, 1, 3,               // declarative, func 3
                                                     5, 0x70, 1, 0xd2, 9, 0x0b})  // a function that does not exist
                             .code({kBody, kBody, kBody, kBody, {0, 0xd2, 4, 0x1a, 0x0b}, kBody}));
  EXPECT_EQ(m->declared_funcs, (std::vector<bool>{true, true, true, true, false, false}));
}

TEST(DecodeSegments, nothing_declared_is_sized_like_the_functions) {
  EXPECT_EQ(decoded(ModuleBytes().functions({kBody, kBody}))->declared_funcs, (std::vector<bool>{false, false}));
}

}  // namespace
}  // namespace heddle::binary
