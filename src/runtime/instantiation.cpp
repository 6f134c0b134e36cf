#include "runtime/instantiation.h"

#include <algorithm>

#include "base/os_memory.h"
#include "runtime/builtins.h"
#include "runtime/const_eval.h"
#include "runtime/entry.h"
#include "runtime/guest_memory.h"
#include "runtime/import_match.h"

namespace heddle::runtime {
namespace {

// Chosen: some dozens of pages.
constexpr std::uint64_t kManyBytes = 256 << 10;

}  // namespace

base::Result<Instance::Started> Instance::instantiate(Store& store, std::shared_ptr<code::ModuleCode> code,
                                                      std::span<const Extern> imports) {
  const module::Module& m = code->module();
  HEDDLE_CHECK(imports.size() == m.imports.size(), "one object for each import");
  std::vector<BoundImport> bound;
  bound.reserve(imports.size());
  for (std::size_t i = 0; i < imports.size(); ++i) {
    HEDDLE_TRY(match_import(m, m.imports[i], imports[i]));
    bound.emplace_back(imports[i]);
  }
  const Blueprint blueprint(m);
  return Instantiation::run(store, {std::move(code), blueprint, bound, {}, nullptr});
}

base::Result<Instance::Started> Instantiation::run(Store& store, const Request& request) {
  if (!request.blueprint.status.ok()) return base::Error(request.blueprint.status.error());
  std::unique_ptr<Instance> owned(new Instance(store, request.code));
  owned->keep_alive_ = request.keep_alive;
  Instantiation steps(*owned, request);
  HEDDLE_TRY(steps.allocate());
  // From here on other instances may get hold of this one's functions: it lives as long as the store.
  Instance::Started started{store.adopt(std::move(owned)), EntryStatus::returned};
  HEDDLE_TRY_ASSIGN(const spec::TrapCode trap, steps.run_active_segments());
  if (trap != spec::TrapCode::none) {
    store.trap_text().clear();
    store.vm()->trap_code = static_cast<std::uint32_t>(trap);
    store.vm()->trap_pc = nullptr;
    started.status = trap == spec::TrapCode::interrupted ? EntryStatus::interrupted : EntryStatus::trapped;
    return started;
  }
  const module::Module& m = started.instance->module();
  if (m.has_start) started.status = store.call(*started.instance->func_ref(m.start), {}, {});
  return started;
}

base::Status Instantiation::allocate() {
  const auto is_host = [](const BoundImport& import) { return import.index() == 1; };
  const auto host_functions = std::count_if(request_.imports.begin(), request_.imports.end(), is_host);
  if (!instance_.allocate_block(static_cast<std::size_t>(host_functions)))
    return base::Error{base::ErrorKind::limit, base::kNoOffset, "out of memory for an instance"};
  abi::VmCtx& ctx = *instance_.vmctx_;
  ctx.stack_limit = instance_.store().stack_limit();
  ctx.store = instance_.store().vm();
  ctx.builtins = kBuiltins;
  ctx.types = module_.canonical.by_index.data();
  ctx.instance = &instance_;
  ctx.module_code = &instance_.code();
  instance_.data_dropped_.resize(module_.datas.size());
  instance_.elem_dropped_.resize(module_.elems.size());

  bind_imports();
  HEDDLE_TRY(make_memories());
  HEDDLE_TRY(make_tables());
  make_tags();
  make_func_refs();
  HEDDLE_TRY(make_globals());
  return fill_tables();
}

void Instantiation::bind_imports() {
  abi::VmHostFunc* next_host = instance_.host_funcs_;
  for (std::size_t i = 0; i < request_.imports.size(); ++i) {
    const module::Import& import = module_.imports[i];
    const BoundImport& given = request_.imports[i];
    if (const auto* host = std::get_if<1>(&given)) {
      abi::VmHostFunc* bound = next_host++;
      *bound = bind_host_function(**host, instance_.store());
      bound->instance = &instance_;
      bound->self_ref.vmctx = bound;
      instance_.vmctx_->func_refs[import.index] = bound->self_ref;
      continue;
    }
    const Extern& object = *std::get_if<0>(&given);
    switch (import.kind) {
      case spec::ExternKind::func: instance_.vmctx_->func_refs[import.index] = **std::get_if<0>(&object.item); break;
      case spec::ExternKind::table: instance_.imported_tables_.push_back(*std::get_if<1>(&object.item)); break;
      case spec::ExternKind::memory: instance_.memories_.push_back(*std::get_if<2>(&object.item)); break;
      case spec::ExternKind::global: instance_.imported_globals_.push_back(*std::get_if<3>(&object.item)); break;
      case spec::ExternKind::tag: instance_.imported_tags_.push_back(*std::get_if<4>(&object.item)); break;
    }
  }
  for (std::uint32_t f = 0; f < module_.imported_functions; ++f) {
    const abi::VmFuncRef& ref = instance_.vmctx_->func_refs[f];
    *instance_.at<abi::VmFuncImport>(layout_.func_import(spec::FuncIndex(f))) = {ref.slot, ref.vmctx};
  }
  for (std::uint32_t g = 0; g < module_.imported_globals; ++g)
    *instance_.at<abi::VmValue*>(layout_.global(spec::GlobalIndex(g))) = instance_.imported_globals_[g]->value;
  for (std::uint32_t t = 0; t < module_.imported_tables; ++t)
    *instance_.at<abi::VmTable*>(layout_.table(spec::TableIndex(t))) = instance_.imported_tables_[t]->vm;
}

base::Status Instantiation::make_memories() {
  for (std::uint32_t i = module_.imported_memories; i < module_.memories.size(); ++i) {
    const std::uint32_t defined = i - module_.imported_memories;
    if (defined < request_.shared_memories.size() && request_.shared_memories[defined] != nullptr) {
      instance_.memories_.push_back(request_.shared_memories[defined]);
      continue;
    }
    HEDDLE_TRY_ASSIGN(auto memory, Memory::create(module_.memories[i].type, instance_.store().limits()));
    instance_.memories_.push_back(std::move(memory));
  }
  for (std::uint32_t i = 0; i < instance_.memories_.size(); ++i) {
    abi::VmMemory& vm = instance_.memories_[i]->vm();
    *instance_.at<abi::VmMemoryRef>(layout_.memory(spec::MemIndex(i))) = {vm.base, &vm};
  }
  if (!instance_.memories_.empty()) instance_.vmctx_->memory0_base = instance_.memories_[0]->vm().base;
  if (request_.blueprint.default_memory)
    instance_.default_memory_ = &instance_.memories_[request_.blueprint.default_memory->value]->vm();
  return {};
}

base::Status Instantiation::make_tables() {
  const std::size_t defined = module_.tables.size() - module_.imported_tables;
  if (defined == 0) return {};
  instance_.tables_ = std::make_unique<TableInstance[]>(defined);
  for (std::uint32_t i = 0; i < defined; ++i) {
    const spec::TableIndex index(module_.imported_tables + i);
    TableInstance& table = instance_.tables_[i];
    table.type = module_.tables[index.value].type;
    table.types_of = &module_;
    abi::VmTable* vm = instance_.at<abi::VmTable>(layout_.table(index));
    HEDDLE_TRY(table.allocate(vm, instance_.store().limits()));
  }
  return {};
}

void Instantiation::make_tags() {
  const std::size_t defined = module_.tags.size() - module_.imported_tags;
  if (defined != 0) instance_.tags_ = std::make_unique<TagInstance[]>(defined);
  for (std::uint32_t i = 0; i < module_.tags.size(); ++i) {
    TagInstance* tag = instance_.tag(spec::TagIndex(i));
    if (i >= module_.imported_tags) tag->type = module_.canonical.by_index[module_.tags[i].type.type.value];
    *instance_.at<const void*>(layout_.tag(spec::TagIndex(i))) = tag;
  }
}

void Instantiation::make_func_refs() {
  const std::size_t bytes = layout_.func_refs() * sizeof(abi::VmFuncRef);
  if (bytes >= kManyBytes) base::make_pages(instance_.vmctx_->func_refs, bytes);
  for (const spec::FuncIndex f : request_.blueprint.declared) instance_.func_ref(f);
}

base::Status Instantiation::make_globals() {
  for (std::uint32_t i = module_.imported_globals; i < module_.globals.size(); ++i) {
    HEDDLE_TRY_ASSIGN(*instance_.global(spec::GlobalIndex(i)), evaluate(instance_, module_.globals[i].init));
  }
  return {};
}

base::Status Instantiation::fill_tables() {
  for (std::uint32_t i = module_.imported_tables; i < module_.tables.size(); ++i) {
    if (!module_.tables[i].has_init) continue;
    HEDDLE_TRY_ASSIGN(const abi::VmValue init, evaluate(instance_, module_.tables[i].init));
    const abi::VmTable* table = instance_.table(spec::TableIndex(i));
    std::fill_n(table->elements, table->size, init.ref);
  }
  return {};
}

base::Result<spec::TrapCode> Instantiation::run_active_segments() {
  for (std::uint32_t i = 0; i < module_.elems.size(); ++i) {
    const module::ElemSegment& segment = module_.elems[i];
    if (segment.mode == module::SegmentMode::passive) continue;
    if (segment.mode == module::SegmentMode::active) {
      HEDDLE_TRY_ASSIGN(const std::uint64_t offset, evaluate_offset(segment.table_offset));
      const auto trap = instance_.init_table(segment.table, spec::ElemIndex(i), offset, 0, segment.size());
      if (trap != spec::TrapCode::none) return trap;
    }
    instance_.drop_elem(spec::ElemIndex(i));
  }
  for (std::uint32_t i = 0; i < module_.datas.size(); ++i) {
    const module::DataSegment& segment = module_.datas[i];
    if (segment.mode != module::SegmentMode::active) continue;
    HEDDLE_TRY_ASSIGN(const std::uint64_t offset, evaluate_offset(segment.memory_offset));
    const std::uint64_t size = segment.bytes.size_bytes();
    if (size < kManyBytes || !copy_from_file(segment, offset)) {
      if (!module_.wire->need(segment.bytes))
        return base::Error{base::ErrorKind::io, base::kNoOffset, "the module's file was changed while it was read"};
      const std::uint32_t status = heddle_builtin_memory_init(instance_.vmctx(), segment.memory.value, i, offset, 0,
                                                              static_cast<std::uint32_t>(size));
      if (status != 0) return static_cast<spec::TrapCode>(status);
    }
    instance_.drop_data(spec::DataIndex(i));
  }
  return spec::TrapCode::none;
}

// Nobody else has this memory yet, unless it is imported; then another thread may see the bytes come in any order, as
// it may anyway.
bool Instantiation::copy_from_file(const module::DataSegment& segment, std::uint64_t offset) {
  std::uint8_t* to = GuestMemory(instance_.memory(segment.memory).vm()).range(offset, segment.bytes.size_bytes());
  if (to == nullptr) return false;
  base::make_pages(to, static_cast<std::size_t>(segment.bytes.size_bytes()));
  return module_.wire->copy_data(segment.bytes, to);
}

base::Result<std::uint64_t> Instantiation::evaluate_offset(const module::ConstExpr& expression) {
  HEDDLE_TRY_ASSIGN(const abi::VmValue value, evaluate(instance_, expression));
  return value.i64;
}

}  // namespace heddle::runtime
