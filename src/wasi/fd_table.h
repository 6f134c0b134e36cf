// FdTable: guest descriptor -> OpenFile, for many threads, without a lock on the way of a call.
//
// A slot is one 64-bit word: the OpenFile's address in the low 48 bits and, in the high 16, how many references were
// taken through this word and not given back through it. So taking a reference is one fetch_add on the word: address
// and count are read and changed together, and nobody can close the file between.
//   take     fetch_add(1 << 48). Address 0: the descriptor is closed; the count in an empty word means nothing and is
//            dropped with the next store.
//   give     if the word still holds this address and a count > 0: compare-exchange to count - 1. Otherwise the count
//            was moved to OpenFile::references_ when the slot was emptied, or another thread gave back through the
//            word what this one took: decrement references_.
//   empty    (close, renumber; under mutex_) exchange the word with 0, add its count to references_; then drop the
//            slot's own reference, or move it into another slot.
// Invariant: references_ + count in the word == references held by threads + 1 while a slot holds it. A thread that
// sees a count of 0 in the word knows that its own reference is in references_, so references_ never falls to 0 early.
// Whoever brings it to 0 destroys the OpenFile and thereby closes the host's descriptor, outside the lock.
//
// A thread blocked on a descriptor that is closed or renumbered holds its reference: its call goes on with the file it
// began with and can meet no other.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/mutex.h"
#include "wasi/open_file.h"
#include "wasi/types.h"

namespace heddle::wasi {

class FdTable;

/// A reference for the length of one call. Movable; own thread.
class FileRef {
 public:
  FileRef() = default;
  FileRef(FileRef&& other) noexcept : slot_(other.slot_), file_(other.file_) { other.file_ = nullptr; }
  FileRef& operator=(FileRef&& other) noexcept;
  ~FileRef() { reset(); }
  explicit operator bool() const { return file_ != nullptr; }
  OpenFile& operator*() const { return *file_; }
  OpenFile* operator->() const { return file_; }
  void reset();

 private:
  friend class FdTable;
  FileRef(std::atomic<std::uint64_t>* slot, OpenFile* file) : slot_(slot), file_(file) {}
  std::atomic<std::uint64_t>* slot_ = nullptr;
  OpenFile* file_ = nullptr;
};

class FdTable {
 public:
  /// At most `max_open` descriptors at a time.
  explicit FdTable(std::uint32_t max_open);
  /// No reference may be alive.
  ~FdTable();
  FdTable(const FdTable&) = delete;
  FdTable& operator=(const FdTable&) = delete;

  /// The open file, or an empty reference. Any thread, wait-free.
  FileRef get(std::uint32_t fd);
  /// Puts it at the lowest free number; errno mfile (and the file is closed) if none is left.
  Errno insert(std::unique_ptr<OpenFile> file, std::uint32_t& fd) HEDDLE_EXCLUDES(mutex_);
  /// badf if it is not open.
  Errno close(std::uint32_t fd) HEDDLE_EXCLUDES(mutex_);
  /// `to` gets what `from` had, `from` is closed; what `to` had, if anything, is closed. badf if `from` is not open or
  /// `to` is beyond what the table holds. The same number twice: nothing happens. (The witx is silent on a `to` that is
  /// not open; programs that park stdout elsewhere and bring it back need it, and dup2 allows it.)
  Errno renumber(std::uint32_t from, std::uint32_t to) HEDDLE_EXCLUDES(mutex_);
  std::uint32_t open_count() HEDDLE_EXCLUDES(mutex_);

 private:
  static constexpr unsigned kChunkLog2 = 8;
  static constexpr std::uint32_t kChunkSlots = 1u << kChunkLog2;
  struct Chunk {
    std::atomic<std::uint64_t> slots[kChunkSlots] = {};
  };

  /// The slot's word if its chunk exists.
  std::atomic<std::uint64_t>* slot(std::uint32_t fd) const;
  /// The word, in a chunk that is made if need be; fd < max_open_.
  std::atomic<std::uint64_t>& slot_to_fill_locked(std::uint32_t fd) HEDDLE_REQUIRES(mutex_);
  /// Puts `next` (or nothing) in the place of an open file; returns that, with its count in references_. nullptr, and
  /// nothing happens, if there is none.
  OpenFile* swap_locked(std::atomic<std::uint64_t>& word, OpenFile* next) HEDDLE_REQUIRES(mutex_);
  static void drop_slot_reference(OpenFile* file);
  static void move_counts(std::atomic<std::uint64_t>& word, OpenFile& file);

  const std::uint32_t max_open_;
  /// Chunks are made when first needed (release; pairs with the acquire in slot()) and live as long as the table.
  std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
  const std::uint32_t chunk_count_;
  base::Mutex mutex_;
  std::uint32_t open_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::uint32_t lowest_free_ HEDDLE_GUARDED_BY(mutex_) = 0;  ///< nothing below it is free
};

}  // namespace heddle::wasi
