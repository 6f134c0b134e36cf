// All sections but those of types and of segments.
// https://webassembly.github.io/spec/core/binary/modules.html
#include <algorithm>

#include "binary/body_reader.h"
#include "binary/errors.h"
#include "binary/expression_scan.h"
#include "binary/module_reader.h"
#include "spec/limits.h"

namespace heddle::binary {

using base::Error;
using base::Status;
using spec::ExternKind;
using spec::Feature;

namespace {

constexpr std::uint8_t kTableWithInit = 0x40;
constexpr std::uint64_t kMaxLengthBytes = 5;  ///< of a 32-bit number
constexpr const char* kInconsistentCode = "function and code section have inconsistent lengths";
constexpr const char* kInconsistentData = "data count and data section have inconsistent lengths";

module::Body body(std::uint64_t begin, std::uint64_t end) {
  return {{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}};
}

}  // namespace

base::Result<std::uint32_t> ModuleReader::definitions(std::size_t so_far, std::uint32_t limit, const char* rule) {
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader_.vector_length(limit, rule));
  if (so_far + count > limit) return errors::limit(at, rule, so_far + count, limit);
  return count;
}

Status ModuleReader::imports() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader_.vector_length(spec::kMaxImports, "too many imports"));
  for (std::uint32_t i = 0; i < count; ++i) HEDDLE_TRY(import(module_.imports.emplace_back()));
  module_.imported_functions = static_cast<std::uint32_t>(module_.functions.size());
  module_.imported_tables = static_cast<std::uint32_t>(module_.tables.size());
  module_.imported_memories = static_cast<std::uint32_t>(module_.memories.size());
  module_.imported_globals = static_cast<std::uint32_t>(module_.globals.size());
  module_.imported_tags = static_cast<std::uint32_t>(module_.tags.size());
  return {};
}

Status ModuleReader::import(module::Import& out) {
  out.offset = reader_.offset();
  HEDDLE_TRY_ASSIGN(out.module, reader_.name());
  HEDDLE_TRY_ASSIGN(out.name, reader_.name());
  const std::uint64_t at = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint8_t kind, reader_.byte());
  const bool tags = has(Feature::exceptions) || has(Feature::legacy_exceptions);
  if (kind > static_cast<std::uint8_t>(tags ? ExternKind::tag : ExternKind::global))
    return errors::malformed_byte(at, "import kind", kind);
  out.kind = static_cast<ExternKind>(kind);
  return import_description(out);
}

Status ModuleReader::import_description(module::Import& out) {
  const auto index_of = [](const auto& space) { return static_cast<std::uint32_t>(space.size() - 1); };
  switch (out.kind) {
    case ExternKind::func: {
      HEDDLE_TRY_ASSIGN(const std::uint32_t type, reader_.u32());
      module_.functions.push_back({spec::TypeIndex(type), static_cast<std::uint32_t>(out.offset)});
      out.index = index_of(module_.functions);
      return {};
    }
    case ExternKind::table: {
      module_.tables.emplace_back().offset = out.offset;
      out.index = index_of(module_.tables);
      return table_type(module_.tables.back().type);
    }
    case ExternKind::memory: {
      module_.memories.emplace_back().offset = out.offset;
      out.index = index_of(module_.memories);
      return mem_type(module_.memories.back().type);
    }
    case ExternKind::global: {
      module_.globals.emplace_back().offset = out.offset;
      out.index = index_of(module_.globals);
      return global_type(module_.globals.back().type);
    }
    case ExternKind::tag: {
      module_.tags.emplace_back().offset = out.offset;
      out.index = index_of(module_.tags);
      return tag_type(module_.tags.back().type);
    }
  }
  HEDDLE_UNREACHABLE("import() lets known kinds pass");
}

Status ModuleReader::functions() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count,
                    definitions(module_.functions.size(), spec::kMaxFunctions, "too many functions"));
  module_.functions.reserve(module_.functions.size() + count);
  Error error;
  for (std::uint32_t i = 0; i < count; ++i) {
    module::Function function;
    function.offset = static_cast<std::uint32_t>(reader_.offset());
    if (!reader_.leb(function.type.value, error)) return error;
    module_.functions.push_back(function);
  }
  return {};
}

Status ModuleReader::tables() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, definitions(module_.tables.size(), spec::kMaxTables, "too many tables"));
  module_.tables.reserve(module_.tables.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) HEDDLE_TRY(table(module_.tables.emplace_back()));
  return {};
}

Status ModuleReader::table(module::Table& out) {
  out.offset = reader_.offset();
  HEDDLE_TRY_ASSIGN(const std::uint8_t form, reader_.peek());
  if (form != kTableWithInit || !has(Feature::function_references)) return table_type(out.type);
  reader_.advance(1);
  HEDDLE_TRY_ASSIGN(const std::uint8_t zero, reader_.byte());
  if (zero != 0) return errors::zero_byte_expected(reader_.offset() - 1);
  HEDDLE_TRY(table_type(out.type));
  out.has_init = true;
  HEDDLE_TRY_ASSIGN(out.init, const_expr());
  return {};
}

Status ModuleReader::memories() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count,
                    definitions(module_.memories.size(), spec::kMaxMemories, "too many memories"));
  module_.memories.reserve(module_.memories.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) {
    module::Memory& memory = module_.memories.emplace_back();
    memory.offset = reader_.offset();
    HEDDLE_TRY(mem_type(memory.type));
  }
  return {};
}

Status ModuleReader::tags() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, definitions(module_.tags.size(), spec::kMaxTags, "too many tags"));
  module_.tags.reserve(module_.tags.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) {
    module::Tag& tag = module_.tags.emplace_back();
    tag.offset = reader_.offset();
    HEDDLE_TRY(tag_type(tag.type));
  }
  return {};
}

