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
}

}  // namespace heddle::abi
