// Sites: the places of a function's code that belong to one wasm instruction: instructions that may trap, and calls.
// There are more of them than of anything else that is known of code, one for each memory access, and next to none is
// ever looked at; so they are kept packed, one behind the other (about 2.5 bytes each instead of 12), and looked up by
// going through them. Ascending by code_offset; a call stands before a trap at the same place.
//
//   unsigned LEB128: code_offset minus that of the site before, times 4, plus what it is:
//       0 a trap: memory_out_of_bounds      1 a call      2 a trap: its code follows, a byte
//   signed LEB128: body_offset minus that of the site before, both seen as signed
//
// Reading is async-signal-safe.
#pragma once

#include <iterator>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/leb128.h"
#include "base/span.h"
#include "spec/trap_codes.h"

namespace heddle::abi {

struct Site {
  /// Of the instruction that may fault (a memory access) or always does (ud2); of the instruction behind a call, to
  /// which it returns.
  std::uint32_t code_offset = 0;
  std::uint32_t body_offset = 0;
  bool is_call = false;
  /// Of a trap; TrapCode::none means "the code is in eax".
  spec::TrapCode code = spec::TrapCode::none;
  bool operator==(const Site&) const = default;
};

class Sites {
 public:
  class Iterator;

  Sites() = default;
  /// What bytes() was. Before anybody else gets it: is_sound().
  explicit Sites(base::Bytes packed) : bytes_(packed.begin(), packed.end()) {}

  void add_trap(std::uint32_t code_offset, std::uint32_t body_offset, spec::TrapCode code) {
    const bool is_usual = code == spec::TrapCode::memory_out_of_bounds;
    add(code_offset, body_offset, is_usual ? usual_trap : trap);
    if (!is_usual) bytes_.push_back(static_cast<std::uint8_t>(code));
  }
  void add_call(std::uint32_t return_offset, std::uint32_t body_offset) { add(return_offset, body_offset, call); }
  void clear() {
    bytes_.clear();
    last_code_offset_ = last_body_offset_ = 0;
  }
  /// Gives back memory beyond this, for who fills the same Sites again and again.
  void trim(std::size_t kept_bytes) {
    if (bytes_.capacity() > kept_bytes) *this = Sites();
  }

  Iterator begin() const;
  std::default_sentinel_t end() const { return {}; }
  /// The trap at exactly this place.
  std::optional<Site> trap_at(std::uint32_t code_offset) const;
  /// The call that returns exactly here.
  std::optional<Site> call_returning_to(std::uint32_t code_offset) const;
  /// The last one up to here.
  std::optional<Site> last_up_to(std::uint32_t code_offset) const;

  base::Bytes bytes() const { return bytes_; }
  /// Whether the bytes are sites, in order, none of them beyond `code_bytes`, none of another module of `module_bytes`.
  bool is_sound(std::uint64_t code_bytes, std::uint64_t module_bytes) const;

 private:
  enum Form : std::uint8_t { usual_trap, call, trap };

  void add(std::uint32_t code_offset, std::uint32_t body_offset, Form form) {
    HEDDLE_DCHECK(code_offset >= last_code_offset_, "sites are added in order");
    const std::uint64_t distance = std::uint64_t{code_offset - last_code_offset_} * 4 + form;
    const auto body_distance = static_cast<std::int32_t>(body_offset - last_body_offset_);
    base::write_leb128(bytes_, distance);
    base::write_leb128(bytes_, body_distance);
    last_code_offset_ = code_offset;
    last_body_offset_ = body_offset;
  }

  std::vector<std::uint8_t> bytes_;
  std::uint32_t last_code_offset_ = 0;  // of what was added
  std::uint32_t last_body_offset_ = 0;
};

/// Over bytes that may be anything: it ends at the first that are no site (is_sound() says whether there are such).
class Sites::Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = Site;

  explicit Iterator(base::Bytes bytes) : at_(bytes.data()), end_(at_ + bytes.size()) { ++*this; }
  const Site& operator*() const { return site_; }
  const Site* operator->() const { return &site_; }
  Iterator& operator++() {
    // Nearly always two bytes say it.
    if (end_ - at_ >= 2 && at_[0] < 0x80 && at_[1] < 0x80 && at_[0] % 4 < trap) {
      state_ = State::on_site;
      move(at_[0], static_cast<std::int8_t>(at_[1] << 1) >> 1);
      at_ += 2;
    } else {
      state_ = at_ == end_ ? State::at_end : read() ? State::on_site : State::malformed;
    }
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return state_ != State::on_site; }
  bool is_malformed() const { return state_ == State::malformed; }

 private:
  enum class State : std::uint8_t { on_site, at_end, malformed };

  void move(std::uint64_t distance, std::int32_t body_distance) {
    site_.code_offset += static_cast<std::uint32_t>(distance / 4);
    site_.body_offset += static_cast<std::uint32_t>(body_distance);
    site_.is_call = distance % 4 == call;
    site_.code = distance % 4 == usual_trap ? spec::TrapCode::memory_out_of_bounds : spec::TrapCode::none;
  }
  bool read();

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  Site site_;
  State state_ = State::at_end;
};

inline Sites::Iterator Sites::begin() const {
  return Iterator(bytes_);
}

}  // namespace heddle::abi
