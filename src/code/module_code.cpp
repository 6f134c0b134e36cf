// Compilation on demand and publication (module_code.h says who writes what, when).
#include "code/module_code.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/processors.h"
#include "code/chunk.h"
#include "code/lazy_stubs.h"
#include "code/mapping.h"

namespace heddle::code {
namespace {

/// Measured: a tight loop that crosses a cache line takes twice the time. Code that will be replaced saves the space.
constexpr std::size_t kLastingCodeAlign = 64;
/// Chosen: a module's first chunk is one granule; later ones take turns up to this, so that a big module needs few.
constexpr std::size_t kMaxChunkBytes = std::size_t{4} << 20;

base::Error no_memory() {
  return {base::ErrorKind::limit, base::kNoOffset, "no executable memory left"};
}

void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t value) {
  // The result does not matter: the caller looks at the word again.
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void futex_wake_all(const std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

base::Result<std::shared_ptr<ModuleCode>> ModuleCode::create(module::CheckedModule m, const abi::Tier& tier) {
  Space* space = Space::get();
  if (space == nullptr) return Space::error();
  std::shared_ptr<ModuleCode> code(new ModuleCode(std::move(m), tier));
  const std::size_t count = code->defined_count();
  if (count == 0) return code;
  HEDDLE_TRY(LazyStubs::reserve(count));
  code->slots_ = space->take_slots(count);
  if (code->slots_ == nullptr) return no_memory();
  // Relaxed: the module is handed to other threads later, by means that synchronise.
  for (std::size_t i = 0; i < count; ++i) code->slots_[i].store(LazyStubs::stub(i), std::memory_order_relaxed);
  return code;
}

ModuleCode::ModuleCode(module::CheckedModule m, const abi::Tier& tier)
    : checked_(std::move(m)),
      tier_(tier),
      layout_(checked_.module()),
      states_(new std::atomic<std::uint32_t>[checked_.module().bodies.size()]()) {}

ModuleCode::~ModuleCode() {
  tell([this](Listener& listener) { listener.on_gone(*this); });
  Space* space = Space::get();
  base::MutexLock lock(mutex_);
  for (Chunk* chunk : chunks_) space->give_back(chunk);
  if (slots_ != nullptr) space->give_back(slots_, defined_count());
}

const binary::Names& ModuleCode::names() const {
  base::MutexLock lock(mutex_);
  if (!names_) names_ = binary::read_names(module());
  return *names_;  // immutable from here on
}

bool ModuleCode::is_settled(spec::FuncIndex func) const {
  const std::uint32_t state = states_[defined(func)].load(std::memory_order_acquire);
  return state == ready || state == failed;
}

const void* ModuleCode::ensure_compiled(spec::FuncIndex func) {
  const std::size_t index = defined(func);
  std::atomic<std::uint32_t>& word = states_[index];
  std::uint32_t state = word.load(std::memory_order_acquire);  // pairs with settle()
  if (state == lazy && word.compare_exchange_strong(state, compiling, std::memory_order_acquire)) {
    base::Status status = compile(func);
    if (!status.ok()) {
      base::MutexLock lock(mutex_);
      error_ = error_ ? base::earlier(*error_, status.error()) : status.error();
    }
    state = status.ok() ? ready : failed;
    settle(index, static_cast<State>(state));
    if (state == ready) tell([&](Listener& listener) { listener.on_compiled(*this, func); });
  }
  while (state == compiling || state == awaited) {
    if (state == awaited || word.compare_exchange_strong(state, awaited, std::memory_order_relaxed))
      futex_wait(word, awaited);
    state = word.load(std::memory_order_acquire);
  }
  // Acquire pairs with publish(): whoever gets the address sees the code behind it.
  return state == ready ? slots_[index].load(std::memory_order_acquire) : nullptr;
}

void ModuleCode::settle(std::size_t index, State state) {
  if (states_[index].exchange(state, std::memory_order_release) == awaited) futex_wake_all(states_[index]);
}

template <class Tell>
void ModuleCode::tell(Tell tell) const {
  if (!is_heard()) return;
  base::MutexLock lock(listeners_mutex_);
  for (Listener* listener : listeners_) tell(*listener);
}

void ModuleCode::add_listener(Listener& listener) {
  base::MutexLock lock(listeners_mutex_);
  listeners_.push_back(&listener);
  is_heard_.store(true, std::memory_order_release);
}

void ModuleCode::remove_listener(Listener& listener) {
  base::MutexLock lock(listeners_mutex_);
  std::erase(listeners_, &listener);
  is_heard_.store(!listeners_.empty(), std::memory_order_release);
}

bool ModuleCode::wants_listing(spec::FuncIndex func) const {
  bool wanted = false;
  tell([&](Listener& listener) { wanted = wanted || listener.wants_listing(*this, func); });
  return wanted;
}

base::Status ModuleCode::compile(spec::FuncIndex func) {
  const std::uint64_t begin_ns = is_heard() ? base::monotonic_ns() : 0;
  abi::CompileResult result = tier_.compile({checked_, layout_, func, wants_listing(func)});
  if (auto* error = std::get_if<base::Error>(&result)) return std::move(*error);
  if (auto* unsupported = std::get_if<abi::Unsupported>(&result))
    return base::Error{base::ErrorKind::unsupported, unsupported->body_offset, std::move(unsupported->reason)};
  const std::uint64_t took_ns = begin_ns == 0 ? 0 : base::monotonic_ns() - begin_ns;
  auto& artifact = *std::get_if<abi::CodeArtifact>(&result);
  const char* tier = artifact.made_by != nullptr ? artifact.made_by : tier_.name().data();
  return publish(std::move(artifact), {tier, took_ns}, NewCode::Kind::first);
}

const FunctionCode* ModuleCode::find(const void* pc) const {
  base::MutexLock lock(mutex_);
  const auto* at = static_cast<const std::uint8_t*>(pc);
  for (const Chunk* chunk : chunks_)
    if (at >= chunk->begin && at < chunk->begin + chunk->size_bytes) return Space::find(pc);
  return nullptr;
}

std::uint8_t* ModuleCode::allocate(const FunctionCode& code, std::uint8_t** writable) {
  const std::size_t least = code_alignment();
  const std::size_t align = code.improvable ? least : std::max(least, kLastingCodeAlign);
  const std::size_t size = (code.size_bytes + least - 1) & ~(least - 1);
  if (chunk_ != nullptr)
    chunk_->used_bytes = std::min((chunk_->used_bytes + align - 1) & ~(align - 1), chunk_->size_bytes);
  if (chunk_ == nullptr || chunk_->size_bytes - chunk_->used_bytes < size) {
    const std::size_t wanted = chunk_ == nullptr ? kGranuleBytes : std::min(chunk_->size_bytes * 2, kMaxChunkBytes);
    Chunk* chunk = Space::get()->take_chunk(std::max(wanted, size));
    if (chunk == nullptr) return nullptr;
    chunks_.push_back(chunk);
    chunk_ = chunk;
  }
  std::uint8_t* begin = chunk_->begin + chunk_->used_bytes;
  *writable = chunk_->writable + chunk_->used_bytes;
  chunk_->used_bytes += size;
  return begin;
}

const FunctionCode* ModuleCode::install(abi::CodeArtifact artifact, Origin origin, NewCode::Kind kind,
                                        std::uint32_t loop_offset) {
  HEDDLE_CHECK(artifact.body.of() == &module(), "an artifact is published in the module it was compiled for");
  auto code = std::make_unique<FunctionCode>();
  code->size_bytes = static_cast<std::uint32_t>(artifact.code.size());
  code->func = artifact.body.func();
  code->owner = this;
  code->tier = origin.tier;
  static_cast<abi::CodeTables&>(*code) = std::move(static_cast<abi::CodeTables&>(artifact));
  const FunctionCode* const installed = code.get();

  std::uint8_t* writable = nullptr;
  const std::uint8_t* begin = nullptr;
  {
    base::MutexLock lock(mutex_);
    begin = allocate(*code, &writable);
    if (begin == nullptr) return nullptr;
    code->begin = begin;
    chunk_->append(code.get());
    functions_.push_back(std::move(code));
  }
  for (const abi::SlotRelocation& relocation : installed->relocations) {
    const auto* target = reinterpret_cast<const std::uint8_t*>(slot(relocation.func));
    const std::ptrdiff_t distance = target - (begin + relocation.code_offset + 4);
    HEDDLE_DCHECK(distance == static_cast<std::int32_t>(distance), "slots are in reach of all code");
    const auto displacement = static_cast<std::int32_t>(distance);
    std::memcpy(artifact.code.data() + relocation.code_offset, &displacement, sizeof displacement);
  }
  std::memcpy(writable, artifact.code.data(), artifact.code.size());
  code_bytes_.fetch_add(artifact.code.size(), std::memory_order_relaxed);
  tell([&](Listener& listener) {
    listener.on_new_code({*installed, kind, loop_offset, origin.compile_ns, base::monotonic_ns(),
                          installed->relocations, artifact.listing});
  });
  return installed;
}

base::Status ModuleCode::publish(abi::CodeArtifact artifact, Origin origin, NewCode::Kind kind) {
  const spec::FuncIndex func = artifact.body.func();
  const FunctionCode* code = install(std::move(artifact), origin, kind);
  if (code == nullptr) return no_memory();
  slots_[defined(func)].store(code->begin, std::memory_order_release);
  return {};
}

base::Status ModuleCode::publish_osr(const FunctionCode& old, const abi::OsrPoint& point, abi::CodeArtifact stub,
                                     abi::CodeArtifact entry, Origin origin) {
  using Kind = NewCode::Kind;
  const FunctionCode* target = install(std::move(entry), origin, Kind::loop_entry, point.body_offset);
  if (target == nullptr) return no_memory();
  std::memcpy(&stub.code[stub.code.size() - sizeof target->begin], &target->begin, sizeof target->begin);
  const FunctionCode* from = install(std::move(stub), {old.tier}, Kind::loop_stub, point.body_offset);
  if (from == nullptr) return no_memory();

  const std::uint8_t* at = old.begin + point.code_offset;
  HEDDLE_CHECK(reinterpret_cast<std::uintptr_t>(at) % 8 == 0, "a header that is patched is aligned");
  const auto distance = static_cast<std::int32_t>(from->begin - (at + abi::kOsrJumpBytes));
  std::uint64_t word;
  std::memcpy(&word, Space::published(at), sizeof word);
  auto* bytes = reinterpret_cast<std::uint8_t*>(&word);
  bytes[0] = 0xe9;  // jmp rel32
  std::memcpy(bytes + 1, &distance, sizeof distance);

  base::MutexLock lock(mutex_);
  for (const Chunk* chunk : chunks_) {
    if (at < chunk->begin || at >= chunk->begin + chunk->size_bytes) continue;
    auto* writable = reinterpret_cast<std::uint64_t*>(chunk->writable + (at - chunk->begin));
    // Partner: instruction fetch of any thread (module_code.h).
    std::atomic_ref<std::uint64_t>(*writable).store(word, std::memory_order_release);
  }
  return {};
}

std::vector<const FunctionCode*> ModuleCode::published() const {
  std::vector<const FunctionCode*> current;
  base::MutexLock lock(mutex_);
  for (const auto& code : functions_)
    // Acquire: pairs with publish(). What is not in its slot was replaced, or belongs to a replaced loop.
    if (slots_[defined(code->func)].load(std::memory_order_acquire) == code->begin) current.push_back(code.get());
  return current;
}

std::optional<base::Error> ModuleCode::error() const {
  base::MutexLock lock(mutex_);
  return error_;
}

namespace {

struct CompileAll {
  ModuleCode& code;
  std::atomic<std::uint32_t> next;  // counter
};

void* compile_rest(void* argument) {
  auto& all = *static_cast<CompileAll*>(argument);
  const auto end = static_cast<std::uint32_t>(all.code.module().functions.size());
  for (std::uint32_t f; (f = all.next.fetch_add(1, std::memory_order_relaxed)) < end;)
    all.code.ensure_compiled(spec::FuncIndex(f));
  return nullptr;
}

}  // namespace

base::Status ModuleCode::compile_all(unsigned threads) {
  if (threads == 0) threads = base::usable_processors();
  CompileAll all{*this, {module().imported_functions}};
  std::vector<pthread_t> helpers;
  // A thread that the machine refuses is no error: this one compiles what is left.
  for (unsigned i = 1; i < threads && i < defined_count(); ++i) {
    pthread_t helper;
    if (pthread_create(&helper, nullptr, &compile_rest, &all) == 0) helpers.push_back(helper);
  }
  compile_rest(&all);
  for (pthread_t helper : helpers) pthread_join(helper, nullptr);
  if (auto found = error()) return std::move(*found);
  return {};
}

}  // namespace heddle::code
