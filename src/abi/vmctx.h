// The memory that generated code and host share: one VmStore for each thread that runs wasm, one VmCtx for each
// instance. The only place that states offsets. Plain structs; owned by runtime (Store, Instance), read by code of both
// tiers.
//
//   r13 -> VmCtx header | memories | tables | globals | function imports | tags     (offsets: VmLayout)
//             | store -> VmStore (thread: stack limit source, entry frame, interrupt flag, overflow buffer)
//
// An atomic here names its partner. Everything else is touched only by the thread that owns the store.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "module/module.h"
#include "spec/limits.h"

namespace heddle::abi {

/// One jump-table slot. Written by code/module_code.cpp (release) when better code exists; read by call instructions of
/// any thread (a plain aligned load: the code behind an older value stays mapped and correct).
using Slot = std::atomic<const void*>;

/// One value as it crosses between host and wasm. v128 uses all 16 bytes, others the low ones; a reference is its word.
union alignas(16) VmValue {
  std::uint32_t i32;
  std::uint64_t i64;
  float f32;
  double f64;
  std::uint8_t v128[16];
  std::uint64_t words[2];
  void* ref;  ///< funcref: VmFuncRef*; externref: the host's nonzero word; exnref: runtime's object; null is 0
};
static_assert(sizeof(VmValue) == 16);

struct VmCtx;
struct VmStore;
struct EntryFrame;

/// What a non-null funcref points to. Immutable once made; lives as long as its instance.
struct VmFuncRef {
  const Slot* slot = nullptr;
  void* vmctx = nullptr;  ///< r13 of the callee: a VmCtx, or a VmHostFunc
  const module::CanonicalType* type = nullptr;
  void* owner = nullptr;  ///< runtime's: who to ask about this function
};
static_assert(sizeof(VmFuncRef) == 32);

/// An imported function, in the importing instance's VmCtx.
struct VmFuncImport {
  const Slot* slot = nullptr;
  void* vmctx = nullptr;
};

/// The part of a linear memory that code reads. `base` never changes. Lives in runtime::Memory; shared by all threads
/// of a shared memory.
struct VmMemory {
  std::uint8_t* base = nullptr;
  /// Current length in bytes. Stored with release by runtime::Memory::grow after the pages are accessible; pairs with
  /// the acquire loads of memory.size and of explicit bounds checks, which may read an older, smaller value.
  std::atomic<std::uint64_t> size_bytes{0};
};

/// A memory as an instance sees it.
struct VmMemoryRef {
  std::uint8_t* base = nullptr;  ///< copy of memory->base
  VmMemory* memory = nullptr;
};

/// A table: `elements` moves when it grows (only its own thread uses it). Entries are reference words, null is 0.
struct VmTable {
  void** elements = nullptr;
  std::uint64_t size = 0;  ///< entries
};

/// Fixed part of an instance. `kOffset...` below are what generated code uses.
struct VmCtx {
  std::uint8_t* memory0_base = nullptr;  ///< of memory 0, if any
  const std::uint8_t* stack_limit =
      nullptr;  ///< a prologue that would go below traps; kept equal in all instances of a store
  VmStore* store = nullptr;
  const void* const* builtins = nullptr;                ///< indexed by Builtin
  const module::CanonicalType* const* types = nullptr;  ///< by type index
  VmFuncRef* func_refs = nullptr;                       ///< in the places that VmLayout::func_ref gives
  void* instance = nullptr;                             ///< runtime::Instance
  void* module_code = nullptr;                          ///< code::ModuleCode, for the lazy stub
  std::uint64_t reserved[4] = {};                       ///< tier-up counters (part 5)
};

inline constexpr std::int32_t kOffsetMemory0Base = offsetof(VmCtx, memory0_base);
inline constexpr std::int32_t kOffsetStackLimit = offsetof(VmCtx, stack_limit);
inline constexpr std::int32_t kOffsetStore = offsetof(VmCtx, store);
inline constexpr std::int32_t kOffsetBuiltins = offsetof(VmCtx, builtins);
inline constexpr std::int32_t kOffsetTypes = offsetof(VmCtx, types);
inline constexpr std::int32_t kOffsetFuncRefs = offsetof(VmCtx, func_refs);
inline constexpr std::int32_t kOffsetInstance = offsetof(VmCtx, instance);
inline constexpr std::int32_t kOffsetModuleCode = offsetof(VmCtx, module_code);
static_assert(kOffsetMemory0Base == 0 && kOffsetStackLimit == 8 && kOffsetStore == 16 && kOffsetBuiltins == 24);
static_assert(kOffsetModuleCode == 56 && sizeof(VmCtx) == 96, "assembly files repeat these numbers");

struct VmHostArgs;

/// What r13 points to in a host function: `store` stands where VmCtx has it, so that one thunk serves all.
struct VmHostFunc {
  void (*handler)(VmHostFunc* self, VmHostArgs* args) = nullptr;
  void* user = nullptr;      ///< the handler's
  VmStore* store = nullptr;  ///< same offset as VmCtx::store
  void* instance = nullptr;  ///< runtime::Instance that imports it (whose memory the handler means), or nullptr
  VmFuncRef self_ref;        ///< for tables and exports
};
static_assert(offsetof(VmHostFunc, store) == kOffsetStore && offsetof(VmHostFunc, handler) == 0);

/// What the host thunk (runtime/entry_x64.S) saves before it calls a handler, and takes back afterwards.
struct VmHostArgs {
  std::uint64_t ints[6] = {};  ///< rdi rsi rdx rcx r8 r9; the handler writes an integer result to ints[0]
  std::uint64_t padding[2] = {};
  VmValue floats[8] = {};  ///< xmm0-7; a float or vector result goes to floats[0]
};
static_assert(offsetof(VmHostArgs, floats) == 64 && sizeof(VmHostArgs) == 192);

/// One for each thread that runs wasm (runtime::Store owns it). Pinned in memory.
struct VmStore {
  /// Innermost host -> wasm entry on this thread (runtime/entry_x64.S), nullptr outside wasm. Own thread only (the
  /// signal handler runs on it too).
  EntryFrame* entry = nullptr;
  /// rsp of the innermost wasm frame, at its call instruction, while it is inside a host call or builtin: [exit_sp - 8]
  /// is the return address into wasm. Stack walks start here. Written by whoever leaves wasm; not cleared on return.
  std::uint8_t* exit_sp = nullptr;
  /// Nonzero: this thread shall leave wasm. Set by any thread with release, or by the signal handler on this thread;
  /// tested (acquire) on every return from a host call, at entry, and by the interruptible system call
  /// (runtime/syscall_x64.S).
  std::atomic<std::uint32_t> interrupt{0};
  /// spec::TrapCode that a host handler asks for (HostCall::trap); 0 if none. Taken and cleared by the host thunk,
  /// which tests it together with `interrupt` in one 64-bit compare as soon as the handler has returned.
  std::uint32_t host_trap = 0;
  const std::uint8_t* trap_pc = nullptr;  ///< where it happened; nullptr if not in generated code
  std::uint8_t* trap_sp = nullptr;        ///< rsp there
  void* pending_exception = nullptr;      ///< exception object that reached the entry
  void* owner = nullptr;                  ///< runtime::Store
  std::uint32_t trap_code =
      0;  ///< spec::TrapCode of the trap that was delivered last; valid after EntryStatus::trapped
  std::uint32_t exit_status = 0;  ///< runtime::EntryStatus on its way to heddle_enter (runtime/entry_x64.S)
  std::uint64_t reserved[8] = {};
  /// Parameters and results beyond the registers (calling_convention.h).
  alignas(16) VmValue overflow[spec::kMaxParams];
};
inline constexpr std::int32_t kStoreOffsetEntry = offsetof(VmStore, entry);
inline constexpr std::int32_t kStoreOffsetExitSp = offsetof(VmStore, exit_sp);
inline constexpr std::int32_t kStoreOffsetInterrupt = offsetof(VmStore, interrupt);
inline constexpr std::int32_t kStoreOffsetOverflow = offsetof(VmStore, overflow);
static_assert(kStoreOffsetEntry == 0 && kStoreOffsetExitSp == 8 && kStoreOffsetInterrupt == 16);
static_assert(offsetof(VmStore, host_trap) == kStoreOffsetInterrupt + 4, "the host thunk tests both words at once");
static_assert(kStoreOffsetOverflow == 128 && spec::kMaxResults <= spec::kMaxParams);

/// Head of an exception object; `values` follow, one VmValue for each parameter of the tag. Made by the builtin
/// exception_new; freed by the store's collector.
struct VmException {
  const void* tag = nullptr;  ///< identity: the address of runtime's tag
  std::uint64_t value_count = 0;
  void* next = nullptr;  ///< collector's
  std::uint64_t mark = 0;
  VmValue* values() { return reinterpret_cast<VmValue*>(this + 1); }
};
static_assert(sizeof(VmException) == 32);
inline constexpr std::int32_t kExceptionOffsetValues = 32;

/// Offsets of the variable part of a VmCtx, from its module alone: the same for all instances. Bytes from r13.
class VmLayout {
 public:
  explicit VmLayout(const module::Module& m);

