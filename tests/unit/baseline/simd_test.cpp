// Every operation on whole vectors, with the edge values of its lanes in all pairs, for every processor that the tier
// treats on its own, and with operands and result in each kind of place: constants, pinned locals, frame slots,
// temporaries, the same value twice, the result in an operand's local.
#include <algorithm>

#include "spec/opcodes.h"

#include "unit/baseline/opcode_tests.h"
#include "unit/baseline/simd_support.h"

namespace heddle::baseline::test {
namespace {

struct Edges {
  std::string_view shape;
  unsigned lane_bytes;
  std::vector<std::uint64_t> values;
};

const std::vector<Edges>& all_edges() {
  static const std::vector<Edges> edges = {
      {"i8x16", 1, {0, 1, 2, 7, 15, 16, 17, 0x3f, 0x7e, 0x7f, 0x80, 0x81, 0xaa, 0xf0, 0xfe, 0xff}},
      {"i16x8",
       2,
       {0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x4000, 0x5a5a, 0x7fff, 0x8000, 0x8001, 0xc000, 0xff7f, 0xff80, 0xff00,
        0xfffe, 0xffff}},
      {"i32x4", 4, {0,          1,          2,          0x7fff,     0x8000,     0xffff,     0x10000,
                    0x1000001,  0x7fffff80, 0x7fffffff, 0x80000000, 0x80000001, 0x80000080, 0x80000180,
                    0xffff7fff, 0xffff8000, 0xffffff00, 0xfffffffe, 0xffffffff, 0x12345678}},
      {"i64x2",
       8,
       {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000001, 0x123456789abcdef0, 0x7fffffffffffffff,
        0x8000000000000000, 0x8000000000000001, 0xffffffff00000000, 0xffffffff7fffffff, 0xffffffff80000000,
        0xfffffffffffffffe, 0xffffffffffffffff}},
      {"f32x4", 4, {0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x00800000, 0x3f800000, 0xbf800000, 0x3f000000,
                    0xbf000000, 0x3f7fffff, 0x40200000, 0xc0200000, 0x3fc00000, 0x4b000001, 0x4effffff, 0x4f000000,
                    0x4f000001, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000, 0x7f7fffff, 0xff7fffff, 0x7f800000,
                    0xff800000, 0x7fc00000, 0xffc00000, 0x7fa00000, 0xff800001, 0x40490fdb}},
      {"f64x2", 8, {0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x8010000000000000, 0x3ff0000000000000,
                    0xbff0000000000000, 0x3fe0000000000000, 0xbfe0000000000000, 0x3fefffffffffffff, 0x4004000000000000,
                    0xc004000000000000, 0x3ff8000000000000, 0x36a0000000000001, 0x47efffffefffffff, 0x47effffff0000000,
                    0x41dfffffffc00000, 0x41dfffffffe00000, 0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000100000,
                    0xc1e0000000200000, 0x41efffffffe00000, 0x41effffffff00000, 0x41f0000000000000, 0x4330000000000001,
                    0x7fefffffffffffff, 0xffefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
                    0xfff8000000000000, 0x7ff4000000000000}},
  };
  return edges;
}

/// Lanes of the edge values from `first` on.
Vector window(const Edges& e, std::size_t first) {
  Vector v;
  for (std::size_t i = 0; i < 16 / e.lane_bytes; ++i)
    std::memcpy(v.data() + i * e.lane_bytes, &e.values[(first + i) % e.values.size()], e.lane_bytes);
  return v;
}

/// Operands in which every pair of edge values meets, for each shape that the operation's name speaks of; and noise.
std::vector<VectorOperands> operands_for(std::string_view name) {
  static RandomVectors random;
  std::vector<VectorOperands> all;
  for (const Edges& e : all_edges()) {
    if (name.find(e.shape) == std::string_view::npos) continue;
    const std::size_t lanes = 16 / e.lane_bytes, n = e.values.size();
    for (std::size_t at = 0; at < n; at += lanes)
      for (std::size_t shift = 0; shift < n; ++shift)
        all.push_back({window(e, at), window(e, at + shift), window(e, 3 * at + 2 * shift)});
  }
  for (int i = 0; i < 12; ++i) all.push_back({random.next(), random.next(), random.next()});
  return all;
}

// ---- functions around one operation; each takes (v128 v128 v128 i32)

struct Form {
  std::string_view name;
  std::string_view a, b, c;  ///< the operands
  std::string_view around;   ///< {op} is the operation
  int same = 0;              ///< operands that equal the first: 0, 1 (b) or 2 (b and c)
};

constexpr std::string_view kPinned =
    "(drop (local.get 0)) (drop (local.get 0)) (drop (local.get 1)) (drop (local.get 1)) "
    "(drop (local.get 2)) (drop (local.get 2)) (drop (local.get 3)) (drop (local.get 3)) ";
#define NOT_NOT(x) "(v128.not (v128.not " x "))"
const Form kForms[] = {
    {"locals in the frame", "(local.get 0)", "(local.get 1)", "(local.get 2)", "{op}"},
    {"pinned locals", "(local.get 0)", "(local.get 1)", "(local.get 2)", "{pinned} {op}"},
    {"temporaries", NOT_NOT("(local.get 0)"), NOT_NOT("(local.get 1)"), NOT_NOT("(local.get 2)"), "{op}"},
    {"first temporary", NOT_NOT("(local.get 0)"), "(local.get 1)", "(local.get 2)", "{pinned} {op}"},
    {"second temporary", "(local.get 0)", NOT_NOT("(local.get 1)"), "(local.get 2)", "{pinned} {op}"},
    {"operands around a call", NOT_NOT("(local.get 0)"), NOT_NOT("(local.get 1)"),
     "(block (result v128) (call $nothing) " NOT_NOT("(local.get 2)") ")", "{op}"},
    {"in slots", "(block (result v128) " NOT_NOT("(local.get 0)") " (call $nothing))",
     "(block (result v128) " NOT_NOT("(local.get 1)") " (call $nothing))",
     "(block (result v128) (call $nothing) (local.get 2))", "{op}"},
    {"result in the first local", "(local.get 0)", "(local.get 1)", "(local.get 2)",
     "{pinned} (local.set {result0} {op}) (local.get {result0})"},
    {"result in the second local", "(local.get 0)", "(local.get 1)", "(local.get 2)",
     "{pinned} (local.set {result1} {op}) (local.get {result1})"},
    {"result in the third local", "(local.get 0)", "(local.get 1)", "(local.get 2)",
     "{pinned} (local.set {result2} {op}) (local.get {result2})"},
    {"the second local, first in a slot", "(block (result v128) " NOT_NOT("(local.get 0)") " (call $nothing))",
     "(local.get 1)", "(local.get 2)", "{pinned} (local.set {result1} {op}) (local.get {result1})"},
    {"the same local twice", "(local.get 0)", "(local.get 0)", "(local.get 2)", "{pinned} {op}", 1},
    {"the same local everywhere", "(local.get 0)", "(local.get 0)", "(local.get 0)",
     "{pinned} (local.set {result0} {op}) (local.get {result0})", 2},
    {"the local still on the stack", "(local.get 0)", "(local.get 1)", "(local.get 2)",
     "{pinned} (local.get 0) (local.get 1) (local.set {result0} {op}) drop drop (local.get {result0})"},
};

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// "vv:v": the operands' letters and the result's.
struct Signature {
  explicit Signature(const spec::OpcodeInfo& info) : operands(info.signature().substr(0, info.signature().find(':'))) {
    to_i32 = info.signature().back() == 'i';
    is_shift = operands == "vi";
  }
  std::string_view operands;
  bool to_i32 = false, is_shift = false;
};

std::string operation(const spec::OpcodeInfo& info, std::string_view a, std::string_view b, std::string_view c) {
  const Signature s(info);
  if (s.is_shift) return fmt::format("({} {} (local.get 3))", info.text(), a);
  return fmt::format("({} {} {} {})", info.text(), a, s.operands.size() > 1 ? b : "", s.operands.size() > 2 ? c : "");
}

std::string function(const spec::OpcodeInfo& info, const Form& form) {
  // An i32 result goes to the locals 4, 5, 6 instead.
  const bool to_i32 = Signature(info).to_i32;
  std::string body = replaced(std::string(form.around), "{op}", operation(info, form.a, form.b, form.c));
  body = replaced(body, "{pinned}", kPinned);
  for (int i = 0; i < 3; ++i) body = replaced(body, fmt::format("{{result{}}}", i), std::to_string(to_i32 ? 4 + i : i));
  return fmt::format("(func (param v128 v128 v128 i32) (result {}) (local i32 i32 i32) {})", to_i32 ? "i32" : "v128",
                     body);
}

void expect_result(Machine& m, std::uint32_t func, const spec::OpcodeInfo& info, const VectorModel& model,
                   const VectorOperands& given, int same, std::string_view where) {
  VectorOperands o = given;
  if (same > 0) o.b = o.a;
  if (same > 1) o.c = o.a;
  const Vector want = model.run(o);
  const Outcome out = m.call(func, {value(given.a), value(given.b), value(given.c), i32(given.count)});
  ASSERT_EQ(out.trap, TrapCode::none) << info.text() << ", " << where;
  Vector got = vector_of(out.results[0]);
  if (Signature(info).to_i32) std::fill(got.begin() + 4, got.end(), std::uint8_t{0});
  ASSERT_TRUE(matches(model, got, want)) << info.text() << ", " << where << "\n a    " << show(o.a) << "\n b    "
                                         << show(o.b) << "\n c    " << show(o.c) << "\n count " << o.count << "\n want "
                                         << show(want) << "\n got  " << show(got);
}

constexpr std::uint32_t kCounts[] = {0,  1,  2,  7,  8,  9,  13, 15,  16,         17,        31,
                                     32, 33, 62, 63, 64, 65, 96, 127, 0x80000007, 0xffffffff};

void run_forms(const spec::OpcodeInfo& info, const VectorModel& model, const Processor& cpu) {
  std::string wat = "(module (func $nothing)";
  for (const Form& form : kForms) wat += function(info, form);
  Machine m(wat + ")", cpu.features);
  ASSERT_TRUE(m.ok());
  std::size_t round = 0;
  for (VectorOperands& o : operands_for(info.text())) {
    o.fused = cpu.features.fma;
    o.count = kCounts[round % std::size(kCounts)];
    const bool every_form = round++ % 8 == 0;
    std::uint32_t func = 1;
    for (const Form& form : kForms) {
      if (every_form || func == 1)
        expect_result(m, func, info, model, o, form.same, fmt::format("{}: {}", cpu.name, form.name));
      if (testing::Test::HasFatalFailure()) return;
      ++func;
    }
  }
}

/// Constants in each place, and constant shift counts.
void run_constants(const spec::OpcodeInfo& info, const VectorModel& model, const Processor& cpu) {
  const Signature s(info);
  const std::string result = s.to_i32 ? "i32" : "v128";
  std::vector<VectorOperands> cases = operands_for(info.text());
  std::vector<VectorOperands> used;
  std::string wat = "(module";
  const auto add = [&](const VectorOperands& o, const std::string& op) {
    wat += fmt::format("(func (param v128 v128 v128 i32) (result {}) {} {})", result, kPinned, op);
    used.push_back(o);
    used.back().fused = cpu.features.fma;
  };
  if (s.is_shift) {
    for (std::uint32_t count : kCounts) {
      VectorOperands o = cases[count % cases.size()];
      o.count = count;
      add(o, fmt::format("({} (local.get 0) (i32.const {}))", info.text(), static_cast<std::int32_t>(count)));
    }
  } else {
    for (std::size_t i = 0; i < cases.size(); i += cases.size() / 4) {
      const std::string a = constant(cases[i].a), b = constant(cases[i].b), c = constant(cases[i].c);
      add(cases[i], operation(info, a, b, c));
      add(cases[i], operation(info, a, "(local.get 1)", "(local.get 2)"));
      add(cases[i], operation(info, "(local.get 0)", b, "(local.get 2)"));
      add(cases[i], operation(info, "(local.get 0)", "(local.get 1)", c));
    }
  }
  Machine m(wat + ")", cpu.features);
  ASSERT_TRUE(m.ok());
  for (std::uint32_t f = 0; f < used.size(); ++f) {
    expect_result(m, f, info, model, used[f], 0, fmt::format("{}: constants, function {}", cpu.name, f));
    if (testing::Test::HasFatalFailure()) return;
  }
}

void run_family(std::initializer_list<spec::Family> families) {
  for (const spec::OpcodeInfo& info : spec::kOpcodes) {
    if (std::find(families.begin(), families.end(), info.family) == families.end()) continue;
    const VectorModel* model = find_vector_model(info.text());
    ASSERT_NE(model, nullptr) << "no model of " << info.text();
    for (const Processor& cpu : processors()) {
      run_forms(info, *model, cpu);
      if (!testing::Test::HasFatalFailure()) run_constants(info, *model, cpu);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

OPCODE_TEST(BaselineSimd, unary_operations_match_the_model) {
  run_family({spec::Family::SimdUnary});
}

OPCODE_TEST(BaselineSimd, binary_operations_match_the_model) {
  run_family({spec::Family::SimdBinary});
}

OPCODE_TEST(BaselineSimd, ternary_operations_match_the_model) {
  run_family({spec::Family::SimdTernary});
}

OPCODE_TEST(BaselineSimd, shifts_take_the_count_modulo_the_width) {
  run_family({spec::Family::SimdShift});
}

OPCODE_TEST(BaselineSimd, tests_and_bitmasks_match_the_model) {
  run_family({spec::Family::SimdTest});
}

TEST(BaselineSimd, a_test_feeds_a_branch_and_a_select) {
  for (const Processor& cpu : processors()) {
    Machine m(R"((module
      (func (param v128) (result i32) (if (result i32) (v128.any_true (local.get 0)) (then (i32.const 1)) (else (i32.const 0))))
      (func (param v128) (result i32) (select (i32.const 1) (i32.const 0) (i32x4.all_true (local.get 0))))
      (func (param v128) (result i32) (i32.eqz (i8x16.all_true (local.get 0))))
      (func (param v128) (result i32) (block (br_if 0 (i64x2.all_true (local.get 0))) (return (i32.const 0))) (i32.const 1)))
    )",
              cpu.features);
    ASSERT_TRUE(m.ok());
    Vector zeros{}, ones{}, one_zero_byte{};
    ones.fill(1);
    one_zero_byte.fill(1);
    one_zero_byte[5] = 0;
    const auto run = [&](std::uint32_t f, const Vector& v) { return m.call(f, {value(v)}).results[0].i32; };
    const std::uint32_t want[4][3] = {{0, 1, 1}, {0, 1, 1}, {1, 0, 1}, {0, 1, 1}};
    for (std::uint32_t f = 0; f < 4; ++f) {
      EXPECT_EQ(run(f, zeros), want[f][0]) << cpu.name << f;
      EXPECT_EQ(run(f, ones), want[f][1]) << cpu.name << f;
      EXPECT_EQ(run(f, one_zero_byte), want[f][2]) << cpu.name << f;
    }
  }
}

// ---- which instructions are chosen

/// The instruction with locals as operands: 0 v128, 1 i32, 2 i64, 3 f32, 4 f64; some immediate.
std::string plain_use(const spec::OpcodeInfo& info) {
  std::string text(info.text());
  if (info.imm == spec::ImmKind::lane || info.imm == spec::ImmKind::memarg_lane) text += " 1";
  if (info.imm == spec::ImmKind::shuffle) text += " 31 2 3 9 9 9 17 0 0 0 0 0 0 0 0 0";
  if (info.imm == spec::ImmKind::v128_const) text += " i64x2 1 2";
  for (const char letter : info.signature().substr(0, info.signature().find(':')))
    text += fmt::format(" (local.get {})", letter == 'p' ? 1 : std::string_view("viIfF").find(letter));
  return info.signature().back() == ':' ? fmt::format("({})", text) : fmt::format("(drop ({}))", text);
}

/// Why this line of a listing does not belong into code for that processor; empty if it does.
std::string_view objection(std::string_view line, const base::CpuFeatures& cpu) {
  const auto is_any = [&](std::initializer_list<std::string_view> names) {
    for (std::string_view name : names)
      if (line.starts_with(name)) return true;
    return false;
  };
  const bool vector = line.find("xmm") != std::string_view::npos;
  if (vector && !cpu.avx && line.starts_with('v')) return "AVX";
  if (vector && cpu.avx && !line.starts_with('v')) return "SSE between AVX";
  if (!cpu.sse42 && is_any({"pcmpgtq"})) return "SSE4.2";
  if (!cpu.avx2 && is_any({"vpbroadcast"})) return "AVX2";
  if (!cpu.fma && is_any({"vfm", "vfnm"})) return "FMA";
  if (!cpu.avx512 && is_any({"vpmullq", "vpsraq", "vpabsq", "vcvtudq2ps", "vcvttps2udq"})) return "AVX-512";
  return {};
}

TEST(BaselineSimd, code_uses_only_what_the_processor_has) {
  std::string wat = "(module (memory 1)";
  for (const spec::OpcodeInfo& info : spec::kOpcodes)
    if (static_cast<std::uint32_t>(info.opcode) >> 16 == 0xfd)
      wat += fmt::format("(func (param v128 i32 i64 f32 f64) {})", plain_use(info));
  for (const Processor& cpu : processors()) {
    Machine m(wat + ")", cpu.features, true);
    ASSERT_TRUE(m.ok());
    for (std::uint32_t f = 0; f < m.module().functions.size(); ++f) {
      const std::string& listing = m.artifact(f).listing;
      ASSERT_FALSE(listing.empty());
      for (std::size_t at = 0; at < listing.size();) {
        const std::size_t end = std::min(listing.find('\n', at), listing.size());
        std::string_view line(listing.data() + at, end - at);
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        EXPECT_EQ(objection(line, cpu.features), "") << cpu.name << ": " << line;
        at = end + 1;
      }
    }
  }
}

}  // namespace
}  // namespace heddle::baseline::test
