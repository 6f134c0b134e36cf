#include "cache/record.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace heddle::cache {

/// Issues the token for code that was made by a pass that validated the body, in an earlier run, of the same bytes: the
/// entry's key holds their SHA-256, and nobody but the user can have written it (store.h).
class Provenance {
 public:
  static module::ValidatedBody issue(const module::Module& m, spec::FuncIndex func) {
    return module::ValidatedBody(&m, func);
  }
};

namespace {

class Writer {
 public:
  template <class... T>
  bool operator()(const T&... values) {
    return (put(values) && ...);
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  bool put(const T& value) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(&value);
    bytes_.insert(bytes_.end(), at, at + sizeof value);
    return true;
  }
  bool put(spec::FuncIndex func) { return put(func.value); }
  bool put(spec::TagIndex tag) { return put(tag.value); }
  template <class T>
  bool put(const std::vector<T>& list) {
    put(static_cast<std::uint32_t>(list.size()));
    return std::all_of(list.begin(), list.end(), [this](const T& element) { return put(element); });
  }
  bool put(const std::vector<std::uint8_t>& bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return true;
  }
  template <class T>
  bool put(const T& value);

  std::vector<std::uint8_t> bytes_;
};

class Reader {
 public:
  explicit Reader(base::Bytes bytes) : rest_(bytes) {}
  template <class... T>
  bool operator()(T&... values) {
    return (get(values) && ...);
  }
  bool at_end() const { return rest_.empty(); }

 private:
  bool take(void* to, std::size_t size_bytes) {
    if (rest_.size() < size_bytes) return false;
    if (size_bytes != 0) std::memcpy(to, rest_.data(), size_bytes);
    rest_ = rest_.subspan(size_bytes);
    return true;
  }
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  bool get(T& value) {
    return take(&value, sizeof value);
  }
  bool get(bool& value) {
    std::uint8_t byte = 0;
    if (!take(&byte, 1) || byte > 1) return false;
    value = byte == 1;
    return true;
  }
  bool get(spec::FuncIndex& func) { return get(func.value); }
  bool get(spec::TagIndex& tag) { return get(tag.value); }
  template <class T>
  bool get(std::vector<T>& list) {
    std::uint32_t count = 0;
    // An element has at least a byte: what is announced must be there before it is reserved.
    if (!get(count) || count > rest_.size()) return false;
    list.resize(count);
    return std::all_of(list.begin(), list.end(), [this](T& element) { return get(element); });
  }
  bool get(std::vector<std::uint8_t>& bytes) {
    std::uint32_t count = 0;
    if (!get(count) || count > rest_.size()) return false;
    bytes.resize(count);
    return take(bytes.data(), count);
  }
  template <class T>
  bool get(T& value);

