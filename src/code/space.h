// Space: the process's one reserved region of executable memory, with the jump-table slots that code reaches by 32-bit
// displacements. W^X by two mappings of the same memory: code is written through the writable view and runs from the
// executable one, so publishing needs no mprotect and no other thread ever sees a page that is both.
//
//   region (2 GiB, fixed for life): [slots, read-write | code, read-execute]       writable view of code: elsewhere
//
// Lookup (pc -> FunctionCode) is lock-free and async-signal-safe: the code part is cut into chunks; chunk table entries
// and each chunk's append-only list are atomics published with release by the allocator (under its mutex) and read with
// acquire.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "abi/artifact.h"
#include "abi/vmctx.h"
#include "base/mutex.h"
#include "base/result.h"
#include "code/free_ranges.h"

namespace heddle::code {

class ModuleCode;
struct Chunk;

/// One piece of published machine code. Immutable once published; lives as long as its ModuleCode.
struct FunctionCode : abi::CodeTables {
  FunctionCode() = default;
  explicit FunctionCode(abi::CodeTables&& tables) : abi::CodeTables(std::move(tables)) {}

  const std::uint8_t* begin = nullptr;
  std::uint32_t size_bytes = 0;
  spec::FuncIndex func;
  const ModuleCode* owner = nullptr;
  const char* tier = "";  ///< static

  std::uint32_t offset_of(const void* pc) const {
    return static_cast<std::uint32_t>(static_cast<const std::uint8_t*>(pc) - begin);
  }
  /// The innermost loop around `pc` that threads can be moved out of, or nullptr.
  const abi::OsrPoint* osr_point(const void* pc) const;
  /// The bytes as the tier made them: without the places that publication filled in and the jumps out of loops.
  std::vector<std::uint8_t> unpatched() const;
  /// The trap at exactly this pc, if there may be one. Async-signal-safe.
  std::optional<abi::Site> trap_site(const void* pc) const { return sites.trap_at(offset_of(pc)); }
  /// Wasm offset of the call that returns to `pc`. Async-signal-safe, as the next two.
  std::uint32_t body_offset_of_return(const void* pc) const;
  /// Wasm offset for an instruction: a trap site's own, else that of the nearest site before.
  std::uint32_t body_offset_of(const void* pc) const;
  /// What inlined call the instruction at `pc` is part of: 1 + its place in inlined_calls, or 0. Async-signal-safe, as
  /// the next.
  std::uint32_t inlined_at(const void* pc) const;
  /// The same, `pc` being a return address.
  std::uint32_t inlined_at_return(const void* pc) const { return inlined_at(static_cast<const std::uint8_t*>(pc) - 1); }
  /// Bytes between rsp and the return address when the instruction at `pc` is next.
  std::uint32_t pushed_bytes_at(const void* pc) const;
  /// The same, `pc` being a return address.
  std::uint32_t pushed_bytes_at_return(const void* pc) const;
  /// The same for all of the code, as FrameInfo::rows: what pushed_bytes_at() says of each place. Not in handlers.
  std::vector<abi::FrameRow> frame_rows() const;
};

class Space {
 public:
  /// The process's space; created at first use. nullptr if the machine refuses (then `error()` says why).
  static Space* get();
  static const base::Error& error();

  /// True for addresses in the executable part: two compares with constants of the process. Async-signal-safe.
  static bool contains(const void* pc);
  /// The byte at `pc`, which contains() holds, as it was published: a debugger may have put a breakpoint over it.
  /// Async-signal-safe.
  static const std::uint8_t* published(const void* pc);
  /// The code at pc, or nullptr. Any thread, async-signal-safe.
  static const FunctionCode* find(const void* pc);

 private:
  friend class ModuleCode;
  friend class LazyStubs;
  Space() = default;
  bool create();

  /// A run of code memory that belongs to one ModuleCode: bump-allocated, never compacted. Returns nullptr if none of
  /// at least `size_bytes` is left.
  Chunk* take_chunk(std::size_t size_bytes) HEDDLE_EXCLUDES(mutex_);
  /// The chunk's code must not run any more. Its memory goes back to the machine.
  void give_back(Chunk* chunk) HEDDLE_EXCLUDES(mutex_);

  /// A run of zeroed slots, or nullptr.
  abi::Slot* take_slots(std::size_t count) HEDDLE_EXCLUDES(mutex_);
  void give_back(abi::Slot* slots, std::size_t count) HEDDLE_EXCLUDES(mutex_);

  base::Mutex mutex_;
  FreeRanges free_code_ HEDDLE_GUARDED_BY(mutex_);
  FreeRanges free_slots_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<Chunk*> spare_chunks_ HEDDLE_GUARDED_BY(mutex_);  // records only; never deleted, see space.cpp
  std::uint8_t* slots_ = nullptr;
  std::uint8_t* code_ = nullptr;
  std::uint8_t* writable_ = nullptr;
};

}  // namespace heddle::code
