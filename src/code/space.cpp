// The process's code region (space.h). Layout of the 2 GiB: 128 MiB of slots, the rest code, so that every slot is in
// reach of a 32-bit displacement from every instruction.
//
// A Chunk record, once made, is never deleted: a signal handler that looks up a stale pc must find a record, even if it
// is empty. Given back chunks are kept for reuse instead; there are never more than the most that lived at once.
#include "code/space.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/os_memory.h"
#include "base/sanitizers.h"
#include "code/chunk.h"
#include "code/mapping.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // linux/memfd.h since 6.3
#endif

namespace heddle::code {
namespace {

constexpr std::size_t kRegionBytes = std::size_t{2} << 30;
/// Chosen: 16.7 million functions in all modules of a process; only touched pages cost memory.
constexpr std::size_t kSlotBytes = std::size_t{128} << 20;
constexpr std::size_t kCodeBytes = kRegionBytes - kSlotBytes;
constexpr std::size_t kCodeAlign = 16;
constexpr std::size_t kGranules = kCodeBytes / kGranuleBytes;

// Constants of the process once the space exists. `size` is stored last, with release; pairs with the acquire in
// contains(). Not std::atomic: ThreadSanitizer would see its member functions even in a signal handler.
std::uintptr_t g_code_begin = 0;
std::uintptr_t g_code_size = 0;
std::uintptr_t g_writable_begin = 0;
// Which chunk a granule belongs to. Release by take_chunk; pairs with the acquire in find().
std::array<std::atomic<Chunk*>, kGranules> g_chunks{};

// Relaxed: set before the space exists, by whoever makes it or before.
std::atomic<bool> g_anonymous{false};
std::atomic<bool> g_for_debuggers{false};

base::Error g_error{base::ErrorKind::limit, base::kNoOffset, ""};

/// Whether the user limits address space (ulimit -v), of which code and memories reserve more than they use.
bool address_space_is_limited() {
  rlimit limit{};
  return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

bool fail(const char* what) {
  const int error = errno;
  g_error.message = std::string("no executable memory: ") + what + ": " + std::strerror(error);
  if (error == ENOMEM && address_space_is_limited())
    g_error.message +=
        "; a limit on address space (ulimit -v) is too low: 4 GiB are reserved for code, 8 GiB for each memory";
  return false;
}

int make_memfd() {
  const int fd = memfd_create("heddle-code", MFD_CLOEXEC | MFD_EXEC);
  if (fd >= 0 || errno != EINVAL) return fd;
  return memfd_create("heddle-code", MFD_CLOEXEC);  // kernels before 6.3
}

/// Whether this process may make no file as large as the code (ulimit -f): then a memfd would end it by SIGXFSZ.
bool file_size_is_limited() {
  rlimit limit{};
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < kCodeBytes;
}

/// Maps the code for execution at `place` and for writing anywhere; the address for writing, or MAP_FAILED.
void* map_twice(void* place) {
  constexpr int kShared = MAP_SHARED | MAP_NORESERVE;
  if (file_size_is_limited() || g_anonymous.load(std::memory_order_relaxed)) {
    // Anonymous shared memory has no size that the limit means; mremap(2) of 0 bytes maps it a second time. Not the
    // usual way, because machines that do not overcommit (vm.overcommit_memory=2) would count all of it.
    void* writable = mmap(nullptr, kCodeBytes, PROT_READ | PROT_WRITE, kShared | MAP_ANONYMOUS, -1, 0);
    if (writable == MAP_FAILED) return MAP_FAILED;
    if (mremap(writable, 0, kCodeBytes, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED) return MAP_FAILED;
    return mprotect(place, kCodeBytes, PROT_READ | PROT_EXEC) == 0 ? writable : MAP_FAILED;
  }
  const int fd = make_memfd();
  if (fd < 0) return MAP_FAILED;
  void* writable = MAP_FAILED;
  const int executable = g_for_debuggers.load(std::memory_order_relaxed) ? MAP_PRIVATE | MAP_NORESERVE : kShared;
  if (ftruncate(fd, static_cast<off_t>(kCodeBytes)) == 0 &&
      mmap(place, kCodeBytes, PROT_READ | PROT_EXEC, executable | MAP_FIXED, fd, 0) != MAP_FAILED)
    writable = mmap(nullptr, kCodeBytes, PROT_READ | PROT_WRITE, kShared, fd, 0);
  const int error = errno;
  close(fd);
  errno = error;
  return writable;
}

std::size_t slot_bytes(std::size_t count) {
  return base::round_up_to_page(count * sizeof(abi::Slot));
}

}  // namespace

void map_code_anonymously() {
  g_anonymous.store(true, std::memory_order_relaxed);
}

void map_code_for_debuggers() {
  g_for_debuggers.store(true, std::memory_order_relaxed);
}

std::size_t code_alignment() {
  return g_for_debuggers.load(std::memory_order_relaxed) ? base::kOsPageBytes : kCodeAlign;
}

Space* Space::get() {
  // Leaked on purpose: threads may still run while static objects are destroyed.
  static Space* const space = [] {
    auto* s = new Space();
    return s->create() ? s : nullptr;
  }();
  return space;
}

const base::Error& Space::error() {
  return g_error;
}

bool Space::create() {
  void* region = mmap(nullptr, kRegionBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) return fail("reserving 2 GiB");
  slots_ = static_cast<std::uint8_t*>(region);
  code_ = slots_ + kSlotBytes;
  void* writable = map_twice(code_);
  if (writable == MAP_FAILED) return fail("mapping code twice");
  writable_ = static_cast<std::uint8_t*>(writable);
  {
    base::MutexLock lock(mutex_);
    free_code_.add(0, kCodeBytes);
    free_slots_.add(0, kSlotBytes);
  }
  __atomic_store_n(&g_writable_begin, reinterpret_cast<std::uintptr_t>(writable_), __ATOMIC_RELAXED);
  __atomic_store_n(&g_code_begin, reinterpret_cast<std::uintptr_t>(code_), __ATOMIC_RELAXED);
  __atomic_store_n(&g_code_size, kCodeBytes, __ATOMIC_RELEASE);
  return true;
}

HEDDLE_IN_SIGNAL_HANDLER bool Space::contains(const void* pc) {
  const std::uintptr_t size = __atomic_load_n(&g_code_size, __ATOMIC_ACQUIRE);
  return reinterpret_cast<std::uintptr_t>(pc) - __atomic_load_n(&g_code_begin, __ATOMIC_RELAXED) < size;
}

HEDDLE_IN_SIGNAL_HANDLER const std::uint8_t* Space::published(const void* pc) {
  const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(pc) - __atomic_load_n(&g_code_begin, __ATOMIC_RELAXED);
  return reinterpret_cast<const std::uint8_t*>(__atomic_load_n(&g_writable_begin, __ATOMIC_RELAXED) + offset);
}

namespace {

/// Apart from find() so that ThreadSanitizer sees the acquire of `count` together with what it protects: in find()
/// itself an atomic that is inlined is hidden, the reads inside std::upper_bound are not, and it reported a race with
/// Chunk::append. A handler may be seen here: find() comes this far only for code's addresses.
const FunctionCode* last_at_or_before(const ChunkIndex& index, const std::uint8_t* at) {
  const FunctionCode* const* first = index.entries.get();
  const FunctionCode* const* last = first + index.count.load(std::memory_order_acquire);
  const auto behind = std::upper_bound(first, last, at, [](const auto* p, const auto* f) { return p < f->begin; });
  return behind == first ? nullptr : behind[-1];
}

}  // namespace

HEDDLE_IN_SIGNAL_HANDLER const FunctionCode* Space::find(const void* pc) {
  if (!contains(pc)) return nullptr;
  const auto* at = static_cast<const std::uint8_t*>(pc);
  const std::size_t offset = reinterpret_cast<std::uintptr_t>(pc) - __atomic_load_n(&g_code_begin, __ATOMIC_RELAXED);
  const Chunk* chunk = g_chunks[offset / kGranuleBytes].load(std::memory_order_acquire);
  if (chunk == nullptr) return nullptr;
  const ChunkIndex* index = chunk->index.load(std::memory_order_acquire);
  if (index == nullptr) return nullptr;
  const FunctionCode* found = last_at_or_before(*index, at);
  return found != nullptr && at < found->begin + found->size_bytes ? found : nullptr;
}

Chunk* Space::take_chunk(std::size_t size_bytes) {
  const std::size_t size = (size_bytes + kGranuleBytes - 1) / kGranuleBytes * kGranuleBytes;
  base::MutexLock lock(mutex_);
  const auto offset = free_code_.take(size);
  if (!offset) return nullptr;
  Chunk* chunk = nullptr;
  if (spare_chunks_.empty()) {
    chunk = new Chunk();
  } else {
    chunk = spare_chunks_.back();
    spare_chunks_.pop_back();
  }
  chunk->begin = code_ + *offset;
  chunk->writable = writable_ + *offset;
  chunk->size_bytes = size;
  chunk->used_bytes = 0;
  for (std::size_t at = *offset; at < *offset + size; at += kGranuleBytes)
    g_chunks[at / kGranuleBytes].store(chunk, std::memory_order_release);
  return chunk;
}

void Space::give_back(Chunk* chunk) {
  const auto offset = static_cast<std::size_t>(chunk->begin - code_);
  chunk->index.store(nullptr, std::memory_order_release);
  // Nobody walks through this code any more: the ModuleCode that owned it is gone, and with it every frame of it.
  chunk->all.clear();
  for (std::size_t at = offset; at < offset + chunk->size_bytes; at += kGranuleBytes)
    g_chunks[at / kGranuleBytes].store(nullptr, std::memory_order_release);
  madvise(chunk->writable, chunk->size_bytes, MADV_REMOVE);  // reads as zero in both views, memory is free
  if (g_for_debuggers.load(std::memory_order_relaxed))
    madvise(chunk->begin, chunk->size_bytes, MADV_DONTNEED);  // copies with breakpoints
  base::MutexLock lock(mutex_);
  free_code_.add(offset, chunk->size_bytes);
  spare_chunks_.push_back(chunk);
}

abi::Slot* Space::take_slots(std::size_t count) {
  const std::size_t bytes = slot_bytes(count);
  base::MutexLock lock(mutex_);
  const auto offset = free_slots_.take(bytes);
  if (!offset) return nullptr;
  // Accessible only while in use: a machine may count what can be written (ulimit -d, vm.overcommit_memory=2).
  if (mprotect(slots_ + *offset, bytes, PROT_READ | PROT_WRITE) != 0) {
    free_slots_.add(*offset, bytes);
    return nullptr;
  }
  // SAFETY: zeroed pages; an atomic pointer of all zero bits is a valid null one.
  return reinterpret_cast<abi::Slot*>(slots_ + *offset);
}

void Space::give_back(abi::Slot* slots, std::size_t count) {
  auto* begin = reinterpret_cast<std::uint8_t*>(slots);
  madvise(begin, slot_bytes(count), MADV_DONTNEED);
  mprotect(begin, slot_bytes(count), PROT_NONE);
  base::MutexLock lock(mutex_);
  free_slots_.add(static_cast<std::size_t>(begin - slots_), slot_bytes(count));
}

void Chunk::append(const FunctionCode* code) {
  ChunkIndex* old = index.load(std::memory_order_relaxed);
  const std::size_t count = old == nullptr ? 0 : old->count.load(std::memory_order_relaxed);
  if (old == nullptr || count == old->capacity) {
    auto bigger = std::make_unique<ChunkIndex>(old == nullptr ? 16 : count * 2);
    if (old != nullptr) std::copy_n(old->entries.get(), count, bigger->entries.get());
    bigger->entries[count] = code;
    bigger->count.store(count + 1, std::memory_order_relaxed);
    index.store(bigger.get(), std::memory_order_release);
    all.push_back(std::move(bigger));
    return;
  }
  old->entries[count] = code;
  old->count.store(count + 1, std::memory_order_release);
}

}  // namespace heddle::code
