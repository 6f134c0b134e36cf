// The same random program compiled four ways, which must agree: with its locals pinned in registers, with every pin
// taken by hot locals, with all locals in the frame, and with the values below it on the stack in all kinds of places.
// Programs come from the opcode table; the seed is fixed. NaN payloads are left out (operands of commutative
// instructions may change sides), so no instruction that shows them takes part.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "spec/opcodes.h"

#include "unit/baseline/machine.h"

namespace heddle::baseline::test {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((next() >> 20) % n); }

 private:
  std::uint64_t state_;
};

const char* type_name(char letter) {
  return letter == 'i' ? "i32" : letter == 'I' ? "i64" : letter == 'f' ? "f32" : "f64";
}

bool shows_nan_payload(const spec::OpcodeInfo& info) {
  return info.text().find("reinterpret") != info.text().npos || info.text().find("copysign") != info.text().npos;
}

/// Rows by the letter of their result; numbers only, no 64-bit address.
std::vector<const spec::OpcodeInfo*> rows_with_result(char letter) {
  using F = spec::Family;
  std::vector<const spec::OpcodeInfo*> rows;
  for (const spec::OpcodeInfo& info : spec::kOpcodes) {
    const bool fits = info.family == F::Unary || info.family == F::Binary || info.family == F::Test ||
                      info.family == F::Compare || info.family == F::Convert || info.family == F::Load ||
                      info.family == F::AtomicLoad || info.family == F::AtomicRmw || info.family == F::AtomicCmpxchg;
    if (fits && info.signature().back() == letter && !shows_nan_payload(info)) rows.push_back(&info);
  }
  return rows;
}

/// Locals: 0-2 i32, 3-5 i64, 6-7 f32, 8-9 f64.
constexpr const char* kParams = "i32 i32 i32 i64 i64 i64 f32 f32 f64 f64";
constexpr int kFirstLocal[] = {0, 3, 6, 8};
constexpr int kLocalCount[] = {3, 3, 2, 2};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::string statements() {
    std::string text;
    for (std::uint32_t i = 0, n = 2 + random_.below(6); i < n; ++i) text += statement(4);
    return text;
  }
  std::string expression(char letter, int depth) {
    if (depth <= 0 || random_.below(6) == 0) return leaf(letter);
    switch (random_.below(16)) {
      case 0:
        return fmt::format("(select {} {} {})", expression(letter, depth - 1), expression(letter, depth - 1),
                           expression('i', depth - 1));
      case 1:
        return fmt::format("(if (result {}) {} (then {}) (else {}))", type_name(letter), expression('i', depth - 1),
                           expression(letter, depth - 1), expression(letter, depth - 1));
      case 2:
        return fmt::format("(block (result {}) {} {} (br_if 0 {}) (drop) {})", type_name(letter), statement(depth - 2),
                           expression(letter, depth - 1), "(i32.and (local.get 0) (i32.const 1))",
                           expression(letter, depth - 1));
      case 3: return fmt::format("(local.tee {} {})", local(letter), expression(letter, depth - 1));
      case 4: return fmt::format("(call $id_{} {})", type_name(letter), expression(letter, depth - 1));
      default: return operation(letter, depth);
    }
  }

 private:
  int index(char letter) const { return letter == 'i' ? 0 : letter == 'I' ? 1 : letter == 'f' ? 2 : 3; }
  int local(char letter) {
    return kFirstLocal[index(letter)] +
           static_cast<int>(random_.below(static_cast<std::uint32_t>(kLocalCount[index(letter)])));
  }
  char any_type() { return "iiIIfF"[random_.below(6)]; }

  std::string leaf(char letter) {
    if (random_.below(3) != 0) return fmt::format("(local.get {})", local(letter));
    static constexpr const char* kInts[] = {"0",     "1",          "-1",          "2",    "8", "255",
                                            "65535", "0x7fffffff", "-0x80000000", "1000", "31"};
    static constexpr const char* kFloats[] = {"0", "-0", "1", "-1.5", "1e10", "inf", "0x1p-30", "2147483648", "100"};
    if (letter == 'i' || letter == 'I')
      return fmt::format("({}.const {})", type_name(letter), kInts[random_.below(11)]);
    return fmt::format("({}.const {})", type_name(letter), kFloats[random_.below(9)]);
  }

  std::string operation(char letter, int depth) {
    static const std::vector<const spec::OpcodeInfo*> rows[] = {rows_with_result('i'), rows_with_result('I'),
                                                                rows_with_result('f'), rows_with_result('F')};
    const auto& choices = rows[index(letter)];
    const spec::OpcodeInfo& info = *choices[random_.below(static_cast<std::uint32_t>(choices.size()))];
    std::string text = fmt::format("({}", info.text());
    if (info.memory_bytes != 0) text += fmt::format(" offset={}", random_.below(64) * info.memory_bytes);
    for (std::size_t i = 0; i < info.signature().find(':'); ++i)
      text += ' ' + (info.signature()[i] == 'p' ? address(info.memory_bytes, depth)
                                                : expression(info.signature()[i], depth - 1));
    return text + ")";
  }
  std::string address(unsigned bytes, int depth) {
    return fmt::format("(i32.and {} (i32.const {}))", expression('i', depth - 1), 0x3ff8 & ~(bytes - 1));
  }

  std::string statement(int depth) {
    const char letter = any_type();
    switch (random_.below(5)) {
      case 0: {
        const char* op = letter == 'i'   ? "i32.store16"
                         : letter == 'I' ? "i64.store"
                         : letter == 'f' ? "f32.store"
                                         : "f64.store";
        if (letter == 'f' || letter == 'F') break;  // a stored NaN shows its payload
        return fmt::format("({} offset=3 {} {})", op, address(8, depth), expression(letter, depth - 1));
      }
      case 1:
        return fmt::format("(if {} (then {}) (else {}))", expression('i', depth), inner(depth - 1), inner(depth - 1));
      default: break;
    }
    return fmt::format("(local.set {} {})", local(letter), expression(letter, depth));
  }
  std::string inner(int depth) { return depth > 0 ? statement(depth - 1) : "(nop)"; }

  Random random_;
};

