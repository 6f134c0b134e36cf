#include "llvm/object_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <optional>

#include "llvm/dwarf_reader.h"
#include "llvm/elf_object.h"
#include "llvm/exception_table.h"

namespace heddle::llvm_tier {
namespace {

using Parts = std::variant<ObjectParts, std::string>;

/// Of constants in a section that says nothing of its entries: those of one or two bytes.
constexpr std::uint64_t kConstantBytes = 16;

/// What a PC-relative relocation of an instruction counts from is four bytes further (behind its own field).
constexpr std::int64_t kFieldBytes = 4;

std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// "prefix12" -> 12.
std::optional<unsigned> number_behind(std::string_view prefix, std::string_view name) {
  unsigned number = 0;
  if (!name.starts_with(prefix)) return std::nullopt;
  std::from_chars(name.data() + prefix.size(), name.data() + name.size(), number);
  return number;
}

/// What all functions of an object share, by the sections of their code.
class Object {
 public:
  explicit Object(std::span<const char> object) : elf(object) {
    for (const Section& section : elf.sections()) {
      if (!section.name.starts_with(".text.")) continue;
      for (const Reference& r : elf.references(section))
        if (r.section != nullptr && r.section->is_constant()) starts_[r.section].push_back(start_of(r));
    }
    for (auto& [section, starts] : starts_) std::sort(starts.begin(), starts.end());
    if (const Section* table = elf.named(".debug_line")) {
      const auto owners = owners_in(*table);
      for (LineSequence& sequence : read_line_table(table->bytes))
        if (const auto owner = owners.find(sequence.address_at); owner != owners.end())
          lines.emplace(owner->second, std::move(sequence.rows));
    }
    if (const Section* table = elf.named(".eh_frame")) {
      const auto owners = owners_in(*table);
      for (FrameEntry& entry : read_frames(table->bytes))
        if (const auto owner = owners.find(entry.address_at); owner != owners.end() && entry.frame)
          frames.emplace(owner->second, std::move(*entry.frame));
    }
    if (const Section* data = elf.named(".data"))
      for (const Reference& r : elf.references(*data)) pointers.emplace(std::pair(data, r.offset), r.symbol);
  }

  /// Where in its section the constant begins that an instruction refers to. A section symbol stands only for constants
  /// that one takes whole.
  static std::uint64_t start_of(const Reference& r) {
    const std::uint64_t at =
        r.is_section_symbol ? r.place + static_cast<std::uint64_t>(r.addend + kFieldBytes) : r.place;
    return r.section->is_mergeable() ? at / r.section->header->sh_entsize * r.section->header->sh_entsize : at;
  }
  /// Where the next constant begins, or the section ends.
  std::uint64_t end_of(const Section& section, std::uint64_t start) const {
    const std::vector<std::uint64_t>& starts = starts_.at(&section);
    const auto next = std::upper_bound(starts.begin(), starts.end(), start);
    return next == starts.end() ? section.bytes.size() : *next;
  }

  const ElfObject elf;
  std::map<const Section*, std::vector<LineRow>> lines;
  std::map<const Section*, abi::FrameInfo> frames;                                ///< of those that are understood
  std::map<std::pair<const Section*, std::uint64_t>, std::string_view> pointers;  ///< what stands in .data

 private:
  /// Offset of an address in a table -> the section that it is the beginning of.
  std::map<std::uint64_t, const Section*> owners_in(const Section& table) const {
    std::map<std::uint64_t, const Section*> owners;
    for (const Reference& r : elf.references(table)) owners.emplace(r.offset, r.section);
    return owners;
  }

  std::map<const Section*, std::vector<std::uint64_t>> starts_;
};

/// Read-only data that one function uses.
struct Piece {
  const Section* section = nullptr;
  std::uint64_t begin = 0;  ///< in the section
  std::uint64_t end = 0;
  std::uint64_t align = 1;
  std::uint32_t place = 0;  ///< in the code
};

class Function {
 public:
  Function(const Object& object, const ObjectFunction& function) : object_(object), function_(function) {}

  Parts read() {
    text_ = own(".text.");
    if (text_ == nullptr) return "object file: no such function";
    parts_.code.assign(text_->bytes.begin(), text_->bytes.end());
    parts_.instruction_bytes = static_cast<std::uint32_t>(parts_.code.size());
    parts_.code.push_back(0xcc);  // a call that never returns may stand last; where it "returns to" is still this code
    const std::vector<Reference> references = object_.elf.references(*text_);
    for (const Reference& r : references) need(r);
    place_pieces();
    for (const Reference& r : references) apply(r, 0);
    for (const Piece& piece : pieces_)
      for (const Reference& r : object_.elf.references(*piece.section)) apply(r, piece.place);
    read_frame();
    if (const Section* table = own(".gcc_except_table.")) read_handlers(*table);
    if (const auto rows = object_.lines.find(text_); rows != object_.lines.end())
      for (const LineRow& row : rows->second)
        if (row.line > 0) parts_.offset_rows.push_back(place_of(row));
    if (!problem_.empty()) return problem_;
    return std::move(parts_);
  }

 private:
  const Section* own(std::string_view prefix) const {
    return object_.elf.named(fmt::format("{}{}", prefix, function_.symbol));
  }

  abi::OffsetRow place_of(const LineRow& row) const {
    const auto behind = std::upper_bound(function_.lines.begin(), function_.lines.end(), row.line,
                                         [](std::uint32_t line, const LineRange& r) { return line < r.first_line; });
    const LineRange& range = *(behind - 1);
    return {row.code_offset, range.body_begin + (row.line - range.first_line), range.inlined};
  }