Status ModuleReader::globals() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count,
                    definitions(module_.globals.size(), spec::kMaxGlobals, "too many globals"));
  module_.globals.reserve(module_.globals.size() + count);
  for (std::uint32_t i = 0; i < count; ++i) {
    module::Global& global = module_.globals.emplace_back();
    global.offset = reader_.offset();
    HEDDLE_TRY(global_type(global.type));
    HEDDLE_TRY_ASSIGN(global.init, const_expr());
  }
  return {};
}

Status ModuleReader::exports() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader_.vector_length(spec::kMaxExports, "too many exports"));
  module_.exports.resize(count);
  const bool tags = has(Feature::exceptions) || has(Feature::legacy_exceptions);
  for (module::Export& e : module_.exports) {
    e.offset = reader_.offset();
    HEDDLE_TRY_ASSIGN(e.name, reader_.name());
    const std::uint64_t at = reader_.offset();
    HEDDLE_TRY_ASSIGN(const std::uint8_t kind, reader_.byte());
    if (kind > static_cast<std::uint8_t>(tags ? ExternKind::tag : ExternKind::global))
      return errors::malformed_byte(at, "export kind", kind);
    e.kind = static_cast<ExternKind>(kind);
    HEDDLE_TRY_ASSIGN(e.index, reader_.u32());
    if (e.kind == ExternKind::func) declare(spec::FuncIndex(e.index));
  }
  return {};
}

Status ModuleReader::start() {
  module_.start_offset = reader_.offset();
  HEDDLE_TRY_ASSIGN(module_.start.value, reader_.u32());
  module_.has_start = true;
  return {};
}

Status ModuleReader::data_count() {
  HEDDLE_TRY_ASSIGN(module_.data_count, reader_.u32());
  module_.has_data_count = true;
  return {};
}

void ModuleReader::need(std::uint64_t size_bytes) const {
  const std::uint64_t begin = reader_.offset();
  module_.wire->need({begin, begin + std::min(size_bytes, reader_.remaining_bytes())});
}

// What says the places vouches for them; what is checked is that nobody reads outside the module.
Status ModuleReader::known_bodies(const module::BodyPlaces& known, std::uint32_t count) {
  std::uint64_t end = reader_.offset();
  const std::uint64_t limit = end + reader_.remaining_bytes();
  for (const module::BodyPlaces::Place& place : known.places) {
    const std::uint64_t begin = module_.bodies.empty() ? known.begin : end + place.gap_bytes();
    if (begin <= end || place.size_bytes() > spec::kMaxFunctionBodyBytes) break;
    end = begin + place.size_bytes();
    if (end > limit) break;
    module_.bodies.push_back(body(begin, end));
  }
  if (known.places.size() != count || module_.bodies.size() != count)
    return errors::malformed(reader_.offset(), kInconsistentCode);
  reader_.advance(end - reader_.offset());
  return {};
}

// Whether there is a body for each function is said in finish(): the suite expects faults of later sections first.
Status ModuleReader::code() {
  HEDDLE_TRY_ASSIGN(const std::uint32_t count, reader_.vector_length(spec::kMaxFunctions, "too many functions"));
  module_.bodies.reserve(count);
  if (const auto known = module_.wire->known_bodies()) return known_bodies(*known, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t at = reader_.offset();
    HEDDLE_TRY_ASSIGN(const std::uint32_t size, reader_.length());
    if (size > spec::kMaxFunctionBodyBytes)
      return errors::limit(at, "function body too large", size, spec::kMaxFunctionBodyBytes);
    module_.bodies.push_back(body(reader_.offset(), reader_.offset() + size));
    reader_.advance(size);
  }
  return {};
}

Status ModuleReader::custom(std::uint64_t section_end) {
  Reader contents(module_.bytes(), {reader_.offset(), section_end});
  need(std::min<std::uint64_t>(kMaxLengthBytes, contents.remaining_bytes()));
  Reader ahead = contents;
  if (const auto length = ahead.length(); length.ok()) need(ahead.offset() - reader_.offset() + *length);
  HEDDLE_TRY_ASSIGN(const std::string_view name, contents.name());
  module_.customs.push_back({name, {contents.offset(), section_end}});
  reader_.advance(section_end - reader_.offset());
  return {};
}

Status ModuleReader::finish() {
  if (module_.bodies.size() != defined_functions()) return errors::malformed(reader_.offset(), kInconsistentCode);
  if (module_.has_data_count && module_.datas.size() != module_.data_count)
    return errors::malformed(reader_.offset(), kInconsistentData);
  module_.declared_funcs.resize(module_.functions.size());
  module_.canonical = module::canonicalize(module_.types, module_.rec_groups);
  return {};
}

// A function that does not exist is validation's.
void ModuleReader::declare(spec::FuncIndex func) {
  if (func.value >= module_.functions.size()) return;
  module_.declared_funcs.resize(module_.functions.size());
  module_.declared_funcs[func.value] = true;
}

base::Result<module::ConstExpr> ModuleReader::const_expr() {
  const std::uint64_t begin = reader_.offset();
  BodyReader expression = BodyReader::to_the_end(module_, begin);
  referenced_.clear();
  expression.in_constant_expression();
  HEDDLE_TRY(scan_expression(expression, &referenced_));
  for (const spec::FuncIndex func : referenced_) declare(func);
  reader_.advance(expression.offset() - begin);
  return module::ConstExpr{{begin, expression.offset()}};
}

}  // namespace heddle::binary
