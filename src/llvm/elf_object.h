// Sections and relocations of an ELF relocatable object that LLVM has just written: nothing here checks it.
// https://refspecs.linuxfoundation.org/elf/x86_64-abi-0.99.pdf sections 4.4 and https://www.sco.com/developers/gabi/
#pragma once

#include <cstdint>
#include <elf.h>
#include <span>
#include <string_view>
#include <vector>

#include "base/span.h"

namespace heddle::llvm_tier {

struct Section {
  const Elf64_Shdr* header = nullptr;
  std::string_view name;
  base::Bytes bytes;
  const Elf64_Shdr* relocations = nullptr;  ///< that are made in it

  std::uint64_t align() const { return header->sh_addralign == 0 ? 1 : header->sh_addralign; }
  /// Read-only data that comes to stand behind code.
  bool is_constant() const {
    return header->sh_type == SHT_PROGBITS && (header->sh_flags & SHF_ALLOC) != 0 && name.starts_with(".rodata");
  }
  bool is_mergeable() const { return (header->sh_flags & SHF_MERGE) != 0 && header->sh_entsize != 0; }
};

/// One relocation: where, and against which symbol.
struct Reference {
  std::uint64_t offset = 0;  ///< in its section
  std::uint32_t type = 0;
  std::int64_t addend = 0;
  std::string_view symbol;
  const Section* section = nullptr;  ///< where the symbol stands; nullptr: in no section of this object
  std::uint64_t place = 0;           ///< the symbol's, in `section`
  bool is_section_symbol = false;    ///< then `addend` alone says which place is meant
};

class ElfObject {
 public:
  /// Borrows the bytes.
  explicit ElfObject(std::span<const char> object);

  std::span<const Section> sections() const { return sections_; }
  /// The first of this name, or nullptr.
  const Section* named(std::string_view name) const;
  /// In the order in which the object has them.
  std::vector<Reference> references(const Section& section) const;

 private:
  base::Bytes bytes_;
  std::vector<Section> sections_;
};

}  // namespace heddle::llvm_tier
