// The "name" and "producers" custom sections (core spec, appendix Custom Sections; tool conventions): what to call
// things in messages and stacks. Broken sections are ignored, as the specification asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "module/module.h"

namespace heddle::binary {

struct Names {
  std::string_view module;
  std::unordered_map<std::uint32_t, std::string_view> functions;  ///< by function index, into the wire bytes
};

/// Module and function names. Cost: linear in the section.
Names read_names(const module::Module& m);

struct ProducersField {
  std::string_view name;                                              ///< "language", "processed-by", "sdk"
  std::vector<std::pair<std::string_view, std::string_view>> values;  ///< name, version
};
std::vector<ProducersField> read_producers(const module::Module& m);

/// "$name" from the name section, else the export name, else "func[12]".
std::string function_name(const module::Module& m, const Names& names, spec::FuncIndex func);

}  // namespace heddle::binary
