// All bodies at once: the answer does not depend on the number of threads. And what a visitor of Checked is shown.
#include <algorithm>
#include <string>

#include "modules.h"

namespace heddle::validate {
namespace {

using binary::Encoder;
using spec::Opcode;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t kDrop = 0x1a;  // on an empty stack: invalid
const Bytes kNoLocals{0x00};

/// `count` functions; those in `bad` drop what is not there.
ModuleWriter module_with_bad_bodies(std::uint32_t count, const std::vector<std::uint32_t>& bad) {
  ModuleWriter m;
  const std::uint32_t type = m.type({});
  for (std::uint32_t i = 0; i < count; ++i) {
    Encoder code;
    for (std::uint32_t k = 0; k < 1 + i % 7; ++k) code.op(Opcode::i32_const).s32(1).op(Opcode::drop);
    if (std::find(bad.begin(), bad.end(), i) != bad.end()) code.byte(kDrop);
    m.func(type, code.bytes());
  }
  return m;
}

TEST(ValidateBodies, lowest_offset_wins_whatever_the_number_of_threads) {
  auto decoded = decode(module_with_bad_bodies(1000, {313, 314, 330, 500, 998, 999}).bytes());
  ASSERT_TRUE(decoded.ok());
  auto checked = check_module(*decoded);
  ASSERT_TRUE(checked.ok());
  const auto first = validate_body(*checked, spec::FuncIndex(313u));
  ASSERT_FALSE(first.ok());
  for (int round = 0; round < 50; ++round) {
    for (unsigned threads = 1; threads <= 8; ++threads) {
      const base::Status status = validate_bodies(*checked, threads);
      ASSERT_FALSE(status.ok());
      ASSERT_EQ(status.error().offset, first.error().offset) << threads << " threads, round " << round;
      ASSERT_EQ(status.error().message, first.error().message);
    }
  }
}

TEST(ValidateBodies, every_body_is_checked_with_any_number_of_threads) {
  for (const std::uint32_t bad : {0u, 1u, 15u, 16u, 17u, 499u}) {
    auto decoded = decode(module_with_bad_bodies(500, {bad}).bytes());
    ASSERT_TRUE(decoded.ok());
    auto checked = check_module(*decoded);
    ASSERT_TRUE(checked.ok());
    for (unsigned threads = 0; threads <= 8; ++threads) EXPECT_FALSE(validate_bodies(*checked, threads).ok()) << bad;
  }
  auto decoded = decode(module_with_bad_bodies(500, {}).bytes());
  auto checked = check_module(*decoded);
  for (unsigned threads = 0; threads <= 8; ++threads) EXPECT_TRUE(validate_bodies(*checked, threads).ok());
}

TEST(ValidateBodies, an_error_in_a_body_wins_over_one_in_a_data_segment) {
  ModuleWriter m = module_with_bad_bodies(3, {1});
  m.data(Encoder().u32(1).u32(0).op(Opcode::i32_const).s32(0).op(Opcode::end).u32(0).bytes());  // there is no memory
  const base::Status both = verdict(m.bytes());
  ASSERT_FALSE(both.ok());
  EXPECT_EQ(both.error().message.substr(0, 13), "type mismatch");

  ModuleWriter data_only = module_with_bad_bodies(3, {});
  data_only.data(Encoder().u32(1).u32(0).op(Opcode::i32_const).s32(0).op(Opcode::end).u32(0).bytes());
  EXPECT_EQ(message_of(verdict(data_only.bytes())).substr(0, 16), "unknown memory 0");
}

TEST(ValidateBodies, an_error_names_the_offset_of_its_instruction) {
  ModuleWriter m;
  m.func(m.type({}), Encoder().op(Opcode::nop).op(Opcode::nop).op(Opcode::i32_add).bytes());
  const Bytes bytes = m.bytes();
  const base::Status status = verdict(bytes);
  ASSERT_FALSE(status.ok());
  ASSERT_LT(status.error().offset, bytes.size());
  EXPECT_EQ(bytes[status.error().offset], 0x6a);
  EXPECT_EQ(status.error().kind, base::ErrorKind::invalid);
  EXPECT_EQ(status.error().message, "type mismatch: instruction requires [i32 i32] but stack has [] (at i32.add)");
}

// https://webassembly.github.io/spec/core/binary/modules.html#data-count-section
TEST(ValidateBodies, naming_a_data_segment_needs_the_data_count_section) {
  Encoder init;
  for (int i = 0; i < 3; ++i) init.op(Opcode::i32_const).s32(0);
  init.op(Opcode::memory_init).u32(0).u32(0);
  for (const Bytes& code : {init.bytes(), Encoder().op(Opcode::data_drop).u32(0).bytes()}) {
    ModuleWriter m;
    m.memory({{1, {}}});
    m.func(m.type({}), code);
    m.data(Encoder().u32(1).u32(1).u32(0).bytes());
    const base::Status status = verdict(m.bytes());
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, base::ErrorKind::malformed);
    EXPECT_TRUE(status.error().message.starts_with("data count section required"));
  }
}

TEST(ValidateBodies, nothing_may_follow_the_last_end) {
  ModuleWriter m;
  m.func(m.type({}), Encoder().op(Opcode::end).op(Opcode::nop).bytes());
  const base::Status status = verdict(m.bytes());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, base::ErrorKind::malformed);
}

