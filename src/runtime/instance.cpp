#include "runtime/instance.h"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

#include "runtime/const_eval.h"
#include "spec/trap_codes.h"

namespace heddle::runtime {
namespace {

// From here on a block is mapped by itself: calloc would have to write zeros into recycled memory. Chosen: glibc's
// own first threshold.
constexpr std::size_t kMappedBlockBytes = 128 << 10;

constexpr std::size_t align16(std::size_t bytes) {
  return (bytes + 15) & ~std::size_t{15};
}

}  // namespace

Blueprint::Blueprint(const module::Module& m) {
  for (std::uint32_t f = m.imported_functions; f < m.functions.size(); ++f)
    if (m.declared_funcs[f]) declared.push_back(spec::FuncIndex(f));
  if (!m.memories.empty()) default_memory = spec::MemIndex(0u);
  if (const module::Export* e = m.find_export("memory"); e != nullptr && e->kind == spec::ExternKind::memory)
    default_memory = spec::MemIndex(e->index);
  // Element expressions are evaluated when they are needed, which is too late to refuse the module.
  for (const module::ElemSegment& segment : m.elems) {
    for (const module::ConstExpr& expression : segment.expressions) {
      status = check_evaluable(m, expression);
      if (!status.ok()) return;
    }
  }
}

Instance::Instance(Store& store, std::shared_ptr<code::ModuleCode> code) : store_(store), code_(std::move(code)) {}

Instance::~Instance() {
  tables_.reset();
  if (vmctx_ == nullptr) return;
  if (block_bytes_ >= kMappedBlockBytes)
    munmap(vmctx_, block_bytes_);
  else
    std::free(vmctx_);
}

bool Instance::allocate_block(std::size_t bound_host_functions) {
  const std::size_t ctx_bytes = align16(code_->layout().size_bytes());
  const std::size_t host_bytes = align16(bound_host_functions * sizeof(abi::VmHostFunc));
  const std::size_t block = ctx_bytes + host_bytes + code_->layout().func_refs() * sizeof(abi::VmFuncRef);
  void* memory;
  if (block >= kMappedBlockBytes) {
    block_bytes_ = base::round_up_to_page(block);
    memory = mmap(nullptr, block_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) memory = nullptr;
  } else {
    block_bytes_ = block;
    memory = std::calloc(1, block);  // aligned for any scalar: 16 bytes on all our targets
  }
  if (memory == nullptr) return false;
  // SAFETY: plain structs, all of whose fields may start as zero; offsets and sizes as computed above.
  auto* bytes = static_cast<std::uint8_t*>(memory);
  vmctx_ = static_cast<abi::VmCtx*>(memory);
  host_funcs_ = reinterpret_cast<abi::VmHostFunc*>(bytes + ctx_bytes);
  vmctx_->func_refs = reinterpret_cast<abi::VmFuncRef*>(bytes + ctx_bytes + host_bytes);
  return true;
}

std::optional<Extern> Instance::find_export(std::string_view name) {
  const module::Export* e = module().find_export(name);
  if (e == nullptr) return std::nullopt;
  return export_of(*e);
}

Extern Instance::export_of(const module::Export& e) {
  const module::Module& m = module();
  switch (e.kind) {
    case spec::ExternKind::func: return {func_ref(spec::FuncIndex(e.index))};
    case spec::ExternKind::table: return {&table_instance(spec::TableIndex(e.index))};
    case spec::ExternKind::memory: return {memories_[e.index]};
    case spec::ExternKind::tag: return {tag(spec::TagIndex(e.index))};
    case spec::ExternKind::global: break;
  }
  if (e.index < m.imported_globals) return {imported_globals_[e.index]};
  const std::uint32_t i = e.index - m.imported_globals;
  if (globals_.empty()) globals_.resize(m.globals.size() - m.imported_globals);
  if (globals_[i] == nullptr) {
    const spec::GlobalType& type = m.globals[e.index].type;
    globals_[i] = std::make_unique<GlobalInstance>(GlobalInstance{type, &m, global(spec::GlobalIndex(e.index))});
  }
  return {globals_[i].get()};
}

const abi::VmFuncRef* Instance::find_function(std::string_view name, const spec::FuncType& type) {
  const module::Export* e = module().find_export(name);
  if (e == nullptr || e->kind != spec::ExternKind::func) return nullptr;
  if (!(module().type_of(spec::FuncIndex(e->index)) == type)) return nullptr;
  return func_ref(spec::FuncIndex(e->index));
}

abi::VmFuncRef* Instance::func_ref(spec::FuncIndex f) {
  HEDDLE_CHECK(code_->layout().has_func_ref(f), "references are had of imported, declared and start functions");
  abi::VmFuncRef* ref = &vmctx_->func_refs[code_->layout().func_ref(f)];
  if (ref->slot == nullptr) *ref = {code_->slot(f), vmctx_, module().canonical_of(f), this};
  return ref;
}

TableInstance& Instance::table_instance(spec::TableIndex t) {
  const std::uint32_t imported = module().imported_tables;
  return t.value < imported ? *imported_tables_[t.value] : tables_[t.value - imported];
}

abi::VmValue* Instance::global(spec::GlobalIndex g) {
  const std::int32_t offset = code_->layout().global(g);
  return code_->layout().global_is_pointer(g) ? *at<abi::VmValue*>(offset) : at<abi::VmValue>(offset);
}

TagInstance* Instance::tag(spec::TagIndex t) {
  const std::uint32_t imported = module().imported_tags;
  return t.value < imported ? imported_tags_[t.value] : &tags_[t.value - imported];
}

base::Bytes Instance::data_segment(spec::DataIndex d) const {
  if (data_dropped_[d.value]) return {};
  return module().bytes_of(module().datas[d.value].bytes);
}

spec::TrapCode Instance::init_table(spec::TableIndex table_index, spec::ElemIndex elem, std::uint64_t dst,
                                    std::uint64_t src, std::uint64_t count) {
  abi::VmTable* to = table(table_index);
  const module::ElemSegment& segment = module().elems[elem.value];
  const std::uint64_t size = elem_dropped_[elem.value] ? 0 : segment.size();
  if (src > size || count > size - src || dst > to->size || count > to->size - dst)
    return spec::TrapCode::table_out_of_bounds;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!segment.uses_expressions) {
      to->elements[dst + i] = func_ref(segment.funcs[src + i]);
      continue;
    }
    const auto value = evaluate(*this, segment.expressions[src + i]);
    HEDDLE_CHECK(value.ok(), "Blueprint refused what cannot be evaluated");
    to->elements[dst + i] = value->ref;
  }
  return spec::TrapCode::none;
}

}  // namespace heddle::runtime
