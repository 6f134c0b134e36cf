#include "binary/decoder.h"

#include <gtest/gtest.h>

#include "support/wasm_bytes.h"

namespace heddle::binary {
namespace {

using base::ErrorKind;
using spec::Feature;
using spec::Features;
using test::decode;
using test::decoded;
using test::expect_error;
using test::expect_malformed;
using test::ModuleBytes;
using test::Wire;
namespace section = test::section;

const Wire kEmptyBody = {0, 0x0b};

TEST(Decoder, header_alone_is_a_module) {
  const auto m = decoded(ModuleBytes());
  EXPECT_TRUE(m->functions.empty());
  EXPECT_TRUE(m->exports.empty());
}

TEST(Decoder, what_is_not_a_module_is_told_in_the_words_of_the_suite) {
  expect_malformed(decode(Wire{}), "unexpected end");
  expect_malformed(decode(Wire{0, 'a', 's'}), "unexpected end");
  expect_malformed(decode(Wire{'a', 's', 'm', 0}), "magic header not detected");
  expect_malformed(decode(Wire{0, 'a', 's', 'm', 1, 0, 0}), "unexpected end");
  for (std::size_t i = 4; i < 8; ++i) {
    Wire header = ModuleBytes().bytes();
    header[i] ^= 2;
    expect_malformed(decode(header), "unknown binary version");
  }
}

TEST(Decoder, component_is_unsupported_and_the_message_says_what_to_do) {
  const auto result = decode(Wire{0, 'a', 's', 'm', 0x0d, 0, 1, 0});
  expect_error(result, ErrorKind::unsupported, "unknown binary version: this is a component");
  EXPECT_NE(result.error().message.find("wasm32-wasip1-threads"), std::string::npos);
}

TEST(Decoder, sections_come_in_the_order_of_the_specification) {
  const std::pair<std::uint8_t, Wire> in_order[] = {
      {section::type, {0}},    {section::import, {0}},     {section::function, {0}}, {section::table, {0}},
      {section::memory, {0}},  {section::tag, {0}},        {section::global, {0}},   {section::export_, {0}},
      {section::element, {0}}, {section::data_count, {0}}, {section::code, {0}},     {section::data, {0}}};
  ModuleBytes all;
  for (const auto& [id, contents] : in_order) all.add(id, contents).add(section::custom, {1, 'x'});
  EXPECT_EQ(decoded(all)->customs.size(), std::size(in_order));
  for (std::size_t i = 0; i < std::size(in_order); ++i)
    for (std::size_t k = 0; k <= i; ++k)
      expect_malformed(
          decode(ModuleBytes().add(in_order[i].first, in_order[i].second).add(in_order[k].first, in_order[k].second)),
          "unexpected content after last section");
}

TEST(Decoder, unknown_section_ids_are_malformed) {
  for (unsigned id : {14u, 0x7fu, 0x80u, 0xffu})
    expect_malformed(decode(ModuleBytes().raw({static_cast<std::uint8_t>(id), 1, 0})), "malformed section id");
  expect_malformed(decode(ModuleBytes().add(section::tag, {0}), Features()), "malformed section id");
  expect_malformed(decode(ModuleBytes().add(section::data_count, {0}), Features()), "malformed section id");
}

TEST(Decoder, contents_must_fill_their_section) {
  expect_malformed(decode(ModuleBytes().add(section::memory, {1, 0, 0, 0})), "section size mismatch");
  expect_malformed(decode(ModuleBytes().add(section::memory, {1, 0}).add(section::global, {0})),
                   "section size mismatch");
  expect_malformed(decode(ModuleBytes().raw({section::memory, 9, 1, 0, 0})), "length out of bounds");
  expect_malformed(decode(ModuleBytes().raw({section::memory})), "unexpected end");
}

TEST(Decoder, custom_sections_keep_name_and_contents) {
  const auto m = decoded(ModuleBytes().add(section::custom, {2, 'h', 'i', 7, 8, 9}));
  ASSERT_EQ(m->customs.size(), 1u);
  EXPECT_EQ(m->customs[0].name, "hi");
  EXPECT_EQ(m->bytes_of(m->customs[0].contents)[2], 9);
  // The name must lie in its section, even if the module goes on.
  expect_malformed(decode(ModuleBytes().add(section::custom, {}).add(section::type, {0})), "unexpected end");
  expect_malformed(decode(ModuleBytes().add(section::custom, {1, 0x80})), "malformed UTF-8 encoding");
}

TEST(Decoder, imports_take_the_first_indices_of_their_space) {
  const auto m = decoded(ModuleBytes()
                             .add(section::type, {2, 0x60, 0, 0, 0x60, 1, 0x7f, 0})
                             .add(section::import, {5,                                 //
                                                    1, 'a', 1, 'f', 0, 1,              // func of type 1
                                                    1, 'a', 1, 'm', 2, 0,    1,        // memory 1
                                                    1, 'a', 1, 'g', 3, 0x7e, 1,        // global mut i64
                                                    1, 'a', 1, 't', 1, 0x70, 1, 1, 2,  // table 1 2 funcref
                                                    1, 'a', 1, 'e', 4, 0,    1})       // tag of type 1
                             .add(section::function, {1, 0})
                             .add(section::export_, {1, 1, 'x', 0, 1})
                             .code({kEmptyBody}));
  ASSERT_EQ(m->imports.size(), 5u);
  EXPECT_EQ(m->imports[0].module, "a");
  EXPECT_EQ(m->imports[3].kind, spec::ExternKind::table);
  EXPECT_EQ(m->imported_functions, 1u);
  EXPECT_EQ(m->functions.size(), 2u);
  EXPECT_TRUE(m->is_imported(spec::FuncIndex(0u)));
  EXPECT_EQ(m->type_of(spec::FuncIndex(0u)).params.size(), 1u);
  EXPECT_EQ(m->canonical_of(spec::FuncIndex(0u)), m->canonical.by_index[1]);
  EXPECT_EQ(m->memories.at(0).type.limits.min, 1u);
  EXPECT_TRUE(m->globals.at(0).type.mutable_);
  EXPECT_EQ(m->tables.at(0).type.limits.max, 2u);
  EXPECT_EQ(m->tags.at(0).type.type.value, 1u);
  EXPECT_EQ(m->body(spec::FuncIndex(1u)).range.size_bytes(), 2u);
  EXPECT_EQ(m->find_export("x")->index, 1u);
}

TEST(Decoder, import_and_export_kinds_are_known_ones) {
  for (unsigned kind : {5u, 0x20u, 0x80u})
    expect_malformed(decode(ModuleBytes().add(section::import, {1, 0, 0, static_cast<std::uint8_t>(kind), 0})),
                     "malformed import kind");
  expect_malformed(decode(ModuleBytes().add(section::import, {1, 0, 0, 4, 0, 0}),
                          Features::standard().without(Feature::exceptions).without(Feature::legacy_exceptions)),
                   "malformed import kind");
  expect_malformed(decode(ModuleBytes().add(section::export_, {1, 0, 5, 0})), "malformed export kind");
}

TEST(Decoder, function_and_code_section_agree_in_length) {
  constexpr const char* kWords = "function and code section have inconsistent lengths";
  const auto types = [] { return ModuleBytes().add(section::type, {1, 0x60, 0, 0}); };
  expect_malformed(decode(types().add(section::function, {1, 0})), kWords);
  expect_malformed(decode(types().code({kEmptyBody})), kWords);
  expect_malformed(decode(types().add(section::function, {2, 0, 0}).code({kEmptyBody})), kWords);
  EXPECT_TRUE(decode(types().add(section::function, {0})).ok());
  EXPECT_TRUE(decode(types().code({})).ok());
}

TEST(Decoder, data_count_and_data_section_agree_in_length) {
  constexpr const char* kWords = "data count and data section have inconsistent lengths";
  expect_malformed(decode(ModuleBytes().add(section::data_count, {1})), kWords);
  expect_malformed(decode(ModuleBytes().add(section::data_count, {2}).add(section::data, {1, 1, 0})), kWords);
  const auto m = decoded(ModuleBytes().add(section::data_count, {1}).add(section::data, {1, 1, 0}));
  EXPECT_TRUE(m->has_data_count);
  EXPECT_EQ(m->data_count, 1u);
}

TEST(Decoder, start_function_is_kept) {
  const auto m = decoded(ModuleBytes().add(section::start, {3}));
  EXPECT_TRUE(m->has_start);
  EXPECT_EQ(m->start.value, 3u);
  EXPECT_EQ(m->start_offset, 10u);
}

// A body is looked at when it is compiled; but of two faults the one that comes first in the module is reported.
TEST(Decoder, fault_in_a_body_is_reported_before_a_later_one_of_the_module) {
  const Wire broken = {0, 0xff, 0x0b};
  EXPECT_TRUE(decode(ModuleBytes().functions({broken})).ok());
  const auto both = decode(ModuleBytes().functions({kEmptyBody, broken}).raw({0x7f, 0}));
  expect_malformed(both, "illegal opcode ff");
  EXPECT_EQ(both.error().offset, ModuleBytes().functions({kEmptyBody, broken}).bytes().size() - 2);
  expect_malformed(decode(ModuleBytes().functions({kEmptyBody}).raw({0x7f, 0})), "malformed section id");
}

TEST(Decoder, counts_beyond_our_limits_are_refused_before_memory_is_reserved) {
  // 101 memories are there, 100 are allowed.
  Wire memories = {101};
  for (int i = 0; i < 101; ++i) memories.insert(memories.end(), {0, 0});
  expect_error(decode(ModuleBytes().add(section::memory, memories)), ErrorKind::limit, "too many memories");
  // Four billion elements are announced, and no bytes for them.
  for (std::uint8_t id : {section::type, section::import, section::function, section::table, section::memory,
                          section::global, section::export_, section::element, section::code, section::data})
    expect_malformed(decode(ModuleBytes().add(id, {0xff, 0xff, 0xff, 0xff, 0x0f})), "length out of bounds");
}

/// As large as you like: nobody reads it.
struct HugeBytes final : module::WireBytes {
  explicit HugeBytes(std::uint64_t size_bytes) { bytes_ = base::Bytes(&first, size_bytes); }
  const std::uint8_t first = 0;
};

TEST(Decoder, a_module_whose_offsets_take_more_than_32_bits_is_refused) {
  const auto huge = decode_module(std::make_shared<HugeBytes>(std::uint64_t{1} << 32), Features::all());
  expect_error(huge, ErrorKind::limit, "module too large");
}

TEST(Decoder, imports_count_towards_the_limit_of_their_space) {
  Wire imports = {1, 0, 0, 2, 0, 0};
  Wire memories = {100};
  for (int i = 0; i < 100; ++i) memories.insert(memories.end(), {0, 0});
  EXPECT_TRUE(decode(ModuleBytes().add(section::memory, memories)).ok());
  expect_error(decode(ModuleBytes().add(section::import, imports).add(section::memory, memories)), ErrorKind::limit,
               "too many memories");
}

}  // namespace
}  // namespace heddle::binary