TEST(ValidateBodies, a_body_without_its_last_end_is_malformed) {
  ModuleWriter m;
  m.func(m.type({}), Encoder().op(Opcode::block).byte(0x40).bytes());
  const base::Status status = verdict(m.bytes());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, base::ErrorKind::malformed);
}

TEST(ValidateBodies, else_without_if_and_catch_without_try_are_malformed) {
  for (const Opcode opcode : {Opcode::else_, Opcode::catch_all}) {
    ModuleWriter m;
    m.func(m.type({}), Encoder().op(Opcode::block).byte(0x40).op(opcode).op(Opcode::end).bytes());
    const base::Status status = verdict(m.bytes());
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, base::ErrorKind::malformed);
    EXPECT_EQ(status.error().message.substr(0, 9), "misplaced");
  }
}

/// Writes down what it is shown: opcode texts, with a star where control does not come from the instruction before.
class Recorder : public binary::CategoryVisitor<Recorder> {
 public:
  void begin_body(std::span<const binary::LocalRun> runs) { locals = runs.size(); }
  void begin_instruction(std::uint64_t, bool is_reachable) { reachable = is_reachable; }

#define HEDDLE_RECORD(Family)                                 \
  template <class Imm>                                        \
  base::Status on_##Family(spec::Opcode opcode, const Imm&) { \
    return record(opcode);                                    \
  }
  // clang-format off
  HEDDLE_RECORD(Control) HEDDLE_RECORD(Parametric) HEDDLE_RECORD(Variable) HEDDLE_RECORD(Const) HEDDLE_RECORD(Unary)
  HEDDLE_RECORD(Binary) HEDDLE_RECORD(Test) HEDDLE_RECORD(Compare) HEDDLE_RECORD(Convert) HEDDLE_RECORD(Load)
  HEDDLE_RECORD(Store) HEDDLE_RECORD(Memory) HEDDLE_RECORD(Table) HEDDLE_RECORD(Reference) HEDDLE_RECORD(Exception)
  HEDDLE_RECORD(AtomicLoad) HEDDLE_RECORD(AtomicStore) HEDDLE_RECORD(AtomicRmw) HEDDLE_RECORD(AtomicCmpxchg) HEDDLE_RECORD(AtomicWait)
  HEDDLE_RECORD(AtomicNotify) HEDDLE_RECORD(AtomicFence) HEDDLE_RECORD(Wide) HEDDLE_RECORD(Gc) HEDDLE_RECORD(SimdLoad)
  HEDDLE_RECORD(SimdStore) HEDDLE_RECORD(SimdLoadLane) HEDDLE_RECORD(SimdStoreLane) HEDDLE_RECORD(SimdConst) HEDDLE_RECORD(SimdShuffle)
  HEDDLE_RECORD(SimdSplat) HEDDLE_RECORD(SimdExtractLane) HEDDLE_RECORD(SimdReplaceLane) HEDDLE_RECORD(SimdUnary) HEDDLE_RECORD(SimdBinary)
  HEDDLE_RECORD(SimdTernary) HEDDLE_RECORD(SimdShift) HEDDLE_RECORD(SimdTest)
  // clang-format on