  std::uint32_t size_bytes() const { return size_bytes_; }
  std::int32_t memory(spec::MemIndex i) const { return at(memories_, i.value, sizeof(VmMemoryRef)); }
  /// Imported: a VmTable* stands here. Defined: the VmTable itself.
  std::int32_t table(spec::TableIndex i) const {
    return i.value < imported_tables_ ? at(imported_table_ptrs_, i.value, 8)
                                      : at(tables_, i.value - imported_tables_, sizeof(VmTable));
  }
  bool table_is_pointer(spec::TableIndex i) const { return i.value < imported_tables_; }
  /// Imported: a VmValue* stands here. Defined: the VmValue itself.
  std::int32_t global(spec::GlobalIndex i) const {
    return i.value < imported_globals_ ? at(imported_global_ptrs_, i.value, 8)
                                       : at(globals_, i.value - imported_globals_, sizeof(VmValue));
  }
  bool global_is_pointer(spec::GlobalIndex i) const { return i.value < imported_globals_; }
  std::int32_t func_import(spec::FuncIndex i) const { return at(func_imports_, i.value, sizeof(VmFuncImport)); }
  /// A const void*: the tag's identity.
  std::int32_t tag(spec::TagIndex i) const { return at(tags_, i.value, 8); }

  /// How many entries VmCtx::func_refs has: one for each function that a reference to can be had of: what is imported
  /// or declared (core spec, C.refs), and the start function. Of a large module these are few.
  std::uint32_t func_refs() const { return func_refs_; }
  bool has_func_ref(spec::FuncIndex i) const { return (ref_sets_[i.value / 64].members >> i.value % 64 & 1) != 0; }
  /// The function's entry, which there must be. Ascending.
  std::uint32_t func_ref(spec::FuncIndex i) const {
    const RefSet& set = ref_sets_[i.value / 64];
    const std::uint64_t below = set.members & ((std::uint64_t{1} << i.value % 64) - 1);
    return set.before + static_cast<std::uint32_t>(std::popcount(below));
  }

 private:
  /// Of 64 functions: which have an entry, and how many before them.
  struct RefSet {
    std::uint64_t members = 0;
    std::uint32_t before = 0;
  };
  void place_func_refs(const module::Module& m);
  static std::int32_t at(std::uint32_t base, std::uint32_t index, std::size_t stride) {
    return static_cast<std::int32_t>(base + index * stride);
  }
  std::uint32_t imported_tables_, imported_globals_;
  std::uint32_t memories_, imported_table_ptrs_, tables_, imported_global_ptrs_, globals_, func_imports_, tags_;
  std::uint32_t size_bytes_;
  std::uint32_t func_refs_ = 0;
  std::vector<RefSet> ref_sets_;
};

}  // namespace heddle::abi
