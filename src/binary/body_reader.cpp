#include "binary/body_reader.h"

#include <cstring>

#include "binary/errors.h"
#include "binary/type_reader.h"
#include "spec/limits.h"

namespace heddle::binary {

using base::Error;
using spec::Feature;

namespace {

constexpr std::uint8_t kFirstPrefix = 0xfb;
constexpr std::uint8_t kLastPrefix = 0xfe;
constexpr std::uint8_t kEnd = 0x0b;
/// Bit 6 of a memarg's flags: a memory index follows. Higher bits have no meaning.
constexpr std::uint32_t kMemArgHasMemory = 0x40;
constexpr std::uint32_t kMemArgFlagsEnd = 0x80;

consteval std::array<Feature, 256> features_of_plain_opcodes() {
  std::array<Feature, 256> features{};
  features.fill(Feature::kCount);
  for (const spec::OpcodeInfo& op : spec::kOpcodes)
    if (static_cast<std::uint32_t>(op.opcode) < 256) features[static_cast<std::uint32_t>(op.opcode)] = op.feature;
  return features;
}

}  // namespace

constexpr std::array<Feature, 256> kPlainOpcodeFeatures = features_of_plain_opcodes();

bool BodyReader::fail(Error& out, Error error) const {
  out = std::move(error);
  return false;
}

bool BodyReader::read_other_opcode(spec::Opcode& out, Error& error) {
  if (at_end()) {
    // The suite knows three answers, by what the next `end` would be.
    if (reader_.at_end()) return fail(error, errors::unexpected_end(instruction_offset_));
    if (*reader_.cursor() == kEnd)
      return fail(error, errors::section_size_mismatch(instruction_offset_, end_, instruction_offset_ + 1));
    return fail(error, errors::malformed(instruction_offset_, "END opcode expected"));
  }
  std::uint32_t code = *reader_.cursor();
  Feature feature = kPlainOpcodeFeatures[code];
  reader_.advance(1);
  if (__builtin_expect(feature == Feature::kCount, 0)) {
    if (code < kFirstPrefix || code > kLastPrefix)
      return fail(error, errors::illegal_opcode(instruction_offset_, code));
    if (!sub_opcode(code, error)) return false;
    const spec::OpcodeInfo* info = spec::find_opcode(code);
    if (info == nullptr) return fail(error, errors::illegal_opcode(instruction_offset_, code));
    feature = info->feature;
  }
  out = static_cast<spec::Opcode>(code);
  if (__builtin_expect(module_.features.has(feature), 1)) return true;
  return fail(error, errors::opcode_switched_off(instruction_offset_, code, spec::opcode_info(out).text(), feature));
}

bool BodyReader::sub_opcode(std::uint32_t& code, Error& error) {
  std::uint32_t sub = 0;
  if (!reader_.leb(sub, error)) return false;
  if (sub > 0xffff) return fail(error, errors::malformed(instruction_offset_, "illegal opcode"));
  code = code << 16 | sub;
  return true;
}

bool BodyReader::byte(std::uint8_t& out, Error& error) {
  return bytes(&out, 1, error);
}

bool BodyReader::bytes(std::uint8_t* out, std::uint64_t size_bytes, Error& error) {
  if (reader_.remaining_bytes() < size_bytes) return fail(error, errors::unexpected_end(offset()));
  std::memcpy(out, reader_.cursor(), size_bytes);
  reader_.advance(size_bytes);
  return true;
}

bool BodyReader::vector_length(std::uint32_t& out, Error& error) {
  if (!reader_.leb(out, error)) return false;
  if (at_end() ? out != 0 : out > end_ - offset()) return fail(error, errors::unexpected_end(end_));
  return true;
}

// Before the multi-memory and reference-types proposals these indices were a reserved byte.
bool BodyReader::memory_index(std::uint32_t& out, Error& error) {
  if (module_.features.has(Feature::multi_memory)) return reader_.leb(out, error);
  std::uint8_t zero = 0;
  if (!byte(zero, error)) return false;
  out = 0;
  return zero == 0 || fail(error, errors::zero_byte_expected(offset() - 1));
}

bool BodyReader::table_index(std::uint32_t& out, Error& error) {
  if (module_.features.has(Feature::reference_types)) return reader_.leb(out, error);
  std::uint8_t zero = 0;
  if (!byte(zero, error)) return false;
  out = 0;
  return zero == 0 || fail(error, errors::zero_byte_expected(offset() - 1));
}

// https://webassembly.github.io/spec/core/binary/modules.html#data-count-section
bool BodyReader::data_index(std::uint32_t& out, Error& error) {
  const std::uint64_t at = offset();
  if (!reader_.leb(out, error)) return false;
  return module_.has_data_count || !data_count_matters_ || fail(error, errors::data_count_required(at));
}

base::Result<std::span<const LocalRun>> BodyReader::local_runs(std::uint32_t params) {
  runs_.clear();
  Error error;
  const std::uint64_t begin = offset();
  std::uint32_t count = 0;
  if (!vector_length(count, error)) return error;
  std::uint64_t total = params;
  std::uint64_t too_many_at = begin;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t at = offset();
    LocalRun run;
    if (!reader_.leb(run.count, error)) return error;
    if (total <= spec::kMaxFunctionLocals) too_many_at = at;
    total += run.count;
    if (total > UINT32_MAX) return errors::too_many_locals(at, total);
    if (!read_val_type(reader_, module_.features, run.type, error)) return error;
    runs_.push_back(run);
  }
  if (total > spec::kMaxFunctionLocals) return errors::too_many_locals(too_many_at, total);
  return std::span<const LocalRun>(runs_);
}

