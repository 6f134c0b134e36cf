// Stubs beyond those in .text (lazy_stub_x64.S) are made in the code region, in batches that are never given back: a
// batch's stubs are
//   mov eax, i ; jmp hop        and at the batch's end        hop: jmp [rip] ; address of heddle_lazy_common
// since .text may be out of reach of a 32-bit displacement.
#include "code/lazy_stubs.h"

#include <array>
#include <atomic>
#include <cstring>

#include "abi/builtins.h"
#include "base/mutex.h"
#include "base/sanitizers.h"
#include "code/chunk.h"
#include "code/module_code.h"
#include "spec/trap_codes.h"

extern "C" {
extern const std::uint8_t heddle_lazy_stubs[];
extern const std::uint8_t heddle_lazy_window_begin[];
extern const std::uint8_t heddle_lazy_window_end[];
extern const std::uint8_t heddle_lazy_text_end[];
void heddle_lazy_common();

/// Called by the stub: the function's code, or nullptr if its body is invalid. On the wasm thread's own stack.
__attribute__((used, visibility("hidden"))) const void* heddle_lazy_compile(heddle::abi::VmCtx* ctx,
                                                                            std::uint32_t index) {
  auto* code = static_cast<heddle::code::ModuleCode*>(ctx->module_code);
  return code->ensure_compiled(heddle::spec::FuncIndex(code->module().imported_functions + index));
}

__attribute__((used, noreturn, visibility("hidden"))) void heddle_lazy_leave(heddle::abi::VmCtx* ctx,
                                                                             std::uint32_t interrupted) {
  using heddle::spec::TrapCode;
  const auto code = interrupted != 0 ? TrapCode::interrupted : TrapCode::invalid_function_body;
  const void* builtin = ctx->builtins[static_cast<std::size_t>(heddle::abi::Builtin::raise_trap)];
  // SAFETY: the table holds raise_trap at this place, by builtins.def.
  reinterpret_cast<heddle::abi::raise_trap_fn*>(reinterpret_cast<std::uintptr_t>(builtin))(
      ctx, static_cast<std::uint32_t>(code));
  HEDDLE_UNREACHABLE("raise_trap does not return");
}
}

namespace heddle::code {
namespace {

static_assert(offsetof(abi::VmCtx, store) == 16 && offsetof(abi::VmStore, exit_sp) == 8 &&
                  offsetof(abi::VmStore, interrupt) == 16,
              "lazy_stub_x64.S");

// As lazy_stub_x64.S has them.
constexpr std::size_t kStaticStubs = 65'536;
constexpr std::size_t kStaticGroup = 32;
constexpr std::size_t kStaticGroupBytes = 144;
constexpr std::size_t kStaticStubBytes = 4;

constexpr std::size_t kStubBytes = 10;
constexpr std::size_t kBatch = 16'384;
constexpr std::size_t kBatches = spec::kMaxFunctions / kBatch + 1;

// First stub of each batch. Release by reserve(); pairs with the acquire in stub().
std::array<std::atomic<const std::uint8_t*>, kBatches> g_batches{};
base::Mutex g_mutex;
std::size_t g_made HEDDLE_GUARDED_BY(g_mutex) = 0;

void put32(std::uint8_t* at, std::size_t value) {
  const auto v = static_cast<std::uint32_t>(value);
  std::memcpy(at, &v, sizeof v);
}

void fill_batch(std::uint8_t* to, std::size_t first_index) {
  const std::size_t hop = kBatch * kStubBytes;
  for (std::size_t i = 0; i < kBatch; ++i) {
    std::uint8_t* stub = to + i * kStubBytes;
    stub[0] = 0xb8;  // mov eax, imm32
    put32(stub + 1, first_index + i);
    stub[5] = 0xe9;  // jmp rel32
    put32(stub + 6, hop - (i + 1) * kStubBytes);
  }
  const std::uint8_t jump[6] = {0xff, 0x25, 0, 0, 0, 0};  // jmp [rip + 0]
  std::memcpy(to + hop, jump, sizeof jump);
  void (*common)() = &heddle_lazy_common;
  std::memcpy(to + hop + sizeof jump, &common, sizeof common);
}

}  // namespace

base::Status LazyStubs::reserve(std::size_t count) {
  if (count <= kStaticStubs) return {};
  Space* space = Space::get();
  if (space == nullptr) return Space::error();
  base::MutexLock lock(g_mutex);
  while (kStaticStubs + g_made * kBatch < count) {
    Chunk* chunk = space->take_chunk(kBatch * kStubBytes + 14);
    if (chunk == nullptr) return base::Error{base::ErrorKind::limit, base::kNoOffset, "no executable memory left"};
    fill_batch(chunk->writable, kStaticStubs + g_made * kBatch);
    g_batches[g_made].store(chunk->begin, std::memory_order_release);
    ++g_made;
  }
  return {};
}

const void* LazyStubs::stub(std::size_t index) {
  if (index < kStaticStubs)
    return heddle_lazy_stubs + index / kStaticGroup * kStaticGroupBytes + index % kStaticGroup * kStaticStubBytes;
  const std::size_t i = index - kStaticStubs;
  return g_batches[i / kBatch].load(std::memory_order_acquire) + i % kBatch * kStubBytes;
}

HEDDLE_IN_SIGNAL_HANDLER bool LazyStubs::in_interrupt_window(const void* pc) {
  return pc >= heddle_lazy_window_begin && pc < heddle_lazy_window_end;
}

HEDDLE_IN_SIGNAL_HANDLER bool LazyStubs::contains(const void* pc) {
  return pc >= heddle_lazy_stubs && pc < heddle_lazy_text_end;
}

}  // namespace heddle::code
