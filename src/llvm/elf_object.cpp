#include "llvm/elf_object.h"

namespace heddle::llvm_tier {

ElfObject::ElfObject(std::span<const char> object)
    : bytes_(reinterpret_cast<const std::uint8_t*>(object.data()), object.size()) {
  const auto* elf = reinterpret_cast<const Elf64_Ehdr*>(bytes_.data());
  const auto* headers = reinterpret_cast<const Elf64_Shdr*>(bytes_.data() + elf->e_shoff);
  const char* names = reinterpret_cast<const char*>(bytes_.data() + headers[elf->e_shstrndx].sh_offset);
  for (unsigned i = 0; i < elf->e_shnum; ++i) {
    Section section{&headers[i], names + headers[i].sh_name, {}, nullptr};
    if (headers[i].sh_type != SHT_NOBITS) section.bytes = bytes_.subspan(headers[i].sh_offset, headers[i].sh_size);
    sections_.push_back(section);
  }
  for (const Section& section : sections_)
    if (section.header->sh_type == SHT_RELA) sections_[section.header->sh_info].relocations = section.header;
}

const Section* ElfObject::named(std::string_view name) const {
  for (const Section& section : sections_)
    if (section.name == name) return &section;
  return nullptr;
}

std::vector<Reference> ElfObject::references(const Section& section) const {
  std::vector<Reference> found;
  if (section.relocations == nullptr) return found;
  const Elf64_Shdr& table = *section.relocations;
  const auto* entries = reinterpret_cast<const Elf64_Rela*>(bytes_.data() + table.sh_offset);
  const Section& symbols = sections_[table.sh_link];
  const char* names = reinterpret_cast<const char*>(sections_[symbols.header->sh_link].bytes.data());
  for (std::size_t i = 0; i < table.sh_size / sizeof(Elf64_Rela); ++i) {
    const auto* symbol = reinterpret_cast<const Elf64_Sym*>(symbols.bytes.data()) + ELF64_R_SYM(entries[i].r_info);
    Reference r;
    r.offset = entries[i].r_offset;
    r.type = ELF64_R_TYPE(entries[i].r_info);
    r.addend = entries[i].r_addend;
    r.symbol = names + symbol->st_name;
    if (symbol->st_shndx != SHN_UNDEF && symbol->st_shndx < SHN_LORESERVE) {
      r.section = &sections_[symbol->st_shndx];
      r.place = symbol->st_value;
      r.is_section_symbol = ELF64_ST_TYPE(symbol->st_info) == STT_SECTION;
    }
    found.push_back(r);
  }
  return found;
}

}  // namespace heddle::llvm_tier