bool BodyReader::read(imm::BlockType& out, Error& error) {
  return read_block_type(reader_, module_.features, out, error);
}
bool BodyReader::read(imm::BrTable& out, Error& error) {
  std::uint32_t count = 0;
  if (!vector_length(count, error)) return false;
  targets_.resize(count);
  for (std::uint32_t& target : targets_)
    if (!index(target, error)) return false;
  out.targets = targets_;
  return index(out.default_target.value, error);
}
bool BodyReader::read(imm::CallIndirect& out, Error& error) {
  return index(out.type.value, error) && table_index(out.table.value, error);
}
bool BodyReader::read(imm::Type& out, Error& error) {
  return index(out.type.value, error);
}
bool BodyReader::read(imm::Table& out, Error& error) {
  return index(out.table.value, error);
}
bool BodyReader::read(imm::TableCopy& out, Error& error) {
  return table_index(out.dst.value, error) && table_index(out.src.value, error);
}
bool BodyReader::read(imm::TableInit& out, Error& error) {
  return index(out.elem.value, error) && table_index(out.table.value, error);
}
bool BodyReader::read(imm::Elem& out, Error& error) {
  return index(out.elem.value, error);
}
bool BodyReader::read(imm::Data& out, Error& error) {
  return data_index(out.data.value, error);
}
bool BodyReader::read(imm::Memory& out, Error& error) {
  return memory_index(out.memory.value, error);
}
bool BodyReader::read(imm::MemoryCopy& out, Error& error) {
  return memory_index(out.dst.value, error) && memory_index(out.src.value, error);
}
bool BodyReader::read(imm::MemoryInit& out, Error& error) {
  return data_index(out.data.value, error) && memory_index(out.memory.value, error);
}

