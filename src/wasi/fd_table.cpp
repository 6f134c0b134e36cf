#include "wasi/fd_table.h"

#include <algorithm>

#include "base/check.h"

namespace heddle::wasi {

namespace {

constexpr unsigned kCountShift = 48;
constexpr std::uint64_t kOneReference = std::uint64_t{1} << kCountShift;
constexpr std::uint64_t kAddressMask = kOneReference - 1;
/// From this count in a word on, half of it moves to references_, long before 16 bits run over (a poll_oneoff may name
/// one descriptor thousands of times).
constexpr std::int64_t kCrowded = 0x4000;
constexpr std::int64_t kLoan = std::int64_t{1} << 40;

OpenFile* file_of(std::uint64_t word) {
  // SAFETY: the low 48 bits were stored by insert or renumber from an OpenFile*; user addresses fit into 47.
  return reinterpret_cast<OpenFile*>(word & kAddressMask);
}
std::uint64_t count_of(std::uint64_t word) {
  return word >> kCountShift;
}
std::uint64_t word_of(OpenFile* file) {
  const auto word = reinterpret_cast<std::uint64_t>(file);
  HEDDLE_CHECK((word & ~kAddressMask) == 0, "addresses of this process fit into 48 bits");
  return word;
}

}  // namespace

FileRef& FileRef::operator=(FileRef&& other) noexcept {
  if (this != &other) {
    reset();
    slot_ = other.slot_;
    file_ = other.file_;
    other.file_ = nullptr;
  }
  return *this;
}

void FileRef::reset() {
  OpenFile* file = file_;
  if (file == nullptr) return;
  file_ = nullptr;
  std::uint64_t word = slot_->load(std::memory_order_relaxed);
  while (file_of(word) == file && count_of(word) > 0) {
    // Release: what this thread did with the file comes before its destruction by whoever empties the slot (acquire).
    if (slot_->compare_exchange_weak(word, word - kOneReference, std::memory_order_release, std::memory_order_relaxed))
      return;
  }
  if (file->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete file;
}

FdTable::FdTable(std::uint32_t max_open)
    : max_open_(std::max<std::uint32_t>(max_open, 3)), chunk_count_((max_open_ + kChunkSlots - 1) >> kChunkLog2) {
  chunks_ = std::make_unique<std::atomic<Chunk*>[]>(chunk_count_);
}

FdTable::~FdTable() {
  for (std::uint32_t c = 0; c < chunk_count_; ++c) {
    Chunk* chunk = chunks_[c].load(std::memory_order_acquire);
    if (chunk == nullptr) continue;
    for (auto& word : chunk->slots) {
      const std::uint64_t held = word.load(std::memory_order_acquire);
      HEDDLE_CHECK(file_of(held) == nullptr || count_of(held) == 0, "a table dies when no call is under way");
      delete file_of(held);
    }
    delete chunk;
  }
}

std::atomic<std::uint64_t>* FdTable::slot(std::uint32_t fd) const {
  const std::uint32_t index = fd >> kChunkLog2;
  if (index >= chunk_count_) return nullptr;
  Chunk* chunk = chunks_[index].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : &chunk->slots[fd & (kChunkSlots - 1)];
}

FileRef FdTable::get(std::uint32_t fd) {
  std::atomic<std::uint64_t>* word = slot(fd);
  if (word == nullptr) return {};
  // An empty word is only read: its count must not run over while a guest keeps asking for a closed descriptor.
  if (file_of(word->load(std::memory_order_relaxed)) == nullptr) return {};
  const std::uint64_t before = word->fetch_add(kOneReference, std::memory_order_acq_rel);
  OpenFile* file = file_of(before);
  if (file == nullptr) return {};
  if (count_of(before) >= std::uint64_t{kCrowded}) move_counts(*word, *file);
  return FileRef(word, file);
}

void FdTable::move_counts(std::atomic<std::uint64_t>& word, OpenFile& file) {
  // Called with a reference held, so references_ cannot reach 0 meanwhile.
  std::uint64_t held = word.load(std::memory_order_relaxed);
  if (file_of(held) != &file || count_of(held) < std::uint64_t{kCrowded}) return;
  constexpr std::int64_t kMoved = kCrowded / 2;
  file.references_.fetch_add(kMoved, std::memory_order_relaxed);
  if (word.compare_exchange_strong(held, held - kMoved * kOneReference, std::memory_order_acq_rel,
                                   std::memory_order_relaxed))
    return;
  file.references_.fetch_sub(kMoved, std::memory_order_relaxed);
}

std::atomic<std::uint64_t>& FdTable::slot_to_fill_locked(std::uint32_t fd) {
  auto& place = chunks_[fd >> kChunkLog2];
  Chunk* chunk = place.load(std::memory_order_relaxed);
  if (chunk == nullptr) {
    chunk = new Chunk;
    place.store(chunk, std::memory_order_release);
  }
  return chunk->slots[fd & (kChunkSlots - 1)];
}

Errno FdTable::insert(std::unique_ptr<OpenFile> file, std::uint32_t& fd) {
  base::MutexLock lock(mutex_);
  if (open_ >= max_open_) return Errno::mfile;
  for (std::uint32_t n = lowest_free_; n < max_open_; ++n) {
    auto& word = slot_to_fill_locked(n);
    if (file_of(word.load(std::memory_order_relaxed)) != nullptr) continue;
    // Release: the file's fields come before its address; pairs with the fetch_add in get().
    word.store(word_of(file.release()), std::memory_order_release);
    ++open_;
    lowest_free_ = n + 1;
    fd = n;
    return Errno::success;
  }
  return Errno::mfile;
}

OpenFile* FdTable::swap_locked(std::atomic<std::uint64_t>& word, OpenFile* next) {
  OpenFile* file = file_of(word.load(std::memory_order_relaxed));  // only holders of mutex_ change it
  if (file == nullptr) return nullptr;                             // and `next` is not put there
  // Between the exchange and the addition of its count, givers already find another word and count down references_:
  // the loan keeps it above 0.
  file->references_.fetch_add(kLoan, std::memory_order_relaxed);
  const std::uint64_t held = word.exchange(next == nullptr ? 0 : word_of(next), std::memory_order_acq_rel);
  file->references_.fetch_sub(kLoan - static_cast<std::int64_t>(count_of(held)), std::memory_order_acq_rel);
  return file;
}

void FdTable::drop_slot_reference(OpenFile* file) {
  if (file->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete file;
}

Errno FdTable::close(std::uint32_t fd) {
  OpenFile* file = nullptr;
  {
    base::MutexLock lock(mutex_);
    std::atomic<std::uint64_t>* word = slot(fd);
    if (word == nullptr) return Errno::badf;
    file = swap_locked(*word, nullptr);
    if (file == nullptr) return Errno::badf;
    --open_;
    lowest_free_ = std::min(lowest_free_, fd);
  }
  drop_slot_reference(file);
  return Errno::success;
}

Errno FdTable::renumber(std::uint32_t from, std::uint32_t to) {
  OpenFile* replaced = nullptr;
  {
    base::MutexLock lock(mutex_);
    std::atomic<std::uint64_t>* source = slot(from);
    if (source == nullptr || file_of(source->load(std::memory_order_relaxed)) == nullptr) return Errno::badf;
    if (to >= max_open_) return Errno::badf;
    if (from == to) return Errno::success;
    std::atomic<std::uint64_t>& target = slot_to_fill_locked(to);
    // The file keeps its slot reference (the 1 in references_) and takes it along.
    OpenFile* moved = swap_locked(*source, nullptr);
    replaced = swap_locked(target, moved);
    if (replaced != nullptr)
      --open_;
    else
      target.store(word_of(moved), std::memory_order_release);
    lowest_free_ = std::min(lowest_free_, from);
  }
  if (replaced != nullptr) drop_slot_reference(replaced);
  return Errno::success;
}

std::uint32_t FdTable::open_count() {
  base::MutexLock lock(mutex_);
  return open_;
}

}  // namespace heddle::wasi
