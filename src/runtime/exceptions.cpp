// Exceptions: objects and their collector (exceptions.h), and the search for a handler (core spec, Control
// Instructions: throw, throw_ref, try_table). A throw walks the wasm frames of the innermost entry; frames of the host
// are never unwound: an exception that meets one leaves as EntryStatus::exception.
#include "runtime/exceptions.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "code/module_code.h"
#include "runtime/builtins.h"
#include "runtime/entry.h"
#include "runtime/instance.h"
#include "runtime/stack_walk.h"
#include "runtime/store.h"

namespace heddle::runtime {
namespace {

constexpr std::uint64_t kMarked = 1;
constexpr std::uint64_t kPinned = 2;

std::size_t size_of(const abi::VmException& e) {
  return sizeof(abi::VmException) + e.value_count * sizeof(abi::VmValue);
}

}  // namespace

ExceptionHeap::~ExceptionHeap() {
  while (first_ != nullptr) std::free(std::exchange(first_, static_cast<abi::VmException*>(first_->next)));
}

abi::VmException* ExceptionHeap::allocate(Store& store, const void* tag, std::uint64_t value_count) {
  const std::size_t size = sizeof(abi::VmException) + value_count * sizeof(abi::VmValue);
  if (bytes_ + size > threshold_bytes_) collect(store);
  // calloc: a conservative mark must not read leftovers, and values may be read before all are stored.
  auto* e = static_cast<abi::VmException*>(std::calloc(1, size));
  HEDDLE_CHECK(e != nullptr, "there is memory for an exception");
  e->tag = tag;
  e->value_count = value_count;
  e->next = first_;
  first_ = e;
  bytes_ += size;
  return e;
}

void ExceptionHeap::pin(void* exception) {
  if (exception != nullptr) static_cast<abi::VmException*>(exception)->mark |= kPinned;
}

/// Marks from conservative roots.
struct ExceptionHeap::Marker {
  explicit Marker(abi::VmException* first) {
    for (abi::VmException* e = first; e != nullptr; e = static_cast<abi::VmException*>(e->next)) {
      objects.push_back(e);
      if ((e->mark & kPinned) != 0) pending.push_back(e);
    }
    std::sort(objects.begin(), objects.end());
  }

  void word(std::uintptr_t value) {
    const auto behind = std::upper_bound(objects.begin(), objects.end(), reinterpret_cast<abi::VmException*>(value));
    if (behind == objects.begin()) return;
    abi::VmException* e = behind[-1];
    if (value > reinterpret_cast<std::uintptr_t>(e) + size_of(*e) || (e->mark & kMarked) != 0) return;
    e->mark |= kMarked;
    pending.push_back(e);
  }

  /// Words of [begin, end); reads stack frames of any kind, so no sanitizer looks.
  __attribute__((no_sanitize("address"), no_sanitize("thread"))) void range(const void* begin, const void* end) {
    for (auto at = (reinterpret_cast<std::uintptr_t>(begin) + 7) & ~std::uintptr_t{7};
         at + 8 <= reinterpret_cast<std::uintptr_t>(end); at += 8)
      word(*reinterpret_cast<const volatile std::uintptr_t*>(at));
  }

  void drain() {
    while (!pending.empty()) {
      abi::VmException* e = pending.back();
      pending.pop_back();
      range(e->values(), e->values() + e->value_count);
    }
  }

