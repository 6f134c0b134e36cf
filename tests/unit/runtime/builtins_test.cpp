// The builtins of memories and tables, called as generated code calls them.
#include "runtime/builtins.h"

#include <cstring>

#include "unit/runtime/modules.h"

namespace heddle::runtime {
namespace {

using spec::TrapCode;

constexpr std::uint32_t kOk = 0;
constexpr auto kMemoryBounds = static_cast<std::uint32_t>(TrapCode::memory_out_of_bounds);
constexpr auto kTableBounds = static_cast<std::uint32_t>(TrapCode::table_out_of_bounds);
constexpr auto kInterrupted = static_cast<std::uint32_t>(TrapCode::interrupted);
constexpr std::uint64_t kPage = 65536;

class BulkMemory : public InstanceTest {
 protected:
  std::uint8_t* bytes(Instance& instance) { return instance.memory(spec::MemIndex(0u)).vm().base; }
};

TEST_F(BulkMemory, fill_is_bounded_once_before_anything_is_written) {
  Instance& instance = instantiate(R"((module (memory 1)))");
  VmCtx* ctx = instance.vmctx();
  EXPECT_EQ(heddle_builtin_memory_fill(ctx, 0, kPage - 4, 0xabcd, 4), kOk);
  EXPECT_EQ(bytes(instance)[kPage - 1], 0xcd);
  EXPECT_EQ(heddle_builtin_memory_fill(ctx, 0, kPage - 4, 1, 5), kMemoryBounds);
  EXPECT_EQ(bytes(instance)[kPage - 4], 0xcd);
  EXPECT_EQ(heddle_builtin_memory_fill(ctx, 0, kPage, 1, 0), kOk);
  EXPECT_EQ(heddle_builtin_memory_fill(ctx, 0, kPage + 1, 1, 0), kMemoryBounds);
  EXPECT_EQ(heddle_builtin_memory_fill(ctx, 0, 16, 1, ~std::uint64_t{0} - 8), kMemoryBounds);
}

// CVE-2025-58749 of another engine: addresses and lengths beyond 2^31 taken as signed.
TEST_F(BulkMemory, addresses_beyond_2_gib_are_unsigned) {
  Instance& instance = instantiate(R"((module (memory 0)))");
  ASSERT_EQ(instance.memory(spec::MemIndex(0u)).grow(65536), 0u);
  VmCtx* ctx = instance.vmctx();
  const std::uint64_t two_gib = std::uint64_t{1} << 31;
  EXPECT_EQ(heddle_builtin_memory_fill(ctx, 0, two_gib - 2, 7, 4), kOk);
  EXPECT_EQ(bytes(instance)[two_gib + 1], 7);
  EXPECT_EQ(heddle_builtin_memory_fill(ctx, 0, 0xffff'fffe, 8, 2), kOk);
  EXPECT_EQ(bytes(instance)[0xffff'ffff], 8);
  EXPECT_EQ(heddle_builtin_memory_fill(ctx, 0, 0xffff'fffe, 8, 3), kMemoryBounds);
  EXPECT_EQ(heddle_builtin_memory_copy(ctx, 0, 0xffff'fff0, two_gib - 2, 4), kOk);
  EXPECT_EQ(bytes(instance)[0xffff'fff3], 7);
  EXPECT_EQ(heddle_builtin_memory_copy(ctx, 0, two_gib, 1, 0xffff'ffff), kMemoryBounds);
}

TEST_F(BulkMemory, copy_handles_overlap_in_both_directions_also_across_chunks) {
  Instance& instance = instantiate(R"((module (memory 128)))");
  VmCtx* ctx = instance.vmctx();
  const std::uint64_t size = (5 << 20) + 12'345;  // more than one chunk
  const auto pattern = [](std::uint64_t i) { return static_cast<std::uint8_t>(i * 31 ^ (i >> 11)); };
  for (const std::int64_t shift : {1, 4096, 1 << 20, (1 << 20) + 1}) {
    for (const bool up : {true, false}) {
      const std::uint64_t src = up ? 0 : static_cast<std::uint64_t>(shift);
      const std::uint64_t dst = up ? static_cast<std::uint64_t>(shift) : 0;
      for (std::uint64_t i = 0; i < size; ++i) bytes(instance)[src + i] = pattern(i);
      ASSERT_EQ(heddle_builtin_memory_copy(ctx, 0, dst, src, size), kOk);
      std::uint64_t wrong = 0;
      for (std::uint64_t i = 0; i < size; ++i) wrong += bytes(instance)[dst + i] != pattern(i);
      EXPECT_EQ(wrong, 0u) << "shift " << shift << (up ? " up" : " down");
    }
  }
}

TEST_F(BulkMemory, copy_between_two_memories_checks_each_by_its_own_size) {
  Instance& instance = instantiate(R"((module (memory 1) (memory 2) (data (memory 1) (i32.const 131071) "z")))");
  VmCtx* ctx = instance.vmctx();
  const std::uint64_t to_0_from_1 = std::uint64_t{1} << 32;
  EXPECT_EQ(heddle_builtin_memory_copy(ctx, to_0_from_1, 0, 2 * kPage - 1, 1), kOk);
  EXPECT_EQ(bytes(instance)[0], 'z');
  EXPECT_EQ(heddle_builtin_memory_copy(ctx, to_0_from_1, kPage, 0, 1), kMemoryBounds);
  EXPECT_EQ(heddle_builtin_memory_copy(ctx, to_0_from_1, 0, 2 * kPage, 1), kMemoryBounds);
}

TEST_F(BulkMemory, init_reads_a_segment_until_it_is_dropped) {
  Instance& instance = instantiate(R"((module (memory 1) (data "hello")))");
  VmCtx* ctx = instance.vmctx();
  EXPECT_EQ(heddle_builtin_memory_init(ctx, 0, 0, 10, 1, 4), kOk);
  EXPECT_EQ(std::memcmp(bytes(instance) + 10, "ello", 4), 0);
  EXPECT_EQ(heddle_builtin_memory_init(ctx, 0, 0, 10, 2, 4), kMemoryBounds);
  EXPECT_EQ(heddle_builtin_memory_init(ctx, 0, 0, kPage - 3, 0, 4), kMemoryBounds);
  EXPECT_EQ(heddle_builtin_memory_init(ctx, 0, 0, 0, 0xffff'ffff, 2), kMemoryBounds);
  heddle_builtin_data_drop(ctx, 0);
  EXPECT_EQ(heddle_builtin_memory_init(ctx, 0, 0, 10, 0, 1), kMemoryBounds);
  EXPECT_EQ(heddle_builtin_memory_init(ctx, 0, 0, kPage, 0, 0), kOk);
}

TEST_F(BulkMemory, a_long_operation_stops_when_the_thread_shall_leave) {
  Instance& instance = instantiate(R"((module (memory 1024)))");
  store.vm()->interrupt.store(1);
  EXPECT_EQ(heddle_builtin_memory_fill(instance.vmctx(), 0, 0, 1, 1024 * kPage), kInterrupted);
  EXPECT_EQ(heddle_builtin_memory_copy(instance.vmctx(), 0, 0, 512 * kPage, 512 * kPage), kInterrupted);
  EXPECT_EQ(bytes(instance)[1024 * kPage - 1], 0);  // it did stop
  // A short one is done; its caller tests the flag.
  EXPECT_EQ(heddle_builtin_memory_fill(instance.vmctx(), 0, 0, 1, kPage), kOk);
  store.vm()->interrupt.store(0);
}

class BulkTable : public InstanceTest {};

TEST_F(BulkTable, grow_moves_entries_and_fills_new_ones) {
  Instance& instance = instantiate(R"((module (table (export "t") 1 5 externref)))");
  VmCtx* ctx = instance.vmctx();
  int word = 0;
  EXPECT_EQ(heddle_builtin_table_fill(ctx, 0, 0, &word, 1), kOk);
  EXPECT_EQ(heddle_builtin_table_grow(ctx, 0, 2, &word), 1u);
  EXPECT_EQ(heddle_builtin_table_grow(ctx, 0, 2, nullptr), 3u);
  EXPECT_EQ(heddle_builtin_table_grow(ctx, 0, 1, nullptr), TableInstance::kRefused);
  EXPECT_EQ(heddle_builtin_table_grow(ctx, 0, ~std::uint64_t{0}, nullptr), TableInstance::kRefused);
  EXPECT_EQ(heddle_builtin_table_grow(ctx, 0, 0, nullptr), 5u);
  const abi::VmTable& entries = table(instance, "t");
  EXPECT_EQ(entries.elements[0], &word);
  EXPECT_EQ(entries.elements[2], &word);
  EXPECT_EQ(entries.elements[3], nullptr);
}

TEST_F(BulkTable, fill_copy_and_init_are_all_or_nothing) {
  Instance& instance = instantiate(R"((module
      (table (export "t") 4 funcref) (table (export "u") 2 funcref)
      (elem func $f $f $f) (func $f)))");
  VmCtx* ctx = instance.vmctx();
  const abi::VmTable& t = table(instance, "t");
  const abi::VmTable& u = table(instance, "u");
  void* f = instance.func_ref(spec::FuncIndex(0u));
  EXPECT_EQ(heddle_builtin_table_init(ctx, 0, 0, 2, 0, 3), kTableBounds);
  EXPECT_EQ(t.elements[2], nullptr);
  EXPECT_EQ(heddle_builtin_table_init(ctx, 0, 0, 2, 1, 2), kOk);
  EXPECT_EQ(t.elements[3], f);
  const std::uint64_t to_u_from_t = 1;
  EXPECT_EQ(heddle_builtin_table_copy(ctx, to_u_from_t, 0, 1, 2), kOk);
  EXPECT_EQ(u.elements[0], nullptr);
  EXPECT_EQ(u.elements[1], f);
  EXPECT_EQ(heddle_builtin_table_copy(ctx, to_u_from_t, 1, 2, 2), kTableBounds);
  EXPECT_EQ(heddle_builtin_table_copy(ctx, 0, 1, 0, 3), kOk);  // overlapping upwards
  EXPECT_EQ(t.elements[3], f);
  EXPECT_EQ(t.elements[2], nullptr);
  EXPECT_EQ(heddle_builtin_table_fill(ctx, 0, 3, nullptr, 2), kTableBounds);
  EXPECT_EQ(t.elements[3], f);
  EXPECT_EQ(heddle_builtin_table_fill(ctx, 0, 4, nullptr, 0), kOk);
  EXPECT_EQ(heddle_builtin_table_fill(ctx, 0, ~std::uint64_t{0}, nullptr, 2), kTableBounds);
  heddle_builtin_elem_drop(ctx, 0);
  EXPECT_EQ(heddle_builtin_table_init(ctx, 0, 0, 0, 0, 1), kTableBounds);
}

class Atomics : public InstanceTest {};

constexpr std::int64_t trap(TrapCode code) {
  return -static_cast<std::int64_t>(code);
}

TEST_F(Atomics, wait_checks_alignment_bounds_and_sharing) {
  Instance& shared = instantiate(R"((module (memory 1 1 shared)))");
  VmCtx* ctx = shared.vmctx();
  EXPECT_EQ(heddle_builtin_atomic_wait32(ctx, 0, 2, 0, 0, 0), trap(TrapCode::unaligned_atomic));
  EXPECT_EQ(heddle_builtin_atomic_wait64(ctx, 0, 0, 4, 0, 0), trap(TrapCode::unaligned_atomic));
  EXPECT_EQ(heddle_builtin_atomic_wait32(ctx, 0, kPage, 0, 0, 0), trap(TrapCode::memory_out_of_bounds));
  EXPECT_EQ(heddle_builtin_atomic_wait64(ctx, 0, 8, ~std::uint64_t{0} - 7, 0, 0), trap(TrapCode::memory_out_of_bounds));
  Instance& unshared = instantiate(R"((module (memory 1 1)))");
  EXPECT_EQ(heddle_builtin_atomic_wait32(unshared.vmctx(), 0, 0, 0, 0, 0), trap(TrapCode::expected_shared_memory));
}

TEST_F(Atomics, wait_returns_not_equal_and_timed_out_at_the_last_cell) {
  Instance& instance = instantiate(R"((module (memory 1 1 shared)))");
  VmCtx* ctx = instance.vmctx();
  EXPECT_EQ(heddle_builtin_atomic_wait32(ctx, 0, kPage - 4, 0, 1, -1), 1);
  EXPECT_EQ(heddle_builtin_atomic_wait32(ctx, 0, kPage - 8, 4, 0, 0), 2);
  EXPECT_EQ(heddle_builtin_atomic_wait64(ctx, 0, kPage - 8, 0, 1, -1), 1);
  EXPECT_EQ(heddle_builtin_atomic_wait64(ctx, 0, kPage - 8, 0, 0, 1), 2);
}

TEST_F(Atomics, notify_checks_first_and_finds_nobody_on_unshared_memory) {
  Instance& instance = instantiate(R"((module (memory 1 1)))");
  VmCtx* ctx = instance.vmctx();
  EXPECT_EQ(heddle_builtin_atomic_notify(ctx, 0, 0, 0, 1), 0);
  EXPECT_EQ(heddle_builtin_atomic_notify(ctx, 0, 1, 0, 1), trap(TrapCode::unaligned_atomic));
  EXPECT_EQ(heddle_builtin_atomic_notify(ctx, 0, kPage, 0, 1), trap(TrapCode::memory_out_of_bounds));
}

}  // namespace
}  // namespace heddle::runtime
