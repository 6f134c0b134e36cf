// Loads, stores and what the host does to linear memory.
// https://webassembly.github.io/spec/core/exec/instructions.html#memory-instructions
//
// 32-bit memories lie in a reservation that covers every 32-bit index plus an offset below 2^31 and 64 KiB (design:
// 4 GiB + 2 GiB + 64 KiB), so the access itself faults where it is out of bounds, as a whole: it straddles the end of
// the accessible pages or not. Everything else (larger offsets, 64-bit memories, pages smaller than the machine's) is
// compared with VmMemory::size_bytes first.
#include "abi/guard.h"
#include "base/check.h"
#include "baseline/compiler.h"

namespace heddle::baseline {

using machine::kMemoryBase;
using machine::kScratch;
using machine::kVmctx;

namespace {

constexpr std::int32_t kMemoryRefBase = offsetof(abi::VmMemoryRef, base);
constexpr std::int32_t kMemoryRefMemory = offsetof(abi::VmMemoryRef, memory);
constexpr std::int32_t kMemorySizeBytes = offsetof(abi::VmMemory, size_bytes);

bool needs_compare(const spec::MemType& type, std::uint64_t offset) {
  return !abi::is_guarded(type) || offset >= abi::kGuardedOffsets;
}

}  // namespace

// ---- addresses

Compiler::Access Compiler::access(const binary::imm::MemArg& memarg, unsigned bytes, bool atomic, RegSet avoid) {
  const spec::MemType& type = module_->memories[memarg.memory.value].type;
  Access a;
  a.memory = memarg.memory;
  a.index = pop();
  if (needs_compare(type, memarg.offset)) {
    static_cast<void>(to_reg(a.index, avoid));
    if (atomic) check_alignment(a.index, memarg.offset, bytes);
    check_bounds(a, memarg.offset, bytes, avoid);
    return a;
  }
  if (a.index.is_const()) {
    const std::uint64_t address = a.index.bits + memarg.offset;
    if (address <= abi::kGuardedOffsets - 1) {
      if (atomic) check_alignment(a.index, memarg.offset, bytes);
      a.disp = static_cast<std::int32_t>(address);
      return a;
    }
  }
  a.disp = static_cast<std::int32_t>(memarg.offset);
  static_cast<void>(to_reg(a.index, avoid));
  if (atomic) check_alignment(a.index, memarg.offset, bytes);
  return a;
}

/// index = index + offset, or a trap if that plus `bytes` is beyond the memory's end (as if with infinite precision).
void Compiler::check_bounds(Access& a, std::uint64_t offset, unsigned bytes, RegSet avoid) {
  const bool is_64 = a.index.kind == Kind::i64;
  if (offset != 0) {
    const Reg from = to_reg(a.index);
    const Reg sum = alloc_int(avoid);
    masm_.mov_imm(sum, offset);
    masm_.alu(Alu::add, Width::w64, sum, Src::of(from));
    if (is_64) trap_if(Cond::lt_u, TrapCode::memory_out_of_bounds);  // carry: beyond 2^64
    release(a.index);
    a.index.where = Where::reg;
    a.index.reg = sum;
  }
  const Reg address = to_reg(a.index);
  load_memory_size(kScratch, a.memory);
  masm_.alu(Alu::sub, Width::w64, kScratch, Src::of(static_cast<std::int32_t>(bytes)));
  trap_if(Cond::lt_u, TrapCode::memory_out_of_bounds);
  masm_.cmp(Width::w64, Src::of(address), Src::of(kScratch));
  trap_if(Cond::gt_u, TrapCode::memory_out_of_bounds);
  a.checked = true;
}

/// Atomic accesses: the effective address must be a multiple of the width.
/// https://webassembly.github.io/threads/core/exec/instructions.html
void Compiler::check_alignment(const Value& index, std::uint64_t offset, unsigned bytes) {
  if (bytes == 1) return;
  const auto mask = static_cast<std::int32_t>(bytes - 1);
  if (index.is_const()) {
    if (((index.bits + offset) & (bytes - 1)) != 0) trap_now(TrapCode::unaligned_atomic);
    return;
  }
  Reg r = index.where == Where::local ? pinned(index.local) : index.reg;
  if ((offset & (bytes - 1)) != 0) {
    masm_.lea(Width::w32, kScratch, Address::at(r, static_cast<std::int32_t>(offset & (bytes - 1))));
    r = kScratch;
  }
  masm_.test(Width::w32, Src::of(r), Src::of(mask));
  trap_if(Cond::ne, TrapCode::unaligned_atomic);
}

Address Compiler::ready(const Access& a) {
  Address at;
  at.base = kMemoryBase;
  at.disp = a.disp;
  if (a.index.is_reg()) at.index = a.index.reg;
  if (a.index.where == Where::local) at.index = pinned(a.index.local);
  HEDDLE_CHECK(a.memory.value != 0 || prescan_.uses_memory0, "the prologue has loaded the base of memory 0");
  if (a.memory.value != 0) {
    masm_.load(Kind::i64, kScratch, Address::at(kVmctx, layout_->memory(a.memory) + kMemoryRefBase));
    at.base = kScratch;
  }
  return at;
}

void Compiler::load_memory_size(Reg dst, spec::MemIndex memory) {
  masm_.load(Kind::i64, dst, Address::at(kVmctx, layout_->memory(memory) + kMemoryRefMemory));
  masm_.load(Kind::i64, dst, Address::at(dst, kMemorySizeBytes));
}

void Compiler::prefetch(const abi::Prefetch& wish, Value address) {
  if (prescan_.uses_memory0 && abi::can_prefetch(*module_) && !address.is_const())
    masm_.prefetch(Address{kMemoryBase, to_reg(address), 0, 0, {}}, wish.write, wish.locality);
  release(address);
}

// ---- loads and stores

void Compiler::load(const binary::imm::MemArg& memarg, Kind kind, unsigned bytes, bool sign_extend, bool atomic) {
  const Access a = access(memarg, bytes, atomic);
  const Dest d = dest_for(kind, &a.index, nullptr, after_memarg());
  const Address at = ready(a);
  memory_site(a);
  if (is_float_class(kind))
    masm_.load(kind, d.reg, at);
  else
    masm_.load_int(d.reg, at, bytes, sign_extend, width_of(kind));
  finish(d, kind, a.index);
}

void Compiler::store(const binary::imm::MemArg& memarg, unsigned bytes) {
  Value v = pop();
  const auto word = static_cast<std::int64_t>(v.bits);
  const bool imm = v.is_const() && (bytes <= 4 || word == static_cast<std::int32_t>(word));
  if (!imm) static_cast<void>(to_reg(v));
  const Access a = access(memarg, bytes);
  const Address at = ready(a);
  const Reg r = imm ? Reg{} : to_reg(v);
  memory_site(a);
  if (imm)
    masm_.store_imm(at, static_cast<std::int32_t>(v.bits), bytes);
  else if (r.is_float())
    masm_.store(v.kind, at, r);
  else
    masm_.store_int(at, r, bytes);
  release(a.index);
  release(v);
}

base::Status Compiler::on_Load(Opcode op, const binary::imm::MemArg& m) {
  switch (op) {
    case Opcode::i32_load: load(m, Kind::i32, 4, false); break;
    case Opcode::i64_load: load(m, Kind::i64, 8, false); break;
    case Opcode::f32_load: load(m, Kind::f32, 4, false); break;
    case Opcode::f64_load: load(m, Kind::f64, 8, false); break;
    case Opcode::i32_load8_s: load(m, Kind::i32, 1, true); break;
    case Opcode::i32_load8_u: load(m, Kind::i32, 1, false); break;
    case Opcode::i32_load16_s: load(m, Kind::i32, 2, true); break;
    case Opcode::i32_load16_u: load(m, Kind::i32, 2, false); break;
    case Opcode::i64_load8_s: load(m, Kind::i64, 1, true); break;
    case Opcode::i64_load8_u: load(m, Kind::i64, 1, false); break;
    case Opcode::i64_load16_s: load(m, Kind::i64, 2, true); break;
    case Opcode::i64_load16_u: load(m, Kind::i64, 2, false); break;
    case Opcode::i64_load32_s: load(m, Kind::i64, 4, true); break;
    case Opcode::i64_load32_u: load(m, Kind::i64, 4, false); break;
    default: return not_supported("a load that this tier does not know");
  }
  return {};
}

base::Status Compiler::on_Store(Opcode op, const binary::imm::MemArg& m) {
  store(m, spec::opcode_info(op).memory_bytes);
  return {};
}

// ---- small blocks

namespace {

/// Chosen: four vector registers' worth.
constexpr std::uint64_t kMaxInlineBytes = 64;

/// A block as at most four pieces, the last two perhaps overlapping.
struct Pieces {
  Kind kind = Kind::v128;  ///< i32: one or two bytes each
  std::uint32_t width = 16;
  std::uint32_t offsets[4] = {};
  std::uint32_t count = 0;

