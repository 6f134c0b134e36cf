#include "spec/types.h"

#include <gtest/gtest.h>
#include <set>

#include "spec/features.h"
#include "spec/limits.h"
#include "spec/trap_codes.h"

namespace heddle::spec {
namespace {

TEST(HeapType, largest_type_index_fits_and_is_told_from_abstract_types) {
  const HeapType largest{TypeIndex(kMaxTypes - 1)};
  EXPECT_TRUE(largest.is_concrete());
  EXPECT_EQ(largest.index().value, kMaxTypes - 1);
  EXPECT_NE(HeapType(TypeIndex(0x70u)), HeapType(HeapType::func));
  EXPECT_FALSE(HeapType(HeapType::func).is_concrete());
}

TEST(ValType, nullable_and_non_null_references_differ) {
  const ValType non_null = ValType::ref(HeapType::func, false);
  EXPECT_NE(non_null, kFuncRef);
  EXPECT_EQ(non_null.as_nullable(true), kFuncRef);
  EXPECT_FALSE(non_null.is_defaultable());
  EXPECT_TRUE(kFuncRef.is_defaultable());
  EXPECT_TRUE(kV128.is_defaultable());
}

TEST(ValType, kinds_are_sorted_into_numbers_vectors_and_references) {
  for (ValType number : {kI32, kI64, kF32, kF64}) EXPECT_TRUE(number.is_num() && !number.is_vec() && !number.is_ref());
  EXPECT_TRUE(kV128.is_vec() && !kV128.is_num());
  EXPECT_TRUE(kExnRef.is_ref() && !kExnRef.is_num());
  EXPECT_FALSE(kBottom.is_num() || kBottom.is_vec() || kBottom.is_ref());
}

TEST(Types, print_as_the_text_format_writes_them) {
  EXPECT_EQ(to_string(kI32), "i32");
  EXPECT_EQ(to_string(kFuncRef), "funcref");
  EXPECT_EQ(to_string(ValType::ref(HeapType::func, false)), "(ref func)");
  EXPECT_EQ(to_string(ValType::ref(HeapType(TypeIndex(3u)), true)), "(ref null 3)");
  EXPECT_EQ(to_string(FuncType{{kI32, kI64}, {kF32}}), "(param i32 i64) (result f32)");
  EXPECT_EQ(to_string(FuncType{}), "");
  EXPECT_EQ(to_string(MemType{{1, 2}, AddressType::i32, true, 16}), "1 2 shared");
  EXPECT_EQ(to_string(TableType{kFuncRef, {10, {}}, AddressType::i64}), "i64 10 funcref");
  EXPECT_EQ(to_string(GlobalType{kI32, true}), "(mut i32)");
}

TEST(Features, standard_leaves_out_only_what_is_not_finished) {
  const Features standard = Features::standard();
  EXPECT_TRUE(standard.has(Feature::mvp));
  EXPECT_TRUE(standard.has(Feature::threads));
  EXPECT_TRUE(standard.has(Feature::memory64));
  EXPECT_FALSE(standard.has(Feature::wide_arithmetic));
  EXPECT_FALSE(standard.has(Feature::custom_page_sizes));
  EXPECT_EQ(standard.with(Feature::wide_arithmetic).with(Feature::custom_page_sizes), Features::all());
  EXPECT_FALSE(standard.without(Feature::simd).has(Feature::simd));
}

TEST(Features, names_are_unique) {
  std::set<std::string> names;
  for (int i = 0; i < static_cast<int>(Feature::kCount); ++i) names.insert(feature_name(static_cast<Feature>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Feature::kCount));
}

TEST(TrapCodes, every_code_has_its_own_message) {
  std::set<std::string> messages;
  for (int i = 0; i < static_cast<int>(TrapCode::kCount); ++i) messages.insert(trap_message(static_cast<TrapCode>(i)));
  EXPECT_EQ(messages.size(), static_cast<std::size_t>(TrapCode::kCount));
  EXPECT_STREQ(trap_message(TrapCode::memory_out_of_bounds), "out of bounds memory access");
}

}  // namespace
}  // namespace heddle::spec
