// The labels around an instruction, innermost last. Finding a name costs O(1), however deep the nesting.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heddle::text {

class Labels {
 public:
  void clear() {
    labels_.clear();
    positions_.clear();
  }
  std::size_t size() const { return labels_.size(); }
  std::string_view innermost() const { return labels_.back().name; }

  /// An empty name is none.
  void push(std::string_view name) {
    const std::uint32_t position = static_cast<std::uint32_t>(labels_.size());
    Label label{name, std::nullopt};
    if (!name.empty()) {
      const auto [found, is_new] = positions_.emplace(name, position);
      if (!is_new) {
        label.shadowed = found->second;
        found->second = position;
      }
    }
    labels_.push_back(label);
  }

  void pop() {
    const Label label = labels_.back();
    labels_.pop_back();
    if (label.name.empty()) return;
    if (label.shadowed)
      positions_[label.name] = *label.shadowed;
    else
      positions_.erase(label.name);
  }

  /// Depth of a name, counted from the innermost label.
  std::optional<std::uint32_t> find(std::string_view name) const {
    const auto found = positions_.find(name);
    if (found == positions_.end()) return std::nullopt;
    return static_cast<std::uint32_t>(labels_.size()) - 1 - found->second;
  }

 private:
  struct Label {
    std::string_view name;
    std::optional<std::uint32_t> shadowed;  // position of the outer label of the same name
  };
  std::vector<Label> labels_;
  std::unordered_map<std::string_view, std::uint32_t> positions_;
};

}  // namespace heddle::text
