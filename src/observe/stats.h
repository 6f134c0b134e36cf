// Stats (--stats): which code was made when, by which tier, in what time; as a table when the program ends.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "code/listener.h"

namespace heddle::observe {

/// What the one who finds hot code counted (engine/tier_up.h).
struct SampleCounts {
  std::uint64_t samples = 0;      ///< of code that could be better
  std::uint64_t unsupported = 0;  ///< functions that no better tier could compile
};

class Stats final : public code::Listener {
 public:
  Stats();
  void on_new_code(const code::NewCode& code) override HEDDLE_EXCLUDES(mutex_);

  /// What was made so far: sums by tier, then the pieces that took longest, in the order in which they were made. Any
  /// thread; ends with a newline.
  std::string table(const SampleCounts& counts) HEDDLE_EXCLUDES(mutex_);

 private:
  struct Piece {
    std::uint64_t at_ns, compile_ns;
    std::uint32_t code_bytes, wasm_bytes;
    const char* tier;
    std::string name;
  };
  struct Sum {
    std::uint64_t pieces = 0, compile_ns = 0, code_bytes = 0, wasm_bytes = 0;
  };

  const std::uint64_t begin_ns_;
  base::Mutex mutex_;
  std::map<std::string_view, Sum> functions_ HEDDLE_GUARDED_BY(mutex_);  // by tier
  Sum loops_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<Piece> longest_ HEDDLE_GUARDED_BY(mutex_);  // a heap, the one that took least in front
};

}  // namespace heddle::observe
