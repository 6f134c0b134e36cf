// Innermost loops that go through memory 0 in even steps, so that all the addresses of an execution are known before it
// begins. Only recognition, nothing is changed; loop_versioning.h makes use of it.
//
// Memory 0 here is one that is guarded (32-bit addresses, 64 KiB pages) and not shared: its accesses, and the load of
// its base, are marked when they are built, and what is not marked is never taken for one.
#pragma once

#include <cstdint>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/IR/Instructions.h>
#include <optional>

namespace heddle::llvm_tier {

/// `base` is the address of memory 0, `access` a load or store at base + zext(i32 index) + offset.
void mark_memory0_base(llvm::Instruction& base);
void mark_memory0_access(llvm::Instruction& access, std::uint64_t offset);
void unmark_memory0_access(llvm::Instruction& access);

/// Addresses that differ by constants in each iteration. In iteration i = 0, 1, ... an index is start + i * stride
/// modulo 2^32.
struct Run {
  const llvm::SCEV* start;  ///< i32, does not change in the loop: the lowest index of the first iteration
  std::int64_t stride;      ///< bytes, of 32 bits
  std::uint64_t reach = 0;  ///< bytes that one iteration needs from there on
};

struct AffineAccess {
  llvm::Instruction* instruction;
  std::size_t run;
  std::uint64_t position;  ///< bytes from the run's start
  std::uint64_t width;     ///< bytes
};

struct AffineLoop {
  llvm::Loop* loop = nullptr;  ///< with a preheader and one exit, which only the latch takes
  llvm::Value* base = nullptr;
  const llvm::SCEV* repeats = nullptr;  ///< how often the latch goes back: an integer of at most 64 bits
  llvm::SmallVector<Run, 4> runs;
  llvm::SmallVector<AffineAccess, 8> accesses;  ///< in the order of their blocks
};

/// The address of a marked access.
llvm::Value* access_address(llvm::Instruction& access);

/// Cheap: one latch that is the only exit, accesses to memory 0, and nothing else with an effect. Needs no analysis.
bool may_be_affine(const llvm::Loop& loop);

/// `loop` may be affine and is in simplified form. Not found if it can be told that it never has `min_iterations`.
std::optional<AffineLoop> find_affine(llvm::Loop& loop, llvm::ScalarEvolution& evolution,
                                      llvm::DominatorTree& dominators, std::uint64_t min_iterations);

}  // namespace heddle::llvm_tier
