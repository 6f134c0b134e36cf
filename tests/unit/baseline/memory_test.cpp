// Loads and stores of every width: values, sign, the last bytes of the memory and the first beyond, huge offsets; on a
// 32-bit memory 0, on another one, on a 64-bit one, and with constant addresses.
#include <cstring>
#include <fmt/format.h>

#include "spec/opcodes.h"

#include "unit/baseline/machine.h"
#include "unit/baseline/opcode_tests.h"

namespace heddle::baseline::test {
namespace {

constexpr std::uint64_t kPage = 65536;

const char* type_name(char letter) {
  return letter == 'i' ? "i32" : letter == 'I' ? "i64" : letter == 'f' ? "f32" : "f64";
}

struct MemoryShape {
  const char* name;
  const char* declarations;
  const char* use;  // memory operand of an instruction
  const char* address;
  std::uint32_t index;
};
constexpr MemoryShape kMemories[] = {
    {"memory 0", "(memory 1)", "", "i32", 0},
    {"memory 1", "(memory 1) (memory 1)", "1", "i32", 1},
    {"a 64-bit memory", "(memory i64 1)", "", "i64", 0},
    {"a 64-bit memory 1", "(memory 1) (memory i64 1)", "1", "i64", 1},
};

VmValue address(const MemoryShape& shape, std::uint64_t a) {
  return shape.address == std::string_view("i64") ? i64(a) : i32(static_cast<std::uint32_t>(a));
}

std::uint64_t expected_load(const spec::OpcodeInfo& info, const std::uint8_t* at) {
  std::uint64_t raw = 0;
  std::memcpy(&raw, at, info.memory_bytes);
  const bool is_signed = info.text().ends_with("_s");
  if (is_signed) {
    const unsigned shift = 64 - 8 * info.memory_bytes;
    raw = static_cast<std::uint64_t>(static_cast<std::int64_t>(raw << shift) >> shift);
  }
  const char result = info.signature().back();
  return result == 'i' || result == 'f' ? static_cast<std::uint32_t>(raw) : raw;
}

void fill(Machine& m, std::uint32_t index) {
  for (std::uint64_t i = 0; i < kPage; ++i) m.memory(index)[i] = static_cast<std::uint8_t>(i * 37 + (i >> 8) + 0x85);
}

void run_load(const spec::OpcodeInfo& info, const MemoryShape& shape) {
  const unsigned bytes = info.memory_bytes;
  const std::uint64_t last = kPage - bytes;
  const char* result = type_name(info.signature().back());
  const auto func = [&](std::uint64_t offset, const std::string& operand, const char* before = "") {
    return fmt::format("(func (param {0} {0}) (result {1}) {2} ({3} {4} offset={5} {6}))", shape.address, result,
                       before, info.text(), shape.use, offset, operand);
  };
  const auto constant = [&](std::uint64_t a) { return fmt::format("({}.const {})", shape.address, a); };
  std::string wat = fmt::format("(module {} (func $nothing)", shape.declarations);
  wat += func(0, "(local.get 1)");                                                     // 1
  wat += func(16, "(local.get 1)", "(call $nothing)");                                 // 2
  wat += func(last, "(local.get 1)");                                                  // 3
  wat += func(0x7fffffff, "(local.get 1)");                                            // 4
  wat += func(0x80000000, "(local.get 1)");                                            // 5
  wat += func(0xffffffff, "(local.get 1)");                                            // 6
  wat += func(0, constant(last));                                                      // 7
  wat += func(0, constant(last + 1));                                                  // 8
  wat += func(8, constant(0xffffffff));                                                // 9
  wat += func(3, fmt::format("({}.add (local.get 0) (local.get 1))", shape.address));  // 10
  Machine m(wat + ")");
  ASSERT_TRUE(m.ok());
  fill(m, shape.index);
  const auto expect = [&](std::uint32_t f, std::uint64_t a, bool in_bounds, std::uint64_t effective) {
    const auto where = [&] {
      return fmt::format("{} of {}, function {}, address {:#x}", info.text(), shape.name, f, a);
    };
    const Outcome got = m.call(f, {address(shape, 5), address(shape, a)});
    if (!in_bounds) {
      ASSERT_EQ(got.trap, TrapCode::memory_out_of_bounds) << where();
      return;
    }
    ASSERT_EQ(got.trap, TrapCode::none) << where();
    const bool narrow = info.signature().back() == 'i' || info.signature().back() == 'f';
    const std::uint64_t bits = narrow ? got.results[0].i32 : got.results[0].i64;
    ASSERT_EQ(bits, expected_load(info, m.memory(shape.index) + effective)) << where();
  };
  for (std::uint64_t a : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{77}, last - 1, last}) {
    expect(1, a, true, a);
    if (a + 16 <= last) expect(2, a, true, a + 16);
  }
  for (std::uint64_t beyond = last + 1; beyond < last + 20; ++beyond) expect(1, beyond, false, 0);
  expect(1, 0x7fffffff, false, 0);
  expect(1, 0xffffffff, false, 0);
  expect(2, last, false, 0);
  expect(3, 0, true, last);
  expect(3, 1, false, 0);
  expect(3, 0xffffffff, false, 0);
  for (std::uint64_t a : {0u, 1u, 0x80000000u, 0xffffffffu})
    for (std::uint32_t f : {4u, 5u, 6u}) expect(f, a, false, 0);
  expect(7, 0, true, last);
  expect(8, 0, false, 0);
  expect(9, 0, false, 0);
  expect(10, 90, true, 98);
  if (shape.address == std::string_view("i64")) {
    expect(1, ~std::uint64_t{0}, false, 0);
    expect(2, ~std::uint64_t{0} - 15, false, 0);  // wraps to 0 in 64 bits
    expect(1, std::uint64_t{1} << 32, false, 0);
    expect(6, std::uint64_t{0} - 0xffffffff, false, 0);
  }
}

OPCODE_TEST(BaselineMemory, loads_read_their_width_and_trap_beyond_the_end) {
  for (const spec::OpcodeInfo& info : spec::kOpcodes)
    if (info.family == spec::Family::Load)
      for (const MemoryShape& shape : kMemories) run_load(info, shape);
}

void run_store(const spec::OpcodeInfo& info, const MemoryShape& shape) {
  const unsigned bytes = info.memory_bytes;
  const std::uint64_t last = kPage - bytes;
  const char letter = info.signature()[1];
  const char* type = type_name(letter);
  const bool is_float = letter == 'f' || letter == 'F';
  const std::uint64_t word = letter == 'i' || letter == 'f' ? 0xa1b2c3d4u : 0xa1b2c3d4e5f60718u;
  const auto func = [&](std::uint64_t offset, const std::string& operand, const std::string& value) {
    return fmt::format("(func (param {} {}) ({} {} offset={} {} {}))", shape.address, type, info.text(), shape.use,
                       offset, operand, value);
  };
  const auto constant = [&](std::uint64_t v) {
    if (!is_float) return fmt::format("({}.const {})", type, static_cast<std::int64_t>(v));
    return fmt::format("({}.reinterpret_{} ({}.const {}))", type, letter == 'f' ? "i32" : "i64",
                       letter == 'f' ? "i32" : "i64", static_cast<std::int64_t>(v));
  };
  std::string wat = fmt::format("(module {}", shape.declarations);
  wat += func(0, "(local.get 0)", "(local.get 1)");                              // 0
  wat += func(24, "(local.get 0)", "(local.get 1)");                             // 1
  wat += func(0x90000000, "(local.get 0)", "(local.get 1)");                     // 2
  wat += func(0, "(local.get 0)", constant(0x71));                               // 3
  wat += func(0, "(local.get 0)", constant(word));                               // 4
  wat += func(0, fmt::format("({}.const 40)", shape.address), "(local.get 1)");  // 5
  Machine m(wat + ")");
  ASSERT_TRUE(m.ok());
  std::uint8_t* base = m.memory(shape.index);
  const auto expect = [&](std::uint32_t f, std::uint64_t a, bool in_bounds, std::uint64_t effective,
                          std::uint64_t value) {
    const auto where = [&] {
      return fmt::format("{} of {}, function {}, address {:#x}", info.text(), shape.name, f, a);
    };
    std::memset(base, 0xee, kPage);
    const Outcome got = m.call(
        f, {address(shape, a), letter == 'i' || letter == 'f' ? i32(static_cast<std::uint32_t>(word)) : i64(word)});
    if (!in_bounds) {
      ASSERT_EQ(got.trap, TrapCode::memory_out_of_bounds) << where();
      for (std::uint64_t i = kPage - 32; i < kPage; ++i) ASSERT_EQ(base[i], 0xee) << where() << ": nothing is written";
      return;
    }
    ASSERT_EQ(got.trap, TrapCode::none) << where();
    ASSERT_EQ(std::memcmp(base + effective, &value, bytes), 0) << where();
    if (effective > 0) {
      ASSERT_EQ(base[effective - 1], 0xee) << where();
    }
    if (effective + bytes < kPage) {
      ASSERT_EQ(base[effective + bytes], 0xee) << where();
    }
  };
  for (std::uint64_t a : {std::uint64_t{0}, std::uint64_t{3}, last - 24, last}) {
    expect(0, a, true, a, word);
    if (a + 24 <= last) expect(1, a, true, a + 24, word);
    expect(3, a, true, a, 0x71);
    expect(4, a, true, a, word);
  }
  for (std::uint64_t a = last + 1; a < last + 20; ++a)
    for (std::uint32_t f : {0u, 1u, 3u, 4u}) expect(f, a, false, 0, 0);
  for (std::uint64_t a : {0u, 0x70000000u, 0xffffffffu}) expect(2, a, false, 0, 0);
  expect(5, 0, true, 40, word);
  if (shape.address == std::string_view("i64")) expect(1, ~std::uint64_t{0} - 23, false, 0, 0);
}

OPCODE_TEST(BaselineMemory, stores_write_their_width_or_nothing) {
  for (const spec::OpcodeInfo& info : spec::kOpcodes)
    if (info.family == spec::Family::Store)
      for (const MemoryShape& shape : kMemories) run_store(info, shape);
}

OPCODE_TEST(BaselineMemory, size_and_grow_count_pages) {
  Machine m(R"((module (memory 1 10) (memory i64 2 10)
    (func (export "size") (result i32) (memory.size))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "size1") (result i64) (memory.size 1))
    (func (export "grow1") (param i64) (result i64) (memory.grow 1 (local.get 0)))
    (func (export "touch") (param i32) (result i32)
      (drop (memory.grow (i32.const 1)))
      (i32.store (local.get 0) (i32.const 7))
      (i32.load (local.get 0)))))");
  EXPECT_EQ(m.call("size").results[0].i32, 1u);
  EXPECT_EQ(m.call("grow", {i32(2)}).results[0].i32, 1u);
  EXPECT_EQ(m.call("size").results[0].i32, 3u);
  EXPECT_EQ(m.call("grow", {i32(5000)}).results[0].i32, 0xffffffffu);
  EXPECT_EQ(m.call("grow1", {i64(1)}).results[0].i64, 2u);
  EXPECT_EQ(m.call("grow1", {i64(5000)}).results[0].i64, ~std::uint64_t{0});
  EXPECT_EQ(m.call("size1").results[0].i64, 3u);
  EXPECT_EQ(m.last_service, (std::vector<std::uint64_t>{1, 5000}));
  EXPECT_EQ(m.call("touch", {i32(3 * 65536)}).results[0].i32, 7u) << "a grown page is there at once";
}

