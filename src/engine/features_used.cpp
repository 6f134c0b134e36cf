#include "engine/features_used.h"

#include "binary/body_reader.h"

namespace heddle::engine {
namespace {

using spec::Feature;
namespace imm = binary::imm;

/// A visitor of module level and bodies alike.
class Uses {
 public:
  explicit Uses(const module::Module& m) : module_(m) {}

  base::Result<spec::Features> collect() {
    types();
    imports_and_definitions();
    HEDDLE_TRY(segments_and_initializers());
    for (const module::Body& body : module_.bodies) HEDDLE_TRY(walk_body(body));
    // Tags and `throw` are part of both kinds of exceptions.
    if (throws_ && !used_.has(Feature::legacy_exceptions)) use(Feature::exceptions);
    return used_;
  }

#define OP(name, code, text, imm_kind, signature, memory, family, feature) \
  base::Status on_##name(const binary::imm_by_kind::imm_kind& immediate) { \
    if constexpr (spec::Opcode::name == spec::Opcode::throw_)              \
      throws_ = true;                                                      \
    else                                                                   \
      use(Feature::feature);                                               \
    note(immediate);                                                       \
    return {};                                                             \
  }
#include "spec/opcodes.def"

 private:
  void use(Feature f) { used_ = used_.with(f); }
  void use_if(bool condition, Feature f) {
    if (condition) use(f);
  }

  void heap_type(spec::HeapType heap) {
    if (heap.is_concrete()) return use(Feature::function_references);
    switch (heap.code()) {
      case spec::HeapType::func:
      case spec::HeapType::extern_: return use(Feature::reference_types);
      case spec::HeapType::exn: return use(Feature::exceptions);
      default: return use(Feature::gc);
    }
  }
  void val_type(spec::ValType type) {
    use_if(type.is_vec(), Feature::simd);
    if (!type.is_ref()) return;
    heap_type(type.heap());
    use_if(!type.nullable(), Feature::function_references);
  }
  void val_types(std::span<const spec::ValType> types) {
    for (const spec::ValType type : types) val_type(type);
  }

  void types() {
    for (const spec::SubType& type : module_.types) {
      use_if(type.kind != spec::CompositeKind::func || !type.final_ || !type.supertypes.empty(), Feature::gc);
      val_types(type.func.params);
      val_types(type.func.results);
      use_if(type.func.results.size() > 1, Feature::multi_value);
      for (const spec::FieldType& field : type.fields) val_type(field.type);
    }
    use_if(module_.rec_groups.size() < module_.types.size(), Feature::gc);
  }

  void imports_and_definitions() {
    use_if(module_.memories.size() > 1, Feature::multi_memory);
    for (const module::Memory& memory : module_.memories) {
      use_if(memory.type.shared, Feature::threads);
      use_if(memory.type.address == spec::AddressType::i64, Feature::memory64);
      use_if(memory.type.page_log2 != 16, Feature::custom_page_sizes);
    }
    use_if(module_.tables.size() > 1, Feature::reference_types);
    for (const module::Table& table : module_.tables) {
      if (table.type.element != spec::kFuncRef) val_type(table.type.element);
      use_if(table.type.address == spec::AddressType::i64, Feature::memory64);
      use_if(table.has_init, Feature::function_references);
    }
    for (const module::Global& global : module_.globals) val_type(global.type.type);
    throws_ = !module_.tags.empty();
  }

  base::Status segments_and_initializers() {
    for (std::size_t i = module_.imported_globals; i < module_.globals.size(); ++i)
      HEDDLE_TRY(walk_constant(module_.globals[i].init));
    for (const module::Table& table : module_.tables)
      if (table.has_init) HEDDLE_TRY(walk_constant(table.init));
    use_if(module_.has_data_count, Feature::bulk_memory);
    for (const module::DataSegment& data : module_.datas) {
      use_if(data.mode != module::SegmentMode::active, Feature::bulk_memory);
      if (data.mode == module::SegmentMode::active) HEDDLE_TRY(walk_constant(data.memory_offset));
    }
    for (const module::ElemSegment& elem : module_.elems) HEDDLE_TRY(element_segment(elem));
    return {};
  }

  base::Status element_segment(const module::ElemSegment& elem) {
    use_if(elem.mode == module::SegmentMode::passive, Feature::bulk_memory);
    use_if(elem.mode == module::SegmentMode::declarative || elem.uses_expressions, Feature::reference_types);
    if (elem.type.nullable() && elem.type != spec::kFuncRef) val_type(elem.type);
    if (elem.mode == module::SegmentMode::active) HEDDLE_TRY(walk_constant(elem.table_offset));
    for (const module::ConstExpr& item : elem.expressions) HEDDLE_TRY(walk_constant(item));
    return {};
  }

  /// Arithmetic is what extended constant expressions added.
  /// https://github.com/WebAssembly/extended-const
  base::Status walk_constant(const module::ConstExpr& expr) {
    binary::BodyReader reader(module_, expr.range);
    reader.in_constant_expression();
    while (!reader.at_end()) {
      const std::uint8_t opcode = module_.bytes()[reader.offset()];
      HEDDLE_TRY(binary::walk_instruction(reader, *this));
      const spec::OpcodeInfo* info = spec::find_opcode(opcode);
      use_if(info != nullptr && info->family == spec::Family::Binary, Feature::extended_const);
    }
    return {};
  }

  base::Status walk_body(const module::Body& body) {
    binary::BodyReader reader(module_, body.range);
    HEDDLE_TRY_ASSIGN(const auto runs, reader.local_runs(0));
    for (const binary::LocalRun& run : runs) val_type(run.type);
    while (!reader.at_end()) HEDDLE_TRY(binary::walk_instruction(reader, *this));
    return {};
  }

  template <class Immediate>
  void note(const Immediate&) {}
  void note(const imm::BlockType& block) {
    if (block.form == imm::BlockType::Form::value) val_type(block.value);
    if (block.form != imm::BlockType::Form::type_index) return;
    const bool known = block.type.value < module_.types.size();
    use_if(known && !module_.types[block.type.value].func.params.empty(), Feature::multi_value);
  }
  void note(const imm::TryTable& table) { note(table.type); }
  void note(const imm::MemArg& memarg) { use_if(memarg.memory.value != 0, Feature::multi_memory); }
  void note(const imm::MemArgLane& lane) { note(lane.memarg); }
  void note(const imm::CallIndirect& call) { use_if(call.table.value != 0, Feature::reference_types); }
  void note(const imm::HeapType& type) { heap_type(type.heap); }
  void note(const imm::SelectTypes& select) { val_types(select.types); }

  const module::Module& module_;
  spec::Features used_;
  bool throws_ = false;
};

}  // namespace

base::Result<spec::Features> features_used(const module::Module& m) {
  return Uses(m).collect();
}

}  // namespace heddle::engine
