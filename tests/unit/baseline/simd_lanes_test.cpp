// Vector instructions with immediates: constants, lanes, shuffles, loads and stores; and vectors on their way through
// calls, blocks, globals and frames.
#include "spec/opcodes.h"

#include "unit/baseline/opcode_tests.h"
#include "unit/baseline/simd_support.h"

namespace heddle::baseline::test {
namespace {

constexpr std::uint64_t kPage = spec::kWasmPageBytes;

Vector numbered(std::uint8_t first) {
  Vector v;
  for (std::size_t i = 0; i < 16; ++i) v[i] = static_cast<std::uint8_t>(first + i * 9);
  return v;
}

struct Shape {
  std::string_view name, scalar;
  unsigned bytes;
};
constexpr Shape kShapes[] = {{"i8x16", "i32", 1}, {"i16x8", "i32", 2}, {"i32x4", "i32", 4},
                             {"i64x2", "i64", 8}, {"f32x4", "f32", 4}, {"f64x2", "f64", 8}};

constexpr std::uint64_t kScalar = 0x81c2e384a5f687b9u;

std::string scalar_constant(const Shape& s, std::uint64_t bits) {
  if (s.scalar == "i32") return fmt::format("(i32.const {})", static_cast<std::int32_t>(bits));
  if (s.scalar == "i64") return fmt::format("(i64.const {})", static_cast<std::int64_t>(bits));
  if (s.scalar == "f32") return fmt::format("(f32.reinterpret_i32 (i32.const {}))", static_cast<std::int32_t>(bits));
  return fmt::format("(f64.reinterpret_i64 (i64.const {}))", static_cast<std::int64_t>(bits));
}

OPCODE_TEST(BaselineSimdLanes, constants_keep_every_bit) {
  for (const Processor& cpu : processors()) {
    Vector ones{}, zeros{};
    ones.fill(0xff);
    for (const Vector& v : {numbered(3), ones, zeros}) {
      Machine m(fmt::format(
                    "(module (func (result v128) {}) (func (result v128) (local v128) (local.set 0 {}) (local.get 0)))",
                    constant(v), constant(v)),
                cpu.features);
      ASSERT_TRUE(m.ok());
      EXPECT_EQ(vector_of(m.call(0).results[0]), v);
      EXPECT_EQ(vector_of(m.call(1).results[0]), v);
    }
  }
}

OPCODE_TEST(BaselineSimdLanes, splat_fills_every_lane) {
  for (const Processor& cpu : processors()) {
    for (const Shape& s : kShapes) {
      Machine m(fmt::format("(module (func (param {1}) (result v128) ({0}.splat (local.get 0)))"
                            "(func (param {1}) (result v128) (local v128) (local.set 1 ({0}.splat {2})) (local.get 1))"
                            "(func (param {1}) (result v128) (drop (local.get 0)) (drop (local.get 0))"
                            "  ({0}.splat (local.get 0))))",
                            s.name, s.scalar, scalar_constant(s, kScalar)),
                cpu.features);
      ASSERT_TRUE(m.ok());
      Vector want;
      for (unsigned i = 0; i < 16; i += s.bytes) std::memcpy(want.data() + i, &kScalar, s.bytes);
      for (std::uint32_t f = 0; f < 3; ++f)
        EXPECT_EQ(show(vector_of(m.call(f, {i64(kScalar)}).results[0])), show(want)) << cpu.name << s.name << f;
    }
  }
}

std::uint64_t extracted(const Vector& v, const Shape& s, unsigned lane, bool sign) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, v.data() + lane * s.bytes, s.bytes);
  if (!sign) return bits;
  const unsigned unused = 64 - 8 * s.bytes;
  return static_cast<std::uint32_t>(static_cast<std::int64_t>(bits << unused) >> unused);
}

