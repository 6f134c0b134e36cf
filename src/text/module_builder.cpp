// See module_builder.h.
#include "text/module_builder.h"

namespace heddle::text {

void CodeBuffer::append(const CodeBuffer& other) {
  const std::uint32_t shift = static_cast<std::uint32_t>(enc.size_bytes());
  enc.raw(other.enc.bytes());
  for (const SourceMap::Entry& e : other.map) map.push_back({e.byte_offset + shift, e.source_offset});
}

void ModuleBuilder::add_custom(std::size_t slot, std::string_view name, const std::vector<std::uint8_t>& contents,
                               std::uint32_t source_offset) {
  binary::Encoder enc;
  enc.name(name).raw(contents);
  customs_[slot].push_back({std::move(enc.bytes()), source_offset});
}

void ModuleBuilder::write_customs(std::size_t slot, CodeBuffer& out) const {
  for (const Custom& custom : customs_[slot]) {
    out.mark(custom.source_offset);
    out.enc.section(0, custom.contents);
  }
}

void ModuleBuilder::write_section(SectionKind kind, CodeBuffer& out) {
  static constexpr std::uint8_t kIds[kSectionKinds] = {1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11};
  SectionBuffer& section = sections_[static_cast<std::size_t>(kind)];
  if (section.count == 0) return;
  const bool is_vector = kind != SectionKind::start && kind != SectionKind::data_count;
  binary::Encoder count;
  if (is_vector) count.u32(section.count);
  out.enc.byte(kIds[static_cast<std::size_t>(kind)]);
  out.enc.u32(static_cast<std::uint32_t>(count.size_bytes() + section.body.enc.size_bytes()));
  out.enc.raw(count.bytes());
  out.append(section.body);
  section = {};
}

void ModuleBuilder::finish(std::vector<std::uint8_t>& bytes, SourceMap& map) {
  CodeBuffer out;
  out.enc.header();
  write_customs(kFirst, out);
  for (std::size_t k = 0; k < kSectionKinds; ++k) {
    const SectionKind kind = static_cast<SectionKind>(k);
    write_customs(slot_before(kind), out);
    write_section(kind, out);
    write_customs(slot_after(kind), out);
  }
  write_customs(kLast, out);
  bytes = std::move(out.enc.bytes());
  map = SourceMap(std::move(out.map));
}

}  // namespace heddle::text
