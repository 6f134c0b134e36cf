// The sections of a module, one function each (core spec, Binary Format, Modules). decoder.cpp calls them in the order
// in which the sections come; each appends to the Module what it reads.
//
// Contents are read up to where they end by themselves, not up to the announced end of the section: decoder.cpp
// compares the two afterwards. The suite expects the faults in that order. Only custom sections, whose contents do not
// say how long they are, are confined to their section.
// Nothing is reserved for a count before Reader::vector_length has compared it with the bytes left and its limit.
#pragma once

#include <span>

#include "base/result.h"
#include "binary/reader.h"
#include "module/module.h"

namespace heddle::binary {

class ModuleReader {
 public:
  /// Both outlive the reader.
  ModuleReader(module::Module& m, Reader& reader) : module_(m), reader_(reader) {}

  base::Status types();
  base::Status imports();
  base::Status functions();
  base::Status tables();
  base::Status memories();
  base::Status tags();
  base::Status globals();
  base::Status exports();
  base::Status start();
  base::Status elements();
  base::Status data_count();
  base::Status code();
  base::Status datas();
  base::Status custom(std::uint64_t section_end);

  /// Reads the next `size_bytes` into memory, as far as there are so many.
  void need(std::uint64_t size_bytes) const;

  /// What can be said only when all sections are there: counts that must agree, canonical types.
  base::Status finish();

 private:
  bool has(spec::Feature f) const { return module_.features.has(f); }
  std::uint32_t defined_functions() const {
    return static_cast<std::uint32_t>(module_.functions.size()) - module_.imported_functions;
  }

  // types.cpp
  base::Status rec_group();
  base::Status sub_type();
  base::Status composite_type(spec::SubType& out);
  base::Status result_type(spec::ResultType& out, std::uint32_t limit, const char* rule);
  base::Status field_type(spec::FieldType& out);
  base::Status bound_subtyping_depth();
  base::Status mutability(bool& out);
  base::Status limits(std::uint8_t allowed_flags, std::uint8_t& flags, spec::Limits& out, spec::AddressType& address);
  base::Status table_type(spec::TableType& out);
  base::Status mem_type(spec::MemType& out);
  base::Status global_type(spec::GlobalType& out);
  base::Status tag_type(spec::TagType& out);
  base::Result<spec::ValType> val_type();
  base::Result<spec::ValType> ref_type();

  // sections.cpp
  base::Status known_bodies(const module::BodyPlaces& known, std::uint32_t count);
  base::Status import(module::Import& out);
  base::Status import_description(module::Import& out);
  base::Status table(module::Table& out);
  /// An error if the index space would grow past its limit.
  base::Result<std::uint32_t> definitions(std::size_t so_far, std::uint32_t limit, const char* rule);
  void declare(spec::FuncIndex func);
  base::Result<module::ConstExpr> const_expr();

  // segments.cpp
  base::Status element_segment(module::ElemSegment& out);
  base::Status element_items(module::ElemSegment& out, std::uint32_t flags);
  base::Status data_segment(module::DataSegment& out);

  module::Module& module_;
  Reader& reader_;
  std::vector<spec::FuncIndex> referenced_;  // by the constant expression read last
};

}  // namespace heddle::binary
