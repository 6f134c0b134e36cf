// Tests that run opcodes. OPCODE_TEST(suite, name) is a TEST like any other; besides, the coverage test runs all of
// them in one process and asks the opcode table whether a row was left out.
#pragma once

#include <gtest/gtest.h>
#include <vector>

namespace heddle::baseline::test {

using OpcodeTest = void (*)();
std::vector<OpcodeTest>& all_opcode_tests();

struct RegisterOpcodeTest {
  explicit RegisterOpcodeTest(OpcodeTest test) { all_opcode_tests().push_back(test); }
};

#define OPCODE_TEST(suite, name)                                                       \
  static void suite##_##name##_body();                                                 \
  static const RegisterOpcodeTest suite##_##name##_registered(&suite##_##name##_body); \
  TEST(suite, name) {                                                                  \
    suite##_##name##_body();                                                           \
  }                                                                                    \
  static void suite##_##name##_body()

}  // namespace heddle::baseline::test
