// The messages of the binary format, one function each. Each begins with the words of the specification's test suite;
// what follows a colon is ours and may change.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "spec/features.h"

namespace heddle::binary::errors {

base::Error malformed(std::uint64_t offset, std::string_view message);
/// `rule` as the suite spells it, then our limit.
base::Error limit(std::uint64_t offset, std::string_view rule, std::uint64_t announced, std::uint64_t allowed);

base::Error unexpected_end(std::uint64_t offset);
base::Error length_out_of_bounds(std::uint64_t offset, std::uint64_t length, std::uint64_t remaining);
base::Error malformed_utf8(std::uint64_t offset);
/// `code` as spec::Opcode counts: prefix * 0x10000 + sub-opcode, or a plain byte.
base::Error illegal_opcode(std::uint64_t offset, std::uint32_t code);
base::Error opcode_switched_off(std::uint64_t offset, std::uint32_t code, std::string_view text, spec::Feature feature);
base::Error zero_byte_expected(std::uint64_t offset);
base::Error data_count_required(std::uint64_t offset);
base::Error malformed_memop_flags(std::uint64_t offset, std::uint32_t flags);
/// A byte with no meaning where `what` ("value type", "import kind") is expected.
base::Error malformed_byte(std::uint64_t offset, std::string_view what, std::uint32_t byte);
base::Error type_switched_off(std::uint64_t offset, std::string_view what, spec::Feature feature);
base::Error unknown_type(std::uint64_t offset, std::uint64_t index);
base::Error too_many_locals(std::uint64_t offset, std::uint64_t count);
base::Error section_size_mismatch(std::uint64_t offset, std::uint64_t announced_end, std::uint64_t real_end);

}  // namespace heddle::binary::errors