std::string heat() {
  std::string text = "(local $n i32) (local.set $n (i32.const 2)) (loop $hot";
  for (int i = 0; i < 10; ++i) {
    const char* type = i < 3 ? "i32" : i < 6 ? "i64" : i < 8 ? "f32" : "f64";
    for (int k = 0; k < 3; ++k) text += fmt::format("(local.set {} (local.get {}))", i, i);
    static_cast<void>(type);
  }
  return text + "(br_if $hot (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))";
}

constexpr const char* kResults = "i32 i64 f32 f64 i32 i64 f32 f64";
constexpr const char* kAllLocals =
    "(local.get 0) (local.get 3) (local.get 6) (local.get 8) (local.get 1) (local.get 4) (local.get 7) (local.get 9)";

std::string module_of(std::uint64_t seed, int way) {
  const std::string body = Generator(seed).statements();
  std::string wat =
      "(module (memory 1 1 shared) (func $id_i32 (param i32) (result i32) (local.get 0))"
      "(func $id_i64 (param i64) (result i64) (local.get 0)) (func $id_f32 (param f32) (result f32) (local.get 0))"
      "(func $id_f64 (param f64) (result f64) (local.get 0))";
  wat += fmt::format("(func (export \"f\") (param {}) (result {}) ", kParams, kResults);
  if (way == 1) wat += heat() + body + kAllLocals;
  if (way == 0) wat += body + kAllLocals;
  if (way == 2) {  // as many calls as make every pin a loss
    for (int i = 0; i < 60; ++i) wat += "(drop (call $id_i32 (i32.const 0)))";
    wat += body + kAllLocals;
  }
  if (way == 3) {  // something of every kind below, which must still be there afterwards
    wat +=
        "(i64.add (local.get 3) (local.get 4)) (i32.const 77) (local.get 1) (f64.add (local.get 8) (local.get 9))"
        "(i32.mul (local.get 0) (local.get 2)) (f32.const 3) (i64.const 0x123456789abcdef) (local.get 5)";
    wat += body;
    wat += "(drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop)";
    wat += kAllLocals;
  }
  return wat + "))";
}

std::uint64_t canonical(char letter, const VmValue& v) {
  if (letter == 'i') return v.i32;
  if (letter == 'I') return v.i64;
  if (letter == 'f') return std::isnan(v.f32) ? 0x7fc00000u : v.i32;
  return std::isnan(v.f64) ? 0x7ff8000000000000u : v.i64;
}

struct Observed {
  TrapCode trap;
  std::vector<std::uint64_t> results;
  std::vector<std::uint8_t> memory;
  bool operator==(const Observed&) const = default;
};

Observed observe(Machine& m) {
  for (std::uint32_t i = 0; i < 65536; ++i) m.memory()[i] = static_cast<std::uint8_t>(i * 7 + (i >> 7));
  const Outcome o = m.call("f", {i32(5), i32(0xfffffff0), i32(1234567), i64(9), i64(0x8000000000000000),
                                 i64(77777777777), f32(1.5f), f32(-3e9f), f64(2.25), f64(-1e300)});
  Observed seen{o.trap, {}, {m.memory(), m.memory() + 0x5000}};
  const std::string_view letters = "iIfFiIfF";
  for (std::size_t i = 0; i < o.results.size(); ++i) seen.results.push_back(canonical(letters[i], o.results[i]));
  return seen;
}

TEST(BaselineRandom, programs_do_not_depend_on_where_their_values_live) {
  const char* wanted = std::getenv("HEDDLE_RANDOM_PROGRAMS");  // more of them, for a stress run
  const std::uint64_t count = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 400;
  std::uint64_t trapped = 0;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    Machine first(module_of(seed, 0));
    ASSERT_TRUE(first.ok()) << seed;
    const Observed want = observe(first);
    trapped += want.trap != TrapCode::none ? 1 : 0;
    for (int way = 1; way < 4; ++way) {
      Machine other(module_of(seed, way));
      ASSERT_TRUE(other.ok()) << seed;
      const Observed got = observe(other);
      ASSERT_EQ(static_cast<int>(got.trap), static_cast<int>(want.trap)) << "seed " << seed << " way " << way;
      ASSERT_EQ(got.results, want.results) << "seed " << seed << " way " << way;
      ASSERT_TRUE(got.memory == want.memory) << "seed " << seed << " way " << way;
    }
  }
  EXPECT_LT(trapped, count * 3 / 4) << "most programs run to their end";
}

}  // namespace
}  // namespace heddle::baseline::test
