#include "baseline/prescan.h"

#include "binary/body_reader.h"

namespace heddle::baseline {
namespace {

using binary::imm::None;
using spec::Opcode;

/// `needs_zero` follows the rule by which the specification tracks initialised locals (appendix, Validation Algorithm):
/// what is set inside a block counts as set until the block's end.
class Scanner : public binary::CategoryVisitor<Scanner> {
  using Status = base::Status;

 public:
  Scanner(const module::Module& m, const binary::BodyReader& reader, Prescan& out)
      : module_(m), reader_(reader), out_(out), is_set_(out.locals.size(), false) {}

  void set_parameter(std::uint32_t i) { is_set_[i] = true; }
  bool done() const { return depth_ == 0; }

  Status on_local_get(const binary::imm::Local& i) { return read(i.local.value); }
  Status on_local_set(const binary::imm::Local& i) { return write(i.local.value); }
  Status on_local_tee(const binary::imm::Local& i) { return write(i.local.value); }

  template <class I>
  Status on_Control(Opcode op, const I&) {
    switch (op) {
      case Opcode::block:
      case Opcode::if_: open(false); break;
      case Opcode::loop: open(true); break;
      case Opcode::else_: reset_block(); break;
      case Opcode::end: close(); break;
      case Opcode::call_indirect:
      case Opcode::call_ref:
      case Opcode::return_call_indirect:
      case Opcode::return_call_ref:
        out_.changes_vmctx = true;
        call();
        break;
      default: break;  // branches, unreachable, nop
    }
    return {};
  }
  Status on_call(const binary::imm::Func& i) { return call_function(i); }
  Status on_return_call(const binary::imm::Func& i) { return call_function(i); }

  template <class I>
  Status on_Exception(Opcode op, const I&) {
    switch (op) {
      case Opcode::try_:
      case Opcode::try_table: open(false); break;
      case Opcode::catch_:
      case Opcode::catch_all: reset_block(); break;
      case Opcode::delegate: close(); break;
      default: break;
    }
    out_.has_handlers = true;
    out_.changes_vmctx = true;  // so that r13 is in the frame
    call();
    return {};
  }

  template <class I>
  Status on_memory_access(const I& i) {
    if constexpr (requires { i.memarg; })
      out_.uses_memory0 |= i.memarg.memory.value == 0;
    else
      out_.uses_memory0 |= i.memory.value == 0;
    return {};
  }
#define HEDDLE_ACCESS(family)              \
  template <class I>                       \
  Status on_##family(Opcode, const I& i) { \
    return on_memory_access(i);            \
  }
  HEDDLE_ACCESS(Load)
  HEDDLE_ACCESS(Store)
  HEDDLE_ACCESS(AtomicLoad)
  HEDDLE_ACCESS(AtomicStore)
  HEDDLE_ACCESS(AtomicRmw)
  HEDDLE_ACCESS(AtomicCmpxchg)
  HEDDLE_ACCESS(SimdLoad)
  HEDDLE_ACCESS(SimdStore)
  HEDDLE_ACCESS(SimdLoadLane)
  HEDDLE_ACCESS(SimdStoreLane)
#undef HEDDLE_ACCESS

  // Served by the host in part; that is a call for our purposes.
#define HEDDLE_SERVICE(family)           \
  template <class I>                     \
  Status on_##family(Opcode, const I&) { \
    call();                              \
    return {};                           \
  }
  HEDDLE_SERVICE(Memory)
  HEDDLE_SERVICE(Table)
  HEDDLE_SERVICE(AtomicWait)
  HEDDLE_SERVICE(AtomicNotify)
  HEDDLE_SERVICE(Gc)
#undef HEDDLE_SERVICE
  Status on_memory_copy(const binary::imm::MemoryCopy& i) {  // small ones are done inline
    out_.uses_memory0 |= i.dst.value == 0 || i.src.value == 0;
    call();
    return {};
  }
  Status on_memory_fill(const binary::imm::Memory& i) {
    out_.uses_memory0 |= i.memory.value == 0;
    call();
    return {};
  }
  Status on_memory_size(const binary::imm::Memory&) { return {}; }
  Status on_table_get(const binary::imm::Table&) { return {}; }
  Status on_table_set(const binary::imm::Table&) { return {}; }
  Status on_table_size(const binary::imm::Table&) { return {}; }

#define HEDDLE_QUIET(family)             \
  template <class I>                     \
  Status on_##family(Opcode, const I&) { \
    return {};                           \
  }
  HEDDLE_QUIET(Parametric)
  HEDDLE_QUIET(Variable)
  HEDDLE_QUIET(Const)
  HEDDLE_QUIET(Unary)
  HEDDLE_QUIET(Binary)
  HEDDLE_QUIET(Test)
  HEDDLE_QUIET(Compare)
  HEDDLE_QUIET(Convert)
  HEDDLE_QUIET(Reference)
  HEDDLE_QUIET(AtomicFence)
  HEDDLE_QUIET(Wide)
  HEDDLE_QUIET(SimdConst)
  HEDDLE_QUIET(SimdShuffle)
  HEDDLE_QUIET(SimdSplat)
  HEDDLE_QUIET(SimdExtractLane)
  HEDDLE_QUIET(SimdReplaceLane)
  HEDDLE_QUIET(SimdUnary)
  HEDDLE_QUIET(SimdBinary)
  HEDDLE_QUIET(SimdTernary)
  HEDDLE_QUIET(SimdShift)
  HEDDLE_QUIET(SimdTest)
