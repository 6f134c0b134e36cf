#include "abi/sites.h"

#include <algorithm>

namespace heddle::abi {

bool Sites::Iterator::read() {
  std::uint64_t distance = 0;
  std::int32_t body_distance = 0;
  if (base::read_leb128<std::uint64_t, 34>(at_, end_, distance) != base::LebError::none ||
      base::read_leb128(at_, end_, body_distance) != base::LebError::none ||
      distance / 4 > UINT32_MAX - site_.code_offset)
    return false;
  move(distance, body_distance);
  if (distance % 4 < trap) return true;
  if (distance % 4 != trap || at_ == end_ || *at_ >= static_cast<std::uint8_t>(spec::TrapCode::kCount)) return false;
  site_.code = static_cast<spec::TrapCode>(*at_++);
  return true;
}

std::optional<Site> Sites::trap_at(std::uint32_t code_offset) const {
  std::optional<Site> found;
  for (const Site& site : *this) {
    if (site.code_offset > code_offset) break;
    if (site.code_offset == code_offset && !site.is_call) found = site;
  }
  return found;
}

std::optional<Site> Sites::call_returning_to(std::uint32_t code_offset) const {
  for (const Site& site : *this) {
    if (site.code_offset > code_offset) break;
    if (site.code_offset == code_offset && site.is_call) return site;
  }
  return std::nullopt;
}

std::optional<Site> Sites::last_up_to(std::uint32_t code_offset) const {
  std::optional<Site> found;
  for (const Site& site : *this) {
    if (site.code_offset > code_offset) break;
    found = site;
  }
  return found;
}

bool Sites::is_sound(std::uint64_t code_bytes, std::uint64_t module_bytes) const {
  Iterator site = begin();
  std::uint32_t last_code_offset = 0, last_body_offset = 0;
  for (; site != end(); ++site) {
    if (site->code_offset < last_code_offset) return false;
    last_code_offset = site->code_offset;
    last_body_offset = std::max(last_body_offset, site->body_offset);
  }
  return !site.is_malformed() && last_code_offset <= code_bytes && last_body_offset <= module_bytes;
}

}  // namespace heddle::abi