// https://webassembly.github.io/spec/core/binary/instructions.html#memory-instructions
bool BodyReader::read(imm::MemArg& out, Error& error) {
  const std::uint64_t at = offset();
  std::uint32_t flags = 0;
  if (!reader_.leb(flags, error)) return false;
  out.memory.value = 0;
  if (__builtin_expect(flags >= kMemArgHasMemory, 0)) {
    if (flags >= kMemArgFlagsEnd || !module_.features.has(Feature::multi_memory))
      return fail(error, errors::malformed_memop_flags(at, flags));
    flags &= ~kMemArgHasMemory;
    if (!reader_.leb(out.memory.value, error)) return false;
  }
  out.align_log2 = flags;
  if (module_.features.has(Feature::memory64)) return reader_.leb(out.offset, error);
  std::uint32_t offset32 = 0;
  if (!reader_.leb(offset32, error)) return false;
  out.offset = offset32;
  return true;
}
bool BodyReader::read(imm::MemArgLane& out, Error& error) {
  return read(out.memarg, error) && byte(out.lane, error);
}
bool BodyReader::read(imm::Lane& out, Error& error) {
  return byte(out.lane, error);
}
bool BodyReader::read(imm::Shuffle& out, Error& error) {
  return bytes(out.lanes.data(), out.lanes.size(), error);
}
bool BodyReader::read(imm::V128Const& out, Error& error) {
  return bytes(out.bytes.data(), out.bytes.size(), error);
}
bool BodyReader::read(imm::I64Const& out, Error& error) {
  return reader_.leb(out.value, error);
}
bool BodyReader::read(imm::F32Const& out, Error& error) {
  std::uint8_t raw[sizeof out.bits];
  if (!bytes(raw, sizeof raw, error)) return false;
  std::memcpy(&out.bits, raw, sizeof raw);  // hosts are little-endian
  return true;
}
bool BodyReader::read(imm::F64Const& out, Error& error) {
  std::uint8_t raw[sizeof out.bits];
  if (!bytes(raw, sizeof raw, error)) return false;
  std::memcpy(&out.bits, raw, sizeof raw);
  return true;
}
bool BodyReader::read(imm::HeapType& out, Error& error) {
  return read_heap_type(reader_, module_.features, out.heap, error);
}
bool BodyReader::read(imm::SelectTypes& out, Error& error) {
  std::uint32_t count = 0;
  if (!vector_length(count, error)) return false;
  types_.resize(count);
  for (spec::ValType& type : types_)
    if (!read_val_type(reader_, module_.features, type, error)) return false;
  out.types = types_;
  return true;
}
bool BodyReader::read(imm::Tag& out, Error& error) {
  return index(out.tag.value, error);
}
bool BodyReader::read(imm::TryTable& out, Error& error) {
  if (!read(out.type, error)) return false;
  std::uint32_t count = 0;
  if (!vector_length(count, error)) return false;
  catches_.resize(count);
  for (imm::Catch& clause : catches_) {
    std::uint8_t kind = 0;
    if (!byte(kind, error)) return false;
    if (kind > 3) return fail(error, errors::malformed_byte(offset() - 1, "catch clause", kind));
    clause.kind = static_cast<imm::Catch::Kind>(kind);
    clause.tag.value = 0;
    if (kind < 2 && !index(clause.tag.value, error)) return false;
    if (!index(clause.label.value, error)) return false;
  }
  out.catches = catches_;
  return true;
}
bool BodyReader::read(imm::Fence&, Error& error) {
  std::uint8_t zero = 0;
  if (!byte(zero, error)) return false;
  return zero == 0 || fail(error, errors::zero_byte_expected(offset() - 1));
}
bool BodyReader::read(imm::TypeField& out, Error& error) {
  return index(out.type.value, error) && index(out.field.value, error);
}
bool BodyReader::read(imm::TypeLen& out, Error& error) {
  return index(out.type.value, error) && index(out.length, error);
}
bool BodyReader::read(imm::TypeData& out, Error& error) {
  return index(out.type.value, error) && data_index(out.data.value, error);
}
bool BodyReader::read(imm::TypeElem& out, Error& error) {
  return index(out.type.value, error) && index(out.elem.value, error);
}
bool BodyReader::read(imm::TypeType& out, Error& error) {
  return index(out.dst.value, error) && index(out.src.value, error);
}
// https://webassembly.github.io/spec/core/binary/instructions.html (br_on_cast: flags, label, two heap types)
bool BodyReader::read(imm::BrOnCast& out, Error& error) {
  std::uint8_t flags = 0;
  if (!byte(flags, error)) return false;
  if (flags > 3) return fail(error, errors::malformed_byte(offset() - 1, "br_on_cast flags", flags));
  spec::HeapType from, to;
  if (!index(out.depth.value, error) || !read_heap_type(reader_, module_.features, from, error) ||
      !read_heap_type(reader_, module_.features, to, error))
    return false;
  out.from = spec::ValType::ref(from, (flags & 1) != 0);
  out.to = spec::ValType::ref(to, (flags & 2) != 0);
  return true;
}

}  // namespace heddle::binary
