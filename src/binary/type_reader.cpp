#include "binary/type_reader.h"

#include "binary/errors.h"
#include "spec/limits.h"

namespace heddle::binary {
namespace {

using base::Error;
using spec::Feature;
using spec::HeapType;
using spec::ValType;

constexpr std::uint8_t kRefNull = 0x63;
constexpr std::uint8_t kRef = 0x64;
constexpr std::uint8_t kEmptyBlock = 0x40;

// https://webassembly.github.io/spec/core/binary/types.html#heap-types
bool abstract_heap_type(std::uint8_t byte, HeapType& out, Feature& feature) {
  out = HeapType(static_cast<HeapType::Code>(byte));
  switch (byte) {
    case HeapType::func:
    case HeapType::extern_: feature = Feature::reference_types; return true;
    case HeapType::exn:
    case HeapType::noexn: feature = Feature::exceptions; return true;
    case HeapType::any:
    case HeapType::eq:
    case HeapType::i31:
    case HeapType::struct_:
    case HeapType::array:
    case HeapType::none:
    case HeapType::noextern:
    case HeapType::nofunc: feature = Feature::gc; return true;
    default: return false;
  }
}

bool fail(Error& error, Error what) {
  error = std::move(what);
  return false;
}

enum class Outcome : std::uint8_t { read, failed, not_a_reference };

// A reference type, or nothing read if the byte does not begin one.
Outcome try_ref_type(Reader& reader, spec::Features features, std::uint8_t byte, ValType& out, Error& error) {
  const std::uint64_t at = reader.offset();
  if (byte == kRefNull || byte == kRef) {
    if (!features.has(Feature::function_references)) {
      error = errors::type_switched_off(at, "reference type", Feature::function_references);
      return Outcome::failed;
    }
    reader.advance(1);
    HeapType heap;
    if (!read_heap_type(reader, features, heap, error)) return Outcome::failed;
    out = ValType::ref(heap, byte == kRefNull);
    return Outcome::read;
  }
  HeapType heap;
  Feature feature{};
  if (!abstract_heap_type(byte, heap, feature)) return Outcome::not_a_reference;
  if (!features.has(feature)) {
    error = errors::type_switched_off(at, "reference type", feature);
    return Outcome::failed;
  }
  reader.advance(1);
  out = ValType::ref(heap, true);
  return Outcome::read;
}

bool number_type(std::uint8_t byte, ValType& out) {
  switch (byte) {
    case 0x7f: out = spec::kI32; return true;
    case 0x7e: out = spec::kI64; return true;
    case 0x7d: out = spec::kF32; return true;
    case 0x7c: out = spec::kF64; return true;
    default: return false;
  }
}

}  // namespace

bool read_heap_type(Reader& reader, spec::Features features, HeapType& out, Error& error) {
  const std::uint64_t at = reader.offset();
  if (!reader.at_end()) {
    Feature feature{};
    if (abstract_heap_type(*reader.cursor(), out, feature)) {
      if (!features.has(feature)) return fail(error, errors::type_switched_off(at, "heap type", feature));
      reader.advance(1);
      return true;
    }
  }
  std::int64_t index = 0;
  if (!reader.leb<std::int64_t, 33>(index, error)) return false;
  if (index < 0) return fail(error, errors::malformed_byte(at, "heap type", static_cast<std::uint32_t>(index & 0x7f)));
  if (!features.has(Feature::function_references))
    return fail(error, errors::type_switched_off(at, "heap type", Feature::function_references));
  if (index >= spec::kMaxTypes) return fail(error, errors::unknown_type(at, static_cast<std::uint64_t>(index)));
  out = HeapType(spec::TypeIndex(static_cast<std::uint32_t>(index)));
  return true;
}

bool read_val_type(Reader& reader, spec::Features features, ValType& out, Error& error) {
  const std::uint64_t at = reader.offset();
  if (reader.at_end()) return fail(error, errors::unexpected_end(at));
  const std::uint8_t byte = *reader.cursor();
  if (number_type(byte, out)) {
    reader.advance(1);
    return true;
  }
  if (byte == 0x7b) {
    if (!features.has(Feature::simd)) return fail(error, errors::type_switched_off(at, "value type", Feature::simd));
    reader.advance(1);
    out = spec::kV128;
    return true;
  }
  switch (try_ref_type(reader, features, byte, out, error)) {
    case Outcome::read: return true;
    case Outcome::failed: return false;
    case Outcome::not_a_reference: break;
  }
  return fail(error, errors::malformed_byte(at, "value type", byte));
}

bool read_ref_type(Reader& reader, spec::Features features, ValType& out, Error& error) {
  const std::uint64_t at = reader.offset();
  if (reader.at_end()) return fail(error, errors::unexpected_end(at));
  const std::uint8_t byte = *reader.cursor();
  // Before the reference-types proposal a table's element type was funcref already.
  if (byte == HeapType::func) {
    reader.advance(1);
    out = spec::kFuncRef;
    return true;
  }
  switch (try_ref_type(reader, features, byte, out, error)) {
    case Outcome::read: return true;
    case Outcome::failed: return false;
    case Outcome::not_a_reference: break;
  }
  return fail(error, errors::malformed_byte(at, "reference type", byte));
}

bool read_block_type(Reader& reader, spec::Features features, imm::BlockType& out, Error& error) {
  const std::uint64_t at = reader.offset();
  if (reader.at_end()) return fail(error, errors::unexpected_end(at));
  const std::uint8_t byte = *reader.cursor();
  if (byte == kEmptyBlock) {
    reader.advance(1);
    out.form = imm::BlockType::Form::empty;
    return true;
  }
  if ((byte & 0xc0) == 0x40) {  // a negative number of one byte: a value type
    out.form = imm::BlockType::Form::value;
    return read_val_type(reader, features, out.value, error);
  }
  std::int64_t index = 0;
  if (!reader.leb<std::int64_t, 33>(index, error)) return false;
  if (index < 0) return fail(error, errors::malformed(at, "malformed block type"));
  if (!features.has(Feature::multi_value))
    return fail(error, errors::type_switched_off(at, "block type", Feature::multi_value));
  out.form = imm::BlockType::Form::type_index;
  out.type = spec::TypeIndex(static_cast<std::uint32_t>(index));
  return true;
}

}  // namespace heddle::binary