/// Vectors from a local in the frame, a pinned one, a temporary and a constant.
OPCODE_TEST(BaselineSimdLanes, extract_lane_reads_its_lane) {
  const Vector v = numbered(0x71);
  for (const Processor& cpu : processors()) {
    for (const Shape& s : kShapes) {
      for (const std::string_view suffix : {"_s", "_u", ""}) {
        if (suffix.empty() != (s.bytes > 2)) continue;
        for (unsigned lane = 0; lane < 16 / s.bytes; ++lane) {
          const std::string op = fmt::format("{}.extract_lane{} {}", s.name, suffix, lane);
          Machine m(fmt::format(
                        "(module (func (param v128) (result {0}) ({1} (local.get 0)))"
                        "(func (param v128) (result {0}) (drop (local.get 0)) (drop (local.get 0)) ({1} (local.get 0)))"
                        "(func (param v128) (result {0}) (local {0}) (local.set 1 ({1} (v128.not (v128.not (local.get "
                        "0))))) (local.get 1))"
                        "(func (param v128) (result {0}) ({1} {2})))",
                        s.scalar, op, constant(v)),
                    cpu.features);
          ASSERT_TRUE(m.ok());
          for (std::uint32_t f = 0; f < 4; ++f) {
            const VmValue got = m.call(f, {value(v)}).results[0];
            const std::uint64_t bits = s.scalar[1] == '3' ? got.i32 : got.i64;
            EXPECT_EQ(bits, extracted(v, s, lane, suffix == "_s")) << cpu.name << " " << op << " " << f;
          }
        }
      }
    }
  }
}

OPCODE_TEST(BaselineSimdLanes, replace_lane_leaves_the_others) {
  const Vector v = numbered(5);
  for (const Processor& cpu : processors()) {
    for (const Shape& s : kShapes) {
      for (unsigned lane = 0; lane < 16 / s.bytes; ++lane) {
        const std::string op = fmt::format("{}.replace_lane {}", s.name, lane);
        const char* use = "(func (param v128 {0}) (result v128) (local v128) {1})";
        const auto func = [&](const std::string& body) { return fmt::format(fmt::runtime(use), s.scalar, body); };
        const std::string pins = "(drop (local.get 0)) (drop (local.get 0)) (drop (local.get 1)) (drop (local.get 1))";
        Machine m(
            "(module (func $nothing)" + func(fmt::format("({} (local.get 0) (local.get 1))", op)) +
                func(fmt::format("{} (local.set 0 ({} (local.get 0) (local.get 1))) (local.get 0)", pins, op)) +
                func(fmt::format("({} (v128.not (v128.not (local.get 0))) {})", op, scalar_constant(s, kScalar))) +
                func(fmt::format("({} {} (local.get 1))", op, constant(v))) +
                func(fmt::format("{} local.get 0 local.get 1 call $nothing {} local.set 2 local.get 2", pins, op)) +
                ")",
            cpu.features);
        ASSERT_TRUE(m.ok());
        Vector want = v;
        std::memcpy(want.data() + lane * s.bytes, &kScalar, s.bytes);
        for (std::uint32_t f = 1; f < 6; ++f)
          EXPECT_EQ(show(vector_of(m.call(f, {value(v), i64(kScalar)}).results[0])), show(want))
              << cpu.name << " " << op << " " << f;
      }
    }
  }
}

// ---- shuffle

std::vector<Vector> shuffles() {
  std::vector<Vector> all;
  const auto add = [&](auto f) {
    Vector v;
    for (unsigned i = 0; i < 16; ++i) v[i] = static_cast<std::uint8_t>(f(i) & 31);
    all.push_back(v);
  };
  for (unsigned k = 0; k < 32; ++k) add([k](unsigned i) { return i + k; });  // palignr, and the sources themselves
  for (unsigned k = 0; k < 32; ++k) add([k](unsigned) { return k; });        // one byte everywhere
  for (unsigned bytes : {1u, 2u, 4u, 8u})
    for (unsigned half : {0u, 8u})
      for (unsigned first : {0u, 16u})
        add([=](unsigned i) {
          const unsigned element = i / bytes;
          return (element % 2 == 0 ? first : 16 - first) + half + element / 2 * bytes + i % bytes;
        });
  // Words of four bytes from everywhere, among them those of shufps and pshufd.
  for (unsigned pick = 0; pick < 4096; pick += 61)
    add([pick](unsigned i) { return (pick >> (i / 4 * 3) & 7) * 4 + i % 4; });
  for (unsigned pick = 0; pick < 256; pick += 37)  // pblendw
    add([pick](unsigned i) { return i + (pick >> (i / 2) & 1) * 16; });
  add([](unsigned i) { return 15 - i; });
  add([](unsigned i) { return 31 - i; });
  RandomVectors random;
  for (int n = 0; n < 20; ++n) {
    const Vector noise = random.next();
    add([&](unsigned i) { return noise[i]; });
  }
  return all;
}

