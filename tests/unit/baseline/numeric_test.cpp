// Every numeric instruction, with the edge values of its operand types in all pairs, and with its operands and its
// result in each kind of place that the compiler treats on its own: constants, pinned locals, frame slots, temporaries;
// results set into a local, tested by a branch, selected on.
#include <cmath>
#include <fmt/format.h>

#include "spec/opcodes.h"

#include "unit/baseline/machine.h"
#include "unit/baseline/numeric_model.h"
#include "unit/baseline/opcode_tests.h"

namespace heddle::baseline::test {
namespace {

using Bits = std::uint64_t;

const std::vector<Bits>& edges(char letter) {
  static const std::vector<Bits> ints32 = {0,          1,          2,          3,          7,          31,
                                           32,         33,         0x7f,       0x80,       0xff,       0x100,
                                           0x7fff,     0x8000,     0xffff,     0x10000,    0x7fffffff, 0x80000000,
                                           0x80000001, 0xfffffffe, 0xffffffff, 0x12345678, 0xfffffff9, 1000000007};
  static const std::vector<Bits> ints64 = {0,
                                           1,
                                           2,
                                           3,
                                           10,
                                           63,
                                           64,
                                           65,
                                           0x80,
                                           0x8000,
                                           0x7fffffff,
                                           0x80000000,
                                           0xffffffff,
                                           0x100000000,
                                           0x001fffffffffffff,
                                           0x0020000000000001,
                                           0x7fffffffffffffff,
                                           0x8000000000000000,
                                           0x8000000000000001,
                                           0x8000000000000401,
                                           0xfffffffffffffbff,
                                           0xffffffff80000000,
                                           0xfffffffffffffffe,
                                           0xffffffffffffffff,
                                           0x123456789abcdef0};
  static const std::vector<Bits> floats32 = {
      0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x00800000, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000,
      0x3f7fffff, 0xbf7fffff, 0x40200000, 0xc0200000, 0x3fc00000, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001,
      0x4f7fffff, 0x4f800000, 0x5effffff, 0x5f000000, 0xdf000000, 0xdf000001, 0x5f7fffff, 0x5f800000, 0x7f7fffff,
      0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fa00000, 0x7f800001, 0x4b000001, 0x40490fdb};
  static const std::vector<Bits> floats64 = {
      0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x8000000000000001, 0x0010000000000000,
      0x3ff0000000000000, 0xbff0000000000000, 0x3fe0000000000000, 0xbfe0000000000000, 0x3fefffffffffffff,
      0xbfefffffffffffff, 0x4004000000000000, 0xc004000000000000, 0x3ff8000000000000, 0x41dfffffffc00000,
      0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000100000, 0xc1e0000000200000, 0x41efffffffe00000,
      0x41effffffff00000, 0x41f0000000000000, 0x43dfffffffffffff, 0x43e0000000000000, 0xc3e0000000000000,
      0xc3e0000000000001, 0x43efffffffffffff, 0x43f0000000000000, 0x7fefffffffffffff, 0xffefffffffffffff,
      0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000, 0x7ff4000000000000,
      0x7ff0000000000001, 0x4330000000000001, 0x400921fb54442d18};
  switch (letter) {
    case 'i': return ints32;
    case 'I': return ints64;
    case 'f': return floats32;
    default: return floats64;
  }
}

const char* type_name(char letter) {
  return letter == 'i' ? "i32" : letter == 'I' ? "i64" : letter == 'f' ? "f32" : "f64";
}

std::string constant(char letter, Bits bits) {
  if (letter == 'i') return fmt::format("(i32.const {})", static_cast<std::uint32_t>(bits));
  if (letter == 'I') return fmt::format("(i64.const {})", bits);
  const bool f = letter == 'f';
  const bool negative = (bits >> (f ? 31 : 63)) != 0;
  const double value =
      f ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))) : std::bit_cast<double>(bits);
  if (std::isnan(value)) {
    const Bits payload = f ? bits & 0x7fffff : bits & 0xfffffffffffff;
    return fmt::format("({}.const {}nan:{:#x})", type_name(letter), negative ? "-" : "", payload);
  }
  if (std::isinf(value)) return fmt::format("({}.const {}inf)", type_name(letter), negative ? "-" : "");
  return fmt::format("({}.const {:a})", type_name(letter), value);
}

VmValue value_of(char letter, Bits bits) {
  return letter == 'i' || letter == 'f' ? i32(static_cast<std::uint32_t>(bits)) : i64(bits);
}

struct Op {
  std::string text;
  std::string params;  // letters
  char result;
};

