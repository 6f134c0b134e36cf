#include "llvm/object_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string_view>

#include "llvm/dwarf_reader.h"
#include "llvm/exception_table.h"

namespace heddle::llvm_tier {
namespace {

struct Section {
  const Elf64_Shdr* header = nullptr;
  std::string_view name;
  base::Bytes bytes;
  std::optional<std::uint32_t> place;  ///< offset in the artifact's code, if it is loaded
};

class Object {
 public:
  explicit Object(std::span<const char> object)
      : bytes_(reinterpret_cast<const std::uint8_t*>(object.data()), object.size()) {}

  std::variant<ObjectParts, std::string> read(std::span<const LineRange> line_ranges) {
    list_sections();
    place_sections();
    for (const Section& section : sections_)
      if (section.header->sh_type == SHT_RELA && !relocate(section)) return problem_;
    read_frames();
    if (const Section* table = named(".gcc_except_table")) read_handlers(*table);
    if (const Section* lines = named(".debug_line")) {
      for (const LineRow& row : read_line_table(lines->bytes))
        if (row.line > 0) parts_.offset_rows.push_back(place_of(row, line_ranges));
    }
    if (!problem_.empty()) return problem_;
    return std::move(parts_);
  }

 private:
  static abi::OffsetRow place_of(const LineRow& row, std::span<const LineRange> ranges) {
    const auto behind = std::upper_bound(ranges.begin(), ranges.end(), row.line,
                                         [](std::uint32_t line, const LineRange& r) { return line < r.first_line; });
    const LineRange& range = *(behind - 1);
    return {row.code_offset, range.body_begin + (row.line - range.first_line), range.inlined};
  }

  void list_sections() {
    const auto* elf = reinterpret_cast<const Elf64_Ehdr*>(bytes_.data());
    const auto* headers = reinterpret_cast<const Elf64_Shdr*>(bytes_.data() + elf->e_shoff);
    const char* names = reinterpret_cast<const char*>(bytes_.data() + headers[elf->e_shstrndx].sh_offset);
    for (unsigned i = 0; i < elf->e_shnum; ++i) {
      Section section{&headers[i], names + headers[i].sh_name, {}, {}};
      if (headers[i].sh_type != SHT_NOBITS) section.bytes = bytes_.subspan(headers[i].sh_offset, headers[i].sh_size);
      sections_.push_back(section);
    }
  }

  const Section* named(std::string_view name) const {
    for (const Section& section : sections_)
      if (section.name == name) return &section;
    return nullptr;
  }

  /// .text first (the function's entry is its start), then read-only data at its alignment.
  void place_sections() {
    const auto place = [this](Section& section) {
      const std::size_t align = section.header->sh_addralign == 0 ? 1 : section.header->sh_addralign;
      parts_.code.resize((parts_.code.size() + align - 1) / align * align, 0xcc);
      section.place = static_cast<std::uint32_t>(parts_.code.size());
      parts_.code.insert(parts_.code.end(), section.bytes.begin(), section.bytes.end());
    };
    for (Section& section : sections_)
      if (section.name == ".text") place(section);
    parts_.instruction_bytes = static_cast<std::uint32_t>(parts_.code.size());
    parts_.code.push_back(0xcc);  // a call that never returns may stand last; where it "returns to" is still this code
    for (Section& section : sections_) {
      const bool loaded = section.header->sh_type == SHT_PROGBITS && (section.header->sh_flags & SHF_ALLOC) != 0;
      if (loaded && section.name.starts_with(".rodata")) place(section);
    }
  }

  /// Relocations of loaded sections only; debug sections count from 0 anyway (one function, at the start of .text).
  bool relocate(const Section& table) {
    const Section& target = sections_[table.header->sh_info];
    if (!target.place) return true;
    const auto* entries = reinterpret_cast<const Elf64_Rela*>(table.bytes.data());
    const Section& symbols = sections_[table.header->sh_link];
    const char* names = reinterpret_cast<const char*>(sections_[symbols.header->sh_link].bytes.data());
    for (std::size_t i = 0; i < table.bytes.size() / sizeof(Elf64_Rela); ++i) {
      const Elf64_Rela& entry = entries[i];
      const auto* symbol = reinterpret_cast<const Elf64_Sym*>(symbols.bytes.data()) + ELF64_R_SYM(entry.r_info);
      if (!apply(entry, *symbol, names + symbol->st_name, *target.place)) return false;
    }
    return true;
  }

