// ResourceLimits: how much linear memory and how many table entries all instances of a group may hold together
// (--max-memory, --max-table-entries). Shared by all threads; the atomics are plain counters, partner of nothing else.
#pragma once

#include <atomic>
#include <cstdint>

namespace heddle::runtime {

class ResourceLimits {
 public:
  static constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

  ResourceLimits(std::uint64_t max_memory_bytes, std::uint64_t max_table_entries)
      : memory_{max_memory_bytes}, tables_{max_table_entries} {}

  /// False if that would be over the limit; then nothing is counted. Any thread.
  [[nodiscard]] bool take_memory_bytes(std::uint64_t bytes) { return memory_.take(bytes); }
  void give_memory_bytes(std::uint64_t bytes) { memory_.give(bytes); }
  [[nodiscard]] bool take_table_entries(std::uint64_t entries) { return tables_.take(entries); }
  void give_table_entries(std::uint64_t entries) { tables_.give(entries); }

  std::uint64_t memory_bytes() const { return memory_.used.load(std::memory_order_relaxed); }
  std::uint64_t table_entries() const { return tables_.used.load(std::memory_order_relaxed); }

 private:
  struct Counter {
    std::uint64_t limit = kUnlimited;
    std::atomic<std::uint64_t> used{0};
    bool take(std::uint64_t amount);
    void give(std::uint64_t amount) { used.fetch_sub(amount, std::memory_order_relaxed); }
  };
  Counter memory_;
  Counter tables_;
};

}  // namespace heddle::runtime
