// Atomics: each width of each operation against a model, alignment before bounds, the last bytes of the memory.
#include <cstring>
#include <fmt/format.h>

#include "spec/opcodes.h"

#include "unit/baseline/machine.h"
#include "unit/baseline/opcode_tests.h"

namespace heddle::baseline::test {
namespace {

constexpr std::uint64_t kPage = 65536;
using Word = std::uint64_t;

struct Shape {
  const char* declaration;
  const char* address;
};
constexpr Shape kShapes[] = {{"(memory 1 1 shared)", "i32"}, {"(memory i64 1 1 shared)", "i64"}};

Word mask(unsigned bytes) {
  return bytes == 8 ? ~Word{0} : (Word{1} << (8 * bytes)) - 1;
}

const char* type_of(const spec::OpcodeInfo& info) {
  return info.text().starts_with("i32") || info.text().starts_with("memory") ? "i32" : "i64";
}

Word apply(std::string_view text, Word old, Word operand) {
  if (text.find(".add") != text.npos) return old + operand;
  if (text.find(".sub") != text.npos) return old - operand;
  if (text.find(".and") != text.npos) return old & operand;
  if (text.find(".xor") != text.npos) return old ^ operand;
  if (text.find(".or") != text.npos) return old | operand;
  return operand;  // xchg, store
}

struct Runner {
  const spec::OpcodeInfo& info;
  const Shape& shape;
  Machine& m;

