// The sentences. Nothing here decides anything.
#include "validate/errors.h"

#include <fmt/format.h>

#include "base/leb128.h"
#include "spec/opcodes.h"

namespace heddle::validate::errors {
namespace {

std::string type_text(spec::ValType type) {
  if (type.kind() == spec::ValType::Kind::bottom) return "any";
  if (type.is_ref() && type.heap() == kBottomHeap) return "(ref bot)";
  return spec::to_string(type);
}

base::Error make(base::ErrorKind kind, std::uint64_t at, std::string message) {
  return {kind, at, std::move(message)};
}

}  // namespace

std::string stack_text(Types types) {
  std::string text = "[";
  for (spec::ValType type : types) {
    if (text.size() > 1) text += ' ';
    text += type_text(type);
  }
  return text + "]";
}

std::string_view instruction_text(base::Bytes module_bytes, std::uint64_t at) {
  if (at >= module_bytes.size()) return "instruction";
  const std::uint8_t* cursor = module_bytes.data() + at;
  const std::uint8_t* end = module_bytes.data() + module_bytes.size();
  std::uint32_t code = *cursor++;
  if (code >= 0xfb && code <= 0xfe) {
    std::uint32_t sub = 0;
    if (base::read_leb128<std::uint32_t, 32>(cursor, end, sub) != base::LebError::none) return "instruction";
    if (sub > 0xffff) return "instruction";
    code = code * 0x10000 + sub;
  }
  const spec::OpcodeInfo* row = spec::find_opcode(code);
  return row == nullptr ? "instruction" : row->text();
}

base::Error invalid(std::uint64_t at, std::string_view words, std::string_view detail) {
  return make(base::ErrorKind::invalid, at, fmt::format("{}: {}", words, detail));
}

base::Error type_mismatch(std::uint64_t at, std::string_view detail) {
  return invalid(at, "type mismatch", detail);
}

base::Error operands(base::Bytes module_bytes, std::uint64_t at, Types required, Types found) {
  return type_mismatch(at, fmt::format("instruction requires {} but stack has {} (at {})", stack_text(required),
                                       stack_text(found), instruction_text(module_bytes, at)));
}

base::Error operand_class(base::Bytes module_bytes, std::uint64_t at, std::string_view required, Types found) {
  return type_mismatch(at, fmt::format("instruction requires {} but stack has {} (at {})", required, stack_text(found),
                                       instruction_text(module_bytes, at)));
}

base::Error block_leaves(std::uint64_t at, Types required, Types found) {
  return type_mismatch(at, fmt::format("block requires {} but stack has {}", stack_text(required), stack_text(found)));
}

base::Error types_differ(std::uint64_t at, std::string_view subject, Types required, std::string_view object,
                         Types found) {
  return type_mismatch(
      at, fmt::format("{} requires {} but {} has {}", subject, stack_text(required), object, stack_text(found)));
}

base::Error unknown(std::string_view what, std::uint64_t index, std::uint64_t count, std::uint64_t at) {
  if (count == 0) return make(base::ErrorKind::invalid, at, fmt::format("unknown {} {}: there is none", what, index));
  return make(base::ErrorKind::invalid, at,
              fmt::format("unknown {0} {1}: the last {0} here is {2}", what, index, count - 1));
}

base::Error wrong_composite(spec::CompositeKind required, std::uint32_t index, std::uint64_t at) {
  const char* word = required == spec::CompositeKind::func      ? "function"
                     : required == spec::CompositeKind::struct_ ? "structure"
                                                                : "array";
  return make(base::ErrorKind::invalid, at, fmt::format("non-{} type {}", word, index));
}

base::Error alignment_too_large(std::uint64_t at, std::uint32_t align_log2, std::uint32_t natural_bytes) {
  return invalid(at, "alignment must not be larger than natural",
                 fmt::format("2^{} bytes, natural is {}", align_log2, natural_bytes));
}

base::Error atomic_alignment(std::uint64_t at, std::uint32_t align_log2, std::uint32_t natural_bytes) {
  return invalid(at, "atomic alignment must be natural",
                 fmt::format("2^{} bytes, natural is {}", align_log2, natural_bytes));
}

base::Error offset_out_of_range(std::uint64_t at, std::uint64_t offset) {
  return invalid(at, "offset out of range", fmt::format("{} does not fit the memory's 32-bit addresses", offset));
}

base::Error invalid_lane(std::uint64_t at, std::uint32_t lane, std::uint32_t lanes) {
  return invalid(at, "invalid lane index", fmt::format("{} of {} lanes", lane, lanes));
}

base::Error undeclared_function(std::uint64_t at, std::uint32_t func) {
  return invalid(at, "undeclared function reference",
                 fmt::format("function {} is named by no export, element segment or constant expression", func));
}

base::Error uninitialized_local(std::uint64_t at, std::uint32_t local, spec::ValType type) {
  return invalid(at, "uninitialized local",
                 fmt::format("local {} of type {} has no default and is not set here", local, type_text(type)));
}

base::Error invalid_result_arity(std::uint64_t at, std::size_t found) {
  return invalid(at, "invalid result arity", fmt::format("{} where one is expected", found));
}

base::Error constant_expression_required(std::uint64_t at, std::string_view instruction) {
  return invalid(at, "constant expression required", fmt::format("{} is not constant here", instruction));
}

base::Error misplaced(std::uint64_t at, std::string_view instruction, std::string_view opening) {
  return make(base::ErrorKind::malformed, at,
              fmt::format("misplaced {} opcode: it belongs into {}", instruction, opening));
}

base::Error bytes_after_end(std::uint64_t at) {
  return make(base::ErrorKind::malformed, at, "section size mismatch: the function's body goes on after its last end");
}

base::Error feature_off(std::uint64_t at, std::string_view words, std::string_view feature) {
  return invalid(at, words, fmt::format("the feature {} is off", feature));
}

base::Error limit(std::uint64_t at, std::string_view what, std::uint64_t value, std::uint64_t limit) {
  return make(base::ErrorKind::limit, at,
              fmt::format("{}: {} exceeds this implementation's limit of {}", what, value, limit));
}

}  // namespace heddle::validate::errors
