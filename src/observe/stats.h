// Stats (--stats): which code was made when, by which tier, in what time; when the program ends, as a table for people
// or one JSON object for scripts.
#pragma once

#include <algorithm>
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
  std::uint64_t samples = 0;      ///< of code that could be better, or whose caller could
  std::uint64_t unsupported = 0;  ///< functions that no better tier could compile
};

class Stats final : public code::Listener {
 public:
  Stats();
  void on_new_code(const code::NewCode& code) override HEDDLE_EXCLUDES(mutex_);

  /// What was made so far: sums by tier, then the pieces that took longest, in the order in which they were made. Any
  /// thread; ends with a newline.
  std::string table(const SampleCounts& counts) HEDDLE_EXCLUDES(mutex_);
  /// The same as one line of JSON. Times are in nanoseconds, `at_ns` since this object was made.
  std::string json(const SampleCounts& counts) HEDDLE_EXCLUDES(mutex_);

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

  std::uint64_t since_begin_ns(const Piece& p) const { return p.at_ns - std::min(p.at_ns, begin_ns_); }
  std::uint64_t all_code_bytes() const HEDDLE_REQUIRES(mutex_);
  /// In the order in which they were made.
  std::vector<Piece> longest_in_order() const HEDDLE_REQUIRES(mutex_);

  const std::uint64_t begin_ns_;
  base::Mutex mutex_;
  std::map<std::string_view, Sum> functions_ HEDDLE_GUARDED_BY(mutex_);  // by tier
  Sum loops_ HEDDLE_GUARDED_BY(mutex_);
  std::vector<Piece> longest_ HEDDLE_GUARDED_BY(mutex_);  // a heap, the one that took least in front
};

}  // namespace heddle::observe
