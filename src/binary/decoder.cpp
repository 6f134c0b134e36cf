// The module's header and the order of its sections; what a section holds is read by ModuleReader.
// https://webassembly.github.io/spec/core/binary/modules.html#binary-module
#include "binary/decoder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>

#include "binary/errors.h"
#include "binary/expression_scan.h"
#include "binary/module_reader.h"
#include "spec/limits.h"

namespace heddle::binary {
namespace {

using base::Error;
using base::ErrorKind;
using base::Status;

constexpr std::uint64_t kHeaderBytes = 8;
/// Section id and size, and the count of elements behind them.
constexpr std::uint64_t kMaxSectionHeadBytes = 11;
constexpr std::uint8_t kCustomSection = 0;

struct SectionKind {
  const char* name;
  Status (ModuleReader::*read)();
  unsigned rank;  ///< sections come in rising rank
};

constexpr SectionKind kSections[] = {
    {"custom", nullptr, 0},
    {"type", &ModuleReader::types, 1},
    {"import", &ModuleReader::imports, 2},
    {"function", &ModuleReader::functions, 3},
    {"table", &ModuleReader::tables, 4},
    {"memory", &ModuleReader::memories, 5},
    {"global", &ModuleReader::globals, 7},
    {"export", &ModuleReader::exports, 8},
    {"start", &ModuleReader::start, 9},
    {"element", &ModuleReader::elements, 10},
    {"code", &ModuleReader::code, 12},
    {"data", &ModuleReader::datas, 13},
    {"data count", &ModuleReader::data_count, 11},
    {"tag", &ModuleReader::tags, 6},
};
constexpr std::uint8_t kCodeSection = 10;
constexpr std::uint8_t kDataSection = 11;
constexpr std::uint8_t kDataCountSection = 12;
constexpr std::uint8_t kTagSection = 13;

bool is_known_section(std::uint8_t id, spec::Features features) {
  if (id == kDataCountSection) return features.has(spec::Feature::bulk_memory);
  if (id == kTagSection)
    return features.has(spec::Feature::exceptions) || features.has(spec::Feature::legacy_exceptions);
  return id < std::size(kSections);
}

Status check_header(base::Bytes bytes) {
  if (bytes.empty()) return errors::malformed(0, "unexpected end: the module is empty (0 bytes)");
  if (bytes.size() < 4) return errors::malformed(bytes.size(), "unexpected end: too short for a WebAssembly module");
  if (std::memcmp(bytes.data(), "\0asm", 4) != 0)
    return errors::malformed(0, "magic header not detected: this is not a WebAssembly module");
  if (bytes.size() < kHeaderBytes)
    return errors::malformed(bytes.size(), "unexpected end: the module is cut off in its header");
  // Components use the same eight bytes: a version of their own and 1 in the upper half, the layer.
  // https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md
  const unsigned version = bytes[4] | static_cast<unsigned>(bytes[5]) << 8;
  const unsigned layer = bytes[6] | static_cast<unsigned>(bytes[7]) << 8;
  if (version == 1 && layer == 0) return {};
  if (version != 0 && layer == 1)
    return Error{ErrorKind::unsupported, 4,
                 "unknown binary version: this is a component; heddle runs core modules: build for "
                 "wasm32-wasip1-threads, or extract the core module from the component"};
  return errors::malformed(4, fmt::format("unknown binary version: {}, heddle reads version 1", version | layer << 16));
}

Status read_section(ModuleReader& sections, Reader& reader, spec::Features features, unsigned& last_rank) {
  const std::uint64_t at = reader.offset();
  sections.need(kMaxSectionHeadBytes);
  HEDDLE_TRY_ASSIGN(const std::uint8_t id, reader.byte());
  if (!is_known_section(id, features)) return errors::malformed_byte(at, "section id", id);
  HEDDLE_TRY_ASSIGN(const std::uint32_t size, reader.length());
  const std::uint64_t end = reader.offset() + size;
  if (id == kCustomSection) return sections.custom(end);
  const SectionKind& kind = kSections[id];
  if (kind.rank <= last_rank)
    return errors::malformed(at,
                             fmt::format("unexpected content after last section: {} section out of order", kind.name));
  last_rank = kind.rank;
  if (id != kCodeSection && id != kDataSection) sections.need(size);
  HEDDLE_TRY((sections.*kind.read)());
  if (reader.offset() == end) return {};
  return errors::section_size_mismatch(std::min(end, reader.offset()), end, reader.offset());
}

/// Bodies are read when they are compiled, but a module that is malformed elsewhere may be so in a body first: then the
/// lower offset wins, as if everything had been read in order.
Error earliest(const module::Module& m, Error error) {
  for (const module::Body& body : m.bodies) {
    if (body.range.begin >= error.offset) break;
    const Status scanned = scan_body(m, body);
    if (!scanned.ok() && scanned.error().kind == ErrorKind::malformed && scanned.error().offset < error.offset)
      return scanned.error();
  }
  return error;
}

Status read_module(module::Module& m) {
  if (m.bytes().size() > spec::kMaxModuleBytes)
    return errors::limit(0, "module too large", m.bytes().size(), spec::kMaxModuleBytes);
  m.wire->need({0, std::min<std::uint64_t>(kHeaderBytes, m.bytes().size())});
  HEDDLE_TRY(check_header(m.bytes()));
  Reader reader(m.bytes(), {kHeaderBytes, m.bytes().size()});
  ModuleReader sections(m, reader);
  unsigned last_rank = 0;
  while (!reader.at_end()) HEDDLE_TRY(read_section(sections, reader, m.features, last_rank));
  return sections.finish();
}

}  // namespace

base::Result<std::shared_ptr<const module::Module>> decode_module(std::shared_ptr<const module::WireBytes> wire,
                                                                  spec::Features features) {
  auto m = std::make_shared<module::Module>();
  m->wire = std::move(wire);
  m->features = features;
  if (Status status = read_module(*m); !status.ok()) return earliest(*m, std::move(status).error());
  return std::shared_ptr<const module::Module>(std::move(m));
}

}  // namespace heddle::binary
