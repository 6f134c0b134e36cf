// A quick look at a body before it is compiled: which locals are used most, where calls are, what must be set to zero.
// Decodes only; stops quietly where the bytes are broken (the validator reports that). Every figure is a hint for speed
// but two: `needs_zero` and `loops` must be right for a valid body, and are.
#pragma once

#include <cstdint>
#include <vector>

#include "module/module.h"

namespace heddle::baseline {

struct LocalUse {
  std::uint32_t weight = 0;  ///< uses, each counted 8^loop depth times, at most kMaxWeight in all
  bool used = false;
  bool needs_zero = false;  ///< may be read before it is written (core spec, Defaultable Types: starts as zero)
};

/// Which locals a loop writes: bit min(index, 63) of each.
struct LoopSets {
  std::uint64_t body_offset = 0;
  std::uint64_t sets = 0;
};

struct Prescan {
  static constexpr std::uint32_t kMaxWeight = 1u << 30;

  std::vector<LocalUse> locals;   ///< parameters first
  std::vector<LoopSets> loops;    ///< in order of appearance
  std::uint32_t call_weight = 0;  ///< calls and host services, weighted like uses
  bool has_calls = false;         ///< anything that leaves the function and comes back
  bool changes_vmctx = false;     ///< calls with a vmctx that may not be ours
  bool uses_memory0 = false;
  bool has_handlers = false;

  /// Fills in everything; storage is reused.
  void run(const module::Module& m, spec::FuncIndex func);
};

inline std::uint64_t loop_set_bit(std::uint32_t local) {
  return std::uint64_t{1} << (local < 63 ? local : 63);
}

}  // namespace heddle::baseline
