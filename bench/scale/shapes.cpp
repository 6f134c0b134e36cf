#include "scale/shapes.h"

#include <string>

#include "binary/encoder.h"
#include "spec/limits.h"

namespace heddle::bench {
namespace {

using binary::Encoder;
using spec::Opcode;
using Wire = std::vector<std::uint8_t>;

constexpr std::uint32_t kMany = 100'000;
constexpr std::uint8_t kEmptyBlock = 0x40;

Wire counted(std::uint32_t count, const Wire& items) {
  return Encoder().u32(count).raw(items).bytes();
}

/// A module from its parts. Type 0 is [] -> [], and every function is of it unless said otherwise.
struct Parts {
  Encoder types;  ///< behind type 0
  std::uint32_t type_count = 1;
  Encoder globals, exports, elems, datas;
  std::uint32_t global_count = 0, export_count = 0, elem_count = 0, data_count = 0;
  bool with_memory = false, with_table = false, with_tag = false;
  Encoder functions, bodies;
  std::uint32_t function_count = 0;

  void function(const Encoder& code, const Wire& locals = {0}, std::uint32_t type = 0) {
    functions.u32(type);
    bodies.u32(static_cast<std::uint32_t>(locals.size() + code.size_bytes() + 1));
    bodies.raw(locals).raw(code.bytes()).op(Opcode::end);
    ++function_count;
  }

  Wire bytes() const {
    Encoder out;
    out.header().section(1, counted(type_count, Encoder().func_type({}).raw(types.bytes()).bytes()));
    out.section(3, counted(function_count, functions.bytes()));
    if (with_table) out.section(4, {1, 0x70, 0, 1});
    if (with_memory) out.section(5, {1, 0, 1});
    if (with_tag) out.section(13, {1, 0, 0});
    out.section(6, counted(global_count, globals.bytes()));
    out.section(7, counted(export_count, exports.bytes()));
    out.section(9, counted(elem_count, elems.bytes()));
    out.section(10, counted(function_count, bodies.bytes()));
    out.section(11, counted(data_count, datas.bytes()));
    return out.bytes();
  }
};

Wire one_function(const Encoder& code, const Wire& locals = {0}) {
  Parts parts;
  parts.with_memory = parts.with_tag = parts.with_table = true;
  parts.function(code, locals);
  return parts.bytes();
}

Wire locals_of(std::uint32_t count, spec::ValType type) {
  return Encoder().u32(1).u32(count).val_type(type).bytes();
}

Encoder& repeat(Encoder& out, std::uint32_t n, Opcode op) {
  for (std::uint32_t i = 0; i < n; ++i) out.op(op);
  return out;
}
Encoder& open(Encoder& out, std::uint32_t n, Opcode op) {
  for (std::uint32_t i = 0; i < n; ++i) out.op(op).byte(kEmptyBlock);
  return out;
}
Encoder& constant(Encoder& out, std::uint32_t value) {
  return out.op(Opcode::i32_const).s32(static_cast<std::int32_t>(value));
}

// --- locals ----------------------------------------------------------------------------------------------------------

Wire local_runs(std::uint32_t n) {
  Encoder locals, code;
  locals.u32(n);
  for (std::uint32_t i = 0; i < n; ++i) locals.u32(1).val_type(i % 2 == 0 ? spec::kI32 : spec::kI64);
  for (std::uint32_t i = 0; i < n; ++i) code.op(Opcode::local_get).u32(n - 1 - i).op(Opcode::local_set).u32(n - 1 - i);
  return one_function(code, locals.bytes());
}

Wire locals_and_blocks(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n / 2; ++i) {
    code.op(Opcode::block).byte(kEmptyBlock);
    constant(code, i).op(Opcode::local_set).u32(i).op(Opcode::end);
  }
  return one_function(code, locals_of(n / 2, spec::kI32));
}

Wire copies_of_a_local_that_changes(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n / 2; ++i) code.op(Opcode::local_get).u32(0);
  for (std::uint32_t i = 0; i < n / 2; ++i) constant(code, i).op(Opcode::local_set).u32(0);
  return one_function(repeat(code, n / 2, Opcode::drop), locals_of(1, spec::kI32));
}

// --- labels ----------------------------------------------------------------------------------------------------------

Wire nested_blocks(std::uint32_t n) {
  Encoder code;
  open(code, n, Opcode::block);
  return one_function(repeat(code, n, Opcode::end));
}

Wire nested_loops_with_branches(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n; ++i) {
    code.op(Opcode::loop).byte(kEmptyBlock).op(Opcode::local_get).u32(0);
    code.op(Opcode::br_if).u32(i);
  }
  return one_function(repeat(code, n, Opcode::end), locals_of(1, spec::kI32));
}

Wire nested_ifs(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n; ++i) code.op(Opcode::local_get).u32(0).op(Opcode::if_).byte(kEmptyBlock);
  for (std::uint32_t i = 0; i < n; ++i) code.op(Opcode::else_).op(Opcode::end);
  return one_function(code, locals_of(1, spec::kI32));
}

