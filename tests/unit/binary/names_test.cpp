#include "binary/names.h"

#include <gtest/gtest.h>

#include "support/wasm_bytes.h"

namespace heddle::binary {
namespace {

using test::decoded;
using test::ModuleBytes;
using test::Wire;
namespace section = test::section;

const Wire kBody = {0, 0x0b};

/// Three functions, the last exported as "run", and a name section with these subsections.
std::shared_ptr<const module::Module> named(const Wire& subsections) {
  Encoder contents;
  contents.name("name").raw(subsections);
  return decoded(ModuleBytes()
                     .add(section::type, {1, 0x60, 0, 0})
                     .add(section::function, {3, 0, 0, 0})
                     .add(section::export_, {1, 3, 'r', 'u', 'n', 0, 2})
                     .code({kBody, kBody, kBody})
                     .add(section::custom, contents.bytes()));
}

TEST(Names, module_and_functions_are_named) {
  const auto m = named({0, 3, 2, 'm', 'y', 1, 7, 2, 0, 1, 'a', 1, 1, 'b'});
  const Names names = read_names(*m);
  EXPECT_EQ(names.module, "my");
  ASSERT_EQ(names.functions.size(), 2u);
  EXPECT_EQ(names.functions.at(1), "b");
}

TEST(Names, function_is_called_by_its_name_then_by_its_export_then_by_its_index) {
  const auto m = named({1, 4, 1, 0, 1, 'a'});
  const Names names = read_names(*m);
  EXPECT_EQ(function_name(*m, names, spec::FuncIndex(0u)), "$a");
  EXPECT_EQ(function_name(*m, names, spec::FuncIndex(1u)), "func[1]");
  EXPECT_EQ(function_name(*m, names, spec::FuncIndex(2u)), "run");
}

TEST(Names, what_comes_before_a_fault_is_kept) {
  // The second name is cut; the subsection says so itself.
  EXPECT_EQ(read_names(*named({1, 6, 2, 0, 1, 'a', 1, 9})).functions.size(), 1u);
  // A broken subsection is followed by a good one.
  EXPECT_EQ(read_names(*named({1, 1, 0xff, 0, 2, 1, 'm'})).module, "m");
  // The subsection is longer than the section.
  EXPECT_EQ(read_names(*named({0, 2, 1, 'm', 1, 99, 1})).module, "m");
  // Not UTF-8.
  EXPECT_TRUE(read_names(*named({1, 4, 1, 0, 1, 0xff})).functions.empty());
}

TEST(Names, functions_that_do_not_exist_are_left_out) {
  EXPECT_TRUE(read_names(*named({1, 4, 1, 77, 1, 'a'})).functions.empty());
}

TEST(Names, unknown_subsections_are_skipped) {
  EXPECT_EQ(read_names(*named({42, 3, 1, 2, 3, 0, 2, 1, 'm'})).module, "m");
}

TEST(Names, module_without_the_section_has_no_names) {
  const auto m = decoded(ModuleBytes());
  EXPECT_TRUE(read_names(*m).module.empty());
  EXPECT_TRUE(read_producers(*m).empty());
}

TEST(Producers, fields_and_their_values_are_read_in_order) {
  Encoder contents;
  contents.name("producers").u32(2);
  contents.name("language").u32(1).name("C11").name("");
  contents.name("processed-by").u32(2).name("clang").name("22").name("lld").name("22.1");
  const auto m = decoded(ModuleBytes().add(section::custom, contents.bytes()));
  const auto fields = read_producers(*m);
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].name, "language");
  EXPECT_EQ(fields[1].values.at(1).first, "lld");
  EXPECT_EQ(fields[1].values.at(1).second, "22.1");
}

TEST(Producers, broken_section_keeps_what_came_before) {
  Encoder contents;
  contents.name("producers").u32(2).name("language").u32(3).name("C11").name("").name("cut");
  const auto m = decoded(ModuleBytes().add(section::custom, contents.bytes()));
  const auto fields = read_producers(*m);
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields[0].values.size(), 1u);
}

}  // namespace
}  // namespace heddle::binary