OPCODE_TEST(BaselineSimdLanes, shuffle_takes_each_byte_from_either_vector) {
  const Vector a = numbered(1), b = numbered(0x92);
  for (const Processor& cpu : processors()) {
    const std::vector<Vector> all = shuffles();
    std::string wat = "(module";
    const std::string pins = "(drop (local.get 0)) (drop (local.get 0)) (drop (local.get 1)) (drop (local.get 1))";
    for (const Vector& lanes : all) {
      const std::string op = fmt::format("i8x16.shuffle {}", fmt::join(lanes, " "));
      const char* use = "(func (param v128 v128) (result v128) {})";
      const auto add = [&](const std::string& body) { wat += fmt::format(fmt::runtime(use), body); };
      add(fmt::format("({} (local.get 0) (local.get 1))", op));
      add(fmt::format("{} (local.set 0 ({} (local.get 0) (local.get 1))) (local.get 0)", pins, op));
      add(fmt::format("{} (local.set 1 ({} (local.get 0) (local.get 1))) (local.get 1)", pins, op));
      add(fmt::format("({} (v128.not (v128.not (local.get 0))) (v128.not (v128.not (local.get 1))))", op));
    }
    Machine m(wat + ")", cpu.features);
    ASSERT_TRUE(m.ok());
    for (std::uint32_t f = 0; f < 4 * all.size(); ++f) {
      const Vector& lanes = all[f / 4];
      Vector want;
      for (std::size_t i = 0; i < 16; ++i) want[i] = lanes[i] < 16 ? a[lanes[i]] : b[lanes[i] - 16u];
      EXPECT_EQ(show(vector_of(m.call(f, {value(a), value(b)}).results[0])), show(want))
          << cpu.name << " " << fmt::format("{}", fmt::join(lanes, " ")) << ", function " << f % 4;
    }
  }
}

// ---- memory

struct MemoryShape {
  std::string_view name, declarations, use, address;
  std::uint32_t index;
};
constexpr MemoryShape kMemories[] = {
    {"32 bits", "(memory 1)", "", "i32", 0},
    {"second memory", "(memory 0) (memory $m 1)", "$m", "i32", 1},
    {"64 bits", "(memory i64 1)", "", "i64", 0},
};

void fill(Machine& m, std::uint32_t memory) {
  std::uint8_t* bytes = m.memory(memory);
  for (std::uint64_t i = 0; i < kPage; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + (i >> 8) * 11 + 0x75);
}

Vector expected_load(const spec::OpcodeInfo& info, const std::uint8_t* from) {
  const std::string_view text = info.text();
  Vector v{};
  if (text.ends_with("_splat")) {
    for (unsigned i = 0; i < 16; i += info.memory_bytes) std::memcpy(v.data() + i, from, info.memory_bytes);
  } else if (text.ends_with("_s") || text.ends_with("_u")) {
    const unsigned bytes = text.find("8x8") != text.npos ? 1 : text.find("16x4") != text.npos ? 2 : 4;
    for (unsigned i = 0; i < 8 / bytes; ++i) {
      std::memcpy(v.data() + 2 * i * bytes, from + i * bytes, bytes);
      const bool negative = text.ends_with("_s") && from[i * bytes + bytes - 1] >= 0x80;
      std::memset(v.data() + (2 * i + 1) * bytes, negative ? 0xff : 0, bytes);
    }
  } else {
    std::memcpy(v.data(), from, info.memory_bytes);
  }
  return v;
}

/// Functions: 0 offset 0, 1 offset 16, 2 the last in-bounds offset, 3 offset 2^31, 4 constant address beyond the end, 5
/// the result set into a pinned local. `rest` follows the address.
std::string memory_functions(const spec::OpcodeInfo& info, const MemoryShape& shape, std::string_view lane,
                             std::string_view rest, bool is_load) {
  const std::uint64_t last = kPage - info.memory_bytes;
  std::string wat;
  const auto add = [&](std::uint64_t offset, const std::string& address) {
    wat += fmt::format("(func (param {} v128) {} ({} {} offset={} {} {} {}))", shape.address,
                       is_load ? "(result v128)" : "", info.text(), shape.use, offset, lane, address, rest);
  };
  add(0, "(local.get 0)");
  add(16, "(local.get 0)");
  add(last, "(local.get 0)");
  add(0x80000000, "(local.get 0)");
  add(0, fmt::format("({}.const {})", shape.address, last + 1));
  if (is_load)
    wat += fmt::format(
        "(func (param {0} v128) (result v128) (drop (local.get 1)) (drop (local.get 1))"
        "(local.set 1 ({1} {2} offset=16 {3} (local.get 0) {4})) (local.get 1))",
        shape.address, info.text(), shape.use, lane, rest);
  return wat;
}

