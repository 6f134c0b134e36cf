// Hand-made machine code as "wasm": a module built in memory and a tier that emits what the test says, so that code/
// and runtime/ are tested without a compiler.
#pragma once

#include <asmjit/x86.h>
#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "abi/tier.h"
#include "module/module.h"
#include "validate/checked.h"

namespace heddle::test {

/// What an emitter gets: the assembler, and the artifact whose tables it fills. Offsets: `here()`.
struct Emitter {
  asmjit::x86::Assembler& as;
  abi::CodeArtifact& artifact;
  const abi::VmLayout& layout;
  const module::Module& module;

  std::uint32_t here() const { return static_cast<std::uint32_t>(as.offset()); }
  /// ud2 with a trap site.
  void trap(spec::TrapCode code, std::uint32_t body_offset = 0) {
    artifact.sites.add_trap(here(), body_offset, code);
    as.ud2();
  }
  /// call [rip + slot of func], with its call site.
  void call(spec::FuncIndex func, std::uint32_t body_offset = 0) {
    as.db(0xff);
    as.db(0x15);
    artifact.relocations.push_back({here(), func});
    as.dd(0);
    artifact.sites.add_call(here(), body_offset);
  }
  /// Calls an imported function: r13 is the callee's meanwhile, [rsp + r13_at] keeps the caller's.
  void call_import(spec::FuncIndex func, std::int32_t r13_at, std::uint32_t body_offset = 0) {
    using namespace asmjit::x86;
    const std::int32_t at = layout.func_import(func);
    as.mov(rax, ptr(r13, at));
    as.mov(r13, ptr(r13, at + 8));
    as.call(ptr(rax));
    artifact.sites.add_call(here(), body_offset);
    as.mov(r13, ptr(rsp, r13_at));
  }
  /// Calls a builtin with whatever is in rsi, rdx, ...; tests the interrupt flag afterwards, as builtins.def asks.
  void call_builtin(std::int32_t offset, std::uint32_t body_offset = 0) {
    using namespace asmjit::x86;
    as.mov(rdi, r13);
    as.mov(rax, ptr(r13, abi::kOffsetStore));
    as.mov(ptr(rax, abi::kStoreOffsetExitSp), rsp);
    as.mov(rax, ptr(r13, abi::kOffsetBuiltins));
    as.call(ptr(rax, offset));
    artifact.sites.add_call(here(), body_offset);
    as.mov(rcx, ptr(r13, abi::kOffsetStore));
    as.cmp(dword_ptr(rcx, abi::kStoreOffsetInterrupt), 0);
    asmjit::Label go_on = as.newLabel();
    as.je(go_on);
    trap(spec::TrapCode::interrupted, body_offset);
    as.bind(go_on);
  }
  /// Prologue of a frame of `bytes` that keeps r13 at [rsp + r13_at]; bytes is 8 modulo 16.
  void enter(std::uint32_t bytes, std::int32_t r13_at) {
    using namespace asmjit::x86;
    as.sub(rsp, bytes);
    artifact.frame.size_bytes = bytes;
    artifact.frame.prologue_end = here();
    as.mov(ptr(rsp, r13_at), r13);
    artifact.frame.saved[3] = r13_at;
  }
  void leave() {
    using namespace asmjit::x86;
    as.add(rsp, artifact.frame.size_bytes);
    const std::uint32_t begin = here();
    as.ret();
    artifact.frame.popped.emplace_back(begin, here());
  }
};

using Emit = std::function<void(Emitter&)>;

/// Collects functions; build() makes the module once.
class MachineModule : public abi::Tier {
 public:
  spec::TypeIndex type(spec::FuncType t) {
    spec::SubType sub;
    sub.func = std::move(t);
    module_->types.push_back(std::move(sub));
    const auto i = static_cast<std::uint32_t>(module_->types.size() - 1);
    module_->rec_groups.push_back({i, i + 1});
    return spec::TypeIndex(i);
  }
  /// Imports before functions.
  spec::FuncIndex import(const char* module, const char* name, spec::FuncType t) {
    const spec::FuncIndex f(module_->functions.size());
    module_->imports.push_back({module, name, spec::ExternKind::func, f.value, 0});
    module_->functions.push_back({type(std::move(t)), 0});
    ++module_->imported_functions;
    return f;
  }
  spec::FuncIndex add(spec::FuncType t, Emit emit) {
    const spec::FuncIndex f(module_->functions.size());
    module_->functions.push_back({type(std::move(t)), 0});
    module_->bodies.push_back({{100 + f.value * 10, 110 + f.value * 10}});
    emitters_.push_back(std::move(emit));
    return f;
  }
  spec::TagIndex tag(spec::ResultType params) {
    module_->tags.push_back({{type({std::move(params), {}})}, 0});
    return spec::TagIndex(module_->tags.size() - 1);
  }
  void memory(std::uint64_t pages, bool shared = false) {
    spec::MemType t;
    t.limits = {pages, pages};
    t.shared = shared;
    module_->memories.push_back({t, 0});
  }
  void table(std::uint64_t entries) {
    spec::TableType t;
    t.limits = {entries, entries};
    module::Table table;
    table.type = t;
    module_->tables.push_back(table);
  }
  void export_function(const char* name, spec::FuncIndex f) {
    module_->exports.push_back({name, spec::ExternKind::func, f.value, 0});
  }
  void start(spec::FuncIndex f) {
    module_->has_start = true;
    module_->start = f;
  }
  module::CheckedModule build() {
    module_->wire = std::make_shared<module::OwnedBytes>(std::vector<std::uint8_t>(8));
    module_->canonical = module::canonicalize(module_->types, module_->rec_groups);
    module_->declared_funcs.assign(module_->functions.size(), true);
    return validate::ValidationAuthority::issue(module_);
  }

  std::string_view name() const override { return "machine"; }
  abi::CompileResult compile(const abi::CompileRequest& request) const override {
    compilations.fetch_add(1);
    if (before_compile) before_compile();
    if (fail_with) return *fail_with;
    const module::Module& m = request.module.module();
    abi::CodeArtifact artifact(validate::ValidationAuthority::issue(m, request.func));
    asmjit::CodeHolder holder;
    holder.init(asmjit::Environment::host());
    asmjit::x86::Assembler as(&holder);
    Emitter e{as, artifact, request.layout, m};
    emitters_[request.func.value - m.imported_functions](e);
    holder.flatten();
    holder.resolveUnresolvedLinks();
    const asmjit::CodeBuffer& buffer = holder.textSection()->buffer();
    artifact.code.assign(buffer.data(), buffer.data() + buffer.size());
    return artifact;
  }

  mutable std::atomic<int> compilations{0};
  std::function<void()> before_compile;
  std::optional<base::Error> fail_with;

 private:
  std::shared_ptr<module::Module> module_ = std::make_shared<module::Module>();
  std::vector<Emit> emitters_;
};

}  // namespace heddle::test
