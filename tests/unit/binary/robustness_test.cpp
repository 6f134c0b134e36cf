// Cut and damaged modules: decoding and reading bodies must end with a module or an error, whatever the bytes say.
// Memory faults show under the asan preset. The damage is the same on every run.
#include <gtest/gtest.h>
#include <random>

#include "binary/body_reader.h"
#include "binary/decoder.h"
#include "binary/expression_scan.h"
#include "binary/names.h"
#include "support/wasm_bytes.h"

namespace heddle::binary {
namespace {

using spec::Features;
using spec::Opcode;
using test::decode;
using test::ModuleBytes;
using test::Wire;
namespace section = test::section;

/// All sections but code, with every kind of import, segment and type.
Wire module_of_all_sections() {
  Encoder names;
  names.name("name").raw({0, 2, 1, 'm', 1, 7, 2, 0, 1, 'a', 1, 1, 'b'});
  return ModuleBytes()
      .add(section::type, {5, 0x60, 0, 0, 0x60, 2, 0x7f, 0x7e, 1, 0x7d, 0x4e, 2, 0x50, 0, 0x5f, 1, 0x63, 3,
                           0, 0x4f, 1, 2, 0x5f, 1, 0x63, 3,    0, 0x5e, 0x77, 1, 0x60, 1, 0x64, 2, 0})
      .add(section::import, {5, 1,    'a', 1, 'f', 0, 1,   1, 'a',  1, 'm', 2, 3, 1,   2, 1,   'a', 1, 'g',
                             3, 0x7e, 1,   1, 'a', 1, 't', 1, 0x70, 1, 1,   2, 1, 'a', 1, 'e', 4,   0, 0})
      .add(section::function, {2, 0, 0})
      .add(section::table, {2, 0x6f, 0, 1, 0x40, 0, 0x70, 0, 3, 0xd2, 1, 0x0b})
      .add(section::memory, {1, 5, 1, 2})
      .add(section::tag, {1, 0, 0})
      .add(section::global, {2, 0x7f, 0, 0x41, 0x2a, 0x0b, 0x70, 1, 0xd2, 2, 0x0b})
      .add(section::export_, {2, 1, 'x', 0, 1, 3, 'm', 'e', 'm', 2, 0})
      .add(section::start, {1})
      .add(section::element,
           {4, 0, 0x41, 0, 0x0b, 2, 1, 2, 3, 0, 1, 1, 4, 0x41, 0, 0x0b, 1, 0xd2, 1, 0x0b, 5, 0x6f, 1, 0xd0, 0x6f, 0x0b})
      .add(section::data_count, {2})
      .code({{2, 3, 0x7f, 1, 0x63, 0, 0x41, 0, 0x28, 2, 0, 0x1a, 0x0b}, {0, 0x01, 0x0b}})
      .add(section::data, {2, 0, 0x41, 0, 0x0b, 2, 'a', 'b', 1, 1, 'c'})
      .add(section::custom, names.bytes())
      .bytes();
}

/// One body with every opcode of the table, its immediates all zero bytes; well-formed, far from valid.
Wire module_of_all_opcodes() {
  Encoder body;
  body.u32(0);
  std::uint32_t open_blocks = 1;
  for (const spec::OpcodeInfo& op : spec::kOpcodes) {
    if (op.opcode == Opcode::end || op.opcode == Opcode::delegate) continue;
    body.op(op.opcode);
    std::size_t zeros = 0;
    switch (op.imm) {
      case spec::ImmKind::none: break;
      case spec::ImmKind::block_type:
        ++open_blocks;
        zeros = 1;
        break;
      case spec::ImmKind::try_table:
        ++open_blocks;
        zeros = 2;
        break;
      case spec::ImmKind::call_indirect:
      case spec::ImmKind::br_table:
      case spec::ImmKind::table_copy:
      case spec::ImmKind::table_init:
      case spec::ImmKind::memory_copy:
      case spec::ImmKind::memory_init:
      case spec::ImmKind::memarg:
      case spec::ImmKind::type_field:
      case spec::ImmKind::type_len:
      case spec::ImmKind::type_data:
      case spec::ImmKind::type_elem:
      case spec::ImmKind::type_type: zeros = 2; break;
      case spec::ImmKind::memarg_lane: zeros = 3; break;
      case spec::ImmKind::br_on_cast:
      case spec::ImmKind::f32_const: zeros = 4; break;
      case spec::ImmKind::f64_const: zeros = 8; break;
      case spec::ImmKind::shuffle:
      case spec::ImmKind::v128_const: zeros = 16; break;
      default: zeros = 1; break;
    }
    body.raw(Wire(zeros, 0));
  }
  body.raw(Wire(open_blocks, 0x0b));
  return ModuleBytes()
      .add(section::type, {1, 0x60, 0, 0})
      .add(section::function, {1, 0})
      .add(section::data_count, {0})
      .code({body.bytes()})
      .bytes();
}

struct Tally {
  int modules = 0;
  int errors = 0;
};

/// Everything that may be done with bytes nobody vouches for. Checks that ranges lie inside the module.
void use(const Wire& bytes, Tally& tally) {
  const auto result = decode(bytes, Features::all());
  if (!result.ok()) {
    ++tally.errors;
    EXPECT_FALSE(result.error().message.empty());
    EXPECT_LE(result.error().offset, bytes.size());
    return;
  }
  ++tally.modules;
  const module::Module& m = **result;
  for (const module::Body& body : m.bodies) {
    EXPECT_LE(body.range.end, bytes.size());
    const base::Status status = scan_body(m, body);
    EXPECT_LE(status.ok() ? 0 : status.error().offset, bytes.size());
  }
  for (const module::DataSegment& data : m.datas) EXPECT_LE(data.bytes.end, bytes.size());
  EXPECT_EQ(m.declared_funcs.size(), m.functions.size());
  EXPECT_EQ(m.canonical.by_index.size(), m.types.size());
  const Names names = read_names(m);
  for (std::uint32_t f = 0; f < m.functions.size(); ++f) (void)function_name(m, names, spec::FuncIndex(f));
  (void)read_producers(m);
}

std::vector<Wire> seeds() {
  return {module_of_all_sections(), module_of_all_opcodes()};
}

TEST(Robustness, the_seeds_themselves_are_well_formed) {
  for (const Wire& seed : seeds()) {
    const auto result = decode(seed, Features::all());
    ASSERT_TRUE(result.ok()) << result.error().message << " at " << result.error().offset;
    for (const module::Body& body : (*result)->bodies) {
      const base::Status status = scan_body(**result, body);
      EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
    }
  }
}

TEST(Robustness, every_prefix_of_a_module_is_an_error_or_a_module) {
  for (const Wire& seed : seeds()) {
    Tally tally;
    // A copy of the exact size, so that the sanitizer sees reads beyond the end.
    for (std::size_t size = 0; size < seed.size(); ++size)
      use(Wire(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(size)), tally);
    EXPECT_GT(tally.errors, tally.modules);
  }
}

TEST(Robustness, every_flipped_bit_gives_an_error_or_a_module) {
  for (const Wire& seed : seeds()) {
    Tally tally;
    for (std::size_t bit = 0; bit < seed.size() * 8; ++bit) {
      Wire damaged = seed;
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
      use(damaged, tally);
    }
    EXPECT_GT(tally.errors, 0);
    EXPECT_GT(tally.modules, 0);
  }
}

TEST(Robustness, random_damage_of_many_bytes_gives_an_error_or_a_module) {
  std::minstd_rand random(20240607);
  const auto below = [&random](std::size_t end) { return static_cast<std::size_t>(random()) % end; };
  // Bytes that begin or end something are likelier to lead somewhere than others.
  const Wire likely = {0x00, 0x01, 0x0b, 0x40, 0x60, 0x63, 0x70, 0x7f, 0x80, 0xfc, 0xfd, 0xff};
  Tally tally;
  for (int round = 0; round < 4'000; ++round) {
    Wire damaged = seeds()[below(2)];
    for (std::size_t edits = 1 + below(6); edits > 0; --edits) {
      const auto at = damaged.begin() + static_cast<std::ptrdiff_t>(8 + below(damaged.size() - 8));
      const std::uint8_t value = below(2) == 0 ? likely[below(likely.size())] : static_cast<std::uint8_t>(random());
      switch (below(3)) {
        case 0: *at = value; break;
        case 1: damaged.insert(at, value); break;
        default: damaged.erase(at); break;
      }
    }
    use(damaged, tally);
  }
  EXPECT_EQ(tally.errors + tally.modules, 4'000);
  EXPECT_GT(tally.modules, 0);
}

}  // namespace
}  // namespace heddle::binary