OPCODE_TEST(BaselineMemory, bulk_instructions_pass_their_operands_and_trap_by_status) {
  Machine m(R"((module (memory 1) (memory 1) (data $d "abcdef")
    (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "copy") (param i32 i32 i32) (memory.copy 1 0 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop") (data.drop $d))
    (func (export "kept") (param i32 f64) (result i32)
      (local i32 i64 f32)
      (local.set 2 (i32.const 11)) (local.set 3 (i64.const 12)) (local.set 4 (f32.const 13))
      (i32.add (local.get 0) (i32.const 1))
      (f64.add (local.get 1) (f64.const 1))
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 1))
      (i32.trunc_f64_s) (i32.mul)
      (i32.add (i32.add (local.get 2) (i32.wrap_i64 (local.get 3))) (i32.trunc_f32_s (local.get 4))) (i32.add))))");
  EXPECT_FALSE(m.call("fill", {i32(10), i32(0x1ff), i32(3)}).trapped());
  EXPECT_EQ(m.last_service, (std::vector<std::uint64_t>{0, 10, 0x1ff, 3}));
  EXPECT_EQ(m.memory()[12], 0xff);
  const Outcome o = m.call("fill", {i32(65535), i32(1), i32(2)});
  EXPECT_EQ(o.trap, TrapCode::memory_out_of_bounds);
  EXPECT_FALSE(m.call("copy", {i32(1), i32(10), i32(3)}).trapped());
  EXPECT_EQ(m.last_service, (std::vector<std::uint64_t>{1, 1, 10, 3}));
  EXPECT_EQ(m.memory(1)[3], 0xff);
  EXPECT_EQ(m.call("copy", {i32(0), i32(0xffffffff), i32(1)}).trap, TrapCode::memory_out_of_bounds);
  EXPECT_FALSE(m.call("init", {i32(100), i32(2), i32(4)}).trapped());
  EXPECT_EQ(std::memcmp(m.memory() + 100, "cdef", 4), 0);
  EXPECT_EQ(m.call("init", {i32(100), i32(2), i32(5)}).trap, TrapCode::memory_out_of_bounds);
  EXPECT_FALSE(m.call("drop").trapped());
  EXPECT_EQ(m.call("kept", {i32(4), f64(6)}).results[0].i32, 5u * 7 + 36) << "values and locals outlive a service";
}

