// Address space from the operating system: reserve, commit, protect, give back. Knows nothing of wasm.
// All sizes in bytes and multiples of the page size (4 KiB on x86-64) unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace heddle::base {

inline constexpr std::size_t kOsPageBytes = 4096;
inline constexpr std::size_t kHugePageBytes = 2 << 20;

inline constexpr std::size_t round_up_to_page(std::size_t bytes) {
  return (bytes + kOsPageBytes - 1) & ~(kOsPageBytes - 1);
}

/// For private memory of which every byte is about to be written: its pages are made now, all at once and large ones if
/// the machine has them, which costs a third of making each when it is first touched. Only a hint.
void make_pages(void* begin, std::size_t size_bytes);

enum class Access : std::uint8_t { none, read_write, read_execute };

/// An owned range of address space (mmap, PROT_NONE, no swap reserved). Movable; unmapped when destroyed.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(size_bytes_, other.size_bytes_);
    return *this;
  }
  ~Reservation();

  /// Empty (base() == nullptr) if the machine has no such range to give.
  static Reservation reserve(std::size_t size_bytes);

  std::uint8_t* base() const { return base_; }
  std::size_t size_bytes() const { return size_bytes_; }
  explicit operator bool() const { return base_ != nullptr; }

  /// mprotect of [offset, offset + size); false if the kernel refuses (out of memory or mappings). Any thread.
  bool protect(std::size_t offset, std::size_t size_bytes, Access access) const;
  /// The range reads as zero afterwards and costs nothing (MADV_DONTNEED).
  void discard(std::size_t offset, std::size_t size_bytes) const;

 private:
  std::uint8_t* base_ = nullptr;
  std::size_t size_bytes_ = 0;
};

}  // namespace heddle::base
