// The type section of a module that is being made from text: the definitions, and function types that appear without
// one (core spec, Text Format, Type Uses: such a type is the first one that equals it, else it is added at the end).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "binary/encoder.h"
#include "spec/types.h"
#include "text/module_builder.h"

namespace heddle::text {

class TypeStore {
 public:
  /// Ends with `end_group`; a definition outside `rec` is a group of its own.
  void begin_group(bool explicit_rec, std::uint32_t source_offset);
  void add(spec::SubType type) { types_.push_back(std::move(type)); }
  void end_group();

  /// Index of a function type; added if there is none yet.
  std::uint32_t index_of(const spec::FuncType& type, std::uint32_t source_offset);

  std::uint32_t size() const { return static_cast<std::uint32_t>(types_.size()); }
  /// Nothing if there is no such type or it is no function type.
  const spec::FuncType* func_type(std::uint32_t index) const {
    if (index >= types_.size() || types_[index].kind != spec::CompositeKind::func) return nullptr;
    return &types_[index].func;
  }

  void write(SectionBuffer& section) const;

 private:
  struct Group {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool explicit_rec = false;
    std::uint32_t source_offset = 0;
  };
  std::vector<spec::SubType> types_;
  std::vector<Group> groups_;
  std::unordered_map<std::string, std::uint32_t> by_encoding_;  // function types that stand alone
  binary::Encoder scratch_;

  std::string encoding_of(const spec::FuncType& type);
};

}  // namespace heddle::text
