// See wat_types.h.
#include "text/wat_types.h"

#include <algorithm>
#include <bit>
#include <fmt/core.h>

#include "text/numbers.h"

namespace heddle::text {
namespace {

using spec::AddressType;
using spec::CompositeKind;
using spec::FieldType;
using spec::FuncType;
using spec::HeapType;
using spec::PackedType;
using spec::SubType;
using spec::ValType;

struct HeapWord {
  std::string_view word;
  HeapType::Code code;
};
constexpr HeapWord kHeapWords[] = {
    {"func", HeapType::func},     {"extern", HeapType::extern_}, {"any", HeapType::any},
    {"eq", HeapType::eq},         {"i31", HeapType::i31},        {"struct", HeapType::struct_},
    {"array", HeapType::array},   {"exn", HeapType::exn},        {"none", HeapType::none},
    {"nofunc", HeapType::nofunc}, {"noexn", HeapType::noexn},    {"noextern", HeapType::noextern},
};
constexpr HeapWord kRefWords[] = {
    {"funcref", HeapType::func},       {"externref", HeapType::extern_}, {"anyref", HeapType::any},
    {"eqref", HeapType::eq},           {"i31ref", HeapType::i31},        {"structref", HeapType::struct_},
    {"arrayref", HeapType::array},     {"exnref", HeapType::exn},        {"nullref", HeapType::none},
    {"nullfuncref", HeapType::nofunc}, {"nullexnref", HeapType::noexn},  {"nullexternref", HeapType::noextern},
};

template <std::size_t N>
const HeapWord* find_word(const HeapWord (&words)[N], std::string_view word) {
  for (const HeapWord& w : words)
    if (w.word == word) return &w;
  return nullptr;
}

std::optional<ValType> number_type(std::string_view word) {
  if (word == "i32") return spec::kI32;
  if (word == "i64") return spec::kI64;
  if (word == "f32") return spec::kF32;
  if (word == "f64") return spec::kF64;
  if (word == "v128") return spec::kV128;
  return std::nullopt;
}

/// Since memories may be 64 bits wide, limits are 64-bit numbers whatever the address type, and their range is checked
/// by validation (core spec, Text Format, Limits). Without that feature they are 32-bit numbers, as they were before.
spec::Limits parse_limits(Cursor& cursor, spec::Features features) {
  const bool wide = features.has(spec::Feature::memory64);
  auto number = [&] {
    return cursor.expect_natural(wide ? 64 : 32, wide ? "i64 constant out of range" : "i32 constant out of range");
  };
  spec::Limits limits;
  limits.min = number();
  if (cursor.at(TokenKind::natural)) limits.max = number();
  return limits;
}

FieldType parse_field_type(Cursor& cursor, const ModuleContext& module) {
  FieldType field;
  field.mutable_ = cursor.take_open("mut");
  if (cursor.at_keyword("i8") || cursor.at_keyword("i16")) {
    field.packed = cursor.at_keyword("i8") ? PackedType::i8 : PackedType::i16;
    field.type = spec::kI32;
    cursor.advance();
  } else {
    field.type = parse_val_type(cursor, module);
  }
  if (field.mutable_) cursor.expect_close();
  return field;
}

void parse_struct_fields(Cursor& cursor, ModuleContext& module, SubType& type) {
  SymbolTable* ids = nullptr;
  IndexNames names;
  while (cursor.take_open("field")) {
    const std::uint32_t offset = cursor.offset();
    const std::string_view id = cursor.take_id();
    if (!id.empty()) {
      if (ids == nullptr) ids = &module.fields[module.type_store.size()];
      const std::uint32_t index = static_cast<std::uint32_t>(type.fields.size());
      if (!ids->bind(id, index)) return cursor.fail(offset, fmt::format("duplicate field ${}", id));
      names.emplace_back(index, id);
      type.fields.push_back(parse_field_type(cursor, module));
    } else {
      while (!cursor.at(TokenKind::close) && !cursor.failed()) type.fields.push_back(parse_field_type(cursor, module));
    }
    cursor.expect_close();
  }
  if (!names.empty()) module.field_names.emplace_back(module.type_store.size(), std::move(names));
}

void parse_composite(Cursor& cursor, ModuleContext& module, SubType& type) {
  if (cursor.take_open("func")) {
    type.kind = CompositeKind::func;
    IndexNames names;
    const TypeUse use = parse_type_use(cursor, module, &names);
    if (use.index) return cursor.fail(use.offset, "unexpected token (type inside a function type");
    type.func = use.inline_type;
  } else if (cursor.take_open("struct")) {
    type.kind = CompositeKind::struct_;
    parse_struct_fields(cursor, module, type);
  } else if (cursor.take_open("array")) {
    type.kind = CompositeKind::array;
    type.fields.push_back(parse_field_type(cursor, module));
  } else {
    cursor.expect_open("func, struct or array");
  }
  cursor.expect_close();
}

/// Behind "(type".
void parse_definition(Cursor& cursor, ModuleContext& module) {
  cursor.take_id();
  SubType type;
  if (cursor.take_open("sub")) {
    type.final_ = cursor.take_keyword("final");
    while (cursor.at_index()) type.supertypes.push_back(spec::TypeIndex(parse_index(cursor, module.types)));
    parse_composite(cursor, module, type);
    cursor.expect_close();
  } else {
    parse_composite(cursor, module, type);
  }
  cursor.expect_close();
  if (!cursor.failed()) module.type_store.add(std::move(type));
}

/// The (param ...) or (result ...) of a type use.
void parse_types(Cursor& cursor, const ModuleContext& module, spec::ResultType& types, IndexNames* names) {
  if (names != nullptr && cursor.at(TokenKind::id)) {
    names->emplace_back(static_cast<std::uint32_t>(types.size()), cursor.take_id());
    types.push_back(parse_val_type(cursor, module));
  } else {
    while (!cursor.at(TokenKind::close) && !cursor.failed()) types.push_back(parse_val_type(cursor, module));
  }
  cursor.expect_close();
}

}  // namespace

std::uint32_t parse_index(Cursor& cursor, const IndexSpace& space) {
  if (cursor.at(TokenKind::natural))
    return static_cast<std::uint32_t>(cursor.expect_natural(32, "i32 constant out of range"));
  if (!cursor.at(TokenKind::id)) {
    cursor.unexpected("an index");
    return 0;
  }
  const std::uint32_t offset = cursor.offset();
  const std::string_view id = cursor.take_id();
  const std::optional<std::uint32_t> index = space.ids.find(id);
  if (!index) cursor.fail(offset, fmt::format("unknown {} ${}", space.unknown, id));
  return index.value_or(0);
}

std::uint32_t parse_optional_index(Cursor& cursor, const IndexSpace& space) {
  return cursor.at_index() ? parse_index(cursor, space) : 0;
}

HeapType parse_abstract_heap_type(Cursor& cursor) {
  const HeapWord* word = cursor.at(TokenKind::keyword) ? find_word(kHeapWords, cursor.text()) : nullptr;
  if (word == nullptr) {
    cursor.unexpected("a heap type");
    return {};
  }
  cursor.advance();
  return word->code;
}

HeapType parse_heap_type(Cursor& cursor, const ModuleContext& module) {
  if (cursor.at_index()) {
    const std::uint32_t offset = cursor.offset();
    const std::uint32_t index = parse_index(cursor, module.types);
    if (index >= (1u << 24)) cursor.fail(offset, "unknown type: index too large");
    return HeapType(spec::TypeIndex(index & 0xff'ffff));
  }
  return parse_abstract_heap_type(cursor);
}

ValType parse_ref_type(Cursor& cursor, const ModuleContext& module) {
  if (cursor.take_open("ref")) {
    const bool nullable = cursor.take_keyword("null");
    const HeapType heap = parse_heap_type(cursor, module);
    cursor.expect_close();
    return ValType::ref(heap, nullable);
  }
  const HeapWord* word = cursor.at(TokenKind::keyword) ? find_word(kRefWords, cursor.text()) : nullptr;
  if (word == nullptr) {
    cursor.unexpected("a reference type");
    return spec::kFuncRef;  // something that can be encoded
  }
  cursor.advance();
  return ValType::ref(word->code, true);
}

ValType parse_val_type(Cursor& cursor, const ModuleContext& module) {
  if (cursor.at(TokenKind::keyword)) {
    if (const std::optional<ValType> number = number_type(cursor.text())) {
      cursor.advance();
      return *number;
    }
  }
  return parse_ref_type(cursor, module);
}

AddressType parse_address_type(Cursor& cursor) {
  if (cursor.take_keyword("i64")) return AddressType::i64;
  cursor.take_keyword("i32");
  return AddressType::i32;
}

std::uint8_t parse_page_size(Cursor& cursor) {
  if (!cursor.take_open("pagesize")) return 16;
  const std::uint32_t offset = cursor.offset();
  const std::uint64_t size = cursor.expect_natural(64, "i64 constant out of range");
  if (!std::has_single_bit(size)) {
    cursor.fail(offset, "invalid custom page size");
    return 16;
  }
  cursor.expect_close();
  return static_cast<std::uint8_t>(std::countr_zero(size));
}

spec::TableType parse_table_type(Cursor& cursor, const ModuleContext& module) {
  spec::TableType type;
  type.address = parse_address_type(cursor);
  type.limits = parse_limits(cursor, module.features);
  type.element = parse_ref_type(cursor, module);
  return type;
}

spec::MemType parse_mem_type(Cursor& cursor, const ModuleContext& module) {
  spec::MemType type;
  type.address = parse_address_type(cursor);
  type.limits = parse_limits(cursor, module.features);
  type.shared = cursor.take_keyword("shared");
  type.page_log2 = parse_page_size(cursor);
  return type;
}

spec::GlobalType parse_global_type(Cursor& cursor, const ModuleContext& module) {
  spec::GlobalType type;
  type.mutable_ = cursor.take_open("mut");
  type.type = parse_val_type(cursor, module);
  if (type.mutable_) cursor.expect_close();
  return type;
}

TypeUse parse_type_use(Cursor& cursor, const ModuleContext& module, IndexNames* names) {
  TypeUse use;
  use.offset = cursor.offset();
  if (cursor.take_open("type")) {
    use.index = parse_index(cursor, module.types);
    cursor.expect_close();
  }
  while (cursor.take_open("param")) {
    use.has_inline = true;
    parse_types(cursor, module, use.inline_type.params, names);
  }
  while (cursor.take_open("result")) {
    use.has_inline = true;
    parse_types(cursor, module, use.inline_type.results, nullptr);
  }
  // In any other order they are no type use; said here, before the two forms are compared.
  if (cursor.at_open("type") || cursor.at_open("param")) {
    cursor.advance();
    cursor.unexpected("parameters in front of results, and both behind (type ...)");
  }
  return use;
}

std::uint32_t resolve_type_use(Cursor& cursor, ModuleContext& module, const TypeUse& use) {
  if (cursor.failed()) return 0;
  if (!use.index) return module.type_store.index_of(use.inline_type, use.offset);
  if (!use.has_inline) return *use.index;
  if (*use.index >= module.type_store.size()) {
    cursor.fail(use.offset, fmt::format("unknown type {}", *use.index));
    return 0;
  }
  const FuncType* type = module.type_store.func_type(*use.index);
  if (type == nullptr || !(*type == use.inline_type))
    cursor.fail(use.offset, fmt::format("inline function type differs from type {}", *use.index));
  return *use.index;
}

void parse_type_field(Cursor& cursor, ModuleContext& module) {
  const std::uint32_t offset = cursor.offset();
  if (cursor.take_open("rec")) {
    module.type_store.begin_group(true, offset);
    while (cursor.take_open("type")) parse_definition(cursor, module);
    cursor.expect_close();
  } else {
    cursor.expect_open("type");
    module.type_store.begin_group(false, offset);
    parse_definition(cursor, module);
  }
  if (!cursor.failed()) module.type_store.end_group();
}

}  // namespace heddle::text
