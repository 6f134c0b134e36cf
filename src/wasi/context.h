// Context: what one program (one ThreadGroup) may see of its host through WASI preview1: arguments, environment,
// preopened directories, standard streams, listening sockets, limits. Nothing else of the host is reachable.
//
// Relies on: every path is resolved by the kernel beneath a preopened directory (sandbox_path.h). Immutable after
// create() except for the table of open files, which any thread of the group may use at any time (fd_table.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "abi/vmctx.h"
#include "base/mutex.h"
#include "base/result.h"

namespace heddle::runtime {
class Linker;
}

namespace heddle::wasi {

class FdTable;

/// One directory that the guest may use, under the name by which it finds it (fd_prestat_dir_name).
struct Preopen {
  std::string host_path;
  std::string guest_path;
  /// Nothing beneath may be created, changed, renamed, linked, removed or have its times set: errno rofs.
  bool read_only = false;
};

/// Bytes that a guest wrote to a captured stream. Any thread. Beyond `limit_bytes` a write gets errno nospc.
class Capture {
 public:
  explicit Capture(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  /// Returns how many bytes were taken.
  std::size_t append(std::string_view bytes) HEDDLE_EXCLUDES(mutex_);
  /// Everything written so far, which is forgotten here.
  std::string take() HEDDLE_EXCLUDES(mutex_);

 private:
  const std::size_t limit_bytes_;
  base::Mutex mutex_;
  std::string bytes_ HEDDLE_GUARDED_BY(mutex_);
};

/// What one of the descriptors 0, 1, 2 is.
struct Stream {
  enum class Kind : std::uint8_t {
    inherit,     ///< the process's own
    null,        ///< reads end of file, swallows writes
    file,        ///< `path` on the host: read for stdin; created or truncated for stdout and stderr
    descriptor,  ///< `descriptor` of this process; duplicated by create(), the caller keeps his
    bytes,       ///< stdin only: `bytes`
    capture,     ///< stdout and stderr only: `capture`
  };
  Kind kind = Kind::inherit;
  std::string path;
  int descriptor = -1;
  std::string bytes;
  std::shared_ptr<Capture> capture;
};

struct Options {
  std::vector<std::string> args;         ///< args[0] is the program's name
  std::vector<std::string> environment;  ///< "K=V"; the last one of a name wins
  std::vector<Preopen> preopens;         ///< descriptors 3, 4, ... in this order
  std::array<Stream, 3> stdio;
  /// "HOST:PORT" (IPv6 in brackets): listening TCP sockets, as the descriptors behind the preopens, in this order.
  std::vector<std::string> tcp_listen;
  /// Listening or connected sockets of this process, behind those; duplicated, the caller keeps his.
  std::vector<int> sockets;
  /// Bytes written to a terminal keep their control sequences. Without it they are made visible (terminal_filter.h).
  bool allow_escapes = false;
  /// Open descriptors of the group at one time, streams and preopens included; beyond it errno mfile.
  std::uint32_t max_open_files = 4096;
  /// Pretend that the kernel has no openat2, so that the per-component walk is used (tests).
  bool without_openat2 = false;
};

class Context {
 public:
  /// Opens preopens, streams and sockets. Errors: io, with a sentence that names the path or address.
  static base::Result<std::unique_ptr<Context>> create(Options options);
  /// Closes everything that is still open. No thread of the group may be inside a call.
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Options& options() const { return options_; }
  FdTable& files() { return *files_; }
  bool uses_openat2() const { return uses_openat2_; }

  /// The memory that calls mean which the host makes directly, without an importing instance (tests, embedders).
  void set_direct_memory(abi::VmMemory* memory) { direct_memory_ = memory; }
  abi::VmMemory* direct_memory() const { return direct_memory_; }

 private:
  explicit Context(Options options);
  base::Status open_streams();
  base::Status open_preopens();
  base::Status open_sockets();

  Options options_;
  bool uses_openat2_;
  std::unique_ptr<FdTable> files_;
  abi::VmMemory* direct_memory_ = nullptr;
};

/// Defines every function of `wasi_snapshot_preview1` and of its older form `wasi_unstable` (same functions; other
/// layouts of filestat, whence and subscription). `context` is borrowed and must outlive the group's threads.
void define_preview1(runtime::Linker& linker, Context& context);

}  // namespace heddle::wasi
