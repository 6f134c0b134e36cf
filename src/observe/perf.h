// What Linux's `perf` reads to name generated code: a map (/tmp/perf-PID.map, names only, while the process's id is
// not used again) or a jitdump (jit-PID.dump in the current directory: names, bytes and wasm offsets, for `perf inject
// --jit`). Each piece of code is written by one write(2) before it runs, so that whatever ends the process leaves a
// file that can be read.
//
// https://github.com/torvalds/linux/blob/master/tools/perf/Documentation/jit-interface.txt
// https://github.com/torvalds/linux/blob/master/tools/perf/Documentation/jitdump-specification.txt
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/result.h"
#include "code/listener.h"

namespace heddle::observe {

/// An open file that a record is appended to for each piece of code. Outlives the modules it is told of.
class PerfFile : public code::Listener {
 public:
  virtual ~PerfFile();
  PerfFile(const PerfFile&) = delete;
  PerfFile& operator=(const PerfFile&) = delete;

 protected:
  explicit PerfFile(int fd) : fd_(fd) {}
  int fd() const { return fd_; }
  /// Whole, or (disk full) nothing more is written from here on: what stands there stays readable.
  void append(std::string_view record) HEDDLE_EXCLUDES(mutex_);

 private:
  const int fd_;
  base::Mutex mutex_;  // several modules' code
  bool full_ HEDDLE_GUARDED_BY(mutex_) = false;
};

/// Before the first module is compiled in this process (code/mapping.h). Both make a new file that only this user can
/// read. Errors: io.
base::Result<std::unique_ptr<PerfFile>> make_perf_map(const std::string& folder = "/tmp");
base::Result<std::unique_ptr<PerfFile>> make_jitdump(const std::string& folder = ".");

}  // namespace heddle::observe