  bool apply(const Elf64_Rela& entry, const Elf64_Sym& symbol, std::string_view name, std::uint32_t base) {
    const auto type = ELF64_R_TYPE(entry.r_info);
    const auto at = static_cast<std::uint32_t>(base + entry.r_offset);
    if (type != R_X86_64_PC32 && type != R_X86_64_PLT32) return fail(fmt::format("relocation type {}", type));
    if (symbol.st_shndx == SHN_UNDEF) {
      unsigned func = 0;
      constexpr std::string_view kSlot = "slot.";
      if (!name.starts_with(kSlot) || entry.r_addend != -4) return fail(fmt::format("symbol {}", name));
      std::from_chars(name.data() + kSlot.size(), name.data() + name.size(), func);
      parts_.relocations.push_back({at, spec::FuncIndex(func)});
      return true;
    }
    const Section& section = sections_[symbol.st_shndx];
    if (!section.place) return fail(fmt::format("section {}", section.name));
    const std::int64_t target = static_cast<std::int64_t>(*section.place + symbol.st_value) + entry.r_addend;
    const auto distance = static_cast<std::int32_t>(target - at);
    std::memcpy(&parts_.code[at], &distance, sizeof(distance));
    return true;
  }

  void read_frames() {
    parts_.frame.r13_is_any = true;
    const Section* frames = named(".eh_frame");
    if (frames == nullptr || !read_frame_info(frames->bytes, parts_.frame)) fail("unwind information");
  }

  /// One relocation: where, and against which symbol or place in a section.
  struct Reference {
    std::uint64_t offset = 0;
    std::string_view symbol;
    const Section* section = nullptr;
    std::uint64_t place = 0;
  };

  std::vector<Reference> references_in(const Section& target) const {
    std::vector<Reference> found;
    for (const Section& table : sections_) {
      if (table.header->sh_type != SHT_RELA || &sections_[table.header->sh_info] != &target) continue;
      const auto* entries = reinterpret_cast<const Elf64_Rela*>(table.bytes.data());
      const Section& symbols = sections_[table.header->sh_link];
      const char* names = reinterpret_cast<const char*>(sections_[symbols.header->sh_link].bytes.data());
      for (std::size_t i = 0; i < table.bytes.size() / sizeof(Elf64_Rela); ++i) {
        const auto* symbol = reinterpret_cast<const Elf64_Sym*>(symbols.bytes.data()) + ELF64_R_SYM(entries[i].r_info);
        Reference r{entries[i].r_offset, names + symbol->st_name, nullptr, 0};
        if (symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < SHN_LORESERVE) {
          r.section = &sections_[symbol->st_shndx];
          r.place = symbol->st_value + static_cast<std::uint64_t>(entries[i].r_addend);
        }
        found.push_back(r);
      }
    }
    return found;
  }

  /// The type table's entries point to pointers in .data, and those to what tag_symbol() names.
  void read_handlers(const Section& table) {
    std::map<std::size_t, spec::TagIndex> tags;
    std::map<std::uint64_t, std::string_view> pointers;
    const Section* data = named(".data");
    if (data != nullptr) {
      for (const Reference& r : references_in(*data)) pointers.emplace(r.offset, r.symbol);
    }
    for (const Reference& r : references_in(table)) {
      const auto pointer = pointers.find(r.place);
      constexpr std::string_view kTag = "tag.";
      if (r.section == nullptr || r.section != data || pointer == pointers.end() ||
          !pointer->second.starts_with(kTag)) {
        fail("exception table's types");
        return;
      }
      unsigned tag = 0;
      const std::string_view digits = pointer->second.substr(kTag.size());
      std::from_chars(digits.data(), digits.data() + digits.size(), tag);
      tags.emplace(r.offset, tag);
    }
    auto handlers = read_exception_table(table.bytes, [&tags](std::size_t offset) {
      const auto tag = tags.find(offset);
      return tag == tags.end() ? std::nullopt : std::optional(tag->second);
    });
    if (handlers)
      parts_.handlers = std::move(*handlers);
    else
      fail("exception table");
  }

  bool fail(std::string what) {
    problem_ = "object file: " + what;
    return false;
  }

  base::Bytes bytes_;
  std::vector<Section> sections_;
  ObjectParts parts_;
  std::string problem_;
};

}  // namespace

std::variant<ObjectParts, std::string> read_object(std::span<const char> object, std::span<const LineRange> lines) {
  return Object(object).read(lines);
}

}  // namespace heddle::llvm_tier
