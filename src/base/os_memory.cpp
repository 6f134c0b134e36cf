#include "base/os_memory.h"

#include <sys/mman.h>

#include "base/check.h"

namespace heddle::base {
namespace {

int protection_of(Access access) {
  switch (access) {
    case Access::none: return PROT_NONE;
    case Access::read_write: return PROT_READ | PROT_WRITE;
    case Access::read_execute: return PROT_READ | PROT_EXEC;
  }
  return PROT_NONE;
}

}  // namespace

void make_pages(void* begin, std::size_t size_bytes) {
  // Whole pages, those at the ends too: they are about to be touched as well.
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::size_t before = address % kOsPageBytes;
  auto* first = static_cast<std::uint8_t*>(begin) - before;
  const std::size_t size = round_up_to_page(size_bytes + before);
  if (size >= kHugePageBytes) madvise(first, size, MADV_HUGEPAGE);
#if defined(MADV_POPULATE_WRITE)
  madvise(first, size, MADV_POPULATE_WRITE);  // Linux 5.14
#endif
}

Reservation::~Reservation() {
  if (base_ == nullptr) return;
  HEDDLE_CHECK(munmap(base_, size_bytes_) == 0, "an owned reservation can be unmapped");
}

Reservation Reservation::reserve(std::size_t size_bytes) {
  Reservation result;
  void* base = mmap(nullptr, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return result;
  result.base_ = static_cast<std::uint8_t*>(base);
  result.size_bytes_ = size_bytes;
  return result;
}

bool Reservation::protect(std::size_t offset, std::size_t size_bytes, Access access) const {
  HEDDLE_DCHECK(offset <= size_bytes_ && size_bytes <= size_bytes_ - offset,
                "a protected range lies in its reservation");
  return size_bytes == 0 || mprotect(base_ + offset, size_bytes, protection_of(access)) == 0;
}

void Reservation::discard(std::size_t offset, std::size_t size_bytes) const {
  HEDDLE_DCHECK(offset <= size_bytes_ && size_bytes <= size_bytes_ - offset,
                "a discarded range lies in its reservation");
  if (size_bytes != 0) madvise(base_ + offset, size_bytes, MADV_DONTNEED);
}

}  // namespace heddle::base
