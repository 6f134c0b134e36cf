// Features of the language that can be switched on or off: one bit each, in one set.
#pragma once

#include <cstdint>

namespace heddle::spec {

enum class Feature : std::uint8_t {
  mvp,
  sign_extension,
  saturating_float,
  bulk_memory,
  reference_types,
  multi_value,
  simd,
  relaxed_simd,
  threads,
  tail_call,
  exceptions,
  legacy_exceptions,
  function_references,
  gc,
  extended_const,
  multi_memory,
  memory64,
  wide_arithmetic,
  custom_page_sizes,
  kCount,
};

class Features {
 public:
  constexpr Features() = default;
  constexpr bool has(Feature f) const { return (bits_ >> static_cast<unsigned>(f)) & 1; }
  constexpr Features with(Feature f) const { return Features(bits_ | bit(f)); }
  constexpr Features without(Feature f) const { return Features(bits_ & ~bit(f)); }
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr bool operator==(const Features&) const = default;

  /// WebAssembly 3.0, threads, and the legacy exceptions that deployed toolchains emit: what runs by default.
  static constexpr Features standard() {
    return Features((std::uint64_t{1} << static_cast<unsigned>(Feature::kCount)) - 1)
        .without(Feature::wide_arithmetic)
        .without(Feature::custom_page_sizes);
  }
  static constexpr Features all() { return Features((std::uint64_t{1} << static_cast<unsigned>(Feature::kCount)) - 1); }

 private:
  static constexpr std::uint64_t bit(Feature f) { return std::uint64_t{1} << static_cast<unsigned>(f); }
  constexpr explicit Features(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_ = 0;
};

/// "threads", "custom-page-sizes" ...: the name that `--features` and messages use.
const char* feature_name(Feature f);

}  // namespace heddle::spec
