#include "module/canonical_type.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "support/type_builders.h"

namespace heddle::module {
namespace {

using spec::kF64;
using spec::kFuncRef;
using spec::kI32;
using spec::kI64;
using test::array;
using test::extending;
using test::field;
using test::func;
using test::open;
using test::ref;
using test::ref_null;
using test::structure;
using test::TypeSection;

TEST(CanonicalType, equal_function_types_are_one_across_modules) {
  const CanonicalTypes a = TypeSection().type(func({kI32}, {kI64})).type(func({})).canonical();
  const CanonicalTypes b = TypeSection().type(func({})).type(func({kI32}, {kI64})).canonical();
  EXPECT_EQ(a.by_index[0], b.by_index[1]);
  EXPECT_EQ(a.by_index[1], b.by_index[0]);
  EXPECT_NE(a.by_index[0], a.by_index[1]);
}

TEST(CanonicalType, equal_types_of_one_module_are_one) {
  const CanonicalTypes a = TypeSection().type(func({kI32})).type(func({kI32})).canonical();
  EXPECT_EQ(a.by_index[0], a.by_index[1]);
}

TEST(CanonicalType, parameters_and_results_are_told_apart) {
  const CanonicalTypes a =
      TypeSection().type(func({kI32, kI32})).type(func({kI32}, {kI32})).type(func({}, {kI32, kI32})).canonical();
  EXPECT_NE(a.by_index[0], a.by_index[1]);
  EXPECT_NE(a.by_index[1], a.by_index[2]);
  EXPECT_NE(a.by_index[0], a.by_index[2]);
}

TEST(CanonicalType, finality_mutability_and_packing_are_part_of_the_type) {
  spec::FieldType packed = field(kI32);
  packed.packed = spec::PackedType::i8;
  const CanonicalTypes a = TypeSection()
                               .type(structure({field(kI32)}))
                               .type(open(structure({field(kI32)})))
                               .type(structure({field(kI32, true)}))
                               .type(structure({packed}))
                               .type(array(field(kI32)))
                               .canonical();
  for (std::size_t i = 0; i < a.by_index.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) EXPECT_NE(a.by_index[i], a.by_index[k]) << i << " " << k;
}

TEST(CanonicalType, nullability_of_a_reference_is_part_of_the_type) {
  const CanonicalTypes a =
      TypeSection().type(func({})).type(func({ref(0)})).type(func({ref_null(0)})).type(func({kFuncRef})).canonical();
  EXPECT_NE(a.by_index[1], a.by_index[2]);
  EXPECT_NE(a.by_index[2], a.by_index[3]);
}

// (type $t (struct (ref null $t))) at different indices.
TEST(CanonicalType, recursive_groups_are_equal_wherever_they_stand) {
  const CanonicalTypes a = TypeSection().type(structure({field(ref_null(0))})).canonical();
  const CanonicalTypes b =
      TypeSection().type(func({kF64})).type(func({kI32})).type(structure({field(ref_null(2))})).canonical();
  EXPECT_EQ(a.by_index[0], b.by_index[2]);
  EXPECT_EQ(a.by_index[0]->refs, std::vector<const CanonicalType*>{a.by_index[0]});
}

// Iso-recursive: an unrolled copy is another type.
TEST(CanonicalType, reference_into_the_group_differs_from_one_to_an_equal_type_outside) {
  const CanonicalTypes a =
      TypeSection().type(structure({field(ref_null(0))})).type(structure({field(ref_null(0))})).canonical();
  EXPECT_NE(a.by_index[0], a.by_index[1]);
}

TEST(CanonicalType, group_of_two_differs_from_its_types_alone) {
  const CanonicalTypes a = TypeSection().group({func({}), func({kI32})}).type(func({})).type(func({kI32})).canonical();
  EXPECT_NE(a.by_index[0], a.by_index[2]);
  EXPECT_NE(a.by_index[1], a.by_index[3]);
}

TEST(CanonicalType, references_are_followed_by_identity_and_not_by_index) {
  const CanonicalTypes a = TypeSection().type(func({kI32})).type(func({ref(0)})).canonical();
  const CanonicalTypes b = TypeSection().type(func({kI64})).type(func({kI32})).type(func({ref(1)})).canonical();
  const CanonicalTypes c = TypeSection().type(func({kI64})).type(func({ref(0)})).canonical();
  EXPECT_EQ(a.by_index[1], b.by_index[2]);
  EXPECT_NE(a.by_index[1], c.by_index[1]);
  EXPECT_EQ(b.by_index[2]->refs, std::vector<const CanonicalType*>{a.by_index[0]});
}

TEST(CanonicalType, subtypes_are_found_along_the_declared_chain_only) {
  const CanonicalTypes a = TypeSection()
                               .type(open(structure({})))
                               .type(extending(0, structure({field(kI32)})))
                               .type(extending(1, structure({field(kI32), field(kI64)})))
                               .type(extending(0, structure({field(kF64)})))
                               .type(open(structure({field(kI32)})))
                               .canonical();
  const auto sub = [&a](int x, int y) {
    return is_subtype(a.by_index[static_cast<std::size_t>(x)], a.by_index[static_cast<std::size_t>(y)]);
  };
  EXPECT_TRUE(sub(0, 0) && sub(1, 0) && sub(2, 0) && sub(2, 1) && sub(3, 0));
  EXPECT_FALSE(sub(0, 1) || sub(1, 2) || sub(3, 1) || sub(2, 3) || sub(4, 0) || sub(2, 4));
  EXPECT_EQ(a.by_index[2]->depth(), 2u);
}

TEST(CanonicalType, unknown_types_leave_their_group_and_its_users_without_identity) {
  const CanonicalTypes a = TypeSection()
                               .type(func({ref(7)}))
                               .type(func({kI32}))
                               .type(func({ref(0)}))
                               .type(func({ref(4)}))  // comes later: not yet a type
                               .type(func({kI64}))
                               .canonical();
  EXPECT_EQ(a.by_index[0], nullptr);
  EXPECT_NE(a.by_index[1], nullptr);
  EXPECT_EQ(a.by_index[2], nullptr);
  EXPECT_EQ(a.by_index[3], nullptr);
  EXPECT_NE(a.by_index[4], nullptr);
}

TEST(CanonicalType, supertype_must_come_before_its_subtype) {
  const CanonicalTypes a = TypeSection()
                               .type(extending(0, structure({})))
                               .group({extending(2, structure({})), open(structure({}))})
                               .type(extending(9, structure({})))
                               .canonical();
  for (const CanonicalType* type : a.by_index) EXPECT_EQ(type, nullptr);
}

TEST(CanonicalType, host_function_type_is_the_module_type) {
  const CanonicalTypes a = TypeSection().type(func({kI32, kFuncRef}, {kI64})).canonical();
  const auto host = canonicalize(spec::FuncType{{kI32, kFuncRef}, {kI64}});
  EXPECT_EQ(host->types.front().get(), a.by_index[0]);
}

TEST(CanonicalType, groups_live_as_long_as_a_user_holds_them) {
  CanonicalTypes user = TypeSection().type(func({kF64, kF64, kF64})).type(func({ref(0)})).canonical();
  const std::weak_ptr<const RecGroup> base = user.groups[0];
  const std::shared_ptr<const RecGroup> last = user.groups[1];
  user = {};
  EXPECT_FALSE(base.expired()) << "a group keeps what it refers to";
  EXPECT_EQ(last->types[0]->refs[0]->func.params.size(), 3u);
}

TEST(CanonicalType, a_group_that_died_can_be_registered_again) {
  const TypeSection section = TypeSection().type(func({kF64, kI32, kF64}));
  std::weak_ptr<const RecGroup> first;
  {
    const CanonicalTypes a = section.canonical();
    first = a.groups[0];
  }
  EXPECT_TRUE(first.expired());
  const CanonicalTypes b = section.canonical();
  const CanonicalTypes c = section.canonical();
  EXPECT_EQ(b.by_index[0], c.by_index[0]);
}

// Each group uses the one before: dropping the last owner must not recurse a hundred thousand deep.
TEST(CanonicalType, long_line_of_groups_is_released_on_a_small_stack) {
  TypeSection section;
  section.type(func({}));
  for (std::uint32_t i = 0; i < 100'000; ++i) section.type(func({ref(i)}));
  CanonicalTypes types = section.canonical();
  const std::shared_ptr<const RecGroup> last = std::move(types.groups.back());
  types = {};
  EXPECT_EQ(last.use_count(), 1);
}

// Threads register and drop the same groups all the time: expired entries are replaced while their owners are still on
// the way to remove them.
TEST(CanonicalType, threads_that_load_and_unload_the_same_types_agree_on_identity) {
  const TypeSection section = TypeSection()
                                  .type(func({kI32, kF64, kI64}))
                                  .type(func({ref(0)}))
                                  .group({structure({field(ref_null(3))}), structure({field(ref_null(2))})});
  std::atomic<int> mismatches{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < 2'000; ++round) {
        const CanonicalTypes a = section.canonical();
        const CanonicalTypes b = section.canonical();
        if (a.by_index != b.by_index || a.by_index[1]->refs[0] != a.by_index[0]) ++mismatches;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mismatches.load(), 0);
}

}  // namespace
}  // namespace heddle::module
