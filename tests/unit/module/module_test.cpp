#include "module/module.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "support/type_builders.h"

namespace heddle::module {
namespace {

using spec::HeapType;
using spec::kI32;
using spec::ValType;
using test::field;
using test::func;
using test::structure;
using test::TypeSection;

constexpr std::uint32_t kFuncType = 0, kStructType = 1, kSubStruct = 2, kArrayType = 3;

Module sample() {
  return TypeSection()
      .type(func({kI32}))
      .type(test::open(structure({field(kI32)})))
      .type(test::extending(1, structure({field(kI32), field(kI32)})))
      .type(test::array(field(kI32)))
      .module();
}

HeapType concrete(std::uint32_t index) {
  return HeapType(spec::TypeIndex(index));
}

// https://webassembly.github.io/spec/core/valid/matching.html#heap-types, as a whole: each type with all it matches.
TEST(Matching, abstract_heap_types_form_four_hierarchies) {
  const Module m;
  using Set = std::vector<HeapType::Code>;
  const std::pair<HeapType::Code, Set> above[] = {
      {HeapType::any, {}},
      {HeapType::eq, {HeapType::any}},
      {HeapType::i31, {HeapType::eq, HeapType::any}},
      {HeapType::struct_, {HeapType::eq, HeapType::any}},
      {HeapType::array, {HeapType::eq, HeapType::any}},
      {HeapType::none, {HeapType::i31, HeapType::struct_, HeapType::array, HeapType::eq, HeapType::any}},
      {HeapType::func, {}},
      {HeapType::nofunc, {HeapType::func}},
      {HeapType::extern_, {}},
      {HeapType::noextern, {HeapType::extern_}},
      {HeapType::exn, {}},
      {HeapType::noexn, {HeapType::exn}},
  };
  for (const auto& [a, supers] : above)
    for (const auto& [b, unused] : above) {
      const bool expected = a == b || std::find(supers.begin(), supers.end(), b) != supers.end();
      EXPECT_EQ(matches(m, HeapType(a), HeapType(b)), expected) << to_string(a) << " <= " << to_string(b);
    }
}

TEST(Matching, concrete_types_lie_below_the_abstract_type_of_their_kind) {
  const Module m = sample();
  EXPECT_TRUE(matches(m, concrete(kFuncType), HeapType::func));
  EXPECT_FALSE(matches(m, concrete(kFuncType), HeapType::any));
  for (HeapType::Code super : {HeapType::struct_, HeapType::eq, HeapType::any})
    EXPECT_TRUE(matches(m, concrete(kSubStruct), super));
  EXPECT_FALSE(matches(m, concrete(kStructType), HeapType::array));
  EXPECT_FALSE(matches(m, concrete(kStructType), HeapType::i31));
  EXPECT_TRUE(matches(m, concrete(kArrayType), HeapType::array));
  EXPECT_FALSE(matches(m, HeapType::struct_, concrete(kStructType)));
}

TEST(Matching, bottoms_lie_below_the_concrete_types_of_their_hierarchy) {
  const Module m = sample();
  EXPECT_TRUE(matches(m, HeapType::none, concrete(kStructType)));
  EXPECT_TRUE(matches(m, HeapType::none, concrete(kArrayType)));
  EXPECT_FALSE(matches(m, HeapType::none, concrete(kFuncType)));
  EXPECT_TRUE(matches(m, HeapType::nofunc, concrete(kFuncType)));
  EXPECT_FALSE(matches(m, HeapType::nofunc, concrete(kStructType)));
  EXPECT_FALSE(matches(m, HeapType::noextern, concrete(kFuncType)));
  EXPECT_FALSE(matches(m, HeapType::noexn, concrete(kFuncType)));
}

TEST(Matching, declared_supertypes_match_in_one_direction) {
  const Module m = sample();
  EXPECT_TRUE(matches(m, concrete(kSubStruct), concrete(kStructType)));
  EXPECT_FALSE(matches(m, concrete(kStructType), concrete(kSubStruct)));
}

TEST(Matching, null_flows_only_into_nullable_types) {
  const Module m = sample();
  EXPECT_TRUE(matches(m, test::ref(kFuncType), spec::kFuncRef));
  EXPECT_TRUE(matches(m, test::ref_null(kFuncType), spec::kFuncRef));
  EXPECT_FALSE(matches(m, test::ref_null(kFuncType), test::ref(kFuncType)));
  EXPECT_FALSE(matches(m, spec::kFuncRef, ValType::ref(HeapType::func, false)));
}

TEST(Matching, numbers_match_themselves_and_bottom_matches_all) {
  const Module m;
  EXPECT_TRUE(matches(m, kI32, kI32));
  EXPECT_FALSE(matches(m, kI32, spec::kI64));
  EXPECT_FALSE(matches(m, kI32, spec::kFuncRef));
  EXPECT_FALSE(matches(m, spec::kFuncRef, kI32));
  EXPECT_TRUE(matches(m, spec::kBottom, kI32));
  EXPECT_TRUE(matches(m, spec::kBottom, spec::kExternRef));
}

TEST(Matching, types_of_two_modules_are_compared_by_identity) {
  const Module a = sample();
  const Module b = TypeSection().type(test::open(structure({field(kI32)}))).type(func({kI32})).type(func({})).module();
  EXPECT_TRUE(matches(a, test::ref(kSubStruct), b, test::ref(0)));
  EXPECT_TRUE(matches(a, test::ref(kFuncType), b, test::ref(1)));
  EXPECT_FALSE(matches(a, test::ref(kFuncType), b, test::ref(0)));
  EXPECT_FALSE(matches(a, test::ref(kFuncType), b, test::ref(2)));
}

TEST(Module, exports_and_custom_sections_are_found_by_name) {
  Module m;
  m.exports = {{"memory", spec::ExternKind::memory, 0, 0}, {"_start", spec::ExternKind::func, 4, 0}};
  m.customs = {{"name", {10, 20}}, {"name", {30, 40}}};
  ASSERT_NE(m.find_export("_start"), nullptr);
  EXPECT_EQ(m.find_export("_start")->index, 4u);
  EXPECT_EQ(m.find_export("start"), nullptr);
  ASSERT_NE(m.find_custom("name"), nullptr);
  EXPECT_EQ(m.find_custom("name")->contents.begin, 10u) << "the first one counts";
  EXPECT_EQ(m.find_custom("producers"), nullptr);
}

}  // namespace
}  // namespace heddle::module
