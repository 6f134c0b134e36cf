#include "binary/errors.h"

#include <fmt/format.h>

#include "spec/limits.h"

namespace heddle::binary::errors {

using base::Error;
using base::ErrorKind;

Error malformed(std::uint64_t offset, std::string_view message) {
  return {ErrorKind::malformed, offset, std::string(message)};
}

Error limit(std::uint64_t offset, std::string_view rule, std::uint64_t announced, std::uint64_t allowed) {
  return {ErrorKind::limit, offset, fmt::format("{}: {}, this implementation allows {}", rule, announced, allowed)};
}

Error unexpected_end(std::uint64_t offset) {
  return malformed(offset, "unexpected end of section or function");
}

Error length_out_of_bounds(std::uint64_t offset, std::uint64_t length, std::uint64_t remaining) {
  return malformed(offset, fmt::format("length out of bounds: {}, but {} bytes are left", length, remaining));
}

Error malformed_utf8(std::uint64_t offset) {
  return malformed(offset, "malformed UTF-8 encoding");
}

namespace {

std::string code_text(std::uint32_t code) {
  return code < 256 ? fmt::format("{:02x}", code) : fmt::format("{:02x} {:02x}", code >> 16, code & 0xffff);
}

}  // namespace

Error illegal_opcode(std::uint64_t offset, std::uint32_t code) {
  return malformed(offset, fmt::format("illegal opcode {}", code_text(code)));
}

Error opcode_switched_off(std::uint64_t offset, std::uint32_t code, std::string_view text, spec::Feature feature) {
  return malformed(offset, fmt::format("illegal opcode {}: {} needs the feature {}, which is off", code_text(code),
                                       text, spec::feature_name(feature)));
}

Error zero_byte_expected(std::uint64_t offset) {
  return malformed(offset, "zero byte expected");
}

Error data_count_required(std::uint64_t offset) {
  return malformed(offset, "data count section required");
}

Error malformed_memop_flags(std::uint64_t offset, std::uint32_t flags) {
  return malformed(offset, fmt::format("malformed memop flags: {:#x}", flags));
}

Error malformed_byte(std::uint64_t offset, std::string_view what, std::uint32_t byte) {
  return malformed(offset, fmt::format("malformed {}: {:#04x}", what, byte));
}

Error type_switched_off(std::uint64_t offset, std::string_view what, spec::Feature feature) {
  return malformed(offset,
                   fmt::format("malformed {}: needs the feature {}, which is off", what, spec::feature_name(feature)));
}

Error unknown_type(std::uint64_t offset, std::uint64_t index) {
  return {ErrorKind::invalid, offset, fmt::format("unknown type {}", index)};
}

Error too_many_locals(std::uint64_t offset, std::uint64_t count) {
  if (count > UINT32_MAX) return malformed(offset, fmt::format("too many locals: {}", count));
  return limit(offset, "too many locals", count, spec::kMaxFunctionLocals);
}

Error section_size_mismatch(std::uint64_t offset, std::uint64_t announced_end, std::uint64_t real_end) {
  return malformed(offset, fmt::format("section size mismatch: announced to end at {:#x}, contents end at {:#x}",
                                       announced_end, real_end));
}

}  // namespace heddle::binary::errors