struct MemoryCall {
  std::uint32_t func;
  std::uint64_t address;
  bool in_bounds;
  std::uint64_t effective;
};

std::vector<MemoryCall> memory_calls(unsigned bytes, bool is_load) {
  const std::uint64_t last = kPage - bytes;
  std::vector<MemoryCall> calls = {
      {0, 0, true, 0},  {0, 1, true, 1},           {0, last, true, last}, {0, 0xffffffff, false, 0},
      {1, 7, true, 23}, {1, last, false, 0},       {2, 0, true, last},    {2, 1, false, 0},
      {3, 0, false, 0}, {3, 0x80000000, false, 0}, {4, 0, false, 0},
  };
  for (unsigned i = 1; i <= bytes; ++i) calls.push_back({0, last + i, false, 0});
  if (is_load) calls.push_back({5, 33, true, 49});
  return calls;
}

VmValue address_value(const MemoryShape& shape, std::uint64_t v) {
  return shape.address == "i64" ? i64(v) : i32(static_cast<std::uint32_t>(v));
}

void expect_loads(Machine& m, const spec::OpcodeInfo& info, const MemoryShape& shape, const Vector& given,
                  std::string_view where, auto want) {
  for (const MemoryCall& c : memory_calls(info.memory_bytes, true)) {
    const Outcome got = m.call(c.func, {address_value(shape, c.address), value(given)});
    const auto place = [&] {
      return fmt::format("{} {}, function {}, address {:#x}", info.text(), where, c.func, c.address);
    };
    ASSERT_EQ(got.trap, c.in_bounds ? TrapCode::none : TrapCode::memory_out_of_bounds) << place();
    if (c.in_bounds) {
      ASSERT_EQ(show(vector_of(got.results[0])), show(want(m.memory(shape.index) + c.effective))) << place();
    }
  }
}

OPCODE_TEST(BaselineSimdMemory, loads_fill_the_vector_and_trap_beyond_the_end) {
  for (const Processor& cpu : processors())
    for (const MemoryShape& shape : kMemories)
      for (const spec::OpcodeInfo& info : spec::kOpcodes) {
        if (info.family != spec::Family::SimdLoad) continue;
        Machine m(fmt::format("(module {} {})", shape.declarations, memory_functions(info, shape, "", "", true)),
                  cpu.features);
        ASSERT_TRUE(m.ok());
        fill(m, shape.index);
        expect_loads(m, info, shape, {}, fmt::format("{} {}", cpu.name, shape.name),
                     [&](const std::uint8_t* from) { return expected_load(info, from); });
      }
}

OPCODE_TEST(BaselineSimdMemory, load_lane_replaces_one_lane) {
  const Vector v = numbered(0x44);
  for (const Processor& cpu : processors())
    for (const MemoryShape& shape : kMemories)
      for (const spec::OpcodeInfo& info : spec::kOpcodes) {
        if (info.family != spec::Family::SimdLoadLane) continue;
        for (unsigned lane = 0; lane < 16u / info.memory_bytes; ++lane) {
          Machine m(fmt::format("(module {} {})", shape.declarations,
                                memory_functions(info, shape, std::to_string(lane), "(local.get 1)", true)),
                    cpu.features);
          ASSERT_TRUE(m.ok());
          fill(m, shape.index);
          expect_loads(m, info, shape, v, fmt::format("lane {} {} {}", lane, cpu.name, shape.name),
                       [&](const std::uint8_t* from) {
                         Vector want = v;
                         std::memcpy(want.data() + lane * info.memory_bytes, from, info.memory_bytes);
                         return want;
                       });
        }
      }
}

