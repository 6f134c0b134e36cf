// Looking up places inside one piece of code. Async-signal-safe (but for unpatched() and frame_rows()): reads immutable
// tables only.
#include <algorithm>
#include <cstring>

#include "code/module_code.h"
#include "code/space.h"

namespace heddle::code {
namespace {

/// The last element whose `key` is at most `offset`, or nullptr.
template <class T>
const T* last_up_to(const std::vector<T>& sites, std::uint32_t T::* key, std::uint32_t offset) {
  const auto behind = std::upper_bound(sites.begin(), sites.end(), offset,
                                       [key](std::uint32_t o, const T& site) { return o < site.*key; });
  return behind == sites.begin() ? nullptr : &*(behind - 1);
}

std::uint32_t start_of_body(const FunctionCode& code) {
  if (code.owner == nullptr) return 0;
  return static_cast<std::uint32_t>(code.owner->module().body(code.func).range.begin);
}

std::uint32_t row_offset(const FunctionCode& code, std::uint32_t offset) {
  const abi::OffsetRow* row = last_up_to(code.offset_rows, &abi::OffsetRow::code_offset, offset);
  return row != nullptr ? row->body_offset : start_of_body(code);
}

std::uint32_t row_bytes(const abi::FrameInfo& frame, std::uint32_t offset) {
  const abi::FrameRow* row = last_up_to(frame.rows, &abi::FrameRow::code_offset, offset);
  return row != nullptr ? row->size_bytes : 0;
}

}  // namespace

std::vector<std::uint8_t> FunctionCode::unpatched() const {
  const std::uint8_t* published = Space::published(begin);
  std::vector<std::uint8_t> bytes(published, published + size_bytes);
  for (const abi::SlotRelocation& relocation : relocations)
    std::memset(&bytes[relocation.code_offset], 0, sizeof(std::int32_t));
  for (const abi::OsrPoint& point : osr_points)
    std::copy(abi::kOsrNop.begin(), abi::kOsrNop.end(), &bytes[point.code_offset]);
  return bytes;
}

const abi::OsrPoint* FunctionCode::osr_point(const void* pc) const {
  const std::uint32_t offset = offset_of(pc);
  const abi::OsrPoint* found = nullptr;
  for (const abi::OsrPoint& point : osr_points) {
    if (point.code_offset > offset) break;
    if (offset < point.end_offset) found = &point;
  }
  return found;
}

std::uint32_t FunctionCode::body_offset_of_return(const void* pc) const {
  const std::uint32_t offset = offset_of(pc);
  if (sites_by_range) return row_offset(*this, offset - 1);  // the call instruction's row
  const auto call = sites.call_returning_to(offset);
  return call ? call->body_offset : body_offset_of(pc);
}

std::uint32_t FunctionCode::body_offset_of(const void* pc) const {
  const std::uint32_t offset = offset_of(pc);
  if (sites_by_range) return row_offset(*this, offset);
  const auto site = sites.last_up_to(offset);
  return site ? site->body_offset : start_of_body(*this);
}

std::uint32_t FunctionCode::inlined_at(const void* pc) const {
  const abi::OffsetRow* row = last_up_to(offset_rows, &abi::OffsetRow::code_offset, offset_of(pc));
  return row != nullptr ? row->inlined : 0;
}

std::uint32_t FunctionCode::pushed_bytes_at(const void* pc) const {
  const std::uint32_t offset = offset_of(pc);
  if (!frame.rows.empty()) return row_bytes(frame, offset);
  if (offset < frame.prologue_end) return 0;
  for (const auto& [from, to] : frame.popped) {
    if (offset >= from && offset < to) return 0;
  }
  return frame.size_bytes;
}

std::uint32_t FunctionCode::pushed_bytes_at_return(const void* pc) const {
  // A return address may stand where a popped range or a new row begins; the call before it is what counts.
  return frame.rows.empty() ? frame.size_bytes : row_bytes(frame, offset_of(pc) - 1);
}

std::vector<abi::FrameRow> FunctionCode::frame_rows() const {
  if (!frame.rows.empty()) return frame.rows;
  std::vector<abi::FrameRow> rows = {{frame.prologue_end, frame.size_bytes}};
  for (const auto& [from, to] : frame.popped) {
    rows.push_back({from, 0});
    if (to < size_bytes) rows.push_back({to, frame.size_bytes});
  }
  return rows;
}

}  // namespace heddle::code