  VmValue address(Word a) const {
    return shape.address == std::string_view("i64") ? i64(a) : i32(static_cast<std::uint32_t>(a));
  }
  VmValue value(Word v) const {
    return type_of(info) == std::string_view("i32") ? i32(static_cast<std::uint32_t>(v)) : i64(v);
  }
  Word result(const Outcome& o) const {
    return type_of(info) == std::string_view("i32") ? o.results[0].i32 : o.results[0].i64;
  }
  Word in_memory(Word at) const {
    Word word = 0;
    std::memcpy(&word, m.memory() + at, info.memory_bytes);
    return word;
  }
  void put(Word at, Word word) const { std::memcpy(m.memory() + at, &word, 8); }
};

std::string operands(const spec::OpcodeInfo& info, const Shape& shape) {
  std::string text = fmt::format("(param {}", shape.address);
  for (std::size_t i = 1; i < info.signature().find(':'); ++i) text += info.signature()[i] == 'i' ? " i32" : " i64";
  text += ")";
  if (info.signature().back() != ':') text += info.signature().back() == 'i' ? " (result i32)" : " (result i64)";
  return text;
}

std::string body(const spec::OpcodeInfo& info, const Shape& shape, Word offset, const std::string& address) {
  std::string text = fmt::format("(func {} ({} offset={} {}", operands(info, shape), info.text(), offset, address);
  for (std::size_t i = 1; i < info.signature().find(':'); ++i) text += fmt::format(" (local.get {})", i);
  return text + "))";
}

/// Functions: 0 plain, 1 offset 8, 2 offset 1, 3 constant address 16, 4 constant misaligned address, 5 offset 2^31.
std::string module_text(const spec::OpcodeInfo& info, const Shape& shape) {
  const std::string get = "(local.get 0)";
  return fmt::format(
      "(module {} {} {} {} {} {} {})", shape.declaration, body(info, shape, 0, get), body(info, shape, 8, get),
      body(info, shape, 1, get), body(info, shape, 0, fmt::format("({}.const 16)", shape.address)),
      body(info, shape, 0, fmt::format("({}.const 17)", shape.address)), body(info, shape, 0x80000000, get));
}

template <class Check>
void for_each_of(spec::Family family, Check check) {
  for (const spec::OpcodeInfo& info : spec::kOpcodes) {
    if (info.family != family) continue;
    for (const Shape& shape : kShapes) {
      Machine m(module_text(info, shape));
      ASSERT_TRUE(m.ok()) << info.text();
      check(Runner{info, shape, m});
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

/// Alignment and bounds, which all accesses share. `extra` are the operands after the address.
void check_edges(const Runner& r, const std::vector<VmValue>& extra) {
  const unsigned bytes = r.info.memory_bytes;
  const auto run = [&](std::uint32_t f, Word a) {
    std::vector<VmValue> args = {r.address(a)};
    args.insert(args.end(), extra.begin(), extra.end());
    return r.m.call(f, args).trap;
  };
  ASSERT_EQ(run(0, kPage - bytes), TrapCode::none) << r.info.text();
  ASSERT_EQ(run(0, kPage), TrapCode::memory_out_of_bounds) << r.info.text();
  ASSERT_EQ(run(1, kPage - 8), TrapCode::memory_out_of_bounds) << r.info.text();
  ASSERT_EQ(run(0, 0xfffffff8), TrapCode::memory_out_of_bounds) << r.info.text();
  ASSERT_EQ(run(5, 8), TrapCode::memory_out_of_bounds) << r.info.text();
  ASSERT_EQ(run(3, 0), TrapCode::none) << r.info.text();
  const TrapCode odd = bytes == 1 ? TrapCode::none : TrapCode::unaligned_atomic;
  ASSERT_EQ(run(0, 17), odd) << r.info.text();
  ASSERT_EQ(run(1, 17), odd) << r.info.text();
  ASSERT_EQ(run(2, 16), odd) << r.info.text();
  ASSERT_EQ(run(2, 15), TrapCode::none) << r.info.text();
  ASSERT_EQ(run(4, 0), odd) << r.info.text();
  if (bytes > 1) {
    ASSERT_EQ(run(0, kPage + 1), TrapCode::unaligned_atomic) << r.info.text() << ": alignment comes first";
  }
}

constexpr Word kWords[] = {0, 1, 0x80, 0xff, 0x8000, 0xffff, 0x80000000, 0xffffffff, 0x8877665544332211, ~Word{0}};

OPCODE_TEST(BaselineAtomic, loads_zero_extend) {
  for_each_of(spec::Family::AtomicLoad, [](const Runner& r) {
    for (Word word : kWords) {
      r.put(24, word);
      const Outcome o = r.m.call(1, {r.address(16)});
      ASSERT_EQ(r.result(o), word & mask(r.info.memory_bytes)) << r.info.text();
    }
    check_edges(r, {});
  });
}

OPCODE_TEST(BaselineAtomic, stores_write_their_width) {
  for_each_of(spec::Family::AtomicStore, [](const Runner& r) {
    for (Word word : kWords) {
      r.put(24, 0x5555555555555555);
      ASSERT_FALSE(r.m.call(1, {r.address(16), r.value(word)}).trapped()) << r.info.text();
      ASSERT_EQ(r.in_memory(24), word & mask(r.info.memory_bytes)) << r.info.text();
      if (r.info.memory_bytes < 8) {
        ASSERT_EQ(r.m.memory()[24 + r.info.memory_bytes], 0x55) << r.info.text();
      }
    }
    check_edges(r, {r.value(3)});
  });
}

OPCODE_TEST(BaselineAtomic, read_modify_write_returns_the_old_value) {
  for_each_of(spec::Family::AtomicRmw, [](const Runner& r) {
    const Word m = mask(r.info.memory_bytes);
    for (Word old : kWords) {
      for (Word operand : kWords) {
        r.put(24, old);
        const Outcome o = r.m.call(1, {r.address(16), r.value(operand)});
        ASSERT_FALSE(o.trapped()) << r.info.text();
        ASSERT_EQ(r.result(o), old & m) << r.info.text();
        ASSERT_EQ(r.in_memory(24), apply(r.info.text(), old, operand) & m) << r.info.text();
      }
    }
    check_edges(r, {r.value(3)});
  });
}

OPCODE_TEST(BaselineAtomic, compare_exchange_compares_the_wrapped_value) {
  for_each_of(spec::Family::AtomicCmpxchg, [](const Runner& r) {
    const Word m = mask(r.info.memory_bytes);
    for (Word old : kWords) {
      for (Word expected : kWords) {
        r.put(24, old);
        const Outcome o = r.m.call(1, {r.address(16), r.value(expected), r.value(0x1234567890abcdef)});
        ASSERT_FALSE(o.trapped()) << r.info.text();
        ASSERT_EQ(r.result(o), old & m) << r.info.text();
        const Word want = (old & m) == (expected & m) ? 0x1234567890abcdef & m : old & m;
        ASSERT_EQ(r.in_memory(24), want) << r.info.text();
      }
    }
    check_edges(r, {r.value(3), r.value(4)});
  });
}

OPCODE_TEST(BaselineAtomic, an_exchange_of_many_values_needs_no_more_registers_than_there_are) {
  // Everything in temporaries, and all temporaries taken.
  Machine m(R"((module (memory 1 1 shared)
    (func (export "f") (param i32 i32 i32) (result i32)
      (block (result i32) (local.get 0)) (i32.add (local.get 0) (local.get 1)) (i32.add (local.get 0) (local.get 2))
      (i32.mul (local.get 0) (local.get 1)) (i32.mul (local.get 0) (local.get 2)) (i32.xor (local.get 0) (local.get 1))
      (i32.or (local.get 0) (local.get 1)) (i32.sub (local.get 0) (local.get 2)) (i32.sub (local.get 1) (local.get 2))
      (i32.atomic.rmw8.cmpxchg_u (i32.sub (local.get 0) (local.get 0)) (i32.sub (local.get 1) (local.get 1))
                                 (i32.add (local.get 0) (local.get 0)))
      (i32.atomic.rmw.or (i32.sub (local.get 0) (local.get 0)) (i32.sub (local.get 1) (local.get 1)))
      i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add i32.add)))");
  const std::uint32_t a = 100, b = 7, c = 3;
  const std::uint32_t want = a + (a + b) + (a + c) + a * b + a * c + (a ^ b) + (a | b) + (a - c) + (b - c) + 0 + 2 * a;
  EXPECT_EQ(m.call("f", {i32(a), i32(b), i32(c)}).results[0].i32, want);
}

OPCODE_TEST(BaselineAtomic, operands_in_temporaries_while_every_pin_is_taken) {
  // Eight hot locals leave four integer temporaries; a 64-bit memory wants the most of them.
  std::string heat = "(local.set 8 (i64.const 3)) (loop $l ";
  for (int i = 0; i < 9; ++i)
    for (int k = 0; k < 4; ++k) heat += fmt::format("(local.set {0} (i64.add (local.get {0}) (i64.const 0)))", i);
  heat += "(br_if $l (i32.wrap_i64 (local.tee 8 (i64.sub (local.get 8) (i64.const 1))))))";
  const auto temp = [](int local) { return fmt::format("(i64.add (local.get {}) (local.get {}))", local, local + 1); };
  const auto in_order = [&](int from) {  // address, then operands, all in temporaries
    return fmt::format("(i64.sub {} {}) {} {}", temp(0), temp(0), temp(from), temp(from + 1));
  };
  std::vector<VmValue> args;
  for (Word i = 1; i <= 8; ++i) args.push_back(i64(i * 100));
  const auto sum = [](int i) { return static_cast<Word>(2 * i + 3) * 100; };  // temp(i)
  for (int below = 0; below <= 4; ++below) {  // so that each operand meets each register
    std::string values, additions;
    Word rest = 0;
    for (int i = 0; i < below; ++i) {
      values += temp(3 + i);
      additions += "i64.add ";
      rest += sum(3 + i);
    }
    std::string wat = "(module (memory i64 1 1 shared)";
    for (const char* op : {"i64.atomic.rmw.cmpxchg offset=8", "i64.atomic.rmw8.cmpxchg_u offset=0x80000000",
                           "i64.atomic.rmw.or offset=8", "i64.atomic.rmw.xchg offset=8"}) {
      const bool two = std::string_view(op).find("cmpxchg") != std::string_view::npos;
      wat += fmt::format("(func (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64) (local i64) {} {} {} {} {} {})",
                         heat, values, in_order(2), two ? "" : "drop", op, additions);
    }
    wat += fmt::format(
        "(func (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64) (local i64) {} {} (memory.copy "
        "(i64.sub {} {}) (i64.sub {} {}) (i64.const 3)) (i64.const 0) {})",
        heat, values, temp(1), temp(1), temp(2), temp(2), additions);
    Machine m(wat + ")");
    ASSERT_TRUE(m.ok());
    const auto word = [&] {
      Word w;
      std::memcpy(&w, m.memory() + 8, 8);
      return w;
    };
    const auto put = [&](Word w) { std::memcpy(m.memory() + 8, &w, 8); };
    put(sum(2));
    EXPECT_EQ(m.call(0, args).results[0].i64, rest + sum(2));
    EXPECT_EQ(word(), sum(3));
    EXPECT_EQ(m.call(1, args).trap, TrapCode::memory_out_of_bounds);
    put(1);
    EXPECT_EQ(m.call(2, args).results[0].i64, rest + 1);
    EXPECT_EQ(word(), sum(2) | 1);
    EXPECT_EQ(m.call(3, args).results[0].i64, rest + (sum(2) | 1));
    EXPECT_EQ(m.call(4, args).results[0].i64, rest);
  }
}

OPCODE_TEST(BaselineAtomic, wait_notify_and_fence) {
  Machine m(R"((module (memory 1 1 shared) (memory i64 1 1 shared)
    (func (export "wait32") (param i32 i32 i64) (result i32)
      (memory.atomic.wait32 offset=4 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "wait64") (param i64 i64 i64) (result i32)
      (memory.atomic.wait64 1 offset=8 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "notify") (param i32 i32) (result i32)
      (memory.atomic.notify offset=0xfffffffc (local.get 0) (local.get 1)))
    (func (export "fence") (result i32) (atomic.fence) (i32.const 5))))");
  m.service_answer = 2;
  EXPECT_EQ(m.call("wait32", {i32(0xfffffffc), i32(0x80000000), i64(~Word{0})}).results[0].i32, 2u);
  EXPECT_EQ(m.last_service, (std::vector<Word>{0, 0xfffffffc, 4, 0x80000000, ~Word{0}}));
  m.service_answer = 1;
  EXPECT_EQ(m.call("wait64", {i64(Word{1} << 40), i64(~Word{0}), i64(17)}).results[0].i32, 1u);
  EXPECT_EQ(m.last_service, (std::vector<Word>{1, Word{1} << 40, 8, ~Word{0}, 17}));
  m.service_answer = 0xffffffff;  // as many waiters as there can be: not a trap
  EXPECT_EQ(m.call("notify", {i32(12), i32(0xffffffff)}).results[0].i32, 0xffffffffu);
  EXPECT_EQ(m.last_service, (std::vector<Word>{0, 12, 0xfffffffc, 0xffffffff}));
  m.service_answer = -static_cast<std::int64_t>(TrapCode::expected_shared_memory);
  EXPECT_EQ(m.call("wait32", {i32(0), i32(0), i64(0)}).trap, TrapCode::expected_shared_memory);
  m.service_answer = -static_cast<std::int64_t>(TrapCode::unaligned_atomic);
  EXPECT_EQ(m.call("notify", {i32(1), i32(0)}).trap, TrapCode::unaligned_atomic);
  EXPECT_EQ(m.call("fence").results[0].i32, 5u);
}

}  // namespace
}  // namespace heddle::baseline::test