  explicit Pieces(std::uint64_t size) {
    width = size >= 16 ? 16 : size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
    kind = width == 16 ? Kind::v128 : width == 8 ? Kind::f64 : width == 4 ? Kind::f32 : Kind::i32;
    const auto bytes = static_cast<std::uint32_t>(size);
    for (std::uint32_t at = 0; at + width <= bytes; at += width) offsets[count++] = at;
    if (bytes % width != 0) offsets[count++] = bytes - width;
  }
};

}  // namespace

bool Compiler::copy_inline(const Value& size, const binary::imm::MemoryCopy& imm) {
  if (!size.is_const() || size.bits == 0 || size.bits > kMaxInlineBytes) return false;
  const Value& src = stack_[height() - 1];
  const Value& dst = stack_[height() - 2];
  if (src.is_const() || dst.is_const()) return false;  // rare, and their displacements might be large
  const Pieces pieces(size.bits);
  const auto bytes = static_cast<unsigned>(size.bits);
  const Access from = access({0, imm.src, 0}, bytes);
  const Access to = access({0, imm.dst, 0}, bytes);
  Reg held[4];
  for (std::uint32_t i = 0; i < pieces.count; ++i) held[i] = alloc_for(pieces.kind);
  const Address read = ready(from);
  for (std::uint32_t i = 0; i < pieces.count; ++i) {
    memory_site(from);
    if (pieces.kind == Kind::i32)
      masm_.load_int(held[i], read.plus(static_cast<std::int32_t>(pieces.offsets[i])), pieces.width, false, Width::w32);
    else
      masm_.load(pieces.kind, held[i], read.plus(static_cast<std::int32_t>(pieces.offsets[i])));
  }
  const Address write = ready(to);
  for (std::uint32_t i = pieces.count; i > 0; --i) {
    memory_site(to);
    const Address at = write.plus(static_cast<std::int32_t>(pieces.offsets[i - 1]));
    if (pieces.kind == Kind::i32)
      masm_.store_int(at, held[i - 1], pieces.width);
    else
      masm_.store(pieces.kind, at, held[i - 1]);
    free_reg(held[i - 1]);
  }
  release(from.index);
  release(to.index);
  return true;
}

bool Compiler::fill_inline(const Value& size, const Value& value, const binary::imm::Memory& imm) {
  if (!size.is_const() || size.bits == 0 || size.bits > kMaxInlineBytes || !value.is_const() || top().is_const())
    return false;
  const Pieces pieces(size.bits);
  const Access to = access({0, imm.memory, 0}, static_cast<unsigned>(size.bits));
  const std::uint64_t word = (value.bits & 0xff) * 0x0101010101010101u;
  if (pieces.kind != Kind::i32) masm_.load_float_const(Kind::v128, machine::kFloatScratch, word, word);
  const Address write = ready(to);
  for (std::uint32_t i = pieces.count; i > 0; --i) {
    memory_site(to);
    const Address at = write.plus(static_cast<std::int32_t>(pieces.offsets[i - 1]));
    if (pieces.kind == Kind::i32)
      masm_.store_imm(at, static_cast<std::int32_t>(word & 0xffff), pieces.width);
    else
      masm_.store(pieces.kind, at, machine::kFloatScratch);
  }
  release(to.index);
  return true;
}

// ---- size, growth, bulk

base::Status Compiler::on_memory_size(const binary::imm::Memory& imm) {
  const spec::MemType& type = module_->memories[imm.memory.value].type;
  const Kind kind = type.address == spec::AddressType::i64 ? Kind::i64 : Kind::i32;
  const Dest d = dest_for(kind, nullptr, nullptr, after_immediates(1));
  load_memory_size(d.reg, imm.memory);
  masm_.shift_imm(Shift::shr_u, Width::w64, d.reg, d.reg, type.page_log2);
  push_dest(d, kind);
  return {};
}

/// A host service answers ~0 for "no": that is -1 in the address type.
void Compiler::push_grow_result(spec::AddressType address) {
  if (address == spec::AddressType::i32) masm_.mov_zero_extend(machine::kRax, machine::kRax);
  push_builtin_result(address == spec::AddressType::i32 ? Kind::i32 : Kind::i64);
}

base::Status Compiler::on_memory_grow(const binary::imm::Memory& imm) {
  Value args[] = {constant(Kind::i32, imm.memory.value), pop()};
  call_builtin(abi::Builtin::memory_grow, args);
  push_grow_result(module_->memories[imm.memory.value].type.address);
  return {};
}

base::Status Compiler::on_memory_fill(const binary::imm::Memory& imm) {
  const Value size = pop(), value = pop();
  if (fill_inline(size, value, imm)) return {};
  const Value dst = pop();
  Value args[] = {constant(Kind::i32, imm.memory.value), dst, value, size};
  call_status_builtin(abi::Builtin::memory_fill, args);
  return {};
}

base::Status Compiler::on_memory_copy(const binary::imm::MemoryCopy& imm) {
  const Value size = pop();
  if (copy_inline(size, imm)) return {};
  const Value src = pop(), dst = pop();
  const std::uint64_t memories = imm.dst.value | std::uint64_t{imm.src.value} << 32;
  Value args[] = {constant(Kind::i64, memories), dst, src, size};
  call_status_builtin(abi::Builtin::memory_copy, args);
  return {};
}

base::Status Compiler::on_memory_init(const binary::imm::MemoryInit& imm) {
  const Value size = pop(), src = pop(), dst = pop();
  Value args[] = {constant(Kind::i32, imm.memory.value), constant(Kind::i32, imm.data.value), dst, src, size};
  call_status_builtin(abi::Builtin::memory_init, args);
  return {};
}

base::Status Compiler::on_data_drop(const binary::imm::Data& imm) {
  Value args[] = {constant(Kind::i32, imm.data.value)};
  call_builtin(abi::Builtin::data_drop, args);
  return {};
}

}  // namespace heddle::baseline
