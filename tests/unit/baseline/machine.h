// A machine just big enough to run what the baseline tier makes: maps the code of one module, fakes an instance (VmCtx,
// VmStore, memories, tables, globals) and catches traps. Stands in for code and runtime, which these tests must not
// need. Modules are text; imports are functions of other machines.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "abi/artifact.h"
#include "abi/builtins.h"
#include "abi/vmctx.h"
#include "base/cpu_features.h"
#include "base/os_memory.h"
#include "module/validated.h"
#include "spec/trap_codes.h"

namespace heddle::baseline::test {

using abi::VmValue;
using spec::TrapCode;

inline VmValue i32(std::uint32_t v) {
  VmValue value{};
  value.i32 = v;
  return value;
}
inline VmValue i64(std::uint64_t v) {
  VmValue value{};
  value.i64 = v;
  return value;
}
inline VmValue f32(float v) {
  return i32(std::bit_cast<std::uint32_t>(v));
}
inline VmValue f64(double v) {
  return i64(std::bit_cast<std::uint64_t>(v));
}

struct Outcome {
  TrapCode trap = TrapCode::none;
  std::uint32_t trap_offset = 0;  ///< body offset
  std::vector<VmValue> results;
  bool trapped() const { return trap != TrapCode::none; }
};

/// Which rows of the opcode table have been in a function that some machine ran.
std::vector<bool>& opcodes_run();

class Machine {
 public:
  /// Parses, decodes, checks and compiles everything; a failure fails the test.
  /// `cpu`: what the code may use of the processor; must be a part of what the host has.
  explicit Machine(std::string_view wat, const base::CpuFeatures& cpu = base::host_cpu_features(),
                   bool want_listing = false);
  ~Machine();
  Machine(const Machine&) = delete;

  bool ok() const { return ok_; }
  Outcome call(std::uint32_t func, const std::vector<VmValue>& args = {});
  Outcome call(std::string_view export_name, const std::vector<VmValue>& args = {});

  const abi::CodeArtifact& artifact(std::uint32_t func) const { return artifacts_[func - imported()]; }
  const module::Module& module() const { return *module_; }
  const abi::VmLayout& layout() const { return *layout_; }
  abi::VmCtx* vmctx() { return reinterpret_cast<abi::VmCtx*>(context_.get()); }
  abi::VmStore& store() { return *store_; }
  std::uint8_t* memory(std::uint32_t i = 0) { return memories_[i].vm.base; }
  std::uint64_t memory_bytes(std::uint32_t i = 0) const { return memories_[i].vm.size_bytes.load(); }
  bool grow_memory(std::uint32_t i, std::uint64_t pages);
  VmValue& global(std::uint32_t i);
  abi::VmTable& table(std::uint32_t i);
  void* func_ref(std::uint32_t func) { return &func_refs_[place_of_ref(func)]; }
  /// Import `func` is `other`'s function.
  void link(std::uint32_t func, Machine& other, std::uint32_t other_func);
  /// What the last host service got, after the vmctx.
  std::vector<std::uint64_t> last_service;
  /// What the next wait, notify or grow answers.
  std::int64_t service_answer = 0;

  std::uint32_t imported() const { return module_->imported_functions; }

 private:
  struct Memory {
    abi::VmMemory vm;
    base::Reservation range;
  };
  bool load(std::string_view wat);
  bool compile(const base::CpuFeatures& cpu, bool want_listing);
  void map_code();
  void make_instance();
  /// Functions that no reference can be had of by ref.func have one behind those that have.
  std::size_t place_of_ref(std::size_t func) const {
    const spec::FuncIndex f(func);
    return layout_->has_func_ref(f) ? layout_->func_ref(f) : layout_->func_refs() + func;
  }
  void mark_opcodes(std::uint32_t func);

  bool ok_ = false;
  std::shared_ptr<const module::Module> module_;
  std::unique_ptr<module::CheckedModule> checked_;
  std::unique_ptr<abi::VmLayout> layout_;
  std::vector<abi::CodeArtifact> artifacts_;
  std::vector<std::uint32_t> code_offsets_;
  base::Reservation code_;
  abi::Slot* slots_ = nullptr;
  std::unique_ptr<std::uint8_t[]> context_;
  std::unique_ptr<abi::VmStore> store_;
  std::unique_ptr<Memory[]> memories_;
  std::vector<std::vector<void*>> tables_;
  std::vector<abi::VmFuncRef> func_refs_;
  std::vector<VmValue> imported_globals_;
  std::vector<abi::VmTable> imported_tables_;
};

}  // namespace heddle::baseline::test
