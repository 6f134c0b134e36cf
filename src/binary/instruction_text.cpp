#include "binary/instruction_text.h"

#include <fmt/format.h>

#include "binary/body_reader.h"

namespace heddle::binary {
namespace {

/// With a blank in front; empty if the kind is not among those that are shown.
std::string immediate_text(BodyReader& reader, spec::ImmKind kind) {
  base::Error ignored;  // where it cannot be read, the opcode alone is shown
  const auto show = [&](auto immediate, auto number) {
    return reader.read(immediate, ignored) ? fmt::format(" {}", number(immediate)) : std::string();
  };
  using Kind = spec::ImmKind;
  switch (kind) {
    case Kind::label: return show(imm::Label(), [](auto& i) { return i.depth.value; });
    case Kind::func: return show(imm::Func(), [](auto& i) { return i.func.value; });
    case Kind::local: return show(imm::Local(), [](auto& i) { return i.local.value; });
    case Kind::global: return show(imm::Global(), [](auto& i) { return i.global.value; });
    case Kind::i32_const: return show(imm::I32Const(), [](auto& i) { return i.value; });
    case Kind::i64_const: return show(imm::I64Const(), [](auto& i) { return i.value; });
    case Kind::memarg: return show(imm::MemArg(), [](auto& i) { return fmt::format("offset={}", i.offset); });
    default: return {};
  }
}

}  // namespace

std::string instruction_text(const module::Module& m, spec::FuncIndex func, std::uint32_t body_offset) {
  const base::ByteRange body = m.body(func).range;
  if (body_offset == body.begin) return fmt::format("{:#x} entry", body_offset);
  BodyReader reader(m, {body_offset, body.end});
  spec::Opcode opcode;
  base::Error error;
  if (!reader.read_opcode(opcode, error)) return fmt::format("{:#x} {}", body_offset, error.message);
  const spec::OpcodeInfo& info = spec::opcode_info(opcode);
  return fmt::format("{:#x} {}{}", body_offset, info.text(), immediate_text(reader, info.imm));
}

}  // namespace heddle::binary
