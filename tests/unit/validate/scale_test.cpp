// Large inputs: each costs what its bytes cost, and stays within the limits. The sizes are such that work that grows
// with the square of the input would run into the test's time limit.
#include "spec/limits.h"

#include "modules.h"

namespace heddle::validate {
namespace {

using binary::Encoder;
using spec::Opcode;
constexpr std::uint32_t kMany = 100'000;

TEST(ValidateScale, control_nests_as_deep_as_the_limit_and_no_deeper) {
  for (const bool too_deep : {false, true}) {
    Encoder code;
    const std::uint32_t blocks = spec::kMaxControlNesting - 1 + (too_deep ? 1 : 0);  // the function is a frame itself
    for (std::uint32_t i = 0; i < blocks; ++i) code.op(Opcode::block).byte(0x40);
    for (std::uint32_t i = 0; i < blocks; ++i) code.op(Opcode::end);
    ModuleWriter m;
    m.func(m.type({}), code.bytes());
    const base::Status status = verdict(m.bytes());
    EXPECT_EQ(status.ok(), !too_deep) << message_of(status);
    if (too_deep) {
      EXPECT_EQ(status.error().kind, base::ErrorKind::limit);
    }
  }
}

TEST(ValidateScale, br_table_with_many_entries_to_labels_of_large_arity) {
  ModuleWriter m;
  const std::uint32_t wide = m.type({{}, spec::ResultType(spec::kMaxResults, spec::kI32)});
  const std::uint32_t none = m.type({});
  Encoder code;
  code.op(Opcode::block).s33(wide);
  for (std::uint32_t i = 0; i < spec::kMaxResults; ++i) code.op(Opcode::i32_const).s32(0);
  code.op(Opcode::i32_const).s32(0).op(Opcode::br_table).u32(3 * kMany);
  for (std::uint32_t i = 0; i < 3 * kMany; ++i) code.u32(0);
  code.u32(0).op(Opcode::end);
  for (std::uint32_t i = 0; i < spec::kMaxResults; ++i) code.op(Opcode::drop);
  m.func(none, code.bytes());
  EXPECT_EQ(message_of(verdict(m.bytes())), "valid");
}

TEST(ValidateScale, br_table_to_many_different_labels) {
  constexpr std::uint32_t kDepth = 20'000;
  Encoder code;
  for (std::uint32_t i = 0; i < kDepth; ++i) code.op(Opcode::block).byte(0x40);
  code.op(Opcode::i32_const).s32(0).op(Opcode::br_table).u32(kDepth);
  for (std::uint32_t i = 0; i < kDepth; ++i) code.u32(i);
  code.u32(0);
  for (std::uint32_t i = 0; i < kDepth; ++i) code.op(Opcode::end);
  ModuleWriter m;
  m.func(m.type({}), code.bytes());
  EXPECT_EQ(message_of(verdict(m.bytes())), "valid");
}

TEST(ValidateScale, a_few_bytes_that_announce_many_locals_cost_little) {
  for (const spec::ValType local : {spec::kI64, spec::ValType::ref(spec::HeapType::func, false)}) {
    ModuleWriter m;
    const std::uint32_t type = m.type({});
    const auto locals = Encoder().u32(1).u32(spec::kMaxFunctionLocals).val_type(local).bytes();
    for (std::uint32_t i = 0; i < kMany; ++i) m.func(type, {}, locals);  // 5 * 10^9 locals
    EXPECT_EQ(message_of(verdict(m.bytes())), "valid");
  }
}

TEST(ValidateScale, locals_behind_the_flat_part_have_their_types) {
  Encoder locals;  // i32 and i64 in turn
  constexpr std::uint32_t kRuns = 1000;
  locals.u32(kRuns);
  for (std::uint32_t i = 0; i < kRuns; ++i) locals.u32(50).val_type(i % 2 == 0 ? spec::kI32 : spec::kI64);
  const std::uint32_t last = kRuns * 50 - 1;
  for (const std::uint32_t local : {0u, 49u, 50u, 99u, 100u, last - 50, last - 49, last, last + 1}) {
    ModuleWriter m;
    const std::uint32_t type = m.type({});
    const bool is_i64 = local / 50 % 2 == 1;
    m.func(type,
           Encoder()
               .op(Opcode::local_get)
               .u32(local)
               .op(is_i64 ? Opcode::i64_eqz : Opcode::i32_eqz)
               .op(Opcode::drop)
               .bytes(),
           locals.bytes());
    const std::string message = message_of(verdict(m.bytes()));
    if (local <= last)
      EXPECT_EQ(message, "valid") << local;
    else
      EXPECT_EQ(message.substr(0, 19), "unknown local 50000");
  }
}

TEST(ValidateScale, many_locals_without_default_are_tracked_through_many_blocks) {
  // 50,000 blocks, each setting a local of its own, which is forgotten at the block's end.
  constexpr std::uint32_t kLocals = spec::kMaxFunctionLocals - 1;
  const spec::ValType type = spec::ValType::ref(spec::HeapType::func, false);
  Encoder code;
  for (std::uint32_t i = 1; i <= kLocals; ++i)
    code.op(Opcode::block).byte(0x40).op(Opcode::local_get).u32(0).op(Opcode::local_set).u32(i).op(Opcode::end);
  for (const bool read_afterwards : {false, true}) {
    Encoder whole;
    whole.raw(code.bytes());
    if (read_afterwards) whole.op(Opcode::local_get).u32(kLocals).op(Opcode::drop);
    ModuleWriter one;
    one.func(one.type({{type}, {}}), whole.bytes(), Encoder().u32(1).u32(kLocals).val_type(type).bytes());
    const std::string message = message_of(verdict(one.bytes()));
    EXPECT_EQ(message.substr(0, 19), read_afterwards ? "uninitialized local" : "valid");
  }
}

TEST(ValidateScale, each_local_without_default_is_tracked_by_itself) {
  // Locals 0..9 have a default, 10..199 have none, 200..209 have one again.
  const spec::ValType type = spec::ValType::ref(spec::HeapType::func, false);
  const auto locals =
      Encoder().u32(3).u32(10).val_type(spec::kI32).u32(190).val_type(type).u32(10).val_type(spec::kI32);
  for (std::uint32_t local = 0; local < 210; ++local) {
    ModuleWriter m;
    m.func(m.type({}), Encoder().op(Opcode::local_get).u32(local).op(Opcode::drop).bytes(), locals.bytes());
    const bool has_default = local < 10 || local >= 200;
    EXPECT_EQ(message_of(verdict(m.bytes())).substr(0, 19), has_default ? "valid" : "uninitialized local") << local;
  }
}

TEST(ValidateScale, operands_alive_at_once_are_limited) {
  ModuleWriter m;
  const std::uint32_t wide = m.type({{}, spec::ResultType(spec::kMaxResults, spec::kI32)});
  const std::uint32_t none = m.type({});
  m.func(wide, Encoder().op(Opcode::unreachable).bytes());
  Encoder code;
  for (std::uint32_t i = 0; i <= spec::kMaxOperands / spec::kMaxResults; ++i) code.op(Opcode::call).u32(0);
  m.func(none, code.op(Opcode::unreachable).bytes());
  const base::Status status = verdict(m.bytes());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, base::ErrorKind::limit);
}

TEST(ValidateScale, struct_new_in_unreachable_code_costs_no_more_than_its_bytes) {
  Encoder fields;
  fields.u32(1).byte(0x5f).u32(spec::kMaxStructFields);
  for (std::uint32_t i = 0; i < spec::kMaxStructFields; ++i) fields.val_type(spec::kI32).byte(0);
  Encoder types;
  types.u32(2).raw(std::vector<std::uint8_t>(fields.bytes().begin() + 1, fields.bytes().end())).func_type({});
  Encoder body;
  body.u32(0).op(Opcode::unreachable);
  for (std::uint32_t i = 0; i < kMany; ++i) body.op(Opcode::struct_new).u32(0).op(Opcode::drop);
  body.op(Opcode::end);
  Encoder out;
  out.header().section(1, types.bytes()).section(3, Encoder().u32(1).u32(1).bytes());
  out.section(10, Encoder().u32(1).u32(static_cast<std::uint32_t>(body.size_bytes())).raw(body.bytes()).bytes());
  EXPECT_EQ(message_of(verdict(out.bytes())), "valid");
}

TEST(ValidateScale, many_exports_are_compared_by_name_once) {
  Encoder exports;
  exports.u32(2 * kMany);
  for (std::uint32_t i = 0; i < 2 * kMany; ++i) exports.name(std::to_string(i)).byte(0).u32(0);
  Encoder out;
  out.header().section(1, Encoder().u32(1).func_type({}).bytes()).section(3, Encoder().u32(1).u32(0).bytes());
  out.section(7, exports.bytes()).section(10, Encoder().u32(1).u32(2).u32(0).op(Opcode::end).bytes());
  EXPECT_EQ(message_of(verdict(out.bytes())), "valid");
}

TEST(ValidateScale, a_long_line_of_subtypes_is_refused_before_it_costs_memory) {
  Encoder types;
  types.u32(kMany).byte(0x50).u32(0).func_type({});
  for (std::uint32_t i = 0; i + 1 < kMany; ++i) types.byte(0x50).u32(1).u32(i).func_type({});
  const base::Status status = verdict(Encoder().header().section(1, types.bytes()).bytes());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, base::ErrorKind::limit);
}

}  // namespace
}  // namespace heddle::validate
