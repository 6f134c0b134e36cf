// memory.atomic.wait32, wait64 and notify: the checks of the threads proposal (Overview, Wait and Notify operators)
// around the parking lot. Order of the checks: alignment, bounds, shared.
#include "runtime/builtins.h"
#include "runtime/guest_memory.h"
#include "runtime/instance.h"
#include "runtime/parking_lot.h"
#include "runtime/trace.h"
#include "spec/trap_codes.h"

namespace heddle::runtime {
namespace {

constexpr std::int64_t trap(spec::TrapCode code) {
  return -static_cast<std::int64_t>(code);
}

/// Host address of the aligned cell at address + offset; nullptr and `code` set if there is none.
std::uint8_t* cell(Memory& memory, std::uint64_t address, std::uint64_t offset, std::uint64_t width,
                   spec::TrapCode& code) {
  std::uint64_t effective = 0;
  const bool wraps = __builtin_add_overflow(address, offset, &effective);
  code = effective % width != 0 ? spec::TrapCode::unaligned_atomic : spec::TrapCode::memory_out_of_bounds;
  if (effective % width != 0 || wraps) return nullptr;
  return GuestMemory(memory.vm()).range(effective, width);
}

template <class T, WaitResult (*Wait)(Store&, T*, T, std::int64_t)>
std::int64_t wait(VmCtx* ctx, std::uint32_t index, std::uint64_t address, std::uint64_t offset, T expected,
                  std::int64_t timeout_ns) {
  auto& instance = *static_cast<Instance*>(ctx->instance);
  Memory& memory = instance.memory(spec::MemIndex(index));
  spec::TrapCode code;
  std::uint8_t* at = cell(memory, address, offset, sizeof(T), code);
  if (at == nullptr) return trap(code);
  if (!memory.shared()) return trap(spec::TrapCode::expected_shared_memory);
  Store& store = instance.store();
  store.state().wait_address.store(address + offset, std::memory_order_relaxed);
  TraceRow* trace = store.trace();
  if (trace != nullptr) [[unlikely]]
    trace->add_wait(store, address + offset);
  const WaitResult result = Wait(store, reinterpret_cast<T*>(at), expected, timeout_ns);
  if (trace != nullptr) [[unlikely]]
    trace->add_wait_end(store, static_cast<std::uint32_t>(result));
  if (result == WaitResult::interrupted) return trap(spec::TrapCode::interrupted);
  return static_cast<std::int64_t>(result);
}

}  // namespace

extern "C" std::int64_t heddle_builtin_atomic_wait32(VmCtx* ctx, std::uint32_t memory, std::uint64_t address,
                                                     std::uint64_t offset, std::uint32_t expected,
                                                     std::int64_t timeout_ns) {
  return wait<std::uint32_t, wait32>(ctx, memory, address, offset, expected, timeout_ns);
}

extern "C" std::int64_t heddle_builtin_atomic_wait64(VmCtx* ctx, std::uint32_t memory, std::uint64_t address,
                                                     std::uint64_t offset, std::uint64_t expected,
                                                     std::int64_t timeout_ns) {
  return wait<std::uint64_t, wait64>(ctx, memory, address, offset, expected, timeout_ns);
}

extern "C" std::int64_t heddle_builtin_atomic_notify(VmCtx* ctx, std::uint32_t index, std::uint64_t address,
                                                     std::uint64_t offset, std::uint32_t count) {
  auto& instance = *static_cast<Instance*>(ctx->instance);
  Memory& memory = instance.memory(spec::MemIndex(index));
  spec::TrapCode code;
  const std::uint8_t* at = cell(memory, address, offset, sizeof(std::uint32_t), code);
  if (at == nullptr) return trap(code);
  if (!memory.shared()) return 0;  // nobody can wait there
  Store& store = instance.store();
  const std::uint32_t woken = notify(at, count, store.tid());
  if (store.trace() != nullptr) [[unlikely]]
    store.trace()->add_wake(address + offset, woken);
  return woken;
}

}  // namespace heddle::runtime
