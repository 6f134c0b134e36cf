// ExceptionHeap: the exception objects (abi::VmException) of one store. References to them lie where the guest left
// them: in wasm frames, registers, globals, tables, and in the values of other exceptions. Nobody counts references, so
// the memory of a program that throws for ever is bounded by a collector: when as many bytes are in use as were alive
// after the last collection, twice over (and at least kFirstThresholdBytes), it marks conservatively (any word that
// points into an object keeps it) and frees the rest. It runs inside exception_new, where all wasm frames stand still.
// Own thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi/vmctx.h"
#include "spec/types.h"

namespace heddle::runtime {

class Store;

class ExceptionHeap {
 public:
  ExceptionHeap() = default;
  ~ExceptionHeap();
  ExceptionHeap(const ExceptionHeap&) = delete;
  ExceptionHeap& operator=(const ExceptionHeap&) = delete;

  /// A new object whose values are zero. May collect; `store` is the owner, in a builtin called by wasm.
  abi::VmException* allocate(Store& store, const void* tag, std::uint64_t value_count);
  /// Keeps the object until the store goes. Null is fine.
  void pin(void* exception);
  /// Frees what cannot be reached from `store`'s frames, globals and tables, nor from the registers.
  void collect(Store& store);

  std::size_t live_bytes() const { return bytes_; }

 private:
  struct Marker;
  void sweep();

  abi::VmException* first_ = nullptr;  // owned, linked by VmException::next
  std::size_t bytes_ = 0;
  /// Chosen: two thousand small exceptions; a collection then costs less than throwing one of them did.
  static constexpr std::size_t kFirstThresholdBytes = 128 << 10;
  std::size_t threshold_bytes_ = kFirstThresholdBytes;
};

/// True if a reference of this type can be an exception.
inline bool holds_exceptions(spec::ValType type) {
  return type.is_ref() && !type.heap().is_concrete() &&
         (type.heap() == spec::HeapType::exn || type.heap() == spec::HeapType::noexn);
}

}  // namespace heddle::runtime
