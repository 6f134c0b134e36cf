#include "cli/wasmtime_options.h"

#include <string>

#include "cli/values.h"
#include "cli/wasi_options.h"

namespace heddle::cli {
namespace {

struct KeyValue {
  std::string_view key;
  std::string_view value;  ///< "y" where none is given
};

KeyValue key_value(std::string_view item) {
  const std::size_t equals = item.find('=');
  if (equals == std::string_view::npos) return {item, "y"};
  return {item.substr(0, equals), item.substr(equals + 1)};
}

base::Status apply_wasm_option(const KeyValue& option, RunArguments& out) {
  if (option.key == "timeout") {
    HEDDLE_TRY_ASSIGN(out.run.timeout_ns, parse_duration(option.value));
    return {};
  }
  if (option.key == "max-memory-size") {
    HEDDLE_TRY_ASSIGN(out.run.max_memory_bytes, parse_bytes(option.value));
    return {};
  }
  if (option.key == "max-table-elements") {
    HEDDLE_TRY_ASSIGN(out.run.max_table_entries, parse_bytes(option.value));
    return {};
  }
  HEDDLE_TRY_ASSIGN(const bool on, parse_switch(option.value));
  if (option.key == "unknown-imports-trap") {
    out.run.allow_unknown_imports = on;
    return {};
  }
  if (!set_feature(option.key, on, out.config.features))
    return usage_error("unknown option -W " + std::string(option.key));
  return {};
}

/// Of Wasmtime's -S what has a meaning for preview1 modules; parts of it that are always there, or that only concern
/// components, may be named.
base::Status apply_wasi_option(const KeyValue& option, RunArguments& out) {
  if (option.key == "tcplisten") {
    out.run.wasi.tcp_listen.emplace_back(option.value);
    return {};
  }
  HEDDLE_TRY_ASSIGN(const bool on, parse_switch(option.value));
  if (option.key == "threads") {
    out.run.allow_threads = on;
  } else if (option.key == "inherit-env") {
    if (on) inherit_environment(out.run.wasi.environment);
  } else {
    bool known = false;
    for (const char* part : {"cli", "common", "preview2", "inherit-stdin", "inherit-stdout", "inherit-stderr"})
      known = known || option.key == part;
    if (!known) return usage_error("unknown option -S " + std::string(option.key));
  }
  return {};
}

}  // namespace

base::Status apply_wasm_options(std::string_view list, RunArguments& out) {
  for (const std::string_view item : split(list)) HEDDLE_TRY(apply_wasm_option(key_value(item), out));
  return {};
}

base::Status apply_wasi_options(std::string_view list, RunArguments& out) {
  for (const std::string_view item : split(list)) HEDDLE_TRY(apply_wasi_option(key_value(item), out));
  return {};
}

base::Status apply_debug_options(std::string_view list, RunArguments& out) {
  for (const std::string_view item : split(list)) {
    const KeyValue option = key_value(item);
    if (option.key != "debug-info") return usage_error("unknown option -D " + std::string(option.key));
    HEDDLE_TRY_ASSIGN(out.config.debug_info, parse_switch(option.value));
  }
  return {};
}

base::Status apply_wasi_modules(std::string_view list, RunArguments& out) {
  for (std::string_view item : split(list)) {
    const bool on = item[0] != '-';
    if (!on) item.remove_prefix(1);
    if (item == "experimental-wasi-threads")
      out.run.allow_threads = on;
    else if (item != "default" && item != "wasi-common")
      return usage_error("unknown WASI module '" + std::string(item) + "'");
  }
  return {};
}

}  // namespace heddle::cli