#undef HEDDLE_RECORD

                                          std::string seen;
  std::size_t locals = 0;
  bool reachable = true;

 private:
  base::Status record(spec::Opcode opcode) {
    if (!seen.empty()) seen += ' ';
    seen += spec::opcode_info(opcode).text();
    if (!reachable) seen += '*';
    return {};
  }
};

std::string seen_by_visitor(const Bytes& code, const Bytes& locals = kNoLocals) {
  ModuleWriter m;
  m.func(m.type({}), code, locals);
  auto decoded = decode(m.bytes());
  if (!decoded.ok()) return decoded.error().message;
  auto checked = check_module(*decoded);
  if (!checked.ok()) return checked.error().message;
  Recorder recorder;
  auto body = Checked<Recorder>(*checked, spec::FuncIndex(0u), recorder).run();
  return body.ok() ? recorder.seen : body.error().message;
}

TEST(Checked, visitor_sees_reachable_instructions_only) {
  EXPECT_EQ(seen_by_visitor(Encoder().op(Opcode::nop).op(Opcode::unreachable).op(Opcode::nop).bytes()),
            "nop unreachable end*");
  EXPECT_EQ(
      seen_by_visitor(Encoder().op(Opcode::return_).op(Opcode::drop).op(Opcode::i32_add).op(Opcode::drop).bytes()),
      "return end*");
}

TEST(Checked, visitor_does_not_see_blocks_that_open_in_unreachable_code) {
  Encoder code;
  code.op(Opcode::unreachable);
  code.op(Opcode::block).byte(0x40).op(Opcode::nop).op(Opcode::end);
  code.op(Opcode::i32_const).s32(0).op(Opcode::if_).byte(0x40).op(Opcode::nop).op(Opcode::else_).op(Opcode::nop);
  code.op(Opcode::loop).byte(0x40).op(Opcode::end).op(Opcode::end);
  code.op(Opcode::try_).byte(0x40).op(Opcode::catch_all).op(Opcode::nop).op(Opcode::end);
  EXPECT_EQ(seen_by_visitor(code.bytes()), "unreachable end*");
}

TEST(Checked, visitor_sees_both_arms_of_an_if_whose_first_arm_does_not_fall_through) {
  Encoder code;
  code.op(Opcode::i32_const).s32(0).op(Opcode::if_).byte(0x40).op(Opcode::br).u32(0).op(Opcode::nop);
  code.op(Opcode::else_).op(Opcode::nop).op(Opcode::unreachable).op(Opcode::nop).op(Opcode::end).op(Opcode::nop);
  EXPECT_EQ(seen_by_visitor(code.bytes()), "i32.const if br else* nop unreachable end* nop end");
}

TEST(Checked, visitor_sees_catch_arms_and_delegate_of_a_visited_try) {
  Encoder code;
  code.op(Opcode::try_).byte(0x40).op(Opcode::unreachable).op(Opcode::catch_all).op(Opcode::nop).op(Opcode::end);
  code.op(Opcode::try_).byte(0x40).op(Opcode::nop).op(Opcode::delegate).u32(0);
  EXPECT_EQ(seen_by_visitor(code.bytes()), "try unreachable catch_all* nop end try nop delegate end");
}

TEST(Checked, visitor_sees_what_follows_a_block_left_by_branch) {
  Encoder code;
  code.op(Opcode::block).byte(0x40).op(Opcode::br).u32(0).op(Opcode::nop).op(Opcode::end).op(Opcode::nop);
  EXPECT_EQ(seen_by_visitor(code.bytes()), "block br end* nop end");
}

TEST(Checked, token_names_the_function_that_was_checked) {
  ModuleWriter m;
  const std::uint32_t type = m.type({});
  m.func(type, {});
  m.func(type, {});
  auto decoded = decode(m.bytes());
  auto checked = check_module(*decoded);
  auto body = validate_body(*checked, spec::FuncIndex(1u));
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(body->func(), spec::FuncIndex(1u));
  EXPECT_EQ(body->of(), decoded->get());
}

}  // namespace
}  // namespace heddle::validate
