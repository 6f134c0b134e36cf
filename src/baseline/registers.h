// Machine registers as small numbers, and sets of them. 0-15 are integer registers, 16-31 float and vector ones; which
// is which, and who may be used for what, is said by <isa>/machine.h.
#pragma once

#include <bit>
#include <cstdint>

namespace heddle::baseline {

struct Reg {
  static constexpr std::uint8_t kNone = 0xff;
  static constexpr std::uint8_t kFirstFloat = 16;
  std::uint8_t id = kNone;

  constexpr bool valid() const { return id != kNone; }
  constexpr bool is_float() const { return id >= kFirstFloat && id < 32; }
  /// Number within its class.
  constexpr std::uint8_t number() const { return id & 15; }
  constexpr bool operator==(const Reg&) const = default;
};

inline constexpr unsigned kRegCount = 32;

class RegSet {
 public:
  constexpr RegSet() = default;
  constexpr explicit RegSet(std::uint32_t bits) : bits_(bits) {}
  template <class... R>
  static constexpr RegSet of(R... regs) {
    return RegSet((0u | ... | bit(regs)));
  }
  static constexpr RegSet all_ints() { return RegSet(0x0000ffffu); }
  static constexpr RegSet all_floats() { return RegSet(0xffff0000u); }

  constexpr bool has(Reg r) const { return (bits_ & bit(r)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr void add(Reg r) { bits_ |= bit(r); }
  constexpr void remove(Reg r) { bits_ &= ~bit(r); }
  /// The lowest; the set must not be empty.
  constexpr Reg first() const { return Reg{static_cast<std::uint8_t>(std::countr_zero(bits_))}; }
  constexpr Reg last() const { return Reg{static_cast<std::uint8_t>(31 - std::countl_zero(bits_))}; }
  constexpr Reg take_first() {
    const Reg r = first();
    remove(r);
    return r;
  }
  constexpr int size() const { return std::popcount(bits_); }
  constexpr std::uint32_t bits() const { return bits_; }

  constexpr RegSet operator|(RegSet o) const { return RegSet(bits_ | o.bits_); }
  constexpr RegSet operator&(RegSet o) const { return RegSet(bits_ & o.bits_); }
  constexpr RegSet operator-(RegSet o) const { return RegSet(bits_ & ~o.bits_); }
  constexpr RegSet& operator|=(RegSet o) { return *this = *this | o; }
  constexpr RegSet& operator&=(RegSet o) { return *this = *this & o; }
  constexpr bool operator==(const RegSet&) const = default;

 private:
  static constexpr std::uint32_t bit(Reg r) { return r.valid() ? 1u << r.id : 0u; }
  std::uint32_t bits_ = 0;
};

}  // namespace heddle::baseline
