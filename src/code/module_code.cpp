// Compilation on demand and publication (module_code.h says who writes what, when).
#include "code/module_code.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

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

std::size_t alignment_of(const abi::CodeTables& code) {
  return code.improvable ? code_alignment() : std::max(code_alignment(), kLastingCodeAlign);
}

std::size_t padded(std::size_t code_bytes) {
  return (code_bytes + code_alignment() - 1) & ~(code_alignment() - 1);
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
  if (state == lazy && claim(func, state)) {
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

bool ModuleCode::claim(spec::FuncIndex func, std::uint32_t& found) {
  found = lazy;
  return states_[defined(func)].compare_exchange_strong(found, compiling, std::memory_order_acquire);
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
  const auto took_ns = [begin_ns] { return begin_ns == 0 ? 0 : base::monotonic_ns() - begin_ns; };
  const abi::CompileRequest request{checked_, layout_, func, wants_listing(func)};
  if (!request.want_listing)
    if (auto kept = tier_.kept(request)) return take_kept(std::move(*kept), func, took_ns());
  abi::CompileResult result = tier_.compile(request);
  if (auto* error = std::get_if<base::Error>(&result)) return std::move(*error);
  if (auto* unsupported = std::get_if<abi::Unsupported>(&result))
    return base::Error{base::ErrorKind::unsupported, unsupported->body_offset, std::move(unsupported->reason)};
  auto& artifact = *std::get_if<abi::CodeArtifact>(&result);
  const char* tier = artifact.made_by != nullptr ? artifact.made_by : tier_.name().data();
  return publish(std::move(artifact), {tier, took_ns()}, NewCode::Kind::first);
}

base::Status ModuleCode::take_kept(abi::KeptCode kept, spec::FuncIndex func, std::uint64_t took_ns) {
  static const std::string no_listing;
  std::erase_if(kept.pieces, [&](const abi::KeptCode::Piece& piece) {
    return piece.body.func() != func && wants_listing(piece.body.func());
  });
  const std::vector<Placed> placed = place_kept(kept, func);
  if (placed.empty()) return no_memory();
  std::uint64_t code_bytes = 0;
  for (const Placed& p : placed) code_bytes += p.bytes.size();
  for (const Placed& p : placed) {
    complete(p, NewCode::Kind::first, 0, took_ns * p.bytes.size() / code_bytes, no_listing);
    const std::size_t index = defined(p.code->func);
    slots_[index].store(p.code->begin, std::memory_order_release);
    if (p.code->func == func) continue;  // whoever called us settles it
    settle(index, ready);
    tell([&](Listener& listener) { listener.on_compiled(*this, p.code->func); });
  }
  return {};
}

std::vector<ModuleCode::Placed> ModuleCode::place_kept(abi::KeptCode& kept, spec::FuncIndex func) {
  std::size_t room_bytes = 0;
  for (const abi::KeptCode::Piece& piece : kept.pieces)
    room_bytes += padded(piece.code.size()) + alignment_of(piece) - 1;
  std::vector<Placed> placed;
  placed.reserve(kept.pieces.size());
  bool has_func = false;
  base::MutexLock lock(mutex_);
  // Who has claimed a function must not fail for want of memory: then only the one that was asked for is tried.
  const bool has_room = make_room(room_bytes);
  for (abi::KeptCode::Piece& piece : kept.pieces) {
    HEDDLE_CHECK(piece.body.of() == &module(), "code is published in the module it was compiled for");
    const spec::FuncIndex of = piece.body.func();
    std::uint32_t found;
    const bool is_ours = (of == func && !std::exchange(has_func, true)) || (has_room && claim(of, found));
    if (!is_ours) continue;
    if (const auto p = place(function_code(std::move(piece), of, piece.code, piece.made_by), piece.code))
      placed.push_back(*p);
  }
  HEDDLE_CHECK(has_func, "the function that was asked for is among what was kept");
  return placed;
}

const FunctionCode* ModuleCode::find(const void* pc) const {
  base::MutexLock lock(mutex_);
  const auto* at = static_cast<const std::uint8_t*>(pc);
  for (const Chunk* chunk : chunks_)
    if (at >= chunk->begin && at < chunk->begin + chunk->size_bytes) return Space::find(pc);
  return nullptr;
}

bool ModuleCode::make_room(std::size_t size_bytes) {
  if (chunk_ != nullptr && chunk_->size_bytes - chunk_->used_bytes >= size_bytes) return true;
  const std::size_t wanted = chunk_ == nullptr ? kGranuleBytes : std::min(chunk_->size_bytes * 2, kMaxChunkBytes);
  Chunk* chunk = Space::get()->take_chunk(std::max(wanted, size_bytes));
  if (chunk == nullptr) return false;
  chunks_.push_back(chunk);
  chunk_ = chunk;
  return true;
}

std::optional<ModuleCode::Placed> ModuleCode::place(std::unique_ptr<FunctionCode> code, base::Bytes bytes) {
  const std::size_t align = alignment_of(*code), size = padded(code->size_bytes);
  if (chunk_ != nullptr)
    chunk_->used_bytes = std::min((chunk_->used_bytes + align - 1) & ~(align - 1), chunk_->size_bytes);
  if (!make_room(size)) return std::nullopt;
  code->begin = chunk_->begin + chunk_->used_bytes;
  const Placed placed = {code.get(), bytes, chunk_->writable + chunk_->used_bytes};
  chunk_->used_bytes += size;
  chunk_->append(code.get());
  functions_.push_back(std::move(code));
  return placed;
}

std::unique_ptr<FunctionCode> ModuleCode::function_code(abi::CodeTables&& tables, spec::FuncIndex func,
                                                        base::Bytes code, const char* tier) const {
  std::unique_ptr<FunctionCode> result(new FunctionCode(std::move(tables)));
  result->size_bytes = static_cast<std::uint32_t>(code.size());
  result->func = func;
  result->owner = this;
  result->tier = tier;
  return result;
}

void ModuleCode::complete(const Placed& placed, NewCode::Kind kind, std::uint32_t loop_offset, std::uint64_t compile_ns,
                          const std::string& listing) {
  const auto& [code, bytes, writable] = placed;
  std::memcpy(writable, bytes.data(), bytes.size());
  for (const abi::SlotRelocation& relocation : code->relocations) {
    const auto* target = reinterpret_cast<const std::uint8_t*>(slot(relocation.func));
    const std::ptrdiff_t distance = target - (code->begin + relocation.code_offset + 4);
    HEDDLE_DCHECK(distance == static_cast<std::int32_t>(distance), "slots are in reach of all code");
    const auto displacement = static_cast<std::int32_t>(distance);
    std::memcpy(writable + relocation.code_offset, &displacement, sizeof displacement);
  }
  code_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
  tell([&](Listener& listener) {
    listener.on_new_code(
        {*placed.code, kind, loop_offset, compile_ns, base::monotonic_ns(), placed.code->relocations, listing});
  });
}

const FunctionCode* ModuleCode::install(abi::CodeArtifact artifact, Origin origin, NewCode::Kind kind,
                                        std::uint32_t loop_offset) {
  HEDDLE_CHECK(artifact.body.of() == &module(), "an artifact is published in the module it was compiled for");
  auto code = function_code(std::move(artifact), artifact.body.func(), artifact.code, origin.tier);
  std::optional<Placed> placed;
  {
    base::MutexLock lock(mutex_);
    placed = place(std::move(code), artifact.code);
  }
  if (!placed) return nullptr;
  complete(*placed, kind, loop_offset, origin.compile_ns, artifact.listing);
  return placed->code;
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
  std::vector<bool> seen(defined_count());
  for (const auto& code : functions_) {
    const std::size_t index = defined(code->func);
    if (seen[index]) continue;
    // Acquire: pairs with publish().
    const void* begin = slots_[index].load(std::memory_order_acquire);
    const FunctionCode* now = begin == code->begin ? code.get() : Space::find(begin);
    if (now == nullptr) continue;  // a stub: the code is still being published
    seen[index] = true;
    current.push_back(now);
  }
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