  // Read-only data. Jump tables have a section for each function; constants of all functions share sections.

  bool is_own_table(const Section& section) const {
    constexpr std::string_view kPrefix = ".rodata.";
    return section.name.starts_with(kPrefix) && section.name.substr(kPrefix.size()) == function_.symbol;
  }
  std::uint64_t start_of(const Reference& r) const { return is_own_table(*r.section) ? 0 : Object::start_of(r); }

  void need(const Reference& r) {
    if (r.section == nullptr || !r.section->is_constant()) return;
    const Section& section = *r.section;
    const std::uint64_t begin = start_of(r);
    if (piece_at_.contains({&section, begin})) return;
    Piece piece{&section, begin, section.bytes.size(), section.align()};
    if (!is_own_table(section)) {
      if (section.relocations != nullptr || begin >= section.bytes.size())
        return fail(fmt::format("constants in {}", section.name));
      // Where the section does not say how large they are, what stands between this constant and the next is filled up
      // with zeros, so that others leave no trace.
      piece.align = section.is_mergeable() ? section.header->sh_entsize : kConstantBytes;
      piece.end = section.is_mergeable() ? begin + piece.align : object_.end_of(section, begin);
    }
    piece_at_.emplace(std::pair(&section, begin), pieces_.size());
    pieces_.push_back(piece);
  }

  /// Behind the code: what has the largest alignment first, else in the order in which the code comes to it.
  void place_pieces() {
    std::vector<Piece*> order;
    for (Piece& piece : pieces_) order.push_back(&piece);
    std::sort(order.begin(), order.end(),
              [](const Piece* a, const Piece* b) { return a->align != b->align ? a->align > b->align : a < b; });
    for (Piece* piece : order) {
      parts_.code.resize(round_up(parts_.code.size(), piece->align), 0xcc);
      piece->place = static_cast<std::uint32_t>(parts_.code.size());
      const base::Bytes bytes = piece->section->bytes.subspan(piece->begin, piece->end - piece->begin);
      parts_.code.insert(parts_.code.end(), bytes.begin(), bytes.end());
      if (!is_own_table(*piece->section)) parts_.code.resize(piece->place + round_up(bytes.size(), piece->align), 0);
    }
  }

  /// `base`: where in the code the section stands that the relocation is made in.
  void apply(const Reference& r, std::uint32_t base) {
    const auto at = static_cast<std::uint32_t>(base + r.offset);
    if (r.type != R_X86_64_PC32 && r.type != R_X86_64_PLT32) return fail(fmt::format("relocation type {}", r.type));
    if (r.section == nullptr) {
      const auto func = number_behind("slot.", r.symbol);
      if (!func || r.addend != -kFieldBytes) return fail(fmt::format("symbol {}", r.symbol));
      parts_.relocations.push_back({at, spec::FuncIndex(*func)});
      return;
    }
    auto target = static_cast<std::int64_t>(r.place) + r.addend;
    if (r.section != text_) {
      const auto piece = piece_at_.find({r.section, r.section->is_constant() ? start_of(r) : 0});
      if (piece == piece_at_.end()) return fail(fmt::format("section {}", r.section->name));
      const Piece& to = pieces_[piece->second];
      target += static_cast<std::int64_t>(to.place) - static_cast<std::int64_t>(to.begin);
    }
    const auto distance = static_cast<std::int32_t>(target - at);
    std::memcpy(&parts_.code[at], &distance, sizeof(distance));
  }

  void read_frame() {
    const auto frame = object_.frames.find(text_);
    if (frame == object_.frames.end()) return fail("unwind information");
    parts_.frame = frame->second;
    parts_.frame.r13_is_any = true;
  }

  /// The type table's entries point to pointers in .data, and those to what tag_symbol() names.
  void read_handlers(const Section& table) {
    std::map<std::size_t, spec::TagIndex> tags;
    for (const Reference& r : object_.elf.references(table)) {
      const std::uint64_t at = r.place + static_cast<std::uint64_t>(r.addend);
      const auto pointer = object_.pointers.find({r.section, at});
      const auto tag = pointer == object_.pointers.end() ? std::nullopt : number_behind("tag.", pointer->second);
      if (!tag) return fail("exception table's types");
      tags.emplace(r.offset, *tag);
    }
    auto handlers = read_exception_table(table.bytes, [&tags](std::size_t offset) {
      const auto tag = tags.find(offset);
      return tag == tags.end() ? std::nullopt : std::optional(tag->second);
    });
    if (!handlers) return fail("exception table");
    parts_.handlers = std::move(*handlers);
  }

  void fail(std::string what) { problem_ = "object file: " + what; }

  const Object& object_;
  const ObjectFunction& function_;
  const Section* text_ = nullptr;
  std::vector<Piece> pieces_;
  std::map<std::pair<const Section*, std::uint64_t>, std::size_t> piece_at_;  ///< by where they begin
  ObjectParts parts_;
  std::string problem_;
};

}  // namespace

std::vector<Parts> read_object(std::span<const char> object, std::span<const ObjectFunction> functions) {
  const Object whole(object);
  std::vector<Parts> result;
  for (const ObjectFunction& function : functions) result.push_back(Function(whole, function).read());
  return result;
}

}  // namespace heddle::llvm_tier
