// What a module consists of, as plain data, for `heddle inspect` and whoever else wants to know before running it.
// Everything is copied: nothing points into the module. Does not validate, so that broken modules can be looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "module/module.h"
#include "spec/types.h"

namespace heddle::engine {

struct SectionInfo {
  std::string name;  ///< "type", "code" ...; of a custom section its own name
  bool custom = false;
  std::uint64_t offset = 0;  ///< of the contents, in the module's bytes
  std::uint64_t size_bytes = 0;
};

/// An entry of an index space, or an import or export of one.
struct ItemInfo {
  spec::ExternKind kind = spec::ExternKind::func;
  std::uint32_t index = 0;
  std::string type;                   ///< as the text format writes it; "?" if the module names a type it lacks
  std::optional<std::string> module;  ///< imports only
  std::string name;                   ///< imports and exports only
};

struct Inspection {
  std::uint64_t size_bytes = 0;
  std::vector<SectionInfo> sections;  ///< in file order
  std::vector<ItemInfo> imports, exports;
  std::vector<ItemInfo> memories, tables, globals, tags;  ///< imported ones first
  std::uint32_t types = 0;
  std::uint32_t imported_functions = 0, defined_functions = 0;
  std::uint64_t code_bytes = 0;  ///< of all bodies, without their sizes in front
  std::uint32_t data_segments = 0, elem_segments = 0;
  std::uint64_t data_bytes = 0;
  std::optional<std::uint32_t> start;  ///< function index
  std::vector<std::string> features;   ///< names as `--features` takes them, without "mvp"

  /// The "producers" section: field, name, version. "language" "C11" "", "processed-by" "clang" "19.1.5" ...
  struct Producer {
    std::string field, name, version;
  };
  std::vector<Producer> producers;

  enum class WasiKind : std::uint8_t { none, command, reactor, library };
  WasiKind wasi_kind = WasiKind::none;    ///< by its exports: _start, _initialize, neither; none: no WASI at all
  std::vector<std::string> wasi_modules;  ///< "wasi_snapshot_preview1", "wasi" ...: imported, each once
  bool imports_thread_spawn = false;      ///< ("wasi" "thread-spawn"): it may start threads
  bool exports_thread_start = false;      ///< ... and has the function that they begin with
  bool has_names = false, has_debug_info = false;
};

/// Errors: malformed (a body). Any thread. Cost: one pass over the module.
base::Result<Inspection> inspect_module(const module::Module& m);

}  // namespace heddle::engine
