#include "abi/vmctx.h"

#include <gtest/gtest.h>

namespace heddle::abi {
namespace {

module::Module module_with(std::uint32_t imported, std::vector<bool> declared) {
  module::Module m;
  m.imported_functions = imported;
  m.functions.resize(declared.size());
  m.declared_funcs = std::move(declared);
  return m;
}

TEST(VmLayout, only_functions_that_can_be_referred_to_have_an_entry) {
  std::vector<bool> declared(200);
  for (const std::size_t f : {1u, 63u, 64u, 65u, 130u, 199u}) declared[f] = true;
  module::Module m = module_with(3, declared);
  m.has_start = true;
  m.start = spec::FuncIndex(100u);
  const VmLayout layout(m);
  EXPECT_EQ(layout.func_refs(), 9u);
  std::uint32_t next = 0;
  for (const std::uint32_t f : {0u, 1u, 2u, 63u, 64u, 65u, 100u, 130u, 199u}) {
    EXPECT_TRUE(layout.has_func_ref(spec::FuncIndex(f)));
    EXPECT_EQ(layout.func_ref(spec::FuncIndex(f)), next++);
  }
  EXPECT_FALSE(layout.has_func_ref(spec::FuncIndex(3u)));
  EXPECT_FALSE(layout.has_func_ref(spec::FuncIndex(128u)));
}

TEST(VmLayout, a_module_without_functions_has_no_entries) {
  EXPECT_EQ(VmLayout(module_with(0, {})).func_refs(), 0u);
}

}  // namespace
}  // namespace heddle::abi
