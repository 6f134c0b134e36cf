#include "binary/expression_scan.h"

#include "binary/errors.h"

namespace heddle::binary {
namespace {

using base::Error;
using spec::ImmKind;
using spec::Opcode;

template <class Immediate>
bool skip(BodyReader& reader, Error& error) {
  Immediate immediate;
  return reader.read(immediate, error);
}

bool skip_immediate(BodyReader& reader, ImmKind kind, Error& error) {
  switch (kind) {
    case ImmKind::none: return true;
    case ImmKind::block_type: return skip<imm::BlockType>(reader, error);
    case ImmKind::label: return skip<imm::Label>(reader, error);
    case ImmKind::br_table: return skip<imm::BrTable>(reader, error);
    case ImmKind::func: return skip<imm::Func>(reader, error);
    case ImmKind::call_indirect: return skip<imm::CallIndirect>(reader, error);
    case ImmKind::type: return skip<imm::Type>(reader, error);
    case ImmKind::local: return skip<imm::Local>(reader, error);
    case ImmKind::global: return skip<imm::Global>(reader, error);
    case ImmKind::table: return skip<imm::Table>(reader, error);
    case ImmKind::table_copy: return skip<imm::TableCopy>(reader, error);
    case ImmKind::table_init: return skip<imm::TableInit>(reader, error);
    case ImmKind::elem: return skip<imm::Elem>(reader, error);
    case ImmKind::data: return skip<imm::Data>(reader, error);
    case ImmKind::memory: return skip<imm::Memory>(reader, error);
    case ImmKind::memory_copy: return skip<imm::MemoryCopy>(reader, error);
    case ImmKind::memory_init: return skip<imm::MemoryInit>(reader, error);
    case ImmKind::memarg: return skip<imm::MemArg>(reader, error);
    case ImmKind::memarg_lane: return skip<imm::MemArgLane>(reader, error);
    case ImmKind::lane: return skip<imm::Lane>(reader, error);
    case ImmKind::shuffle: return skip<imm::Shuffle>(reader, error);
    case ImmKind::v128_const: return skip<imm::V128Const>(reader, error);
    case ImmKind::i32_const: return skip<imm::I32Const>(reader, error);
    case ImmKind::i64_const: return skip<imm::I64Const>(reader, error);
    case ImmKind::f32_const: return skip<imm::F32Const>(reader, error);
    case ImmKind::f64_const: return skip<imm::F64Const>(reader, error);
    case ImmKind::heap_type: return skip<imm::HeapType>(reader, error);
    case ImmKind::select_types: return skip<imm::SelectTypes>(reader, error);
    case ImmKind::tag: return skip<imm::Tag>(reader, error);
    case ImmKind::try_table: return skip<imm::TryTable>(reader, error);
    case ImmKind::fence: return skip<imm::Fence>(reader, error);
    case ImmKind::type_field: return skip<imm::TypeField>(reader, error);
    case ImmKind::type_len: return skip<imm::TypeLen>(reader, error);
    case ImmKind::type_data: return skip<imm::TypeData>(reader, error);
    case ImmKind::type_elem: return skip<imm::TypeElem>(reader, error);
    case ImmKind::type_type: return skip<imm::TypeType>(reader, error);
    case ImmKind::br_on_cast: return skip<imm::BrOnCast>(reader, error);
  }
  HEDDLE_UNREACHABLE("every kind of immediate has a reader");
}

/// How the nesting changes. `delegate` closes its `try` as an `end` would.
int nesting_change(Opcode opcode) {
  switch (opcode) {
    case Opcode::block:
    case Opcode::loop:
    case Opcode::if_:
    case Opcode::try_:
    case Opcode::try_table: return 1;
    case Opcode::end:
    case Opcode::delegate: return -1;
    default: return 0;
  }
}

}  // namespace

base::Status scan_expression(BodyReader& reader, std::vector<spec::FuncIndex>* referenced) {
  Error error;
  Opcode opcode{};
  for (std::uint64_t depth = 1; depth > 0;) {
    if (!reader.read_opcode(opcode, error)) return error;
    if (opcode == Opcode::ref_func) {
      imm::Func target;
      if (!reader.read(target, error)) return error;
      if (referenced != nullptr) referenced->push_back(target.func);
    } else if (!skip_immediate(reader, spec::opcode_info(opcode).imm, error)) {
      return error;
    }
    const int change = nesting_change(opcode);
    // A stray `delegate` is invalid, not malformed: it must not end the expression.
    if (opcode == Opcode::delegate && depth == 1) continue;
    depth = change < 0 ? depth - 1 : depth + static_cast<std::uint64_t>(change);
  }
  return {};
}

base::Status scan_body(const module::Module& m, const module::Body& body) {
  BodyReader reader(m, body.range);
  if (auto runs = reader.local_runs(0); !runs.ok()) return std::move(runs).error();
  HEDDLE_TRY(scan_expression(reader, nullptr));
  if (!reader.at_end()) return errors::malformed(reader.offset(), "END opcode expected");
  return {};
}

}  // namespace heddle::binary
