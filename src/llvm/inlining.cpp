// Inlining: the body of a small callee that calls nobody is built where it is called. It stays a function of its own in
// stack traces (abi::InlinedCall); its traps, and what it throws, come from inside the caller's blocks, so that the
// caller's clauses catch. Which callees depends on their bodies, and on what the request says of likely calls.
#include "llvm/ir_function.h"
#include "validate/checked.h"

namespace heddle::llvm_tier {
namespace {

// Chosen (DESIGN.md): below this the call costs about as much code as its callee.
constexpr std::uint64_t kMaxBodyBytes = 80;
constexpr std::uint32_t kMaxOperations = 20;
/// Chosen: of a callee that samples have found below a hot caller, three times as much (abi::kMaxLikelyBodyBytes).
constexpr std::uint32_t kMaxLikelyOperations = 3 * kMaxOperations;
constexpr std::uint32_t kMaxLocals = 16;
/// Chosen: of wasm in one function, so that one with thousands of calls does not grow out of proportion.
constexpr std::uint64_t kMaxInlinedBytes = 8 << 10;

/// Is the body short, and does it run without calls of functions and host services?
class LeafScan : public binary::CategoryVisitor<LeafScan> {
  using Status = base::Status;
  using Opcode = spec::Opcode;

 public:
  bool is_leaf() const { return leaf_; }
  std::uint32_t operations() const { return operations_; }
  void begin_body(std::span<const binary::LocalRun> runs) {
    std::uint64_t locals = 0;
    for (const binary::LocalRun& run : runs) locals += run.count;
    leaf_ = locals <= kMaxLocals;
  }
  void begin_instruction(std::uint64_t, bool) { ++operations_; }

#define HEDDLE_PLAIN(family)             \
  template <class I>                     \
  Status on_##family(Opcode, const I&) { \
    return {};                           \
  }
  HEDDLE_PLAIN(Control)
  HEDDLE_PLAIN(Parametric)
  HEDDLE_PLAIN(Variable)
  HEDDLE_PLAIN(Const)
  HEDDLE_PLAIN(Unary)
  HEDDLE_PLAIN(Binary)
  HEDDLE_PLAIN(Test)
  HEDDLE_PLAIN(Compare)
  HEDDLE_PLAIN(Convert)
  HEDDLE_PLAIN(Reference)
  HEDDLE_PLAIN(Exception)
  HEDDLE_PLAIN(Load)
  HEDDLE_PLAIN(Store)
  HEDDLE_PLAIN(AtomicLoad)
  HEDDLE_PLAIN(AtomicStore)
  HEDDLE_PLAIN(AtomicRmw)
  HEDDLE_PLAIN(AtomicCmpxchg)
  HEDDLE_PLAIN(AtomicFence)
  HEDDLE_PLAIN(SimdLoad)
  HEDDLE_PLAIN(SimdStore)
  HEDDLE_PLAIN(SimdLoadLane)
  HEDDLE_PLAIN(SimdStoreLane)
  HEDDLE_PLAIN(SimdConst)
  HEDDLE_PLAIN(SimdShuffle)
  HEDDLE_PLAIN(SimdSplat)
  HEDDLE_PLAIN(SimdExtractLane)
  HEDDLE_PLAIN(SimdReplaceLane)
  HEDDLE_PLAIN(SimdUnary)
  HEDDLE_PLAIN(SimdBinary)
  HEDDLE_PLAIN(SimdTernary)
  HEDDLE_PLAIN(SimdShift)
  HEDDLE_PLAIN(SimdTest)
#undef HEDDLE_PLAIN

  // Calls, host services, and what this tier does not compile.
#define HEDDLE_NOT_PLAIN(family)         \
  template <class I>                     \
  Status on_##family(Opcode, const I&) { \
    leaf_ = false;                       \
    return {};                           \
  }
  HEDDLE_NOT_PLAIN(Memory)
  HEDDLE_NOT_PLAIN(Table)
  HEDDLE_NOT_PLAIN(AtomicWait)
  HEDDLE_NOT_PLAIN(AtomicNotify)
  HEDDLE_NOT_PLAIN(Gc)
  HEDDLE_NOT_PLAIN(Wide)
#undef HEDDLE_NOT_PLAIN
  Status on_call(const binary::imm::Func&) { return no_leaf(); }
  Status on_return_call(const binary::imm::Func&) { return no_leaf(); }
  Status on_call_indirect(const binary::imm::CallIndirect&) { return no_leaf(); }
  Status on_return_call_indirect(const binary::imm::CallIndirect&) { return no_leaf(); }
  Status on_call_ref(const binary::imm::Type&) { return no_leaf(); }
  Status on_return_call_ref(const binary::imm::Type&) { return no_leaf(); }

 private:
  Status no_leaf() {
    leaf_ = false;
    return {};
  }
  bool leaf_ = true;
  std::uint32_t operations_ = 0;
};

}  // namespace

base::Result<module::ValidatedBody> IrFunction::build() {
  return validate::Checked<IrFunction>(checked_, body_.func, *this).run();
}

bool IrFunction::may_inline(spec::FuncIndex func, bool likely) {
  if (module_.is_imported(func)) return false;
  const std::uint64_t size = module_.body(func).range.size_bytes();
  if (size > (likely ? abi::kMaxLikelyBodyBytes : kMaxBodyBytes) || inlined_bytes_ + size > kMaxInlinedBytes)
    return false;
  auto known = leaves_.find(func.value);
  if (known == leaves_.end()) {
    LeafScan scan;
    const bool valid = validate::Checked<LeafScan>(checked_, func, scan).run().ok();
    const bool is_leaf = valid && scan.is_leaf();
    known = leaves_.emplace(func.value, is_leaf ? std::optional(scan.operations()) : std::nullopt).first;
  }
  return known->second && *known->second <= (likely ? kMaxLikelyOperations : kMaxOperations);
}

base::Status IrFunction::inline_call(spec::FuncIndex func) {
  const base::ByteRange range = module_.body(func).range;
  inlined_bytes_ += range.size_bytes();
  inlined_calls_.push_back({func, static_cast<std::uint32_t>(body_offset_), body_.inlined});
  const std::uint64_t call_offset = body_offset_;
  Body outer = std::exchange(
      body_, Body{func, &module_.type_of(func), static_cast<std::uint32_t>(inlined_calls_.size()), frames_.size()});
  add_lines();
  const auto built = build();
  body_ = std::move(outer);
  if (!built.ok()) return built.error();
  begin_instruction(call_offset, true);
  return {};
}

/// The frame of an inlined body: its parameters are operands, a return is a branch to its end.
void IrFunction::begin_inlined(std::span<const binary::LocalRun> runs) {
  const std::vector<Value*> params = pop_n(body_.type->params.size());
  for (Value* param : params) {
    body_.locals.push_back(entry_alloca(param->getType()));
    ir_.CreateStore(param, body_.locals.back());
  }
  for (const binary::LocalRun& run : runs)
    for (std::uint32_t i = 0; i < run.count; ++i) {
      body_.locals.push_back(entry_alloca(type_of(run.type)));
      ir_.CreateStore(llvm::Constant::getNullValue(type_of(run.type)), body_.locals.back());
    }
  llvm::BasicBlock* end = new_block("inlined.end");
  enter_frame(FrameKind::function, {{}, body_.type->results}, end, end);
}

}  // namespace heddle::llvm_tier
