// How the host touches linear memory: bounds checked once against the current length, copied in before use, written
// once. Another guest thread may rewrite any byte meanwhile; so nothing is read twice, and nothing read is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

#include "abi/vmctx.h"

namespace heddle::runtime {

/// Copies that may race with guest threads: bytes may be torn between writers, nothing worse. Not instrumented by
/// ThreadSanitizer (guest races are the guest's affair); assembly, so each byte is read once.
void copy_from_guest(void* to, const std::uint8_t* from, std::size_t size_bytes);
void copy_to_guest(std::uint8_t* to, const void* from, std::size_t size_bytes);

/// A view of one memory for the length of one host call. Cheap to make. Never keep it across calls.
class GuestMemory {
 public:
  explicit GuestMemory(abi::VmMemory& memory)
      : base_(memory.base), size_bytes_(memory.size_bytes.load(std::memory_order_acquire)) {}

  std::uint64_t size_bytes() const { return size_bytes_; }

  /// Host address of [address, address + size) if it lies within the memory, else nullptr. Valid as long as the memory
  /// lives (memories never move nor shrink). An empty range is valid up to and including the end.
  std::uint8_t* range(std::uint64_t address, std::uint64_t size_bytes) const {
    if (address > size_bytes_ || size_bytes > size_bytes_ - address) return nullptr;
    return base_ + address;
  }

  template <class T>
  std::optional<T> load(std::uint64_t address) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const std::uint8_t* from = range(address, sizeof(T));
    if (from == nullptr) return std::nullopt;
    T value;
    copy_from_guest(&value, from, sizeof(T));
    return value;
  }

  /// False if out of bounds; then nothing is written.
  template <class T>
  [[nodiscard]] bool store(std::uint64_t address, const T& value) const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::uint8_t* to = range(address, sizeof(T));
    if (to == nullptr) return false;
    copy_to_guest(to, &value, sizeof(T));
    return true;
  }

 private:
  std::uint8_t* base_;
  std::uint64_t size_bytes_;
};

}  // namespace heddle::runtime