  base::Bytes rest_;
};

// The fields, once for both ways. A field that is missing here changes a size below.
template <class T, class Of>
concept Is = std::is_same_v<std::remove_const_t<T>, Of>;

bool fields(auto& all, Is<abi::TrapSite> auto& s) {
  return all(s.code_offset, s.body_offset, s.code);
}
bool fields(auto& all, Is<abi::CallSite> auto& s) {
  return all(s.return_offset, s.body_offset);
}
bool fields(auto& all, Is<abi::OffsetRow> auto& r) {
  return all(r.code_offset, r.body_offset, r.inlined);
}
bool fields(auto& all, Is<abi::InlinedCall> auto& c) {
  return all(c.func, c.body_offset, c.around);
}
bool fields(auto& all, Is<abi::SlotRelocation> auto& r) {
  return all(r.code_offset, r.func);
}
bool fields(auto& all, Is<abi::ExceptionHandler> auto& h) {
  return all(h.begin, h.end, h.landing_offset, h.catches_all, h.tag);
}
bool fields(auto& all, Is<abi::OsrPoint> auto& p) {
  return all(p.code_offset, p.end_offset, p.body_offset);
}
bool fields(auto& all, Is<abi::FrameRow> auto& r) {
  return all(r.code_offset, r.size_bytes);
}
using Popped = std::pair<std::uint32_t, std::uint32_t>;
bool fields(auto& all, Is<Popped> auto& p) {
  return all(p.first, p.second);
}
bool fields(auto& all, Is<abi::FrameInfo> auto& f) {
  auto& s = f.saved;
  return all(f.size_bytes, f.prologue_end, s[0], s[1], s[2], s[3], s[4], s[5], f.r13_is_any, f.popped, f.rows);
}
bool fields(auto& all, Is<abi::CodeTables> auto& t) {
  return all(t.trap_sites, t.call_sites, t.relocations, t.handlers, t.frame, t.sites_by_range, t.offset_rows,
             t.inlined_calls, t.improvable, t.osr_points);
}
static_assert(sizeof(abi::TrapSite) == 12 && sizeof(abi::CallSite) == 8 && sizeof(abi::SlotRelocation) == 8);
static_assert(sizeof(abi::OffsetRow) == 12 && sizeof(abi::InlinedCall) == 12);
static_assert(sizeof(abi::ExceptionHandler) == 20 && sizeof(abi::OsrPoint) == 12 && sizeof(abi::FrameRow) == 8);
static_assert(sizeof(abi::FrameInfo) == 40 + 2 * sizeof(std::vector<int>));
static_assert(sizeof(abi::CodeTables) == sizeof(abi::FrameInfo) + 7 * sizeof(std::vector<int>) + 2 * 8);

template <class T>
bool Writer::put(const T& value) {
  return fields(*this, value);
}
template <class T>
bool Reader::get(T& value) {
  return fields(*this, value);
}

/// Ascending by `key`, equal ones allowed, none beyond `end`.
template <class T>
bool ascend_to(const std::vector<T>& list, std::uint32_t T::* key, std::size_t end) {
  return std::is_sorted(list.begin(), list.end(), [key](const T& a, const T& b) { return a.*key < b.*key; }) &&
         (list.empty() || list.back().*key <= end);
}

template <class T>
bool within(const std::vector<T>& list, std::uint32_t T::* body_offset, std::size_t module_bytes) {
  return std::all_of(list.begin(), list.end(), [=](const T& e) { return e.*body_offset <= module_bytes; });
}

bool sites_are_sound(const abi::CodeTables& t, std::size_t end, std::size_t module_bytes) {
  using abi::CallSite, abi::TrapSite, abi::OsrPoint, abi::OffsetRow;
  return ascend_to(t.trap_sites, &TrapSite::code_offset, end) &&
         within(t.trap_sites, &TrapSite::body_offset, module_bytes) &&
         ascend_to(t.call_sites, &CallSite::return_offset, end) &&
         within(t.call_sites, &CallSite::body_offset, module_bytes) &&
         ascend_to(t.offset_rows, &OffsetRow::code_offset, end) &&
         within(t.offset_rows, &OffsetRow::body_offset, module_bytes) &&
         ascend_to(t.osr_points, &OsrPoint::code_offset, end) &&
         within(t.osr_points, &OsrPoint::body_offset, module_bytes) &&
         std::all_of(t.trap_sites.begin(), t.trap_sites.end(),
                     [](const TrapSite& s) { return s.code < spec::TrapCode::kCount; }) &&
         std::all_of(t.osr_points.begin(), t.osr_points.end(), [end](const OsrPoint& p) {
           return p.code_offset % 8 == 0 && p.code_offset + abi::kOsrJumpBytes <= end && p.end_offset <= end &&
                  p.end_offset > p.code_offset;
         });
}

/// A stack walk follows `around` outwards, so it must come to an end.
bool inlining_is_sound(const abi::CodeTables& t, const module::Module& m) {
  const std::vector<abi::InlinedCall>& calls = t.inlined_calls;
  for (std::size_t i = 0; i < calls.size(); ++i)
    if (calls[i].around > i || calls[i].func.value >= m.functions.size() || m.is_imported(calls[i].func)) return false;
  return within(calls, &abi::InlinedCall::body_offset, m.wire->bytes().size()) &&
         std::all_of(t.offset_rows.begin(), t.offset_rows.end(),
                     [&calls](const abi::OffsetRow& row) { return row.inlined <= calls.size(); });
}

bool links_are_sound(const abi::CodeTables& t, std::size_t end, const module::Module& m) {
  return std::all_of(t.relocations.begin(), t.relocations.end(),
                     [&](const abi::SlotRelocation& r) {
                       return std::size_t{r.code_offset} + 4 <= end && r.func.value >= m.imported_functions &&
                              r.func.value < m.functions.size();
                     }) &&
         std::all_of(t.handlers.begin(), t.handlers.end(), [&](const abi::ExceptionHandler& h) {
           return h.begin <= h.end && h.end <= end && h.landing_offset < end &&
                  (h.catches_all || h.tag.value < m.tags.size());
         });
}

/// Chosen: larger than any stack, and sums of two fit 32 bits.
constexpr std::uint32_t kMaxFrameBytes = 1 << 28;

bool frame_is_sound(const abi::FrameInfo& f, std::size_t end) {
  return f.size_bytes <= kMaxFrameBytes && f.prologue_end <= end &&
         std::all_of(f.saved.begin(), f.saved.end(),
                     [](std::int32_t at) { return at >= -1 && at < static_cast<std::int32_t>(kMaxFrameBytes); }) &&
         std::all_of(f.popped.begin(), f.popped.end(),
                     [end](const Popped& p) { return p.first <= p.second && p.second <= end; }) &&
         ascend_to(f.rows, &abi::FrameRow::code_offset, end) &&
         std::all_of(f.rows.begin(), f.rows.end(),
                     [](const abi::FrameRow& r) { return r.size_bytes <= kMaxFrameBytes; });
}

}  // namespace

std::vector<std::uint8_t> write_record(base::Bytes code, const abi::CodeTables& tables) {
  Writer writer;
  writer(std::vector<std::uint8_t>(code.begin(), code.end()), tables);
  return writer.take();
}

std::optional<abi::CodeArtifact> read_record(base::Bytes record, const module::Module& m, spec::FuncIndex func) {
  if (func.value < m.imported_functions || func.value >= m.functions.size()) return std::nullopt;
  abi::CodeArtifact artifact(Provenance::issue(m, func));
  Reader reader(record);
  if (!reader(artifact.code, static_cast<abi::CodeTables&>(artifact)) || !reader.at_end()) return std::nullopt;
  const std::size_t end = artifact.code.size();
  if (end == 0 || !sites_are_sound(artifact, end, m.wire->bytes().size()) || !inlining_is_sound(artifact, m) ||
      !links_are_sound(artifact, end, m) || !frame_is_sound(artifact.frame, end))
    return std::nullopt;
  return artifact;
}

}  // namespace heddle::cache