OPCODE_TEST(BaselineMemory, small_copies_and_fills_are_whole_or_nothing) {
  for (const MemoryShape& shape : kMemories) {
    std::string wat = fmt::format("(module {}", shape.declarations);
    const std::string memory = fmt::format("{}", shape.index);
    for (int size = 1; size <= 66; ++size) {
      wat += fmt::format("(func (param {0} {0}) (memory.copy {1} {1} (local.get 0) (local.get 1) ({0}.const {2})))",
                         shape.address, memory, size);
      wat += fmt::format("(func (param {0}) (memory.fill {1} (local.get 0) (i32.const 0x1a5) ({0}.const {2})))",
                         shape.address, memory, size);
    }
    Machine m(wat + ")");
    ASSERT_TRUE(m.ok());
    std::uint8_t* base = m.memory(shape.index);
    std::vector<std::uint8_t> model(kPage);
    const auto same = [&] { return std::memcmp(model.data(), base, kPage) == 0; };
    for (std::uint64_t size = 1; size <= 66; ++size) {
      const auto copy = static_cast<std::uint32_t>(2 * (size - 1)), fill_func = copy + 1;
      fill(m, shape.index);
      std::memcpy(model.data(), base, kPage);
      const std::uint64_t last = kPage - size;
      const std::pair<std::uint64_t, std::uint64_t> good[] = {
          {0, 100}, {1000, 1001}, {2001, 2000}, {3000, 3000 + size / 2}, {4000 + size / 2, 4000}, {last, 5}, {7, last}};
      for (const auto& [dst, src] : good) {
        ASSERT_FALSE(m.call(copy, {address(shape, dst), address(shape, src)}).trapped());
        std::memmove(model.data() + dst, model.data() + src, size);
        ASSERT_TRUE(same()) << size << " bytes " << src << " to " << dst;
      }
      const std::pair<std::uint64_t, std::uint64_t> bad[] = {
          {last + 1, 0}, {0, last + 1}, {kPage, 8}, {kPage - 1 + (size == 1), 8}, {0xffffffff, 0}, {8, 0xffffffff}};
      for (const auto& [dst, src] : bad) {
        ASSERT_EQ(m.call(copy, {address(shape, dst), address(shape, src)}).trap, TrapCode::memory_out_of_bounds);
        ASSERT_TRUE(same()) << size << " bytes " << src << " to " << dst << ": nothing is written";
        ASSERT_EQ(m.call(fill_func, {address(shape, dst > last ? dst : src)}).trap, TrapCode::memory_out_of_bounds);
        ASSERT_TRUE(same()) << size;
      }
      for (std::uint64_t dst : {std::uint64_t{0}, std::uint64_t{33}, last}) {
        ASSERT_FALSE(m.call(fill_func, {address(shape, dst)}).trapped());
        std::memset(model.data() + dst, 0xa5, size);
        ASSERT_TRUE(same()) << size;
      }
    }
  }
}

OPCODE_TEST(BaselineMemory, a_service_that_comes_back_interrupted_traps) {
  Machine m(R"((module (memory 1) (func (export "f") (drop (memory.grow (i32.const 0))))))");
  m.store().interrupt.store(1);
  EXPECT_EQ(m.call("f").trap, TrapCode::interrupted);
}

}  // namespace
}  // namespace heddle::baseline::test
