// StrongIndex: a 32-bit index that cannot be mixed up with an index of another space.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace heddle::base {

template <class Tag>
struct StrongIndex {
  std::uint32_t value = 0;
  constexpr StrongIndex() = default;
  constexpr explicit StrongIndex(std::uint32_t v) : value(v) {}
  constexpr explicit StrongIndex(std::size_t v) : value(static_cast<std::uint32_t>(v)) {}
  constexpr auto operator<=>(const StrongIndex&) const = default;
};

}  // namespace heddle::base

template <class Tag>
struct std::hash<heddle::base::StrongIndex<Tag>> {
  std::size_t operator()(heddle::base::StrongIndex<Tag> i) const noexcept {
    return std::hash<std::uint32_t>()(i.value);
  }
};