/// All rows with a model, of one family.
std::vector<Op> ops_of(spec::Family family) {
  std::vector<Op> ops;
  for (const spec::OpcodeInfo& info : spec::kOpcodes) {
    if (info.family != family || info.signature() == "special") continue;
    const auto colon = info.signature().find(':');
    ops.push_back({std::string(info.text()), std::string(info.signature().substr(0, colon)), info.signature().back()});
  }
  return ops;
}

bool is_arithmetic_nan(char letter, Bits bits) {
  if (letter == 'f') return (bits & 0x7fc00000) == 0x7fc00000;
  return (bits & 0x7ff8000000000000) == 0x7ff8000000000000;
}

void check(const Op& op, const char* shape, Bits a, Bits b, const Answer& want, const Outcome& got) {
  const auto where = [&] { return fmt::format("{} {} of {:#x} {:#x}", op.text, shape, a, b); };
  ASSERT_EQ(static_cast<int>(got.trap), static_cast<int>(want.trap)) << where();
  if (want.trap != TrapCode::none) return;
  ASSERT_EQ(got.results.size(), 1u) << where();
  const bool narrow = op.result == 'i' || op.result == 'f';
  const Bits bits = narrow ? got.results[0].i32 : got.results[0].i64;
  if (want.any_nan)
    ASSERT_TRUE(is_arithmetic_nan(op.result, bits)) << where() << " gave " << fmt::format("{:#x}", bits);
  else
    ASSERT_EQ(bits, want.bits) << where();
}

std::string params_text(const Op& op) {
  std::string text = "(param";
  for (char letter : op.params) text += fmt::format(" {}", type_name(letter));
  return text + ")";
}

/// Bodies that read operands from parameters 0 and 1 (or twice 0), one for each way.
std::vector<std::pair<const char*, std::string>> shapes(const Op& op) {
  const bool two = op.params.size() == 2;
  const char* result = type_name(op.result);
  const std::string gets = two ? "(local.get 0) (local.get 1)" : "(local.get 0)";
  const std::string plain = fmt::format("({} {})", op.text, gets);
  const std::string head = fmt::format("{} (result {})", params_text(op), result);
  std::vector<std::pair<const char*, std::string>> all;
  all.emplace_back("in registers", fmt::format("{} {}", head, plain));
  all.emplace_back("in the frame", fmt::format("{} (call $nothing) {}", head, plain));
  // A block's result is in a register of its own.
  std::string moved;
  for (std::size_t i = 0; i < op.params.size(); ++i)
    moved += fmt::format("(block (result {}) (br_if 0 (local.get {}) (i32.const 0)))", type_name(op.params[i]), i);
  all.emplace_back("in temporaries", fmt::format("{} {} {}", head, moved, op.text));
  all.emplace_back("spilled", fmt::format("{} {} (call $nothing) {}", head, moved, op.text));
  all.emplace_back("set into a new local", fmt::format("{} (local {}) (local.set {} {}) (local.get {})", head, result,
                                                       op.params.size(), plain, op.params.size()));
  for (std::size_t i = 0; i < op.params.size(); ++i)
    if (op.params[i] == op.result)
      all.emplace_back(i == 0 ? "set into its first operand" : "set into its second operand",
                       fmt::format("{} (local.set {} {}) (local.get {})", head, i, plain, i));
  if (op.params[0] == op.result)
    all.emplace_back("teed into its first operand, which is on the stack too",
                     fmt::format("{} (local.get 0) (local.tee 0 {}) (local.set 0) (drop) (local.get 0)", head, plain));
  if (op.result == 'i') {
    all.emplace_back("tested by if",
                     fmt::format("{} (if (result i32) {} (then (i32.const 1)) (else (i32.const 0)))", head, plain));
    all.emplace_back("tested by br_if",
                     fmt::format("{} (block (br_if 0 {}) (return (i32.const 0))) (i32.const 1)", head, plain));
    all.emplace_back("tested by select", fmt::format("{} (select (i32.const 1) (i32.const 0) {})", head, plain));
    all.emplace_back("tested by select of floats",
                     fmt::format("{} (i32.trunc_f64_s (select (f64.const 1) (f64.const 0) {}))", head, plain));
    all.emplace_back(
        "negated and tested",
        fmt::format("{} (if (result i32) (i32.eqz {}) (then (i32.const 0)) (else (i32.const 1)))", head, plain));
    all.emplace_back("negated twice", fmt::format("{} (i32.eqz (i32.eqz {}))", head, plain));
  }
  return all;
}

bool tests_truth(const char* shape) {
  const std::string_view s = shape;
  return s.starts_with("tested") || s.starts_with("negated");
}

