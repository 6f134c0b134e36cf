#include "engine/hot_functions.h"

#include <algorithm>

#include "binary/body_reader.h"

namespace heddle::engine {
namespace {

namespace imm = binary::imm;

/// Chosen, as compilers do that have no profile: a loop runs its body ten times.
constexpr double kTurns = 10;
constexpr unsigned kDeepest = 6;
/// Chosen: a larger function takes the LLVM tier seconds (its time grows faster than size).
constexpr std::uint64_t kMostFunctionBytes = 64 << 10;

/// How often an instruction runs, mean over the body, if each loop takes kTurns turns.
class LoopWeights : public binary::CategoryVisitor<LoopWeights> {
 public:
#define FAMILY(name)                                 \
  template <class Imm>                               \
  base::Status on_##name(spec::Opcode, const Imm&) { \
    return count();                                  \
  }
  FAMILY(Parametric)
  FAMILY(Variable)
  FAMILY(Load)
  FAMILY(Store)
  FAMILY(Memory)
  FAMILY(Table)
  FAMILY(Reference)
  FAMILY(Const)
  FAMILY(Unary)
  FAMILY(Binary)
  FAMILY(Test)
  FAMILY(Compare)
  FAMILY(Convert)
  FAMILY(Gc)
  FAMILY(Wide)
  FAMILY(AtomicLoad)
  FAMILY(AtomicStore)
  FAMILY(AtomicRmw)
  FAMILY(AtomicCmpxchg)
  FAMILY(AtomicWait)
  FAMILY(AtomicNotify)
  FAMILY(AtomicFence)
  FAMILY(SimdLoad)
  FAMILY(SimdStore)
  FAMILY(SimdLoadLane)
  FAMILY(SimdStoreLane)
  FAMILY(SimdConst)
  FAMILY(SimdShuffle)
  FAMILY(SimdSplat)
  FAMILY(SimdExtractLane)
  FAMILY(SimdReplaceLane)
  FAMILY(SimdUnary)
  FAMILY(SimdBinary)
  FAMILY(SimdTernary)
  FAMILY(SimdShift)
  FAMILY(SimdTest)
#undef FAMILY
  template <class Imm>
  base::Status on_Control(spec::Opcode op, const Imm&) {
    return control(op);
  }
  template <class Imm>
  base::Status on_Exception(spec::Opcode op, const Imm&) {
    return control(op);
  }

  double mean() const { return instructions_ == 0 ? 0 : weight_ / static_cast<double>(instructions_); }

 private:
  base::Status count() {
    ++instructions_;
    weight_ += turns_.empty() ? 1 : turns_.back();
    return {};
  }
  base::Status control(spec::Opcode op) {
    using spec::Opcode;
    const double now = turns_.empty() ? 1 : turns_.back();
    const bool opens =
        op == Opcode::block || op == Opcode::loop || op == Opcode::if_ || op == Opcode::try_table || op == Opcode::try_;
    if (opens) {
      loops_ += op == Opcode::loop;
      is_loop_.push_back(op == Opcode::loop);
      turns_.push_back(op == Opcode::loop && loops_ <= kDeepest ? now * kTurns : now);
    } else if ((op == Opcode::end || op == Opcode::delegate) && !turns_.empty()) {
      loops_ -= is_loop_.back();
      is_loop_.pop_back();
      turns_.pop_back();
    }
    return count();
  }

  std::vector<double> turns_;
  std::vector<bool> is_loop_;
  unsigned loops_ = 0;
  std::uint64_t instructions_ = 0;
  double weight_ = 0;
};

double weight_of(const module::Module& m, spec::FuncIndex func) {
  binary::BodyReader reader(m, m.body(func).range);
  LoopWeights weights;
  if (!reader.local_runs(0).ok()) return 0;
  while (!reader.at_end())
    if (!binary::walk_instruction(reader, weights).ok()) return 0;
  return weights.mean();
}

}  // namespace

std::vector<spec::FuncIndex> likely_hot(const module::Module& m, std::uint64_t most_bytes) {
  struct Candidate {
    spec::FuncIndex func;
    std::uint64_t size_bytes;
    double weight;
  };
  std::vector<Candidate> all;
  for (std::size_t f = m.imported_functions; f < m.functions.size(); ++f) {
    const std::uint64_t size = m.body(spec::FuncIndex(f)).range.size_bytes();
    if (size <= kMostFunctionBytes) all.push_back({spec::FuncIndex(f), size, weight_of(m, spec::FuncIndex(f))});
  }
  std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    if (a.weight != b.weight) return a.weight > b.weight;
    return a.size_bytes != b.size_bytes ? a.size_bytes < b.size_bytes : a.func < b.func;
  });
  std::vector<spec::FuncIndex> hot;
  for (const Candidate& candidate : all) {
    if (candidate.size_bytes > most_bytes) continue;
    most_bytes -= candidate.size_bytes;
    hot.push_back(candidate.func);
  }
  std::sort(hot.begin(), hot.end());
  return hot;
}

}  // namespace heddle::engine
