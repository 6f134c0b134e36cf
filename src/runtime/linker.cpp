#include "runtime/linker.h"

#include <algorithm>

#include "runtime/import_match.h"
#include "runtime/instantiation.h"

namespace heddle::runtime {
namespace {

/// A function that nobody defined (--allow-unknown-imports).
void call_unknown(HostCall& call, const abi::VmValue*, abi::VmValue*) {
  call.trap(spec::TrapCode::host_trap,
            "unknown import " + *static_cast<const std::string*>(call.user()) + " was called");
}

base::Error unknown_imports(const module::Module& m, const std::vector<const module::Import*>& unknown) {
  const auto describe = [&m](const module::Import& import) {
    return import_name_text(import) + " " + import_type_text(m, import);
  };
  base::Error error{base::ErrorKind::unlinkable, unknown.front()->offset, "unknown import"};
  if (unknown.size() == 1) {
    error.message += " " + describe(*unknown.front());
    return error;
  }
  error.message += "s:";
  for (const module::Import* import : unknown) error.message += "\n  " + describe(*import);
  return error;
}

}  // namespace

InstancePlan::InstancePlan(std::shared_ptr<code::ModuleCode> code)
    : code_(std::move(code)), blueprint_(code_->module()) {}

base::Status InstancePlan::make_shared_memories(ResourceLimits* limits) {
  const module::Module& m = code_->module();
  shared_memories_.resize(m.memories.size() - m.imported_memories);
  for (std::size_t i = 0; i < shared_memories_.size(); ++i) {
    const spec::MemType& type = m.memories[m.imported_memories + i].type;
    if (!type.shared) continue;
    HEDDLE_TRY_ASSIGN(shared_memories_[i], Memory::create(type, limits));
  }
  return {};
}

base::Result<Instance::Started> InstancePlan::instantiate(Store& store) const {
  std::vector<BoundImport> bound;
  bound.reserve(imports_.size());
  for (const Definition& definition : imports_) {
    if (const auto* function = std::get_if<0>(&definition))
      bound.emplace_back(function->get());
    else
      bound.emplace_back(Extern{*std::get_if<1>(&definition)});
  }
  return Instantiation::run(store, {code_, blueprint_, bound, shared_memories_, shared_from_this()});
}

void Linker::define(std::string module, std::string name, Definition definition) {
  definitions_.insert_or_assign({std::move(module), std::move(name)}, std::move(definition));
}

void Linker::define_host_module(const HostModule& module, void* user) {
  host_modules_.emplace_back(module, user);
}

bool Linker::knows_module(std::string_view module) const {
  const auto at = definitions_.lower_bound({std::string(module), std::string()});
  return (at != definitions_.end() && at->first.first == module) ||
         std::any_of(host_modules_.begin(), host_modules_.end(), [&](const auto& m) { return m.first.name == module; });
}

std::optional<Definition> Linker::find(const module::Import& import) const {
  const auto at = definitions_.find({std::string(import.module), std::string(import.name)});
  if (at != definitions_.end()) return at->second;
  for (const auto& [host, user] : host_modules_) {
    if (import.module != host.name) continue;
    for (const HostModule::Function& function : host.functions)
      if (import.name == function.name) return function.make(user);
  }
  return std::nullopt;
}

base::Result<std::shared_ptr<const InstancePlan>> Linker::plan(std::shared_ptr<code::ModuleCode> code,
                                                               const PlanOptions& options) const {
  std::shared_ptr<InstancePlan> plan(new InstancePlan(std::move(code)));
  const module::Module& m = plan->code_->module();
  if (!plan->blueprint_.status.ok()) return base::Error(plan->blueprint_.status.error());
  std::vector<const module::Import*> unknown;
  for (const module::Import& import : m.imports) {
    if (std::optional<Definition> definition = find(import)) {
      if (const auto* function = std::get_if<0>(&*definition))
        HEDDLE_TRY(match_import(m, import, **function));
      else
        HEDDLE_TRY(match_import(m, import, **std::get_if<1>(&*definition)));
      plan->imports_.push_back(*std::move(definition));
    } else if (import.kind == spec::ExternKind::memory && m.memories[import.index].type.shared) {
      HEDDLE_TRY_ASSIGN(auto memory, Memory::create(m.memories[import.index].type, options.limits));
      plan->imports_.emplace_back(std::move(memory));
    } else if (import.kind == spec::ExternKind::func && options.allow_unknown_imports) {
      plan->names_.push_back(std::make_unique<std::string>(import_name_text(import)));
      const spec::FuncIndex func(import.index);
      plan->imports_.emplace_back(
          HostFunction::generic(m.type_of(func), m.canonical_of(func), &call_unknown, plan->names_.back().get()));
    } else {
      unknown.push_back(&import);
    }
  }
  if (!unknown.empty()) return unknown_imports(m, unknown);
  HEDDLE_TRY(plan->make_shared_memories(options.limits));
  return std::shared_ptr<const InstancePlan>(std::move(plan));
}

}  // namespace heddle::runtime
