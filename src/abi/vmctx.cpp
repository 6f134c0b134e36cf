#include "abi/vmctx.h"

namespace heddle::abi {

// At most 10^6 entries of each kind (spec/limits.h), 16 bytes each: below 2^27 in all, so 32 bits hold every offset.
VmLayout::VmLayout(const module::Module& m)
    : imported_tables_(m.imported_tables), imported_globals_(m.imported_globals) {
  std::size_t next = sizeof(VmCtx);
  const auto place = [&next](std::size_t count, std::size_t stride) {
    next = (next + 15) & ~std::size_t{15};
    const std::size_t here = next;
    next += count * stride;
    return static_cast<std::uint32_t>(here);
  };
  memories_ = place(m.memories.size(), sizeof(VmMemoryRef));
  imported_table_ptrs_ = place(m.imported_tables, 8);
  tables_ = place(m.tables.size() - m.imported_tables, sizeof(VmTable));
  imported_global_ptrs_ = place(m.imported_globals, 8);
  globals_ = place(m.globals.size() - m.imported_globals, sizeof(VmValue));
  func_imports_ = place(m.imported_functions, sizeof(VmFuncImport));
  tags_ = place(m.tags.size(), 8);
  size_bytes_ = place(0, 0);
  place_func_refs(m);
}

void VmLayout::place_func_refs(const module::Module& m) {
  ref_sets_.resize(m.functions.size() / 64 + 1);
  const auto add = [this](std::size_t f) { ref_sets_[f / 64].members |= std::uint64_t{1} << f % 64; };
  for (std::size_t f = 0; f < m.functions.size(); ++f)
    if (m.declared_funcs[f]) add(f);
  for (std::size_t f = 0; f < m.imported_functions; ++f) add(f);
  if (m.has_start) add(m.start.value);
  for (RefSet& set : ref_sets_) {
    set.before = func_refs_;
    func_refs_ += static_cast<std::uint32_t>(std::popcount(set.members));
  }
}

}  // namespace heddle::abi
