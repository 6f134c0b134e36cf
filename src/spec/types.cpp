#include "spec/types.h"

#include <fmt/format.h>

#include "base/check.h"

namespace heddle::spec {

const char* extern_kind_name(ExternKind kind) {
  switch (kind) {
    case ExternKind::func: return "func";
    case ExternKind::table: return "table";
    case ExternKind::memory: return "memory";
    case ExternKind::global: return "global";
    case ExternKind::tag: return "tag";
  }
  HEDDLE_UNREACHABLE("every extern kind has a name");
}

std::string to_string(HeapType type) {
  if (type.is_concrete()) return fmt::format("{}", type.index().value);
  switch (type.code()) {
    case HeapType::func: return "func";
    case HeapType::extern_: return "extern";
    case HeapType::any: return "any";
    case HeapType::eq: return "eq";
    case HeapType::i31: return "i31";
    case HeapType::struct_: return "struct";
    case HeapType::array: return "array";
    case HeapType::exn: return "exn";
    case HeapType::none: return "none";
    case HeapType::noextern: return "noextern";
    case HeapType::nofunc: return "nofunc";
    case HeapType::noexn: return "noexn";
  }
  HEDDLE_UNREACHABLE("every heap type has a name");
}

std::string to_string(ValType type) {
  switch (type.kind()) {
    case ValType::Kind::bottom: return "bottom";
    case ValType::Kind::i32: return "i32";
    case ValType::Kind::i64: return "i64";
    case ValType::Kind::f32: return "f32";
    case ValType::Kind::f64: return "f64";
    case ValType::Kind::v128: return "v128";
    case ValType::Kind::ref: break;
  }
  if (type == kFuncRef) return "funcref";
  if (type == kExternRef) return "externref";
  if (type == kExnRef) return "exnref";
  return fmt::format("(ref {}{})", type.nullable() ? "null " : "", to_string(type.heap()));
}

std::string to_string(const FuncType& type) {
  std::string text;
  const auto append = [&text](const char* keyword, const ResultType& types) {
    if (types.empty()) return;
    if (!text.empty()) text += ' ';
    text += fmt::format("({}", keyword);
    for (ValType t : types) text += ' ' + to_string(t);
    text += ')';
  };
  append("param", type.params);
  append("result", type.results);
  return text;
}

namespace {

std::string limits_text(const Limits& limits, AddressType address) {
  std::string text = address == AddressType::i64 ? "i64 " : "";
  text += fmt::format("{}", limits.min);
  if (limits.max) text += fmt::format(" {}", *limits.max);
  return text;
}

}  // namespace

std::string to_string(const MemType& type) {
  std::string text = limits_text(type.limits, type.address);
  if (type.shared) text += " shared";
  if (type.page_log2 != 16) text += fmt::format(" (pagesize {})", std::uint64_t{1} << type.page_log2);
  return text;
}

std::string to_string(const TableType& type) {
  return limits_text(type.limits, type.address) + ' ' + to_string(type.element);
}

std::string to_string(const GlobalType& type) {
  return type.mutable_ ? fmt::format("(mut {})", to_string(type.type)) : to_string(type.type);
}

}  // namespace heddle::spec