void expect_stores(Machine& m, const spec::OpcodeInfo& info, const MemoryShape& shape, const Vector& given,
                   unsigned lane, std::string_view where) {
  const unsigned bytes = info.memory_bytes;
  for (const MemoryCall& c : memory_calls(bytes, false)) {
    fill(m, shape.index);
    std::vector<std::uint8_t> want(m.memory(shape.index), m.memory(shape.index) + kPage);
    if (c.in_bounds) std::memcpy(want.data() + c.effective, given.data() + lane * bytes, bytes);
    const Outcome got = m.call(c.func, {address_value(shape, c.address), value(given)});
    const auto place = [&] {
      return fmt::format("{} {}, function {}, address {:#x}", info.text(), where, c.func, c.address);
    };
    ASSERT_EQ(got.trap, c.in_bounds ? TrapCode::none : TrapCode::memory_out_of_bounds) << place();
    ASSERT_EQ(std::memcmp(m.memory(shape.index), want.data(), kPage), 0) << place();
  }
}

OPCODE_TEST(BaselineSimdMemory, stores_write_nothing_else_and_nothing_beyond_the_end) {
  const Vector v = numbered(0x27);
  for (const Processor& cpu : processors())
    for (const MemoryShape& shape : kMemories)
      for (const spec::OpcodeInfo& info : spec::kOpcodes) {
        const bool whole = info.family == spec::Family::SimdStore;
        if (!whole && info.family != spec::Family::SimdStoreLane) continue;
        for (unsigned lane = 0; lane < (whole ? 1u : 16u / info.memory_bytes); ++lane) {
          Machine m(
              fmt::format("(module {} {})", shape.declarations,
                          memory_functions(info, shape, whole ? "" : std::to_string(lane), "(local.get 1)", false)),
              cpu.features);
          ASSERT_TRUE(m.ok());
          expect_stores(m, info, shape, v, lane, fmt::format("lane {} {} {}", lane, cpu.name, shape.name));
        }
      }
}

TEST(BaselineSimdMemory, a_constant_is_stored) {
  const Vector v = numbered(0x99);
  Machine m(fmt::format("(module (memory 1) (func (v128.store offset=3 (i32.const 40) {})))", constant(v)));
  ASSERT_TRUE(m.ok());
  EXPECT_EQ(m.call(0).trap, TrapCode::none);
  EXPECT_EQ(std::memcmp(m.memory() + 43, v.data(), 16), 0);
}

// ---- on the way

TEST(BaselineSimd, vectors_pass_through_calls_blocks_globals_and_overflowing_arguments) {
  for (const Processor& cpu : processors()) {
    Machine m(R"((module
      (global $g (mut v128) (v128.const i64x2 0 0))
      (func $many (param v128 v128 v128 v128 v128 v128 v128 v128 v128 i32 v128) (result v128 v128 i32)
        (i8x16.sub (local.get 0) (local.get 8)) (i8x16.add (local.get 7) (local.get 10)) (local.get 9))
      (func (export "calls") (param v128 v128) (result v128)
        (local v128 i32)
        (call $many (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
          (local.get 1) (local.get 1) (i32.const 77) (v128.not (local.get 0)))
        (local.set 3) (local.set 2)
        (i32x4.replace_lane 2 (v128.xor (local.get 2)) (local.get 3)))
      (func (export "globals") (param v128 v128) (result v128)
        (global.set $g (i8x16.add (local.get 0) (local.get 1)))
        (i8x16.sub (global.get $g) (local.get 1)))
      (func (export "loop") (param v128 v128) (result v128) (local i32)
        (loop $l (local.set 0 (i8x16.add (local.get 0) (local.get 1)))
          (br_if $l (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 5))))
        (local.get 0))
      (func (export "select") (param v128 v128) (result v128)
        (select (v128.not (local.get 0)) (local.get 1) (v128.any_true (local.get 0))))
      (func (export "many") (param v128 v128) (result v128)
        (block $b (result v128 v128) (local.get 0) (local.get 1) (br_if $b (i32.const 1)) (drop) (drop)
          (local.get 1) (local.get 1))
        (i8x16.sub))
      (func (export "deep") (param v128 v128) (result v128)
        (i8x16.add (v128.not (local.get 0)) (i8x16.add (v128.not (local.get 1)) (i8x16.add (v128.not (local.get 0))
          (i8x16.add (v128.not (local.get 1)) (i8x16.add (v128.not (local.get 0)) (i8x16.add (v128.not (local.get 1))
          (i8x16.add (v128.not (local.get 0)) (i8x16.add (v128.not (local.get 1)) (i8x16.add (v128.not (local.get 0))
          (i8x16.add (v128.not (local.get 1)) (i8x16.add (v128.not (local.get 0)) (i8x16.add (v128.not (local.get 1))
          (i8x16.add (v128.not (local.get 0)) (i8x16.add (v128.not (local.get 1)) (i8x16.add (v128.not (local.get 0))
          (i8x16.add (v128.not (local.get 1)) (i8x16.popcnt (v128.not (local.get 0)))))))))))))))))))))
    )",
              cpu.features);
    ASSERT_TRUE(m.ok());
    const Vector a = numbered(3), b = numbered(0x60);
    const auto run = [&](std::string_view name) {
      const Outcome o = m.call(name, {value(a), value(b)});
      EXPECT_EQ(o.trap, TrapCode::none) << name;
      return show(vector_of(o.results[0]));
    };
    const auto each = [&](auto f) {
      Vector v;
      for (std::size_t i = 0; i < 16; ++i) v[i] = static_cast<std::uint8_t>(f(a[i], b[i]));
      return v;
    };
    Vector calls = each([](int x, int y) { return (x - y) ^ (y + (~x & 0xff)); });
    const std::uint32_t number = 77;
    std::memcpy(calls.data() + 8, &number, 4);
    EXPECT_EQ(run("calls"), show(calls)) << cpu.name;
    EXPECT_EQ(run("globals"), show(a)) << cpu.name;
    EXPECT_EQ(run("loop"), show(each([](int x, int y) { return x + 5 * y; }))) << cpu.name;
    EXPECT_EQ(run("select"), show(each([](int x, int) { return ~x; }))) << cpu.name;
    EXPECT_EQ(run("many"), show(each([](int x, int y) { return x - y; }))) << cpu.name;
    EXPECT_EQ(run("deep"),
              show(each([](int x, int y) { return 8 * ~x + 8 * ~y + std::popcount(static_cast<std::uint8_t>(~x)); })))
        << cpu.name;
  }
}

