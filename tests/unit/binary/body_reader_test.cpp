#include "binary/body_reader.h"

#include <gtest/gtest.h>

#include "binary/expression_scan.h"
#include "spec/limits.h"
#include "support/wasm_bytes.h"

namespace heddle::binary {
namespace {

using base::Error;
using base::ErrorKind;
using spec::Feature;
using spec::Features;
using spec::Opcode;
using test::Wire;

/// A module that is nothing but these bytes, to be read as instructions.
struct Bytes {
  explicit Bytes(Wire bytes, Features features = Features::standard()) {
    m.wire = std::make_shared<module::OwnedBytes>(std::move(bytes));
    m.features = features;
    m.has_data_count = true;
  }
  BodyReader reader() const { return BodyReader(m, {0, m.bytes().size()}); }
  module::Module m;
};

template <class Immediate>
Immediate read(const Wire& bytes, Features features = Features::standard()) {
  const Bytes all(bytes, features);
  BodyReader reader = all.reader();
  Immediate immediate;
  Error error;
  EXPECT_TRUE(reader.read(immediate, error)) << error.message;
  EXPECT_TRUE(reader.at_end()) << "bytes left over";
  return immediate;
}

template <class Immediate>
std::string fault(const Wire& bytes, Features features = Features::standard()) {
  const Bytes all(bytes, features);
  BodyReader reader = all.reader();
  Immediate immediate;
  Error error;
  return reader.read(immediate, error) ? "read" : error.message;
}

std::string opcode_fault(const Wire& bytes, Features features = Features::standard()) {
  const Bytes all(bytes, features);
  BodyReader reader = all.reader();
  Opcode opcode{};
  Error error;
  return reader.read_opcode(opcode, error) ? "read" : error.message;
}

TEST(BodyReader, every_opcode_of_the_table_is_read_if_its_feature_is_on_and_only_then) {
  for (const spec::OpcodeInfo& op : spec::kOpcodes) {
    const Bytes all(Encoder().op(op.opcode).bytes(), Features().with(op.feature));
    BodyReader reader = all.reader();
    Opcode opcode{};
    Error error;
    ASSERT_TRUE(reader.read_opcode(opcode, error)) << op.text() << ": " << error.message;
    EXPECT_EQ(opcode, op.opcode);
    EXPECT_TRUE(reader.at_end());
    const std::string off = opcode_fault(Encoder().op(op.opcode).bytes(), Features::all().without(op.feature));
    EXPECT_EQ(off.substr(0, 14), "illegal opcode") << op.text();
    EXPECT_NE(off.find(spec::feature_name(op.feature)), std::string::npos) << off;
  }
}

TEST(BodyReader, unknown_opcodes_are_illegal) {
  EXPECT_EQ(opcode_fault({0xff}), "illegal opcode ff");
  EXPECT_EQ(opcode_fault({0x27}), "illegal opcode 27");
  EXPECT_EQ(opcode_fault({0xfc, 0x20}), "illegal opcode fc 20");
  EXPECT_EQ(opcode_fault({0xfd, 0xff, 0xff, 0xff, 0xff, 0x0f}), "illegal opcode");
  EXPECT_EQ(opcode_fault({0xfc, 0x87, 0x80, 0x80, 0x80, 0x80, 0}), "integer representation too long");
  EXPECT_EQ(opcode_fault({0xfc}), "unexpected end of section or function");
}

TEST(BodyReader, sub_opcodes_may_be_padded) {
  EXPECT_EQ(opcode_fault({0xfc, 0x87, 0x80, 0x80, 0x80, 0}), "read");
}

// What the suite expects where a body has no `end`: it depends on the byte behind the body.
TEST(BodyReader, end_of_the_range_is_named_by_what_follows_it) {
  const auto at_end_of_first_byte = [](const Wire& bytes) {
    const Bytes all(bytes);
    BodyReader reader(all.m, {0, 1});
    Opcode opcode{};
    Error error;
    EXPECT_TRUE(reader.read_opcode(opcode, error));
    EXPECT_FALSE(reader.read_opcode(opcode, error));
    return error.message;
  };
  EXPECT_EQ(at_end_of_first_byte({0x01}), "unexpected end of section or function");
  EXPECT_EQ(at_end_of_first_byte({0x01, 0x05}), "END opcode expected");
  EXPECT_EQ(at_end_of_first_byte({0x01, 0x0b}).substr(0, 21), "section size mismatch");
}

TEST(BodyReader, immediate_that_crosses_the_end_of_the_range_is_followed_by_an_error) {
  const Bytes all(Wire{0x41, 0x80, 0x00, 0x0b});
  BodyReader reader(all.m, {0, 2});
  Opcode opcode{};
  Error error;
  imm::I32Const value;
  ASSERT_TRUE(reader.read_opcode(opcode, error));
  ASSERT_TRUE(reader.read(value, error));
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.read_opcode(opcode, error));
}

TEST(BodyReader, constants_keep_their_bits) {
  EXPECT_EQ(read<imm::I32Const>({0x7f}).value, -1);
  EXPECT_EQ(read<imm::I64Const>({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f}).value, INT64_MIN);
  EXPECT_EQ(read<imm::F32Const>({1, 0, 0xa0, 0x7f}).bits, 0x7fa00001u) << "a signalling NaN";
  EXPECT_EQ(read<imm::F64Const>({1, 0, 0, 0, 0, 0, 0xf4, 0x7f}).bits, 0x7ff4000000000001u);
  EXPECT_EQ(fault<imm::F64Const>({1, 2, 3}), "unexpected end of section or function");
  Wire lanes(16, 0);
  lanes[15] = 31;
  EXPECT_EQ(read<imm::Shuffle>(lanes).lanes[15], 31);
  EXPECT_EQ(read<imm::V128Const>(lanes).bytes[15], 31);
  lanes.pop_back();
  EXPECT_EQ(fault<imm::V128Const>(lanes), "unexpected end of section or function");
}

TEST(BodyReader, block_types) {
  using Form = imm::BlockType::Form;
  EXPECT_EQ(read<imm::BlockType>({0x40}).form, Form::empty);
  EXPECT_EQ(read<imm::BlockType>({0x7f}).value, spec::kI32);
  EXPECT_EQ(read<imm::BlockType>({0x63, 0x02}).value, spec::ValType::ref(spec::HeapType(spec::TypeIndex(2u)), true));
  EXPECT_EQ(read<imm::BlockType>({0xc0, 0x00}).type.value, 64u);
  EXPECT_EQ(read<imm::BlockType>({0x05}).form, Form::type_index);
  EXPECT_EQ(fault<imm::BlockType>({0x41}), "malformed value type: 0x41");
  EXPECT_EQ(fault<imm::BlockType>({0xff, 0x7f}), "malformed block type");
  EXPECT_EQ(fault<imm::BlockType>({0x05}, Features::standard().without(Feature::multi_value)),
            "malformed block type: needs the feature multi-value, which is off");
}

// https://webassembly.github.io/spec/core/binary/instructions.html#memory-instructions
TEST(BodyReader, memarg_names_a_memory_by_bit_6_of_its_flags) {
  const auto plain = read<imm::MemArg>({2, 0x90, 1});
  EXPECT_EQ(plain.align_log2, 2u);
  EXPECT_EQ(plain.memory.value, 0u);
  EXPECT_EQ(plain.offset, 144u);
  const auto second = read<imm::MemArg>({0x43, 9, 16});
  EXPECT_EQ(second.align_log2, 3u);
  EXPECT_EQ(second.memory.value, 9u);
  EXPECT_EQ(second.offset, 16u);
  EXPECT_EQ(read<imm::MemArgLane>({0x40, 1, 2, 3}).lane, 3);
  EXPECT_EQ(read<imm::MemArg>({0x3f, 0}).align_log2, 63u) << "too large an alignment is validation's";
  EXPECT_EQ(fault<imm::MemArg>({0x80, 1, 0}), "malformed memop flags: 0x80");
  EXPECT_EQ(fault<imm::MemArg>({0x40, 0, 0}, Features::standard().without(Feature::multi_memory)),
            "malformed memop flags: 0x40");
}

TEST(BodyReader, memarg_offset_is_64_bits_wide_with_memory64) {
  const Wire wide = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
  EXPECT_EQ(read<imm::MemArg>(wide).offset, UINT64_MAX);
  EXPECT_EQ(fault<imm::MemArg>(wide, Features::standard().without(Feature::memory64)),
            "integer representation too long");
}

TEST(BodyReader, indices_that_used_to_be_reserved_are_zero_bytes_without_their_proposal) {
  const Features old = Features().with(Feature::bulk_memory);
  EXPECT_EQ(read<imm::Memory>({3}).memory.value, 3u);
  EXPECT_EQ(fault<imm::Memory>({3}, old), "zero byte expected");
  EXPECT_EQ(fault<imm::Memory>({0x80, 0}, old), "zero byte expected");
  EXPECT_EQ(fault<imm::MemoryCopy>({0, 1}, old), "zero byte expected");
  EXPECT_EQ(fault<imm::CallIndirect>({0, 1}, old), "zero byte expected");
  EXPECT_EQ(read<imm::CallIndirect>({4, 1}).table.value, 1u);
  EXPECT_EQ(fault<imm::Fence>({1}), "zero byte expected");
}

TEST(BodyReader, order_of_two_indices_is_that_of_the_binary_format) {
  const auto table_init = read<imm::TableInit>({1, 2});
  EXPECT_EQ(table_init.elem.value, 1u);
  EXPECT_EQ(table_init.table.value, 2u);
  const auto memory_init = read<imm::MemoryInit>({1, 2});
  EXPECT_EQ(memory_init.data.value, 1u);
  EXPECT_EQ(memory_init.memory.value, 2u);
  const auto table_copy = read<imm::TableCopy>({1, 2});
  EXPECT_EQ(table_copy.dst.value, 1u);
  EXPECT_EQ(table_copy.src.value, 2u);
  const auto array_copy = read<imm::TypeType>({1, 2});
  EXPECT_EQ(array_copy.dst.value, 1u);
  EXPECT_EQ(array_copy.src.value, 2u);
}

TEST(BodyReader, data_indices_need_the_data_count_section) {
  Bytes all(Wire{0, 0});
  all.m.has_data_count = false;
  Error error;
  imm::MemoryInit init;
  imm::Data drop;
  imm::TypeData array_data;
  EXPECT_FALSE(all.reader().read(init, error));
  EXPECT_EQ(error.message, "data count section required");
  EXPECT_EQ(error.kind, ErrorKind::malformed);
  EXPECT_FALSE(all.reader().read(drop, error));
  EXPECT_FALSE(all.reader().read(array_data, error));
}

TEST(BodyReader, branch_table_holds_its_targets_and_the_default) {
  const Bytes all(Wire{2, 5, 6, 7});
  BodyReader reader = all.reader();
  imm::BrTable table;
  Error error;
  ASSERT_TRUE(reader.read(table, error));
  ASSERT_EQ(table.targets.size(), 2u);
  EXPECT_EQ(table.targets[1], 6u);
  EXPECT_EQ(table.default_target.value, 7u);
}

TEST(BodyReader, vectors_longer_than_the_body_are_refused_before_memory_is_reserved) {
  const Wire huge = {0xff, 0xff, 0xff, 0xff, 0x0f, 0};
  EXPECT_EQ(fault<imm::BrTable>(huge), "unexpected end of section or function");
  EXPECT_EQ(fault<imm::SelectTypes>(huge), "unexpected end of section or function");
  Wire try_table = {0x40};
  try_table.insert(try_table.end(), huge.begin(), huge.end());
  EXPECT_EQ(fault<imm::TryTable>(try_table), "unexpected end of section or function");
  const Bytes all(huge);
  EXPECT_EQ(all.reader().local_runs(0).error().message, "unexpected end of section or function");
}

TEST(BodyReader, catch_clauses_have_a_tag_only_if_they_name_one) {
  const Bytes all(Wire{0x40, 4, 0, 1, 2, 1, 3, 4, 2, 5, 3, 6});
  BodyReader reader = all.reader();
  imm::TryTable table;
  Error error;
  ASSERT_TRUE(reader.read(table, error)) << error.message;
  ASSERT_EQ(table.catches.size(), 4u);
  EXPECT_EQ(table.catches[1].kind, imm::Catch::Kind::catch_ref);
  EXPECT_EQ(table.catches[1].tag.value, 3u);
  EXPECT_EQ(table.catches[1].label.value, 4u);
  EXPECT_EQ(table.catches[2].kind, imm::Catch::Kind::catch_all);
  EXPECT_EQ(table.catches[2].label.value, 5u);
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(fault<imm::TryTable>({0x40, 1, 4, 0}), "malformed catch clause: 0x04");
}

TEST(BodyReader, casts_name_both_types_and_their_nullability) {
  const auto cast = read<imm::BrOnCast>({2, 7, 0x6e, 0x05});
  EXPECT_EQ(cast.depth.value, 7u);
  EXPECT_EQ(cast.from, spec::ValType::ref(spec::HeapType::any, false));
  EXPECT_EQ(cast.to, spec::ValType::ref(spec::HeapType(spec::TypeIndex(5u)), true));
  EXPECT_EQ(fault<imm::BrOnCast>({4, 7, 0x6e, 0x05}), "malformed br_on_cast flags: 0x04");
}

TEST(BodyReader, locals_come_in_runs) {
  const Bytes all(Wire{2, 3, 0x7f, 0, 0x7e, 0x0b});
  BodyReader reader = all.reader();
  const auto runs = reader.local_runs(1);
  ASSERT_TRUE(runs.ok());
  ASSERT_EQ(runs->size(), 2u);
  EXPECT_EQ((*runs)[0].count, 3u);
  EXPECT_EQ((*runs)[0].type, spec::kI32);
  EXPECT_EQ((*runs)[1].count, 0u);
}

TEST(BodyReader, too_many_locals_are_malformed_beyond_32_bits_and_a_limit_below) {
  const auto locals = [](std::uint32_t params, std::initializer_list<std::uint32_t> counts) {
    Encoder runs;
    runs.u32(static_cast<std::uint32_t>(counts.size()));
    for (const std::uint32_t count : counts) runs.u32(count).byte(0x7f);
    const Bytes all(runs.bytes());
    const auto result = all.reader().local_runs(params);
    return result.ok() ? Error{ErrorKind::io, 0, "read"} : result.error();
  };
  EXPECT_EQ(locals(0, {spec::kMaxFunctionLocals}).message, "read");
  const Error limit = locals(1, {spec::kMaxFunctionLocals});
  EXPECT_EQ(limit.kind, ErrorKind::limit);
  EXPECT_EQ(limit.message.substr(0, 15), "too many locals");
  const Error malformed = locals(0, {0xffffffff, 2});
  EXPECT_EQ(malformed.kind, ErrorKind::malformed);
  EXPECT_EQ(malformed.message.substr(0, 15), "too many locals");
}

/// Counts what the walk meets, by family.
class Counter : public CategoryVisitor<Counter> {
 public:
  template <class Immediate>
  base::Status count(Opcode opcode, const Immediate&) {
    opcodes.push_back(opcode);
    return {};
  }
#define FAMILY(name)                                             \
  template <class Immediate>                                     \
  base::Status on_##name(Opcode opcode, const Immediate& imm_) { \
    families.push_back(#name);                                   \
    return count(opcode, imm_);                                  \
  }
  // clang-format off
  FAMILY(Control) FAMILY(Parametric) FAMILY(Variable) FAMILY(Const) FAMILY(Unary)
  FAMILY(Binary) FAMILY(Test) FAMILY(Compare) FAMILY(Convert) FAMILY(Load)
  FAMILY(Store) FAMILY(Memory) FAMILY(Table) FAMILY(Reference) FAMILY(Exception)
  FAMILY(AtomicLoad) FAMILY(AtomicStore) FAMILY(AtomicRmw) FAMILY(AtomicCmpxchg) FAMILY(AtomicWait)
  FAMILY(AtomicNotify) FAMILY(AtomicFence) FAMILY(Wide) FAMILY(Gc) FAMILY(SimdLoad)
  FAMILY(SimdStore) FAMILY(SimdLoadLane) FAMILY(SimdStoreLane) FAMILY(SimdConst) FAMILY(SimdShuffle)
  FAMILY(SimdSplat) FAMILY(SimdExtractLane) FAMILY(SimdReplaceLane) FAMILY(SimdUnary) FAMILY(SimdBinary)
  FAMILY(SimdTernary) FAMILY(SimdShift) FAMILY(SimdTest)
  // clang-format on
#undef FAMILY
      /// One opcode singled out of its family.
      base::Status on_i32_const(const imm::I32Const& constant) {
    last_constant = constant.value;
    return {};
  }
  std::vector<Opcode> opcodes;
  std::vector<std::string> families;
  std::int32_t last_constant = 0;
};

TEST(WalkInstruction, calls_the_handler_of_the_opcode_else_of_its_family) {
  const Bytes all(Wire{0x20, 0, 0x41, 5, 0x6a, 0x45, 0x0b});
  BodyReader reader = all.reader();
  Counter counter;
  while (!reader.at_end()) ASSERT_TRUE(walk_instruction(reader, counter).ok());
  EXPECT_EQ(counter.opcodes, (std::vector<Opcode>{Opcode::local_get, Opcode::i32_add, Opcode::i32_eqz, Opcode::end}));
  EXPECT_EQ(counter.families, (std::vector<std::string>{"Variable", "Binary", "Test", "Control"}));
  EXPECT_EQ(counter.last_constant, 5);
}

TEST(ScanBody, finds_the_first_malformed_instruction) {
  const auto scan = [](const Wire& body) {
    const Bytes all(body);
    const base::Status status = scan_body(all.m, {{0, static_cast<std::uint32_t>(body.size())}});
    return status.ok() ? std::string("well-formed") : status.error().message;
  };
  EXPECT_EQ(scan({0, 0x02, 0x40, 0x0b, 0x0b}), "well-formed");
  EXPECT_EQ(scan({0, 0x02, 0x40, 0x0b}), "unexpected end of section or function");
  EXPECT_EQ(scan({0, 0x0b, 0x0b}), "END opcode expected");
  EXPECT_EQ(scan({1, 1, 0x40, 0x0b}), "malformed value type: 0x40");
  EXPECT_EQ(scan({}), "unexpected end of section or function");
}

}  // namespace
}  // namespace heddle::binary
