// The type section, limits, and the types of tables, memories, globals and tags.
#include <gtest/gtest.h>

#include "binary/decoder.h"
#include "spec/limits.h"
#include "support/wasm_bytes.h"

namespace heddle::binary {
namespace {

using base::ErrorKind;
using spec::Feature;
using spec::Features;
using spec::HeapType;
using spec::TypeIndex;
using spec::ValType;
using test::decode;
using test::decoded;
using test::expect_error;
using test::expect_malformed;
using test::ModuleBytes;
using test::Wire;
namespace section = test::section;

ModuleBytes types(const Wire& contents) {
  return ModuleBytes().add(section::type, contents);
}

TEST(DecodeTypes, recursion_groups_subtypes_and_fields) {
  const auto m = decoded(types({2,                          //
                                0x4e, 2,                    // rec of two
                                0x50, 0,    0x5f, 2,        // sub (struct
                                0x78, 1,    0x63, 1,    0,  //   (mut i8) (ref null 1))
                                0x4f, 1,    0,    0x5f, 0,  // sub final 0 (struct)
                                0x5e, 0x77, 0}));           // (array i16)
  ASSERT_EQ(m->types.size(), 3u);
  ASSERT_EQ(m->rec_groups.size(), 2u);
  EXPECT_EQ(m->rec_groups[0].end, 2u);
  EXPECT_EQ(m->rec_groups[1].begin, 2u);
  const spec::SubType& first = m->types[0];
  EXPECT_EQ(first.kind, spec::CompositeKind::struct_);
  EXPECT_FALSE(first.final_);
  EXPECT_EQ(first.fields[0], (spec::FieldType{spec::kI32, spec::PackedType::i8, true}));
  EXPECT_EQ(first.fields[1].type, ValType::ref(HeapType(TypeIndex(1u)), true));
  EXPECT_TRUE(m->types[1].final_);
  EXPECT_EQ(m->types[1].supertypes.at(0), TypeIndex(0u));
  EXPECT_EQ(m->types[2].kind, spec::CompositeKind::array);
  EXPECT_EQ(m->types[2].fields.at(0).packed, spec::PackedType::i16);
  ASSERT_NE(m->canonical.by_index[1], nullptr);
  EXPECT_TRUE(module::is_subtype(m->canonical.by_index[1], m->canonical.by_index[0]));
}

TEST(DecodeTypes, every_shorthand_of_a_reference_type) {
  const std::uint8_t codes[] = {0x70, 0x6f, 0x6e, 0x6d, 0x6c, 0x6b, 0x6a, 0x69, 0x71, 0x72, 0x73, 0x74};
  for (const std::uint8_t code : codes) {
    const auto heap = HeapType(static_cast<HeapType::Code>(code));
    const auto m = decoded(types({1, 0x60, 3, code, 0x63, code, 0x64, code, 0}));
    const spec::ResultType expected = {ValType::ref(heap, true), ValType::ref(heap, true), ValType::ref(heap, false)};
    EXPECT_EQ(m->types.at(0).func.params, expected);
  }
}

TEST(DecodeTypes, forms_without_meaning_are_malformed) {
  expect_malformed(decode(types({1, 0x5d, 0, 0})), "malformed definition type");
  expect_malformed(decode(types({1, 0xe0, 0x7f, 0, 0})), "integer representation too long");
  expect_malformed(decode(types({1, 0x60, 1, 0x40, 0})), "malformed value type");
  expect_malformed(decode(types({1, 0x60, 1, 0x78, 0})), "malformed value type");
  expect_malformed(decode(types({1, 0x60, 1, 0x63, 0x7f, 0})), "malformed heap type");
  expect_malformed(decode(types({1, 0x5e, 0x7f, 2})), "malformed mutability");
}

TEST(DecodeTypes, references_to_types_that_cannot_exist_are_unknown_at_once) {
  Encoder contents;
  contents.u32(1).byte(0x60).u32(1).byte(0x63).s33(spec::kMaxTypes).u32(0);
  expect_error(decode(types(contents.bytes())), ErrorKind::invalid, "unknown type 1000000");
  // A smaller one is left to validation.
  EXPECT_EQ(decoded(types({1, 0x60, 1, 0x63, 5, 0}))->canonical.by_index.at(0), nullptr);
}

TEST(DecodeTypes, switched_off_proposals_are_named) {
  const auto message = [](const Wire& contents, Feature off) {
    const auto result = decode(types(contents), Features::standard().without(off));
    return result.ok() ? std::string("decoded") : result.error().message;
  };
  EXPECT_EQ(message({1, 0x60, 1, 0x7b, 0}, Feature::simd),
            "malformed value type: needs the feature simd, which is off");
  EXPECT_EQ(message({1, 0x60, 1, 0x6f, 0}, Feature::reference_types),
            "malformed reference type: needs the feature reference-types, which is off");
  EXPECT_EQ(message({1, 0x60, 1, 0x63, 0x70, 0}, Feature::function_references),
            "malformed reference type: needs the feature function-references, which is off");
  EXPECT_EQ(message({1, 0x60, 1, 0x69, 0}, Feature::exceptions),
            "malformed reference type: needs the feature exceptions, which is off");
  EXPECT_EQ(message({1, 0x5f, 0}, Feature::gc), "malformed definition type: needs the feature gc, which is off");
  EXPECT_EQ(message({1, 0x4e, 1, 0x60, 0, 0}, Feature::gc), "malformed definition type: 0x4e");
}

TEST(DecodeTypes, our_limits_on_parameters_and_on_the_depth_of_subtyping) {
  Encoder many;
  many.u32(1).byte(0x60).u32(spec::kMaxParams + 1);
  for (std::uint32_t i = 0; i <= spec::kMaxParams; ++i) many.byte(0x7f);
  many.u32(0);
  expect_error(decode(types(many.bytes())), ErrorKind::limit, "too many parameters");

  const auto chain = [](std::uint32_t depth) {
    Encoder out;
    out.u32(depth + 1).byte(0x50).u32(0).byte(0x5f).u32(0);
    for (std::uint32_t i = 0; i < depth; ++i) out.byte(0x50).u32(1).u32(i).byte(0x5f).u32(0);
    return out.bytes();
  };
  EXPECT_EQ(decoded(types(chain(spec::kMaxSubtypingDepth)))->canonical.by_index.back()->depth(),
            spec::kMaxSubtypingDepth);
  expect_error(decode(types(chain(spec::kMaxSubtypingDepth + 1))), ErrorKind::limit, "too many supertypes");
}

TEST(DecodeTypes, flags_of_limits) {
  const auto memory = [](std::uint8_t flags, Features features = Features::standard()) {
    return decode(ModuleBytes().add(section::memory, {1, flags, 1, 2}), features);
  };
  const auto short_memory = [](std::uint8_t flags) {
    return decoded(ModuleBytes().add(section::memory, {1, flags, 1}))->memories.at(0).type;
  };
  EXPECT_EQ(short_memory(0), (spec::MemType{{1, {}}, spec::AddressType::i32, false, 16}));
  EXPECT_EQ(short_memory(2), (spec::MemType{{1, {}}, spec::AddressType::i32, true, 16}));  // validation refuses it
  EXPECT_EQ(short_memory(4), (spec::MemType{{1, {}}, spec::AddressType::i64, false, 16}));
  for (const std::uint8_t flags : Wire{1, 3, 5, 7}) EXPECT_TRUE(memory(flags).ok()) << int{flags};
  for (const std::uint8_t flags : Wire{8, 16, 0x41, 0x81}) expect_malformed(memory(flags), "malformed limits flags");
  expect_malformed(memory(3, Features::standard().without(Feature::threads)), "malformed limits flags");
  expect_malformed(memory(5, Features::standard().without(Feature::memory64)), "malformed limits flags");

  const auto table = [](std::uint8_t flags) {
    return decode(ModuleBytes().add(section::table, {1, 0x70, flags, 1, 2}));
  };
  for (const std::uint8_t flags : Wire{1, 5}) EXPECT_TRUE(table(flags).ok()) << int{flags};
  for (const std::uint8_t flags : Wire{2, 3, 8}) expect_malformed(table(flags), "malformed limits flags");
}

TEST(DecodeTypes, limits_are_64_bits_wide_where_the_language_has_such_memories) {
  const Wire wide = {1, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
  EXPECT_EQ(decoded(ModuleBytes().add(section::memory, wide))->memories.at(0).type.limits.min, UINT64_MAX);
  const Wire narrow = {1, 0, 0xff, 0xff, 0xff, 0xff, 0x1f};
  expect_malformed(decode(ModuleBytes().add(section::memory, narrow), Features()), "integer too large");
}

TEST(DecodeTypes, custom_page_sizes_only_with_their_feature) {
  const auto with = Features::all();
  const auto m = decoded(ModuleBytes().add(section::memory, {1, 9, 1, 2, 0}), with);
  EXPECT_EQ(m->memories.at(0).type, (spec::MemType{{1, 2}, spec::AddressType::i32, false, 0}));
  expect_malformed(decode(ModuleBytes().add(section::memory, {1, 8, 0, 0x41}), with), "invalid custom page size");
  expect_malformed(decode(ModuleBytes().add(section::memory, {1, 8, 0, 0})), "malformed limits flags");
}

TEST(DecodeTypes, table_with_an_initial_value) {
  const auto m = decoded(ModuleBytes().add(section::table, {1, 0x40, 0, 0x70, 0, 3, 0xd0, 0x70, 0x0b}));
  ASSERT_EQ(m->tables.size(), 1u);
  EXPECT_TRUE(m->tables[0].has_init);
  EXPECT_EQ(m->bytes_of(m->tables[0].init.range).size(), 3u);
  EXPECT_EQ(m->tables[0].type.limits.min, 3u);
  expect_malformed(decode(ModuleBytes().add(section::table, {1, 0x40, 1, 0x70, 0, 3, 0xd0, 0x70, 0x0b})),
                   "zero byte expected");
  expect_malformed(decode(ModuleBytes().add(section::table, {1, 0x7f, 0, 3})), "malformed reference type");
}

TEST(DecodeTypes, globals_and_tags) {
  expect_malformed(decode(ModuleBytes().add(section::global, {1, 0x7f, 2, 0x41, 0, 0x0b})), "malformed mutability");
  expect_malformed(decode(ModuleBytes().add(section::tag, {1, 1, 0})), "malformed tag attribute");
  const auto m = decoded(ModuleBytes().add(section::tag, {1, 0, 4}));
  EXPECT_EQ(m->tags.at(0).type.type.value, 4u);
}

}  // namespace
}  // namespace heddle::binary