void run_op(const Op& op) {
  const auto model = numeric_models().find(op.text);
  ASSERT_NE(model, numeric_models().end()) << op.text << " has no model";
  const bool two = op.params.size() == 2;
  const auto& first = edges(op.params[0]);
  const auto& second = two ? edges(op.params[1]) : std::vector<Bits>{0};
  const auto bodies = shapes(op);
  std::string wat = "(module (func $nothing)";
  for (const auto& [name, body] : bodies) wat += "(func " + body + ")";
  const auto first_constant = static_cast<std::uint32_t>(bodies.size() + 1);
  for (Bits b : second)  // right operand constant (or the only one)
    wat += fmt::format("(func {} (result {}) ({} {} {}))", params_text(op), type_name(op.result), op.text,
                       two ? "(local.get 0)" : "", two ? constant(op.params[1], b) : "(local.get 0)");
  const auto second_constant = static_cast<std::uint32_t>(first_constant + second.size());
  for (Bits a : first)
    wat += fmt::format("(func {} (result {}) ({} {} {}))", params_text(op), type_name(op.result), op.text,
                       constant(op.params[0], a), two ? "(local.get 1)" : "");
  const auto both_constant = static_cast<std::uint32_t>(second_constant + first.size());
  for (std::size_t i = 0; i < first.size(); ++i)
    wat += fmt::format("(func (result {}) ({} {} {}))", type_name(op.result), op.text, constant(op.params[0], first[i]),
                       two ? constant(op.params[1], second[i % second.size()]) : "");
  Machine m(wat + ")");
  ASSERT_TRUE(m.ok()) << op.text;
  for (std::size_t i = 0; i < first.size(); ++i) {
    for (std::size_t j = 0; j < second.size(); ++j) {
      const Answer want = model->second(first[i], second[j]);
      std::vector<VmValue> args = {value_of(op.params[0], first[i])};
      if (two) args.push_back(value_of(op.params[1], second[j]));
      for (std::uint32_t s = 0; s < bodies.size(); ++s) {
        Answer expected = want;
        if (tests_truth(bodies[s].first)) expected.bits = want.bits != 0 ? 1 : 0;
        check(op, bodies[s].first, first[i], second[j], expected, m.call(s + 1, args));
      }
      check(op, "with a constant right operand", first[i], second[j], want,
            m.call(first_constant + static_cast<std::uint32_t>(j), args));
      check(op, "with a constant left operand", first[i], second[j], want,
            m.call(second_constant + static_cast<std::uint32_t>(i), args));
      if (j == i % second.size())
        check(op, "of constants", first[i], second[j], want, m.call(both_constant + static_cast<std::uint32_t>(i)));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

void run_family(spec::Family family) {
  for (const Op& op : ops_of(family)) run_op(op);
}

OPCODE_TEST(BaselineNumeric, unary_instructions_match_the_model) {
  run_family(spec::Family::Unary);
}
OPCODE_TEST(BaselineNumeric, binary_instructions_match_the_model) {
  run_family(spec::Family::Binary);
}
OPCODE_TEST(BaselineNumeric, tests_match_the_model) {
  run_family(spec::Family::Test);
}
OPCODE_TEST(BaselineNumeric, comparisons_match_the_model) {
  run_family(spec::Family::Compare);
}
OPCODE_TEST(BaselineNumeric, conversions_match_the_model) {
  run_family(spec::Family::Convert);
}

OPCODE_TEST(BaselineNumeric, a_shift_that_is_added_is_still_a_shift_modulo_its_width) {
  std::string wat = "(module (func $nothing)";
  for (const char* type : {"i32", "i64"})
    for (int count = 1; count <= 4; ++count) {
      const std::string shifted = fmt::format("({0}.shl (local.get 1) ({0}.const {1}))", type, count);
      const std::string head = fmt::format("(func (param {0} {0}) (result {0})", type);
      wat += fmt::format("{} ({}.add (local.get 0) {}))", head, type, shifted);
      wat += fmt::format("{} (call $nothing) ({}.add (local.get 0) {}))", head, type, shifted);
      wat += fmt::format("{0} (local.set 1 ({1}.add (local.get 0) {2})) (local.get 1))", head, type, shifted);
      wat += fmt::format("{0} (local.set 0 ({1}.add (local.get 0) {2})) (local.get 0))", head, type, shifted);
      wat += fmt::format("{0} ({1}.add ({1}.xor (local.get 0) ({1}.const 0)) {2}))", head, type, shifted);
      wat += fmt::format("{0} ({1}.sub ({1}.add ({1}.const 1000) {2}) ({1}.const 1000)) (local.get 0) {1}.add)", head,
                         type, shifted);
      wat += fmt::format("{0} ({1}.add {2} (local.get 0)))", head, type, shifted);
    }
  Machine m(wat + ")");
  constexpr std::uint32_t kShapes = 7;
  for (Bits a : edges('I'))
    for (Bits b : edges('I'))
      for (std::uint32_t count = 1; count <= 4; ++count)
        for (std::uint32_t shape = 0; shape < kShapes; ++shape) {
          const std::uint32_t f = 1 + (count - 1) * kShapes + shape;
          const auto a32 = static_cast<std::uint32_t>(a), b32 = static_cast<std::uint32_t>(b);
          ASSERT_EQ(m.call(f, {i32(a32), i32(b32)}).results[0].i32, a32 + (b32 << count)) << shape;
          ASSERT_EQ(m.call(f + 4 * kShapes, {i64(a), i64(b)}).results[0].i64, a + (b << count)) << shape;
        }
}

OPCODE_TEST(BaselineNumeric, division_by_any_constant) {
  const std::vector<Bits> divisors = {1,
                                      2,
                                      3,
                                      5,
                                      6,
                                      7,
                                      9,
                                      10,
                                      11,
                                      12,
                                      25,
                                      60,
                                      100,
                                      125,
                                      625,
                                      641,
                                      1000,
                                      3600,
                                      65535,
                                      65537,
                                      1000000,
                                      16777213,
                                      86400000,
                                      1000000000,
                                      0x55555555,
                                      0x7fffffff,
                                      0x80000001,
                                      0xaaaaaaab,
                                      0xfffffffd,
                                      0xffffffff,
                                      0xfffffff6,
                                      0xffffff9c,
                                      0x80000000,
                                      0x100000001,
                                      0x8000000000000001,
                                      0xfffffffffffffffd,
                                      0x5555555555555556,
                                      1000000000000,
                                      10000000000000000000u};
  for (const char* op : {"div_u", "rem_u", "div_s", "rem_s"})
    for (char letter : {'i', 'I'}) {
      const std::string text = fmt::format("{}.{}", type_name(letter), op);
      const Model& model = numeric_models().at(text);
      std::string wat = "(module";
      for (Bits d : divisors)
        wat += fmt::format("(func (param {0}) (result {0}) ({1} (local.get 0) {2}))", type_name(letter), text,
                           constant(letter, d));
      Machine m(wat + ")");
      for (std::uint32_t f = 0; f < divisors.size(); ++f) {
        const Bits d = letter == 'i' ? static_cast<std::uint32_t>(divisors[f]) : divisors[f];
        std::vector<Bits> values = edges(letter);
        for (Bits k : {1u, 2u, 3u, 1000u})
          for (Bits near : {d * k - 1, d * k, d * k + 1}) values.push_back(near);
        Bits random = 88172645463325252u;  // xorshift, fixed seed
        for (int i = 0; i < 200; ++i) {
          random ^= random << 13;
          random ^= random >> 7;
          random ^= random << 17;
          values.push_back(random >> (i % 50));
        }
        for (Bits v : values) {
          if (letter == 'i') v = static_cast<std::uint32_t>(v);
          const Op described{text, "", letter};
          check(described, "by a constant", v, d, model(v, d), m.call(f, {value_of(letter, v)}));
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
}

__extension__ using Wide = unsigned __int128;
__extension__ using SignedWide = __int128;

OPCODE_TEST(BaselineNumeric, wide_arithmetic_matches_128_bit_integers) {
  Machine m(R"((module
    (func (param i64 i64 i64 i64) (result i64 i64)
      (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
    (func (param i64 i64 i64 i64) (result i64 i64)
      (i64.sub128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
    (func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1)))
    (func (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1)))
    (func (param i64 i64) (result i64 i64)
      (i64.add128 (local.get 0) (local.get 1) (i64.const -1) (i64.const 0x123456789abcdef0)))))");
  const auto check_wide = [&](std::uint32_t func, const std::vector<VmValue>& args, Wide want) {
    const Outcome o = m.call(func, args);
    ASSERT_EQ(o.results.size(), 2u);
    ASSERT_EQ(o.results[0].i64, static_cast<Bits>(want)) << func;
    ASSERT_EQ(o.results[1].i64, static_cast<Bits>(want >> 64)) << func;
  };
  for (Bits a : edges('I')) {
    for (Bits b : edges('I')) {
      const Wide x = Wide{a} << 64 | b, y = Wide{b} << 64 | (a ^ 0x5555);
      check_wide(0, {i64(b), i64(a), i64(a ^ 0x5555), i64(b)}, x + y);
      check_wide(1, {i64(b), i64(a), i64(a ^ 0x5555), i64(b)}, x - y);
      check_wide(
          2, {i64(a), i64(b)},
          static_cast<Wide>(SignedWide{static_cast<std::int64_t>(a)} * SignedWide{static_cast<std::int64_t>(b)}));
      check_wide(3, {i64(a), i64(b)}, Wide{a} * b);
      check_wide(4, {i64(b), i64(a)}, x + (Wide{0x123456789abcdef0} << 64 | ~Bits{0}));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace heddle::baseline::test