Wire blocks_in_a_row(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n; ++i) {
    code.op(Opcode::block).byte(kEmptyBlock).op(Opcode::local_get).u32(0);
    code.op(Opcode::br_if).u32(0).op(Opcode::end);
  }
  return one_function(code, locals_of(1, spec::kI32));
}

Wire branches_to_one_label(std::uint32_t n) {
  Encoder code;
  code.op(Opcode::block).byte(kEmptyBlock);
  for (std::uint32_t i = 0; i < n; ++i) code.op(Opcode::local_get).u32(0).op(Opcode::br_if).u32(0);
  return one_function(code.op(Opcode::end), locals_of(1, spec::kI32));
}

Wire br_table_to_one_label(std::uint32_t n) {
  Encoder code;
  constant(code.op(Opcode::block).byte(kEmptyBlock), 0).op(Opcode::br_table).u32(n);
  for (std::uint32_t i = 0; i <= n; ++i) code.u32(0);
  return one_function(code.op(Opcode::end));
}

Wire br_table_to_many_labels(std::uint32_t n) {
  Encoder code;
  constant(open(code, n, Opcode::block), 0).op(Opcode::br_table).u32(n);
  for (std::uint32_t i = 0; i < n; ++i) code.u32(i);
  return one_function(repeat(code.u32(0), n, Opcode::end));
}

Wire nested_try_tables(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n; ++i) code.op(Opcode::try_table).byte(kEmptyBlock).u32(1).byte(2).u32(0);
  return one_function(repeat(code.op(Opcode::throw_).u32(0), n, Opcode::end));
}

Wire catches_of_one_try_table(std::uint32_t n) {
  Encoder code;
  code.op(Opcode::try_table).byte(kEmptyBlock).u32(n);
  for (std::uint32_t i = 0; i < n; ++i) code.byte(0).u32(0).u32(0);
  return one_function(code.op(Opcode::throw_).u32(0).op(Opcode::end));
}

// --- operands --------------------------------------------------------------------------------------------------------

Wire operands(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n; ++i) code.op(Opcode::local_get).u32(0).op(Opcode::i32_eqz);
  repeat(code, n - 1, Opcode::i32_add);
  return one_function(code.op(Opcode::drop), locals_of(1, spec::kI32));
}

Wire operands_across_blocks(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n / 2; ++i) code.op(Opcode::local_get).u32(0).op(Opcode::i32_eqz);
  for (std::uint32_t i = 0; i < n / 2; ++i) code.op(Opcode::block).byte(kEmptyBlock).op(Opcode::end);
  return one_function(repeat(code, n / 2, Opcode::drop), locals_of(1, spec::kI32));
}

Wire operands_across_calls(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n / 2; ++i) code.op(Opcode::local_get).u32(0).op(Opcode::i32_eqz);
  for (std::uint32_t i = 0; i < n / 2; ++i) code.op(Opcode::call).u32(0);
  return one_function(repeat(code, n / 2, Opcode::drop), locals_of(1, spec::kI32));
}

Wire parameters(std::uint32_t n) {
  const std::uint32_t wide = n < spec::kMaxParams ? n : spec::kMaxParams;
  Parts parts;
  parts.types.func_type({spec::ResultType(wide, spec::kI64), {}});
  ++parts.type_count;
  parts.function(Encoder(), {0}, 1);
  Encoder code;
  for (std::uint32_t done = 0; done + wide <= n; done += wide) {
    for (std::uint32_t i = 0; i < wide; ++i) code.op(Opcode::i64_const).s64(i);
    code.op(Opcode::call).u32(0);
  }
  parts.function(code);
  return parts.bytes();
}

Wire constants(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n; ++i) code.op(Opcode::f64_const).fixed_u64(0x3ff0000000000000u + i).op(Opcode::drop);
  return one_function(code);
}

Wire memory_accesses(std::uint32_t n) {
  Encoder code;
  for (std::uint32_t i = 0; i < n; ++i) {
    code.op(Opcode::local_get).u32(0).op(Opcode::local_get).u32(0).op(Opcode::i32_load).u32(2).u32(i);
    code.op(Opcode::i32_store).u32(2).u32(i);
  }
  return one_function(code, locals_of(1, spec::kI32));
}

// --- the module ------------------------------------------------------------------------------------------------------

/// n different function types: [i32 or i64, 17 times] -> [] by the bits of i.
spec::FuncType nth_type(std::uint32_t i) {
  spec::FuncType type;
  for (unsigned bit = 0; bit < 17; ++bit) type.params.push_back((i >> bit & 1) != 0 ? spec::kI64 : spec::kI32);
  return type;
}

Wire function_types(std::uint32_t n) {
  Parts parts;
  for (std::uint32_t i = 0; i < n; ++i) parts.types.func_type(nth_type(i));
  parts.type_count += n;
  parts.function(Encoder());
  return parts.bytes();
}