#undef HEDDLE_QUIET

 private:
  struct Block {
    std::uint32_t set_height;
    std::uint32_t loop;  // index into loops, or kNotLoop
  };
  static constexpr std::uint32_t kNotLoop = ~0u;
  static constexpr std::uint32_t kMaxLoopDepth = 5;

  static base::Error stop() { return base::Error{}; }

  static void grow(std::uint32_t& sum, std::uint32_t by) {
    sum = sum + by < Prescan::kMaxWeight ? sum + by : Prescan::kMaxWeight;
  }
  void call() {
    out_.has_calls = true;
    grow(out_.call_weight, weight());
  }
  Status call_function(const binary::imm::Func& i) {
    if (i.func.value < module_.imported_functions) out_.changes_vmctx = true;
    call();
    return {};
  }
  std::uint32_t weight() const { return 1u << (3 * (loops_ < kMaxLoopDepth ? loops_ : kMaxLoopDepth)); }

  Status read(std::uint32_t i) {
    if (i >= out_.locals.size()) return stop();
    LocalUse& use = out_.locals[i];
    use.used = true;
    if (!is_set_[i]) use.needs_zero = true;
    grow(use.weight, weight());
    return {};
  }
  Status write(std::uint32_t i) {
    if (i >= out_.locals.size()) return stop();
    LocalUse& use = out_.locals[i];
    use.used = true;
    grow(use.weight, weight());
    if (!is_set_[i]) {
      is_set_[i] = true;
      set_order_.push_back(i);
    }
    loop_sets_ |= loop_set_bit(i);
    return {};
  }

  void open(bool is_loop) {
    blocks_.push_back({static_cast<std::uint32_t>(set_order_.size()), kNotLoop});
    ++depth_;
    if (!is_loop) return;
    ++loops_;
    blocks_.back().loop = static_cast<std::uint32_t>(out_.loops.size());
    outer_sets_.push_back(loop_sets_);
    out_.loops.push_back({reader_.instruction_offset(), 0});
    loop_sets_ = 0;
  }
  void reset_block() {
    if (blocks_.empty()) return;
    for (; set_order_.size() > blocks_.back().set_height; set_order_.pop_back()) is_set_[set_order_.back()] = false;
  }
  void close() {
    --depth_;
    if (blocks_.empty()) return;  // the body's own end
    reset_block();
    if (blocks_.back().loop != kNotLoop) {
      --loops_;
      out_.loops[blocks_.back().loop].sets = loop_sets_;
      loop_sets_ |= outer_sets_.back();
      outer_sets_.pop_back();
    }
    blocks_.pop_back();
  }

  const module::Module& module_;
  const binary::BodyReader& reader_;
  Prescan& out_;
  std::vector<bool> is_set_;
  std::vector<std::uint32_t> set_order_;
  std::vector<Block> blocks_;
  std::vector<std::uint64_t> outer_sets_;
  std::uint64_t loop_sets_ = 0;
  std::uint32_t loops_ = 0;
  std::uint32_t depth_ = 1;
};

}  // namespace

void Prescan::run(const module::Module& m, spec::FuncIndex func) {
  locals.clear();
  loops.clear();
  call_weight = 0;
  has_calls = changes_vmctx = uses_memory0 = has_handlers = false;

  const auto params = static_cast<std::uint32_t>(m.type_of(func).params.size());
  binary::BodyReader reader(m, m.body(func).range);
  const auto runs = reader.local_runs(params);
  if (!runs.ok()) return;
  std::size_t count = params;
  for (const binary::LocalRun& run : *runs) count += run.count;
  locals.assign(count, LocalUse{});
  Scanner scanner(m, reader, *this);
  for (std::uint32_t i = 0; i < params; ++i) scanner.set_parameter(i);
  while (!scanner.done() && !reader.at_end())
    if (!binary::walk_instruction(reader, scanner).ok()) return;
}

}  // namespace heddle::baseline
