// Every sentence that validation can say. Each begins with the words that the specification's test suite expects and
// goes on with the particulars. `at` is a byte offset from the start of the module; it becomes the error's offset.
// Everything here is the cold path: built out of line, may allocate.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/span.h"
#include "spec/types.h"

namespace heddle::validate {

/// The heap type below all others: what an operand is in unreachable code once it is known to be a reference. Only the
/// validator's operand stack holds it.
/// https://webassembly.github.io/spec/core/valid/conventions.html#types
inline constexpr spec::HeapType kBottomHeap = spec::HeapType(static_cast<spec::HeapType::Code>(0x01));

namespace errors {

using Types = std::span<const spec::ValType>;

/// "[i32 (ref null 3)]"
std::string stack_text(Types types);
/// "i32.add": the text of the instruction at an offset; "instruction" if there is none.
std::string_view instruction_text(base::Bytes module_bytes, std::uint64_t at);

/// "{words}: {detail}", kind invalid.
base::Error invalid(std::uint64_t at, std::string_view words, std::string_view detail);
/// "type mismatch: {detail}".
base::Error type_mismatch(std::uint64_t at, std::string_view detail);
/// The operands that an instruction pops are not there: "type mismatch: instruction requires [..] but stack has [..]".
base::Error operands(base::Bytes module_bytes, std::uint64_t at, Types required, Types found);
/// The same where no particular type is asked for; `required` in words, such as "a reference".
base::Error operand_class(base::Bytes module_bytes, std::uint64_t at, std::string_view required, Types found);
/// Operands are left at the end of a block.
base::Error block_leaves(std::uint64_t at, Types required, Types found);
/// A tail call's or branch's types do not fit: "type mismatch: {subject} requires [..] but {object} has [..]".
base::Error types_differ(std::uint64_t at, std::string_view subject, Types required, std::string_view object,
                         Types found);

/// "unknown {what} {index}: ..."; `count` is the size of the index space.
base::Error unknown(std::string_view what, std::uint64_t index, std::uint64_t count, std::uint64_t at);
/// "non-{kind} type {index}".
base::Error wrong_composite(spec::CompositeKind required, std::uint32_t index, std::uint64_t at);
base::Error alignment_too_large(std::uint64_t at, std::uint32_t align_log2, std::uint32_t natural_bytes);
base::Error atomic_alignment(std::uint64_t at, std::uint32_t align_log2, std::uint32_t natural_bytes);
base::Error offset_out_of_range(std::uint64_t at, std::uint64_t offset);
base::Error invalid_lane(std::uint64_t at, std::uint32_t lane, std::uint32_t lanes);
base::Error undeclared_function(std::uint64_t at, std::uint32_t func);
base::Error uninitialized_local(std::uint64_t at, std::uint32_t local, spec::ValType type);
base::Error invalid_result_arity(std::uint64_t at, std::size_t found);
base::Error constant_expression_required(std::uint64_t at, std::string_view instruction);
base::Error misplaced(std::uint64_t at, std::string_view instruction, std::string_view opening);
base::Error bytes_after_end(std::uint64_t at);
/// `words`, and that `feature` would allow it.
base::Error feature_off(std::uint64_t at, std::string_view words, std::string_view feature);
/// "{what}: {value} exceeds this implementation's limit of {limit}", kind limit.
base::Error limit(std::uint64_t at, std::string_view what, std::uint64_t value, std::uint64_t limit);

}  // namespace errors
}  // namespace heddle::validate
