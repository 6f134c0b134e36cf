#include "cache/record.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace heddle::cache {

/// Issues the token for code that was made by a pass that validated the body, in an earlier run, of the same bytes: the
/// entry's key holds their SHA-256, and nobody but the user can have written it (folder.h).
class Provenance {
 public:
  static module::ValidatedBody issue(const module::Module& m, spec::FuncIndex func) {
    return module::ValidatedBody(&m, func);
  }
};

namespace {

/// Lists of such rows are written and read as they lie in memory: every byte counts, and every value of it is one.
template <class T>
concept PlainRow = std::is_class_v<T> && std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>;

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
    return append(&value, sizeof value);
  }
  bool put(spec::TagIndex tag) { return put(tag.value); }
  bool put(base::Bytes bytes) {
    put(static_cast<std::uint32_t>(bytes.size()));
    return append(bytes.data(), bytes.size());
  }
  bool put(const abi::Sites& sites) { return put(sites.bytes()); }
  template <class T>
  bool put(const std::vector<T>& list) {
    put(static_cast<std::uint32_t>(list.size()));
    if constexpr (PlainRow<T>)
      return append(list.data(), list.size() * sizeof(T));
    else
      return std::all_of(list.begin(), list.end(), [this](const T& element) { return put(element); });
  }
  template <class T>
  bool put(const T& value);
  bool append(const void* from, std::size_t size_bytes) {
    const auto* at = static_cast<const std::uint8_t*>(from);
    bytes_.insert(bytes_.end(), at, at + size_bytes);
    return true;
  }

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
  bool get(spec::TagIndex& tag) { return get(tag.value); }
  bool get(base::Bytes& bytes) {
    std::uint32_t count = 0;
    if (!get(count) || count > rest_.size()) return false;
    bytes = rest_.first(count);
    rest_ = rest_.subspan(count);
    return true;
  }
  bool get(abi::Sites& sites) {
    base::Bytes packed;
    if (!get(packed)) return false;
    sites = abi::Sites(packed);
    return true;
  }
  template <class T>
  bool get(std::vector<T>& list) {
    std::uint32_t count = 0;
    // An element has at least a byte: what is announced must be there before it is reserved.
    if (!get(count) || count > rest_.size() / (PlainRow<T> ? sizeof(T) : 1)) return false;
    list.resize(count);
    if constexpr (PlainRow<T>)
      return take(list.data(), count * sizeof(T));
    else
      return std::all_of(list.begin(), list.end(), [this](T& element) { return get(element); });
  }
  template <class T>
  bool get(T& value);

  base::Bytes rest_;
};

static_assert(PlainRow<abi::OffsetRow> && PlainRow<abi::InlinedCall> && PlainRow<abi::SlotRelocation> &&
              PlainRow<abi::OsrPoint> && PlainRow<abi::FrameRow>);

// The fields of all else, once for both ways. A field that is missing here changes a size below.
template <class T, class Of>
concept Is = std::is_same_v<std::remove_const_t<T>, Of>;

bool fields(auto& all, Is<abi::ExceptionHandler> auto& h) {
  return all(h.begin, h.end, h.landing_offset, h.catches_all, h.tag);
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
  return all(t.sites, t.relocations, t.handlers, t.frame, t.sites_by_range, t.offset_rows, t.inlined_calls,
             t.improvable, t.osr_points);
}
static_assert(sizeof(abi::ExceptionHandler) == 20);
static_assert(sizeof(abi::FrameInfo) == 40 + 2 * sizeof(std::vector<int>));
static_assert(sizeof(abi::CodeTables) ==
              sizeof(abi::Sites) + sizeof(abi::FrameInfo) + 5 * sizeof(std::vector<int>) + 2 * 8);

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

bool places_are_sound(const abi::CodeTables& t, std::size_t end, std::size_t module_bytes) {
  using abi::OffsetRow, abi::OsrPoint;
  return t.sites.is_sound(end, module_bytes) && ascend_to(t.offset_rows, &OffsetRow::code_offset, end) &&
         within(t.offset_rows, &OffsetRow::body_offset, module_bytes) &&
         ascend_to(t.osr_points, &OsrPoint::code_offset, end) &&
         within(t.osr_points, &OsrPoint::body_offset, module_bytes) &&
         std::all_of(t.osr_points.begin(), t.osr_points.end(), [end](const OsrPoint& p) {
           return p.code_offset % 8 == 0 && std::size_t{p.code_offset} + abi::kOsrJumpBytes <= end &&
                  p.end_offset <= end && p.end_offset > p.code_offset;
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
  writer(code, tables);
  return writer.take();
}

std::optional<abi::KeptCode::Piece> read_record(base::Bytes record, const module::Module& m, spec::FuncIndex func) {
  if (func.value < m.imported_functions || func.value >= m.functions.size()) return std::nullopt;
  abi::KeptCode::Piece piece(Provenance::issue(m, func));
  Reader reader(record);
  if (!reader(piece.code, static_cast<abi::CodeTables&>(piece)) || !reader.at_end()) return std::nullopt;
  const std::size_t end = piece.code.size();
  if (end == 0 || !places_are_sound(piece, end, m.wire->bytes().size()) || !inlining_is_sound(piece, m) ||
      !links_are_sound(piece, end, m) || !frame_is_sound(piece.frame, end))
    return std::nullopt;
  return piece;
}

}  // namespace heddle::cache
