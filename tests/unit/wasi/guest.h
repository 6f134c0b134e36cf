// A guest without a module: WASI functions called through the real host-function interface (Store::call, entry and
// thunk included) on a real shared memory. One Guest is one group; one GuestThread is one of its threads.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/host_objects.h"
#include "runtime/memory.h"
#include "runtime/store.h"
#include "runtime/thread_group.h"
#include "support/temporary_folder.h"
#include "wasi/context.h"
#include "wasi/fd_table.h"
#include "wasi/preview1.h"
#include "wasi/types.h"

namespace heddle::wasi::test {

inline constexpr std::uint32_t kMemoryBytes = 16 * 65536;

inline void PrintTo(Errno e, std::ostream* out) {
  *out << "errno " << static_cast<int>(e);
}

/// With a mode that guests may expect of a folder.
class Folder : public heddle::test::TemporaryFolder {
 public:
  Folder() { ::chmod(path().c_str(), 0755); }
};

void write_file(const std::string& path, std::string_view text);
std::string read_file(const std::string& path);
/// Open descriptors of this process.
std::size_t host_fd_count();

/// One group's context and memory.
class Guest {
 public:
  struct Function {
    std::string_view module, name;
    std::shared_ptr<const runtime::HostFunction> function;
  };

  explicit Guest(Options options = {});
  Context& context() { return *context_; }
  runtime::ThreadGroup& group() { return group_; }
  runtime::Memory& memory() { return *memory_; }
  std::uint8_t* bytes(std::uint32_t address = 0) { return memory_->vm().base + address; }
  const std::vector<Function>& functions() const { return functions_; }

  /// Options with /dev/null for all streams and one preopen, descriptor 3.
  static Options with_folder(const std::string& host, bool read_only = false);

 private:
  runtime::ThreadGroup group_{runtime::ThreadGroup::Options{}};
  std::shared_ptr<runtime::Memory> memory_;
  std::unique_ptr<Context> context_;
  std::vector<Function> functions_;
};

/// What a call came to.
struct Answer {
  runtime::EntryStatus status = runtime::EntryStatus::returned;
  Errno error = Errno::success;
};

/// A thread of the group: makes calls. Lives on the thread that made it.
class GuestThread {
 public:
  explicit GuestThread(Guest& guest, const char* module = "wasi_snapshot_preview1");
  ~GuestThread();

  /// Calls by name; integers become i32 or i64 as the function's type says.
  template <class... A>
  Errno call(const char* name, A... args) {
    const Answer answer = call_raw(name, {static_cast<std::uint64_t>(args)...});
    EXPECT_EQ(answer.status, runtime::EntryStatus::returned) << name;
    return answer.error;
  }
  Answer call_raw(const char* name, const std::vector<std::uint64_t>& args);

  // Memory, by address. The first 64 KiB are used by the functions below.
  template <class T>
  T load(std::uint32_t address) {
    T value;
    std::memcpy(&value, guest_.bytes(address), sizeof value);
    return value;
  }
  template <class T>
  void store(std::uint32_t address, const T& value) {
    std::memcpy(guest_.bytes(address), &value, sizeof value);
  }
  /// Places text in this thread's scratch area; returns its address.
  std::uint32_t text(std::string_view s, std::uint32_t slot = 0);
  std::uint32_t scratch() const { return scratch_; }

  // Calls as a program would make them.
  Errno open(std::uint32_t dir, std::string_view path, std::uint32_t oflags, Rights base, std::uint32_t& fd,
             std::uint32_t fdflags = 0, std::uint32_t lookup = kSymlinkFollow);
  Errno write(std::uint32_t fd, std::string_view bytes, std::uint32_t* written = nullptr);
  Errno read(std::uint32_t fd, std::size_t size, std::string& bytes);
  Errno path_call(const char* name, std::uint32_t dir, std::string_view path);
  Errno stat(std::uint32_t dir, std::string_view path, Filestat& out, std::uint32_t lookup = kSymlinkFollow);
  Errno two_paths(const char* name, std::uint32_t old_dir, std::string_view old_path, std::uint32_t new_dir,
                  std::string_view new_path);
  Errno symlink(std::string_view contents, std::uint32_t dir, std::string_view path);
  Errno link(std::uint32_t old_dir, std::uint32_t lookup, std::string_view old_path, std::uint32_t new_dir,
             std::string_view new_path);
  Errno set_times(std::uint32_t dir, std::string_view path, std::uint32_t lookup);
  Errno readlink(std::uint32_t dir, std::string_view path, std::string& out);
  Errno list(std::uint32_t fd, std::set<std::string>& names, std::uint32_t buffer_bytes = 4096);

  Guest& guest() { return guest_; }
  runtime::Store& store() { return store_; }

 private:
  Guest& guest_;
  alignas(64) runtime::Store store_;
  runtime::HostObjects objects_;
  std::map<std::string, const abi::VmFuncRef*, std::less<>> functions_;
  std::uint32_t scratch_;
};

inline constexpr Rights kReadRights =
    rights(Right::fd_read, Right::fd_seek, Right::fd_tell, Right::fd_filestat_get, Right::poll_fd_readwrite,
           Right::fd_readdir, Right::fd_advise, Right::fd_fdstat_set_flags, Right::fd_filestat_set_times);
inline constexpr Rights kReadWriteRights =
    kReadRights |
    rights(Right::fd_write, Right::fd_allocate, Right::fd_filestat_set_size, Right::fd_sync, Right::fd_datasync);

}  // namespace heddle::wasi::test
