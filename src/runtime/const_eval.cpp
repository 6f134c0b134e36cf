#include "runtime/const_eval.h"

#include <cstring>

#include "binary/body_reader.h"
#include "runtime/instance.h"

namespace heddle::runtime {
namespace {

namespace imm = binary::imm;
using base::Status;
using spec::Opcode;

/// A stack machine for the few constant instructions; every family that cannot occur, or that needs a heap, ends the
/// walk with `unsupported`. Without an instance only the kinds of instructions are looked at.
class Evaluator : public binary::CategoryVisitor<Evaluator> {
 public:
  Evaluator(const module::Module& m, Instance* instance, base::ByteRange range)
      : reader_(m, range), instance_(instance) {}

  Status run() {
    while (!reader_.at_end()) HEDDLE_TRY(binary::walk_instruction(reader_, *this));
    return {};
  }
  const abi::VmValue& top() const { return stack_.back(); }

  Status on_Const(Opcode, const imm::I32Const& c) { return push(static_cast<std::uint32_t>(c.value)); }
  Status on_Const(Opcode, const imm::I64Const& c) { return push(static_cast<std::uint64_t>(c.value)); }
  Status on_Const(Opcode, const imm::F32Const& c) { return push(c.bits); }
  Status on_Const(Opcode, const imm::F64Const& c) { return push(c.bits); }
  Status on_SimdConst(Opcode, const imm::V128Const& c) {
    abi::VmValue value = {};
    std::memcpy(value.v128, c.bytes.data(), sizeof(value.v128));
    stack_.push_back(value);
    return {};
  }

  Status on_Variable(Opcode opcode, const imm::Global& g) {
    if (opcode != Opcode::global_get) return unsupported();
    stack_.push_back(instance_ != nullptr ? *instance_->global(g.global) : abi::VmValue{});
    return {};
  }
  Status on_Reference(Opcode opcode, const imm::HeapType&) {
    return opcode == Opcode::ref_null ? push(0) : unsupported();
  }
  Status on_Reference(Opcode, const imm::Func& f) {
    return push(instance_ != nullptr ? reinterpret_cast<std::uint64_t>(instance_->func_ref(f.func)) : 0);
  }
  Status on_Control(Opcode opcode, const imm::None&) { return opcode == Opcode::end ? Status() : unsupported(); }

  // Extended constant expressions: the six integer operations.
  Status on_Binary(Opcode opcode, const imm::None&) {
    if (stack_.size() < 2) return unsupported();
    const std::uint64_t b = stack_.back().i64;
    stack_.pop_back();
    const std::uint64_t a = stack_.back().i64;
    stack_.pop_back();
    switch (opcode) {
      case Opcode::i32_add: return push(static_cast<std::uint32_t>(a + b));
      case Opcode::i32_sub: return push(static_cast<std::uint32_t>(a - b));
      case Opcode::i32_mul: return push(static_cast<std::uint32_t>(a * b));
      case Opcode::i64_add: return push(a + b);
      case Opcode::i64_sub: return push(a - b);
      case Opcode::i64_mul: return push(a * b);
      default: return unsupported();
    }
  }

#define HEDDLE_NOT_CONSTANT(family)              \
  template <class Immediate>                     \
  Status on_##family(Opcode, const Immediate&) { \
    return unsupported();                        \
  }
  HEDDLE_NOT_CONSTANT(Control)
  HEDDLE_NOT_CONSTANT(Parametric)
  HEDDLE_NOT_CONSTANT(Variable)
  HEDDLE_NOT_CONSTANT(Unary)
  HEDDLE_NOT_CONSTANT(Test)
  HEDDLE_NOT_CONSTANT(Compare)
  HEDDLE_NOT_CONSTANT(Convert)
  HEDDLE_NOT_CONSTANT(Load)
  HEDDLE_NOT_CONSTANT(Store)
  HEDDLE_NOT_CONSTANT(Memory)
  HEDDLE_NOT_CONSTANT(Table)
  HEDDLE_NOT_CONSTANT(Reference)
  HEDDLE_NOT_CONSTANT(Exception)
  HEDDLE_NOT_CONSTANT(AtomicLoad)
  HEDDLE_NOT_CONSTANT(AtomicStore)
  HEDDLE_NOT_CONSTANT(AtomicRmw)
  HEDDLE_NOT_CONSTANT(AtomicCmpxchg)
  HEDDLE_NOT_CONSTANT(AtomicWait)
  HEDDLE_NOT_CONSTANT(AtomicNotify)
  HEDDLE_NOT_CONSTANT(AtomicFence)
  HEDDLE_NOT_CONSTANT(Wide)
  HEDDLE_NOT_CONSTANT(Gc)
  HEDDLE_NOT_CONSTANT(SimdLoad)
  HEDDLE_NOT_CONSTANT(SimdStore)
  HEDDLE_NOT_CONSTANT(SimdLoadLane)
  HEDDLE_NOT_CONSTANT(SimdStoreLane)
  HEDDLE_NOT_CONSTANT(SimdShuffle)
  HEDDLE_NOT_CONSTANT(SimdSplat)
  HEDDLE_NOT_CONSTANT(SimdExtractLane)
  HEDDLE_NOT_CONSTANT(SimdReplaceLane)
  HEDDLE_NOT_CONSTANT(SimdUnary)
  HEDDLE_NOT_CONSTANT(SimdBinary)
  HEDDLE_NOT_CONSTANT(SimdTernary)
  HEDDLE_NOT_CONSTANT(SimdShift)
  HEDDLE_NOT_CONSTANT(SimdTest)
#undef HEDDLE_NOT_CONSTANT

 private:
  Status push(std::uint64_t bits) {
    abi::VmValue value = {};
    value.words[0] = bits;
    value.words[1] = 0;
    stack_.push_back(value);
    return {};
  }
  Status unsupported() const {
    return base::Error{base::ErrorKind::unsupported, reader_.instruction_offset(),
                       "constant expressions that allocate heap objects are not supported yet"};
  }

  binary::BodyReader reader_;
  Instance* instance_;
  std::vector<abi::VmValue> stack_;
};

}  // namespace

base::Result<abi::VmValue> evaluate(Instance& instance, const module::ConstExpr& expression) {
  Evaluator evaluator(instance.module(), &instance, expression.range);
  HEDDLE_TRY(evaluator.run());
  return evaluator.top();
}

base::Status check_evaluable(const module::Module& m, const module::ConstExpr& expression) {
  return Evaluator(m, nullptr, expression.range).run();
}

}  // namespace heddle::runtime