Wire types_of_one_rec_group(std::uint32_t n) {
  Parts parts;
  parts.types.byte(0x4e).u32(n);
  const spec::ValType next = spec::ValType::ref(spec::HeapType(spec::TypeIndex(n)), true);  // the group's last
  for (std::uint32_t i = 0; i < n; ++i) parts.types.func_type({{next}, {}});
  ++parts.type_count;
  parts.function(Encoder());
  return parts.bytes();
}

Wire rec_groups_that_look_alike(std::uint32_t n) {
  Parts parts;  // each refers to the one before, so that telling them apart must not follow the whole line
  for (std::uint32_t i = 0; i < n; ++i)
    parts.types.func_type({{spec::ValType::ref(spec::HeapType(spec::TypeIndex(i)), true)}, {}});
  parts.type_count += n;
  parts.function(Encoder());
  return parts.bytes();
}

Wire functions(std::uint32_t n) {
  Parts parts;
  for (std::uint32_t i = 0; i < n; ++i) parts.function(Encoder().op(Opcode::call).u32(n - 1 - i));
  return parts.bytes();
}

Wire exports(std::uint32_t n) {
  Parts parts;
  parts.function(Encoder());
  for (std::uint32_t i = 0; i < n; ++i) parts.exports.name("export" + std::to_string(i)).byte(0).u32(0);
  parts.export_count = n;
  return parts.bytes();
}

Wire globals(std::uint32_t n) {
  Parts parts;
  Encoder code;
  for (std::uint32_t i = 0; i < n; ++i) {
    constant(parts.globals.global_type({spec::kI32, true}), i).op(Opcode::end);
    code.op(Opcode::global_get).u32(i).op(Opcode::global_set).u32(n - 1 - i);
  }
  parts.global_count = n;
  parts.function(code);
  return parts.bytes();
}

Wire data_segments(std::uint32_t n) {
  Parts parts;
  parts.with_memory = true;
  for (std::uint32_t i = 0; i < n; ++i) constant(parts.datas.u32(0), 0).op(Opcode::end).name("x");
  parts.data_count = n;
  parts.function(Encoder());
  return parts.bytes();
}

Wire element_segments(std::uint32_t n) {
  Parts parts;
  parts.with_table = true;
  for (std::uint32_t i = 0; i < n; ++i) constant(parts.elems.u32(0), 0).op(Opcode::end).u32(1).u32(0);
  parts.elem_count = n;
  parts.function(Encoder());
  return parts.bytes();
}

constexpr std::uint32_t kDeepest = spec::kMaxControlNesting - 1;  // the function's own frame is one
constexpr std::uint32_t kLocals = spec::kMaxFunctionLocals;

constexpr Shape kShapes[] = {
    {"local_runs", "declarations of one local, each read and written", kLocals, local_runs},
    {"locals_and_blocks", "half locals, half blocks that write them", 2 * kLocals, locals_and_blocks},
    {"copies_of_a_local", "half copies of a local as operands, half writes to it", kMany,
     copies_of_a_local_that_changes},
    {"nested_blocks", "blocks, each in the one before", kDeepest, nested_blocks},
    {"nested_loops", "nested loops that branch outward", kDeepest, nested_loops_with_branches},
    {"nested_ifs", "ifs with else, each in the one before", kDeepest, nested_ifs},
    {"blocks_in_a_row", "blocks with a branch to their end", kMany, blocks_in_a_row},
    {"branches_to_one_label", "br_if to the same label", kMany, branches_to_one_label},
    {"br_table_one_label", "br_table entries to one label", kMany, br_table_to_one_label},
    {"br_table_many_labels", "br_table entries, each to a block of its own", kDeepest, br_table_to_many_labels},
    {"nested_try_tables", "nested try_table with a catch_all each", kDeepest, nested_try_tables},
    {"catches", "catch clauses of one try_table", kMany, catches_of_one_try_table},
    {"operands", "operands alive at once", kMany, operands},
    {"operands_across_blocks", "half operands, half blocks behind them", kMany, operands_across_blocks},
    {"operands_across_calls", "half operands, half calls behind them", kMany, operands_across_calls},
    {"parameters", "arguments in calls of as many parameters as may be", kMany, parameters},
    {"constants", "different constants of one body", kMany, constants},
    {"memory_accesses", "loads and as many stores", kMany, memory_accesses},
    {"function_types", "different function types", kMany, function_types},
    {"rec_group", "types of one recursion group", kMany, types_of_one_rec_group},
    {"similar_types", "types that differ only in the type they mention", kMany, rec_groups_that_look_alike},
    {"functions", "functions that call one another", kMany, functions},
    {"exports", "exports", kMany, exports},
    {"globals", "globals with their initialisers, read and written", kMany, globals},
    {"data_segments", "active data segments", spec::kMaxDataSegments, data_segments},
    {"element_segments", "active element segments", kMany, element_segments},
};

}  // namespace

std::span<const Shape> shapes() {
  return kShapes;
}

}  // namespace heddle::bench
