// What the parts of the .wat parser share about the module they read: index spaces, types, annotations, the sections
// written so far.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "spec/features.h"
#include "text/annotations.h"
#include "text/module_builder.h"
#include "text/names.h"
#include "text/type_store.h"

namespace heddle::text {

struct ModuleContext {
  ModuleContext(spec::Features f, Annotations a) : features(f), annotations(std::move(a)) {}

  spec::Features features;
  Annotations annotations;

  IndexSpace types{"type", "type"};
  IndexSpace funcs{"func", "function"};
  IndexSpace tables{"table", "table"};
  IndexSpace memories{"memory", "memory"};
  IndexSpace globals{"global", "global"};
  IndexSpace tags{"tag", "tag"};
  IndexSpace elems{"elem", "elem segment"};
  IndexSpace datas{"data", "data segment"};

  TypeStore type_store;
  std::unordered_map<std::uint32_t, SymbolTable> fields;  ///< of a struct type, by type index
  std::vector<std::pair<std::uint32_t, IndexNames>> field_names;
  std::vector<std::pair<std::uint32_t, IndexNames>> local_names;  ///< by function index

  ModuleBuilder builder;
  std::string_view module_name;
  bool needs_data_count = false;  ///< an instruction names a data segment
};

}  // namespace heddle::text
