#include "observe/debug_object.h"

#include <cstring>
#include <elf.h>

#include "observe/debug_sections.h"

namespace heddle::observe {
namespace {

class ObjectWriter {
 public:
  explicit ObjectWriter(std::size_t alignment) : alignment_(alignment) {}

  std::vector<std::uint8_t> write(std::span<const DebugFunction> functions) {
    names_.u8(0);
    section_names_.u8(0);
    headers_.emplace_back();  // section 0 is none
    text_name_ = section_name(".text");
    symbols_.put(Elf64_Sym{});
    for (const DebugFunction& f : functions) {
      add_symbol(f);
      dwarf_.add(f);
    }
    return assemble();
  }

 private:
  void add_symbol(const DebugFunction& f) {
    extend_text(f);
    Elf64_Sym symbol{};
    symbol.st_name = names_.size();
    names_.text(f.name);
    symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    symbol.st_shndx = static_cast<Elf64_Half>(headers_.size() - 1);
    symbol.st_value = f.begin;
    symbol.st_size = f.size_bytes;
    symbols_.put(symbol);
  }

  /// What lies side by side is one section: debuggers sort all sections of all objects at each announcement.
  void extend_text(const DebugFunction& f) {
    Elf64_Shdr& last = headers_.back();
    const std::uint64_t end = last.sh_addr + last.sh_size;
    if (last.sh_type == SHT_NOBITS && f.begin >= end && f.begin - end < alignment_) {
      last.sh_size = f.begin + f.size_bytes - last.sh_addr;
      return;
    }
    Elf64_Shdr text{};
    text.sh_name = text_name_;
    text.sh_type = SHT_NOBITS;
    text.sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    text.sh_addr = f.begin;
    text.sh_size = f.size_bytes;
    text.sh_addralign = 1;
    headers_.push_back(text);
  }

  std::uint32_t section_name(const char* name) {
    const std::uint32_t at = section_names_.size();
    section_names_.text(name);
    return at;
  }

  std::vector<std::uint8_t> assemble() {
    Output file;
    file.put(Elf64_Ehdr{});  // filled in below
    const auto add = [this, &file](const char* name, const Output& contents, Elf64_Word type = SHT_PROGBITS,
                                   std::size_t align = 1) {
      file.align(align);
      Elf64_Shdr header{};
      header.sh_name = section_name(name);
      header.sh_type = type;
      header.sh_offset = file.size();
      header.sh_size = contents.size();
      header.sh_addralign = align;
      headers_.push_back(header);
      file.append(contents);
    };
    add(".symtab", symbols_, SHT_SYMTAB, 8);
    headers_.back().sh_entsize = sizeof(Elf64_Sym);
    headers_.back().sh_link = static_cast<Elf64_Word>(headers_.size());  // the names, which come next
    headers_.back().sh_info = 1;                                         // the first global symbol
    add(".strtab", names_, SHT_STRTAB);
    add(".debug_abbrev", dwarf_.abbreviations());
    add(".debug_info", dwarf_.info());
    add(".debug_line", dwarf_.lines());
    add(".debug_ranges", dwarf_.ranges());
    add(".debug_frame", dwarf_.frames(), SHT_PROGBITS, 8);
    add(".shstrtab", section_names_, SHT_STRTAB);
    file.align(8);
    const std::uint32_t table = file.size();
    for (const Elf64_Shdr& header : headers_) file.put(header);

    Elf64_Ehdr elf{};
    std::memcpy(elf.e_ident, ELFMAG, SELFMAG);
    elf.e_ident[EI_CLASS] = ELFCLASS64;
    elf.e_ident[EI_DATA] = ELFDATA2LSB;
    elf.e_ident[EI_VERSION] = EV_CURRENT;
    elf.e_type = ET_EXEC;
    elf.e_machine = EM_X86_64;
    elf.e_version = EV_CURRENT;
    elf.e_shoff = table;
    elf.e_ehsize = sizeof(Elf64_Ehdr);
    elf.e_shentsize = sizeof(Elf64_Shdr);
    elf.e_shnum = static_cast<Elf64_Half>(headers_.size());
    elf.e_shstrndx = static_cast<Elf64_Half>(headers_.size() - 1);
    std::vector<std::uint8_t> bytes = file.all();
    std::memcpy(bytes.data(), &elf, sizeof elf);
    return bytes;
  }

  const std::size_t alignment_;
  Output names_, section_names_, symbols_;
  DebugSections dwarf_;
  std::uint32_t text_name_ = 0;
  std::vector<Elf64_Shdr> headers_;
};

}  // namespace

std::vector<std::uint8_t> make_debug_object(std::span<const DebugFunction> functions, std::size_t alignment) {
  return ObjectWriter(alignment).write(functions);
}

}  // namespace heddle::observe