  std::vector<abi::VmException*> objects;
  std::vector<abi::VmException*> pending;
};

__attribute__((noinline)) void ExceptionHeap::collect(Store& store) {
  __builtin_unwind_init();  // callee-saved registers of the wasm frames are on the stack from here on
  Marker marker(first_);
  const abi::EntryFrame* outermost = store.vm()->entry;
  while (outermost != nullptr && outermost->previous != nullptr) outermost = outermost->previous;
  if (outermost != nullptr) marker.range(__builtin_frame_address(0), outermost);
  marker.word(reinterpret_cast<std::uintptr_t>(store.vm()->pending_exception));
  for (const auto& instance : store.instances()) {
    const module::Module& m = instance->module();
    for (std::uint32_t i = 0; i < m.globals.size(); ++i) {
      if (holds_exceptions(m.globals[i].type.type))
        marker.word(reinterpret_cast<std::uintptr_t>(instance->global(spec::GlobalIndex(i))->ref));
    }
    for (std::uint32_t i = 0; i < m.tables.size(); ++i) {
      if (!holds_exceptions(m.tables[i].type.element)) continue;
      const abi::VmTable* table = instance->table(spec::TableIndex(i));
      marker.range(table->elements, table->elements + table->size);
    }
  }
  marker.drain();
  sweep();
}

void ExceptionHeap::sweep() {
  bytes_ = 0;
  abi::VmException* kept = nullptr;
  for (abi::VmException* e = std::exchange(first_, nullptr); e != nullptr;) {
    auto* next = static_cast<abi::VmException*>(e->next);
    if ((e->mark & (kMarked | kPinned)) != 0) {
      e->mark &= kPinned;
      e->next = std::exchange(kept, e);
      bytes_ += size_of(*e);
    } else {
      std::free(e);
    }
    e = next;
  }
  first_ = kept;
  threshold_bytes_ = std::max(kFirstThresholdBytes, bytes_ * 2);
}

namespace {

/// Registers in the order of FrameInfo::saved: rbx rbp r12 r13 r14 r15.
constexpr std::size_t kR13 = 3;

std::uint64_t load_word(const std::uint8_t* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

const void* identity(const abi::VmCtx* ctx, const code::ModuleCode& module, spec::TagIndex tag) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(ctx) + module.layout().tag(tag);
  return reinterpret_cast<const void*>(load_word(at));
}

/// The innermost handler of the frame that takes the exception, or nullptr. `ctx` is the frame's own vmctx.
const abi::ExceptionHandler* find_handler(const StackFrame& frame, const abi::VmCtx* ctx, const void* tag) {
  const std::uint32_t offset = frame.code->offset_of(frame.pc);
  for (const abi::ExceptionHandler& h : frame.code->handlers) {
    if (offset <= h.begin || offset > h.end) continue;
    if (h.catches_all || identity(ctx, *frame.code->owner, h.tag) == tag) return &h;
  }
  return nullptr;
}

}  // namespace

extern "C" {

void* heddle_builtin_exception_new(VmCtx* ctx, std::uint32_t tag) {
  const auto& code = *static_cast<const code::ModuleCode*>(ctx->module_code);
  const spec::TagIndex index(tag);
  auto& store = *static_cast<Store*>(ctx->store->owner);
  const std::size_t values = code.module().func_type(code.module().tags[tag].type.type).params.size();
  return store.exceptions().allocate(store, identity(ctx, code, index), values);
}

/// Behind heddle_builtin_exception_throw (entry_x64.S), which passes the throwing frame's callee-saved registers.
[[noreturn]] __attribute__((used, visibility("hidden"))) void heddle_throw(VmCtx* ctx, abi::VmException* exception,
                                                                           std::uint64_t* registers) {
  abi::VmStore* vm = ctx->store;
  HEDDLE_CHECK(exception != nullptr, "generated code tests for a null exception reference before it throws");
  StackWalker walker = StackWalker::at_exit(*vm);
  StackFrame frame;
  while (walker.next(frame) && walker.entry() == vm->entry) {
    const auto& saved = frame.code->frame.saved;
    const std::uint8_t* sp = walker.frame_sp();
    if (!frame.code->handlers.empty()) {
      const bool is_any = frame.code->frame.r13_is_any;
      HEDDLE_CHECK(saved[kR13] >= 0 || is_any, "a function with handlers saves r13");
      const std::uint64_t own = saved[kR13] >= 0 ? load_word(sp + saved[kR13]) : registers[kR13];
      const auto* h = find_handler(frame, reinterpret_cast<const VmCtx*>(own), exception->tag);
      if (h != nullptr) {
        const Landing landing{
            frame.code->begin + h->landing_offset, sp,           registers[0], registers[1], registers[2],
            is_any ? registers[kR13] : own,        registers[4], registers[5], exception,    vm};
        heddle_land(&landing);
      }
    }
    for (std::size_t i = 0; i < saved.size(); ++i) {
      if (saved[i] >= 0) registers[i] = load_word(sp + saved[i]);
    }
  }
  vm->pending_exception = exception;
  vm->trap_code = static_cast<std::uint32_t>(spec::TrapCode::uncaught_exception);
  vm->trap_pc = reinterpret_cast<const std::uint8_t*>(load_word(vm->exit_sp - 8));
  static_cast<Store*>(vm->owner)->capture_trap(true);
  heddle_unwind(vm, static_cast<std::uint32_t>(EntryStatus::exception));
}

}  // extern "C"

}  // namespace heddle::runtime
