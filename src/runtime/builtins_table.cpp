// table.grow, fill, copy, init and elem.drop (core spec, Execution, Table Instructions). Bounds are checked for the
// whole operation before the first entry is written. Tables belong to one thread; at most 80 MB each, so nothing here
// takes longer than some 10 ms and the interrupt flag is left to the caller's test.
#include <algorithm>
#include <cstring>

#include "runtime/builtins.h"
#include "runtime/instance.h"
#include "spec/trap_codes.h"

namespace heddle::runtime {
namespace {

constexpr std::uint32_t kOk = 0;
constexpr auto kOutOfBounds = static_cast<std::uint32_t>(spec::TrapCode::table_out_of_bounds);

Instance& instance_of(VmCtx* ctx) {
  return *static_cast<Instance*>(ctx->instance);
}

bool in_range(std::uint64_t size, std::uint64_t start, std::uint64_t count) {
  return start <= size && count <= size - start;
}

}  // namespace

extern "C" std::uint64_t heddle_builtin_table_grow(VmCtx* ctx, std::uint32_t table, std::uint64_t delta, void* init) {
  return instance_of(ctx).table_instance(spec::TableIndex(table)).grow(delta, init);
}

extern "C" std::uint32_t heddle_builtin_table_fill(VmCtx* ctx, std::uint32_t table, std::uint64_t start, void* value,
                                                   std::uint64_t count) {
  abi::VmTable* to = instance_of(ctx).table(spec::TableIndex(table));
  if (!in_range(to->size, start, count)) return kOutOfBounds;
  std::fill_n(to->elements + start, count, value);
  return kOk;
}

extern "C" std::uint32_t heddle_builtin_table_copy(VmCtx* ctx, std::uint64_t tables, std::uint64_t dst,
                                                   std::uint64_t src, std::uint64_t count) {
  abi::VmTable* to = instance_of(ctx).table(spec::TableIndex(static_cast<std::uint32_t>(tables)));
  const abi::VmTable* from = instance_of(ctx).table(spec::TableIndex(static_cast<std::uint32_t>(tables >> 32)));
  if (!in_range(to->size, dst, count) || !in_range(from->size, src, count)) return kOutOfBounds;
  if (count != 0) std::memmove(to->elements + dst, from->elements + src, count * sizeof(void*));
  return kOk;
}

extern "C" std::uint32_t heddle_builtin_table_init(VmCtx* ctx, std::uint32_t table, std::uint32_t elem,
                                                   std::uint64_t dst, std::uint32_t src, std::uint32_t count) {
  Instance& instance = instance_of(ctx);
  return static_cast<std::uint32_t>(
      instance.init_table(spec::TableIndex(table), spec::ElemIndex(elem), dst, src, count));
}

extern "C" void heddle_builtin_elem_drop(VmCtx* ctx, std::uint32_t elem) {
  instance_of(ctx).drop_elem(spec::ElemIndex(elem));
}

}  // namespace heddle::runtime
