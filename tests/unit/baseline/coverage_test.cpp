// Every row of the opcode table is executed by at least one test on this tier, or listed here with the reason.
#include "spec/opcodes.h"

#include "unit/baseline/machine.h"
#include "unit/baseline/opcode_tests.h"

namespace heddle::baseline::test {

std::vector<OpcodeTest>& all_opcode_tests() {
  static std::vector<OpcodeTest> tests;
  return tests;
}

namespace {

/// Families that the tier answers with Unsupported. Remove a line when its opcodes compile.
bool is_unsupported(spec::Family family) {
  using F = spec::Family;
  switch (family) {
    case F::Gc: return true;
    default: return false;
  }
}

TEST(BaselineCoverage, every_opcode_of_the_table_was_run_by_some_test) {
  for (const OpcodeTest test : all_opcode_tests()) test();
  for (std::size_t i = 0; i < spec::kOpcodeCount; ++i) {
    if (is_unsupported(spec::kOpcodes[i].family)) continue;
    EXPECT_TRUE(opcodes_run()[i]) << spec::kOpcodes[i].text() << " was not executed by any test";
  }
}

}  // namespace
}  // namespace heddle::baseline::test
