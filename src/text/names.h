// Symbol tables: the identifiers of one index space (core spec, Text Format, Contexts).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace heddle::text {

/// Identifiers -> indices. Keys are borrowed (from the source or an IdPool).
class SymbolTable {
 public:
  /// False if the name is taken.
  bool bind(std::string_view name, std::uint32_t index) { return by_name_.emplace(name, index).second; }

  std::optional<std::uint32_t> find(std::string_view name) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return std::nullopt;
    return found->second;
  }

  /// Cheap for the small tables of most functions, whatever a large one left behind.
  void clear() {
    if (by_name_.bucket_count() > kKeptBuckets)
      by_name_ = {};
    else if (!by_name_.empty())
      by_name_.clear();
  }

 private:
  /// Chosen: clearing a table costs its buckets, so a function with very many locals must not slow the next ones.
  static constexpr std::size_t kKeptBuckets = 256;
  std::unordered_map<std::string_view, std::uint32_t> by_name_;
};

/// Index -> name, ascending: what the name section wants.
using IndexNames = std::vector<std::pair<std::uint32_t, std::string_view>>;

/// One index space of a module.
struct IndexSpace {
  IndexSpace(const char* what_name, const char* unknown_name) : what(what_name), unknown(unknown_name) {}
  const char* what;     ///< "func", "table" ...: as "duplicate ..." says it
  const char* unknown;  ///< "function" ...: as "unknown ..." says it
  std::uint32_t count = 0;
  SymbolTable ids;
  IndexNames names;
};

}  // namespace heddle::text