TEST(BaselineSimd, long_operations_find_registers_when_every_pin_is_taken) {
  // Twelve vector locals, more than there are registers to pin, each used often enough to be worth one; then a chain of
  // operations that hold their operands, a destination and a temporary.
  constexpr int kLocals = 12;
  std::string params, body;
  for (int i = 0; i < kLocals; ++i) params += " v128";
  for (int i = 0; i < kLocals; ++i)
    body += fmt::format("(local.set {0} (i8x16.add (local.get {0}) (local.get {1})))", i, (i + 1) % kLocals);
  std::string chain = "(v128.not (local.get 0))";
  for (int i = 1; i < kLocals; ++i)
    chain = fmt::format(
        "(i64x2.mul (v128.not (local.get {0})) (v128.bitselect (i8x16.shl (local.get {0}) (i32.const {0}))"
        " (v128.not (local.get {0})) {1}))",
        i, chain);
  const std::string wat = fmt::format(
      "(module (func (param{}) (result v128) (local i32) (loop $l {}"
      "(br_if $l (i32.lt_u (local.tee 12 (i32.add (local.get 12) (i32.const 1)))"
      " (i32.const 3)))) {}))",
      params, body, chain);
  std::vector<Vector> locals;
  std::vector<VmValue> arguments;
  for (int i = 0; i < kLocals; ++i) {
    locals.push_back(numbered(static_cast<std::uint8_t>(i * 21 + 1)));
    arguments.push_back(value(locals.back()));
  }
  const auto run = [](std::string_view name, const Vector& a, const Vector& b, const Vector& c, std::uint32_t count) {
    return find_vector_model(name)->run({a, b, c, count});
  };
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < kLocals; ++i) locals[i] = run("i8x16.add", locals[i], locals[(i + 1) % kLocals], {}, 0);
  Vector want = run("v128.not", locals[0], {}, {}, 0);
  for (std::uint32_t i = 1; i < kLocals; ++i) {
    const Vector inverse = run("v128.not", locals[i], {}, {}, 0);
    const Vector mask = want;
    want = run("i64x2.mul", inverse, run("v128.bitselect", run("i8x16.shl", locals[i], {}, {}, i), inverse, mask, 0),
               {}, 0);
  }
  for (const Processor& cpu : processors()) {
    Machine m(wat, cpu.features);
    ASSERT_TRUE(m.ok());
    EXPECT_EQ(show(vector_of(m.call(0, arguments).results[0])), show(want)) << cpu.name;
  }
}

}  // namespace
}  // namespace heddle::baseline::test
