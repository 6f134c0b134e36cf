#include "spec/opcodes.h"

#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

namespace heddle::spec {
namespace {

struct Row {
  std::string name;
  std::uint32_t code;
  const OpcodeInfo* info;
};

std::vector<Row> rows() {
  std::vector<Row> all;
#define OP(name, code, text, imm, signature, memory, family, feature) all.push_back({#name, code, nullptr});
#include "spec/opcodes.def"
  for (std::size_t i = 0; i < all.size(); ++i) all[i].info = &kOpcodes[i];
  return all;
}

std::string with_underscores(std::string_view text) {
  std::string name(text);
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
}

TEST(Opcodes, name_is_the_text_with_underscores_for_dots) {
  const std::set<std::string> keywords = {"if", "else", "try", "catch", "throw", "return"};
  // Two encodings that share a text.
  const std::map<std::string, std::string> exceptions = {
      {"select_t", "select"}, {"ref_test_null", "ref.test"}, {"ref_cast_null", "ref.cast"}};
  for (const Row& row : rows()) {
    if (const auto exception = exceptions.find(row.name); exception != exceptions.end()) {
      EXPECT_EQ(row.info->text(), exception->second);
      continue;
    }
    std::string expected = with_underscores(row.info->text());
    if (keywords.count(expected) != 0) expected += '_';
    EXPECT_EQ(row.name, expected);
  }
}

TEST(Opcodes, one_text_for_each_row_but_the_known_pairs) {
  std::map<std::string_view, int> uses;
  for (const OpcodeInfo& op : kOpcodes) ++uses[op.text()];
  for (const auto& [text, count] : uses)
    EXPECT_EQ(count, text == "select" || text == "ref.test" || text == "ref.cast" ? 2 : 1) << text;
}

TEST(Opcodes, every_row_is_found_by_its_code_and_by_its_opcode) {
  for (std::size_t i = 0; i < kOpcodeCount; ++i) {
    EXPECT_EQ(find_opcode(static_cast<std::uint32_t>(kOpcodes[i].opcode)), &kOpcodes[i]);
    EXPECT_EQ(opcode_row(kOpcodes[i].opcode), i);
  }
}

TEST(Opcodes, codes_without_a_row_are_not_found) {
  std::set<std::uint32_t> known;
  for (const OpcodeInfo& op : kOpcodes) known.insert(static_cast<std::uint32_t>(op.opcode));
  for (std::uint32_t code = 0; code < 256; ++code)
    EXPECT_EQ(find_opcode(code) != nullptr, known.count(code) != 0) << code;
  for (std::uint32_t prefix = 0xfa; prefix <= 0xff; ++prefix)
    for (std::uint32_t sub = 0; sub < 0x200; ++sub)
      EXPECT_EQ(find_opcode(prefix << 16 | sub) != nullptr, known.count(prefix << 16 | sub) != 0) << prefix << sub;
  EXPECT_EQ(find_opcode(0xffffffff), nullptr);
}

TEST(Opcodes, accesses_to_memory_say_how_wide_and_the_others_do_not) {
  for (const OpcodeInfo& op : kOpcodes) {
    const bool accesses = op.imm == ImmKind::memarg || op.imm == ImmKind::memarg_lane;
    EXPECT_EQ(op.memory_bytes != 0, accesses) << op.text();
  }
}

TEST(Opcodes, address_operand_stands_in_signatures_of_memory_instructions_only) {
  for (const OpcodeInfo& op : kOpcodes) {
    if (op.signature() == "special") continue;
    const bool names_memory = op.imm == ImmKind::memarg || op.imm == ImmKind::memarg_lane || op.imm == ImmKind::memory;
    EXPECT_EQ(op.signature().find('p') != std::string_view::npos, names_memory) << op.text();
  }
}

TEST(Opcodes, prefixes_hold_the_proposals_they_were_made_for) {
  for (const OpcodeInfo& op : kOpcodes) {
    switch (static_cast<std::uint32_t>(op.opcode) >> 16) {
      case 0xfb: EXPECT_EQ(op.feature, Feature::gc) << op.text(); break;
      case 0xfd:
        EXPECT_TRUE(op.feature == Feature::simd || op.feature == Feature::relaxed_simd) << op.text();
        EXPECT_EQ(op.feature == Feature::relaxed_simd, op.text().find("relaxed") != std::string_view::npos)
            << op.text();
        break;
      case 0xfe: EXPECT_EQ(op.feature, Feature::threads) << op.text(); break;
      default: EXPECT_NE(op.feature, Feature::threads) << op.text(); break;
    }
  }
}

// Facts of the specification's index of instructions, picked at random places of the table.
TEST(Opcodes, rows_agree_with_the_specification) {
  const auto row = [](Opcode opcode) -> const OpcodeInfo& { return opcode_info(opcode); };
  EXPECT_EQ(static_cast<std::uint32_t>(Opcode::i32_add), 0x6au);
  EXPECT_EQ(static_cast<std::uint32_t>(Opcode::i64_extend32_s), 0xc4u);
  EXPECT_EQ(static_cast<std::uint32_t>(Opcode::memory_fill), 0xfc000bu);
  EXPECT_EQ(static_cast<std::uint32_t>(Opcode::i32x4_dot_i16x8_s), 0xfd00bau);
  EXPECT_EQ(static_cast<std::uint32_t>(Opcode::f64x2_convert_low_i32x4_u), 0xfd00ffu);
  EXPECT_EQ(static_cast<std::uint32_t>(Opcode::atomic_fence), 0xfe0003u);
  EXPECT_EQ(row(Opcode::i64_load32_u).memory_bytes, 4);
  EXPECT_EQ(row(Opcode::v128_load).memory_bytes, 16);
  EXPECT_EQ(row(Opcode::v128_load8x8_s).memory_bytes, 8);
  EXPECT_EQ(row(Opcode::memory_atomic_wait64).memory_bytes, 8);
  EXPECT_EQ(row(Opcode::memory_atomic_wait64).signature(), "pII:i");
  EXPECT_EQ(row(Opcode::memory_atomic_notify).signature(), "pi:i");
  EXPECT_EQ(row(Opcode::f64_promote_f32).signature(), "f:F");
  EXPECT_EQ(row(Opcode::i64x2_replace_lane).signature(), "vI:v");
  EXPECT_EQ(row(Opcode::i8x16_shl).signature(), "vi:v");
}

}  // namespace
}  // namespace heddle::spec
