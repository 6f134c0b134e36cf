// TableInstance: entries that may move when the table grows; nobody but its own thread sees them.
#include <algorithm>
#include <cstdlib>

#include "runtime/instance.h"
#include "spec/limits.h"

namespace heddle::runtime {
namespace {

// Tables may not grow beyond what the JavaScript API allows them to start with (spec/limits.h): 80 MB.
constexpr std::uint64_t kMaxTableEntries = spec::kMaxTableInitialEntries;

}  // namespace

TableInstance::~TableInstance() {
  if (vm == nullptr) return;
  std::free(vm->elements);
  if (limits != nullptr) limits->give_table_entries(vm->size);
  vm->elements = nullptr;
  vm->size = 0;
}

base::Status TableInstance::allocate(abi::VmTable* at, ResourceLimits* counted_by) {
  const auto refused = [this](const char* why) {
    return base::Error{base::ErrorKind::limit, base::kNoOffset,
                       "table of " + std::to_string(type.limits.min) + " entries is " + why};
  };
  const std::uint64_t entries = type.limits.min;
  if (entries > kMaxTableEntries) return refused("larger than tables may be");
  if (counted_by != nullptr && !counted_by->take_table_entries(entries)) return refused("over the limit for tables");
  // calloc: a large table's pages are not touched before they are used.
  void* elements = std::calloc(std::max<std::uint64_t>(entries, 1), sizeof(void*));
  if (elements == nullptr) {
    if (counted_by != nullptr) counted_by->give_table_entries(entries);
    return refused("more than the machine has memory for");
  }
  at->elements = static_cast<void**>(elements);
  at->size = entries;
  vm = at;
  limits = counted_by;
  return {};
}

std::uint64_t TableInstance::grow(std::uint64_t delta, void* init) {
  const std::uint64_t old_size = vm->size;
  const std::uint64_t max = std::min(type.limits.max.value_or(kMaxTableEntries), kMaxTableEntries);
  if (old_size > max || delta > max - old_size) return kRefused;
  if (delta == 0) return old_size;
  if (limits != nullptr && !limits->take_table_entries(delta)) return kRefused;
  void* moved = std::realloc(vm->elements, (old_size + delta) * sizeof(void*));
  if (moved == nullptr) {
    if (limits != nullptr) limits->give_table_entries(delta);
    return kRefused;
  }
  vm->elements = static_cast<void**>(moved);
  std::fill_n(vm->elements + old_size, delta, init);
  vm->size = old_size + delta;
  return old_size;
}

}  // namespace heddle::runtime
